#include "inference/mini/chart.h"

#include <algorithm>

namespace inference::mini {

namespace {

constexpr std::string_view titles[] = {
    "Survival", "Response", "Weight", "Growth",  "Signal", "Pressure", "Volume", "Glucose",
    "Tumour",   "Control",  "Energy", "Protein", "Memory", "Uptake",   "Motion", "Quality"};
constexpr std::string_view labels[] = {"Time",  "Group", "Age",  "Week",  "Dose", "Day",
                                       "Month", "Rank",  "Site", "Phase", "Year", "Batch"};
constexpr std::string_view entries[] = {"low", "high", "old",  "new", "drug", "ctrl",
                                        "max", "min",  "wild", "mut", "pre",  "post"};
constexpr Ink black{24, 24, 24};

/// Returns the area below the title.
Area drawTitle(Drawing& drawing, Area area)
{
    const double height = textHeight(drawing);
    const bool has = drawing.random.chance(60);
    const std::string title(drawing.random.pick(titles));
    if (has) {
        const double middle = (area.left + area.right - textWidth(title, height)) / 2;
        drawing.canvas.text({middle, area.top + height * 1.5}, title, height, black);
        drawing.ask("title", "title", {}, "title: " + title + ".", title);
    } else {
        drawing.askAbsent("title", "title", {}, "title: none.", "There is no title.");
    }
    area.top += height * (has ? 2.2 : 0.6);
    return area;
}

Area drawLegend(Drawing& drawing, Area area, const std::vector<int>& colours)
{
    Random& random = drawing.random;
    const double height = textHeight(drawing) * 0.9;
    const bool has = random.chance(50);
    std::vector<std::string_view> words(std::begin(entries), std::end(entries));
    random.shuffle(words);
    if (has) {
        const double width = height * 5.2;
        const double left = area.right - width;
        for (std::size_t i = 0; i < colours.size(); ++i) {
            const double y = area.top + height * (1.6 + double(i) * 1.9);
            drawing.canvas.rectangle({left, y - height}, {left + height, y}, chartInk(colours[i]));
            drawing.canvas.text({left + height * 1.5, y}, words[i], height, black);
        }
        area.right -= width + height;
        const std::string count = std::to_string(colours.size());
        drawing.ask("legend", "legend", {}, "legend entries: " + count + ".", count);
        drawing.ask("yesno", "haslegend", {}, "legend entries: " + count + ".", "yes");
    } else {
        drawing.askAbsent("legend", "legend", {}, "legend entries: none.", "There is no legend.");
        drawing.ask("yesno", "haslegend", {}, "legend entries: none.", "no");
    }
    return area;
}

Area drawAxes(Drawing& drawing, Area area, const ChartStyle& style)
{
    Canvas& canvas = drawing.canvas;
    const double height = textHeight(drawing) * 0.85;
    const double thin = std::max(drawing.percent(0.5), 1.0);
    area.bottom -= height * 1.2;
    area.top += height;
    area.right -= height * 0.5;
    if (!style.panel) {
        const bool has = drawing.random.chance(60);
        const std::string label(drawing.random.pick(labels));
        if (has) {
            area.bottom -= height * 1.3;
            const double middle = (area.left + area.right - textWidth(label, height * 1.15)) / 2;
            canvas.text({middle, area.bottom + height * 1.9}, label, height * 1.15, black);
            drawing.ask("xlabel", "xlabel", {}, "x axis: " + label + ".", label);
        } else {
            drawing.askAbsent("xlabel", "xlabel", {}, "x axis: none.",
                              "There is no label on the x axis.");
        }
    }
    area.left += style.numbers ? height * 3.6 : height;
    const bool grid = drawing.random.chance(40);
    for (int value = 0; value <= 100; value += 25) {
        const double y = area.bottom - area.height() * value / 100;
        if (grid && value > 0) {
            canvas.line({area.left, y}, {area.right, y}, thin, {222, 222, 222});
        }
        canvas.line({area.left - height * 0.4, y}, {area.left, y}, thin, black);
        if (style.numbers && value % 50 == 0) {
            const std::string number = std::to_string(value);
            canvas.text({area.left - height * 0.7 - textWidth(number, height), y + height * 0.5},
                        number, height, black);
        }
    }
    canvas.line({area.left, area.top - height * 0.5}, {area.left, area.bottom}, thin * 1.3, black);
    canvas.line({area.left, area.bottom}, {area.right + height * 0.5, area.bottom}, thin * 1.3,
                black);
    return area;
}

}  // namespace

Ink chartInk(int colour)
{
    constexpr Ink inks[] = {{212, 38, 38},  {36, 84, 204},   {34, 148, 58},  {245, 150, 24},
                            {128, 48, 168}, {245, 128, 190}, {128, 128, 128}};
    return inks[colour];
}

std::vector<int> differentColours(Random& random, int count)
{
    std::vector<int> colours{0, 1, 2, 3, 4, 5, 6};
    random.shuffle(colours);
    colours.resize(std::size_t(count));
    return colours;
}

double textHeight(const Drawing& drawing)
{
    return drawing.percent(drawing.options.tile < 200 ? 7 : 4.6);
}

Area drawFrame(Drawing& drawing, const Area& area, const ChartStyle& style,
               const std::vector<int>& colours)
{
    Area left = area;
    if (!style.panel) {
        left = drawTitle(drawing, left);
        left = drawLegend(drawing, left, colours);
    }
    return style.axes ? drawAxes(drawing, left, style) : left;
}

AskedColour askedColour(Random& random, const std::vector<int>& colours)
{
    const bool absent = random.chance(25);
    const int index = random.below(int(colours.size()));
    if (!absent) {
        return {colours[std::size_t(index)], index};
    }
    int colour = random.below(int(colourNames.size()));
    while (std::find(colours.begin(), colours.end(), colour) != colours.end()) {
        colour = (colour + 1) % int(colourNames.size());
    }
    return {colour, -1};
}

void drawChartIn(Drawing& drawing, Scene scene, const Area& area, bool panel)
{
    switch (scene) {
    case Scene::BarChart:
        return drawBars(drawing, area, panel);
    case Scene::LineChart:
        return drawLines(drawing, area, panel);
    case Scene::ScatterPlot:
        return drawScatter(drawing, area, panel);
    default:
        return drawPie(drawing, area, panel);
    }
}

void drawChart(Drawing& drawing, Scene scene)
{
    const double edge = drawing.percent(drawing.random.real(2, 5));
    drawChartIn(drawing, scene,
                {edge, edge, drawing.canvas.width() - edge, drawing.canvas.height() - edge}, false);
    const std::string type(name(scene));
    drawing.ask("type", "type", {}, "one panel: " + type + ".", type);
    if (drawing.random.chance(47)) {  // in all as often as of two panels
        drawing.ask("panels", "panels", {}, "one panel: " + type + ".", "1");
    }
}

void drawPanels(Drawing& drawing)
{
    Random& random = drawing.random;
    std::vector<Scene> kinds{Scene::BarChart, Scene::LineChart, Scene::ScatterPlot,
                             Scene::PieChart};
    random.shuffle(kinds);
    const double width = drawing.canvas.width(), height = drawing.canvas.height();
    const bool beside = width >= height;
    const double edge = drawing.percent(3), letter = textHeight(drawing) * 1.2;
    std::string thought = "two panels:";
    for (int i = 0; i < 2; ++i) {
        const double x = beside && i == 1 ? width / 2 : 0, y = !beside && i == 1 ? height / 2 : 0;
        const Area area{x + edge, y + edge + letter * (beside ? 1.4 : 0),
                        (beside ? x + width / 2 : width) - edge,
                        (beside ? height : y + height / 2) - edge};
        drawChartIn(drawing, kinds[std::size_t(i)],
                    beside ? area
                           : Area{area.left + letter * 1.6, area.top, area.right, area.bottom},
                    true);
        drawing.canvas.text({x + edge, y + edge + letter}, i == 0 ? "A" : "B", letter,
                            {10, 10, 10});
        thought += std::string(i == 0 ? " A " : ", B ") + std::string(name(kinds[std::size_t(i)]));
    }
    thought += ".";
    drawing.ask("panels", "panels", {}, thought, "2");
    for (int i = 0; i < 2; ++i) {
        const std::string panel = i == 0 ? "A" : "B", type(name(kinds[std::size_t(i)]));
        drawing.ask("type", "typein", {{"panel", panel}}, thought, type);
        drawing.ask("panelof", "panelof", {{"chart", type}}, thought, panel);
    }
}

}  // namespace inference::mini
