#include "inference/mini/chart.h"
#include "inference/mini/spots.h"

#include <algorithm>
#include <cmath>

namespace inference::mini {

namespace {

std::string at(double percentX, double percentY)
{
    return twoDigits(percentX) + " " + twoDigits(percentY);
}

/// "There is no pink bar."
std::string noSuch(int colour, const std::string& what)
{
    return "There is no " + colourName(colour) + " " + what + ".";
}

/// "bars: red at 20 top 40 value 60, blue at 41 top 26 value 80."
std::string listedClauses(const std::string& many, const std::vector<std::string>& clauses)
{
    std::string list = many + ": ";
    for (const std::string& clause : clauses) {
        list += (&clause == &clauses.front() ? "" : ", ") + clause;
    }
    return list + ".";
}

struct LineData {
    std::vector<double> values;  // 0..100, at even steps
    std::string trend;
};

LineData makeLine(Random& random, int points)
{
    LineData line;
    const int kind = random.below(3);
    const double change = kind == 2 ? random.real(-3, 3) : random.real(38, 75);
    const double low = random.real(6, 94 - std::fabs(change));
    const double from = kind == 1 ? low + change : low, to = kind == 1 ? low : low + change;
    line.trend = kind == 0 ? "rising" : kind == 1 ? "falling" : "flat";
    for (int i = 0; i < points; ++i) {
        const bool end = i == 0 || i == points - 1;
        line.values.push_back(from + (to - from) * i / (points - 1) +
                              (end ? 0 : random.real(-5, 5)));
    }
    return line;
}

/// 1: they cross, 0: they do not, -1: it is hard to see.
int crossing(const LineData& a, const LineData& b)
{
    double least = 1e9, most = -1e9;
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        least = std::min(least, a.values[i] - b.values[i]);
        most = std::max(most, a.values[i] - b.values[i]);
    }
    const double first = a.values.front() - b.values.front();
    const double last = a.values.back() - b.values.back();
    if (first * last < 0 && std::fabs(first) > 14 && std::fabs(last) > 14) {
        return 1;
    }
    return least > 7 || most < -7 ? 0 : -1;
}

/// Whether each line can be told from each other one.
bool apart(const std::vector<LineData>& lines)
{
    for (std::size_t i = 0; i < lines.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            double sum = 0;
            for (std::size_t p = 0; p < lines[i].values.size(); ++p) {
                sum += std::fabs(lines[i].values[p] - lines[k].values[p]);
            }
            if (sum < 12 * double(lines[i].values.size())) {
                return false;
            }
        }
    }
    return true;
}

/// As many lines as asked for; two of them cross or not as often.
std::vector<LineData> makeLines(Random& random, int count)
{
    const int points = random.whole(4, 8);
    const int wanted = random.below(2);
    std::vector<LineData> lines;
    for (int attempt = 0; attempt < 200; ++attempt) {
        lines.clear();
        for (int i = 0; i < count; ++i) {
            lines.push_back(makeLine(random, points));
        }
        if (apart(lines) && (count != 2 || crossing(lines[0], lines[1]) == wanted)) {
            break;
        }
    }
    return lines;
}

/// The index of the largest value where no other comes within `margin`, or -1.
int clearMaximum(const std::vector<double>& values, double margin)
{
    const auto best = std::max_element(values.begin(), values.end());
    for (auto value = values.begin(); value != values.end(); ++value) {
        if (value != best && *value + margin > *best) {
            return -1;
        }
    }
    return int(best - values.begin());
}

}  // namespace

void drawBars(Drawing& drawing, const Area& area, bool panel)
{
    Random& random = drawing.random;
    Canvas& canvas = drawing.canvas;
    const int least = 2, most = panel ? 4 : drawing.options.tile < 200 ? 4 : 6;
    const int count = random.whole(least, std::max(3, int(drawing.eased(3, most))));
    const std::vector<int> colours = differentColours(random, count);
    const Area plot = drawFrame(drawing, area, {panel, true, !panel}, colours);
    std::vector<int> tens{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    random.shuffle(tens);
    const double step = plot.width() / count, wide = step * random.real(0.55, 0.75);
    const bool outlined = random.chance(30);
    std::vector<std::string> clauses;
    for (int i = 0; i < count; ++i) {
        const double x = plot.left + step * (i + 0.5);
        const Point from{x - wide / 2, plot.bottom - plot.height() * tens[std::size_t(i)] / 10};
        const Point to{x + wide / 2, plot.bottom};
        const Extent extent = drawing.extentOf(from, to);
        const int colour = colours[std::size_t(i)];
        if (drawing.add({Thing::Bar, extent, colour})) {
            canvas.rectangle(from, to, chartInk(colour));
            if (outlined) {
                canvas.lines({{from.x, to.y}, from, {to.x, from.y}, to}, 1, {20, 20, 20});
            }
        }
        clauses.push_back(colourName(colour) + " at " + twoDigits(extent.x()) + " top " +
                          twoDigits(extent.top) + " value " +
                          std::to_string(tens[std::size_t(i)] * 10));
    }
    if (panel) {
        return;
    }
    const std::string thought = "axis 0 at " + twoDigits(plot.bottom * 100 / canvas.height()) +
        ", 100 at " + twoDigits(plot.top * 100 / canvas.height()) + ". " +
        listedClauses("bars", clauses);
    drawing.ask("count", "count", {{"many", "bars"}},
                thought + " count " + std::to_string(count) + ".", std::to_string(count));
    const auto [low, high] = std::minmax_element(tens.begin(), tens.begin() + count);
    const auto lowest = std::size_t(low - tens.begin()), highest = std::size_t(high - tens.begin());
    drawing.ask("highest", "highest", {}, thought + " highest: " + clauses[highest] + ".",
                colourName(colours[highest]));
    drawing.ask("lowest", "lowest", {}, thought + " lowest: " + clauses[lowest] + ".",
                colourName(colours[lowest]));
    const AskedColour asked = askedColour(random, colours);
    const Slots slots{{"colour", colourName(asked.colour)}};
    if (asked.index < 0) {
        drawing.askAbsent("value", "value", slots,
                          thought + " " + colourName(asked.colour) + ": none.",
                          noSuch(asked.colour, "bar"));
    } else {
        drawing.ask("value", "value", slots,
                    thought + " " + clauses[std::size_t(asked.index)] + ".",
                    std::to_string(tens[std::size_t(asked.index)] * 10));
    }
    const auto a = std::size_t(random.below(count));
    const std::size_t b = (a + 1 + std::size_t(random.below(count - 1))) % std::size_t(count);
    drawing.ask("yesno", "higher", {{"a", colourName(colours[a])}, {"b", colourName(colours[b])}},
                thought + " " + clauses[a] + ", " + clauses[b] + ".",
                tens[a] > tens[b] ? "yes" : "no");
}

void drawLines(Drawing& drawing, const Area& area, bool panel)
{
    Random& random = drawing.random;
    Canvas& canvas = drawing.canvas;
    const int most = panel || drawing.options.tile < 200 ? 3 : 4;
    const int count = random.whole(1, std::max(2, int(drawing.eased(2, most))));
    const std::vector<int> colours = differentColours(random, count);
    const std::vector<LineData> lines = makeLines(random, count);
    const Area plot = drawFrame(drawing, area, {panel, true, !panel}, colours);
    const double thickness = std::max(drawing.percent(drawing.options.tile < 200 ? 2 : 1.3), 1.6);
    const bool marks = random.chance(40);
    std::vector<std::string> clauses;
    std::vector<double> ends;
    for (int i = 0; i < count; ++i) {
        const std::vector<double>& values = lines[std::size_t(i)].values;
        std::vector<Point> points;
        for (std::size_t k = 0; k < values.size(); ++k) {
            points.push_back(
                {plot.left + plot.width() * (double(k) + 0.3) / (double(values.size()) - 0.4),
                 plot.bottom - plot.height() * values[k] / 100});
        }
        Extent extent = drawing.extentOf(points.front(), points.back());
        const double half = thickness / 2 * 100 / canvas.height();
        const auto [top, bottom] = std::minmax_element(points.begin(), points.end(),
                                                       [](Point p, Point q) { return p.y < q.y; });
        extent.top = top->y * 100 / canvas.height() - half;
        extent.bottom = bottom->y * 100 / canvas.height() + half;
        const int colour = colours[std::size_t(i)];
        if (drawing.add({Thing::Line, extent, colour})) {
            canvas.lines(points, thickness, chartInk(colour));
            for (std::size_t k = 0; marks && k < points.size(); ++k) {
                canvas.oval({points[k], thickness * 1.3, thickness * 1.3, 0}, chartInk(colour));
            }
        }
        const double x = 100.0 / canvas.width(), y = 100.0 / canvas.height();
        clauses.push_back(colourName(colour) + " from " +
                          at(points.front().x * x, points.front().y * y) + " to " +
                          at(points.back().x * x, points.back().y * y) + " " +
                          lines[std::size_t(i)].trend);
        ends.push_back(values.back());
    }
    if (panel) {
        return;
    }
    const std::string thought = listedClauses("lines", clauses);
    drawing.ask("count", "count", {{"many", "lines"}},
                thought + " count " + std::to_string(count) + ".", std::to_string(count));
    const AskedColour asked = askedColour(random, colours);
    const Slots slots{{"colour", colourName(asked.colour)}};
    if (asked.index < 0) {
        drawing.askAbsent("trend", "trend", slots,
                          thought + " " + colourName(asked.colour) + ": none.",
                          noSuch(asked.colour, "line"));
    } else {
        drawing.ask("trend", "trend", slots,
                    thought + " " + clauses[std::size_t(asked.index)] + ".",
                    lines[std::size_t(asked.index)].trend);
    }
    const int highest = clearMaximum(ends, 9);
    if (count > 1 && highest >= 0) {
        drawing.ask("highest", "endhighest", {},
                    thought + " highest: " + clauses[std::size_t(highest)] + ".",
                    colourName(colours[std::size_t(highest)]));
    }
    if (count == 2 && crossing(lines[0], lines[1]) >= 0) {
        drawing.ask("yesno", "cross", {}, thought,
                    crossing(lines[0], lines[1]) == 1 ? "yes" : "no");
    }
}

namespace {

/// Few points of one or two colours, to be counted.
void drawFewPoints(Drawing& drawing, const Area& plot, const std::vector<int>& colours, bool panel)
{
    Random& random = drawing.random;
    const SpotSizes sizes = spotSizes(drawing.options);
    const double radius = drawing.percent(sizes.least * random.real(0.95, 1.2)) / 2;
    SpotField taken(drawing.percent(1.2));
    for (const int colour : colours) {
        for (int left = random.whole(1, sizes.mostOnes); left > 0; --left) {
            for (int attempt = 0; attempt < 80; ++attempt) {
                const Oval mark{{random.real(plot.left + radius + 2, plot.right - radius),
                                 random.real(plot.top + radius, plot.bottom - radius - 2)},
                                radius,
                                radius,
                                0};
                if (taken.isFree(mark)) {
                    taken.take(mark);
                    if (drawing.add({Thing::Marker, drawing.extentOf(mark), colour})) {
                        drawing.canvas.oval(mark, chartInk(colour));
                    }
                    break;
                }
            }
        }
    }
    if (panel) {
        return;
    }
    for (const int colour : colours) {
        std::vector<Object> marks = drawing.all(Thing::Marker);
        std::erase_if(marks, [&](const Object& mark) { return mark.colour != colour; });
        const std::string many = colourName(colour) + " points";
        const std::string count = std::to_string(marks.size());
        drawing.ask("count", "count", {{"many", many}},
                    listed(many, marks) + " count " + count + ".", count);
    }
}

/// Many small points that rise, fall or do neither.
void drawManyPoints(Drawing& drawing, const Area& plot, int colour, bool panel)
{
    Random& random = drawing.random;
    const int kind = random.below(3), count = random.whole(22, 40);
    const double spread = random.real(8, 16);
    const double radius = drawing.percent(drawing.options.tile < 200 ? 1.6 : 1.1);
    double leftSum = 0, rightSum = 0;
    int leftCount = 0, rightCount = 0;
    for (int i = 0; i < count; ++i) {
        const double x = 4 + 92 * (i + random.real(0, 1)) / count;
        const double middle = kind == 0 ? 12 + x * 0.76 : 88 - x * 0.76;
        const double y = kind == 2 ? random.real(6, 94)
                                   : std::clamp(middle + random.real(-spread, spread), 3.0, 97.0);
        const Point point{plot.left + plot.width() * x / 100,
                          plot.bottom - plot.height() * y / 100};
        drawing.canvas.oval({point, radius, radius, 0}, chartInk(colour));
        const double percentY = point.y * 100 / drawing.canvas.height();
        leftSum += x < 33 ? percentY : 0;
        leftCount += x < 33 ? 1 : 0;
        rightSum += x > 67 ? percentY : 0;
        rightCount += x > 67 ? 1 : 0;
    }
    if (!panel) {
        const std::string thought = "points: left at " + twoDigits(leftSum / leftCount) +
            ", right at " + twoDigits(rightSum / rightCount) +
            (kind == 2 ? ", spread." : ", close.");
        drawing.ask("trend", "correlation", {}, thought,
                    kind == 0       ? "rising"
                        : kind == 1 ? "falling"
                                    : "none");
    }
}

}  // namespace

void drawScatter(Drawing& drawing, const Area& area, bool panel)
{
    Random& random = drawing.random;
    const bool few = random.chance(60);
    const std::vector<int> colours = differentColours(random, few ? random.whole(1, 2) : 1);
    const Area plot = drawFrame(drawing, area, {panel, true, !panel}, colours);
    if (few) {
        drawFewPoints(drawing, plot, colours, panel);
    } else {
        drawManyPoints(drawing, plot, colours.front(), panel);
    }
}

namespace {

/// Whole tenths that add up to ten, each at least one.
std::vector<int> tenths(Random& random, int count)
{
    std::vector<int> parts(std::size_t(count), 1);
    const int favourite = random.below(count);
    for (int left = 10 - count; left > 0; --left) {
        ++parts[std::size_t(random.chance(45) ? favourite : random.below(count))];
    }
    return parts;
}

void askAboutSlices(Drawing& drawing, const std::vector<int>& parts,
                    const std::vector<int>& colours, const std::vector<std::string>& clauses)
{
    const std::string thought = listedClauses("slices", clauses);
    Random& random = drawing.random;
    const int count = int(parts.size());
    drawing.ask("count", "count", {{"many", "slices"}},
                thought + " count " + std::to_string(count) + ".", std::to_string(count));
    std::vector<double> shares(parts.begin(), parts.end());
    if (const int largest = clearMaximum(shares, 0.5); largest >= 0) {
        drawing.ask("highest", "largestslice", {},
                    thought + " largest: " + clauses[std::size_t(largest)] + ".",
                    colourName(colours[std::size_t(largest)]));
    }
    for (double& share : shares) {
        share = -share;
    }
    if (const int smallest = clearMaximum(shares, 0.5); smallest >= 0) {
        drawing.ask("lowest", "smallestslice", {},
                    thought + " smallest: " + clauses[std::size_t(smallest)] + ".",
                    colourName(colours[std::size_t(smallest)]));
    }
    const AskedColour asked = askedColour(random, colours);
    const Slots slots{{"colour", colourName(asked.colour)}};
    if (asked.index < 0) {
        drawing.askAbsent("value", "share", slots,
                          thought + " " + colourName(asked.colour) + ": none.",
                          noSuch(asked.colour, "slice"));
    } else {
        drawing.ask("value", "share", slots,
                    thought + " " + clauses[std::size_t(asked.index)] + ".",
                    std::to_string(parts[std::size_t(asked.index)] * 10));
    }
    std::vector<std::size_t> wide, narrow;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        (parts[i] >= 3 ? wide : narrow).push_back(i);
    }
    if (!wide.empty() && !narrow.empty()) {
        const bool yes = random.chance(50);
        const std::size_t one = random.pick(yes ? wide : narrow);
        drawing.ask("yesno", "half-slice", {{"colour", colourName(colours[one])}},
                    thought + " " + clauses[one] + ".", yes ? "yes" : "no");
    }
}

}  // namespace

void drawPie(Drawing& drawing, const Area& area, bool panel)
{
    Random& random = drawing.random;
    Canvas& canvas = drawing.canvas;
    const int most = panel || drawing.options.tile < 200 ? 4 : 6;
    const int count = random.whole(2, std::max(3, int(drawing.eased(3, most))));
    const std::vector<int> colours = differentColours(random, count);
    const std::vector<int> parts = tenths(random, count);
    const Area place = drawFrame(drawing, area, {panel, false, false}, colours);
    const Point centre{(place.left + place.right) / 2, (place.top + place.bottom) / 2};
    const double radius = std::min(place.width(), place.height()) * random.real(0.38, 0.46);
    const bool apart = random.chance(50);
    double from = random.chance(60) ? 0 : random.real(0, 1);
    std::vector<std::string> clauses;
    for (int i = 0; i < count; ++i) {
        const double to = from + parts[std::size_t(i)] / 10.0;
        Point low = centre, high = centre, middle;
        for (int k = 0; k <= 48; ++k) {
            const double turn = from + (to - from) * k / 48;
            const Point edge{centre.x + radius * sine(turn), centre.y - radius * cosine(turn)};
            low = {std::min(low.x, edge.x), std::min(low.y, edge.y)};
            high = {std::max(high.x, edge.x), std::max(high.y, edge.y)};
            middle = k == 24 ? Point{(centre.x + edge.x) / 2, (centre.y + edge.y) / 2} : middle;
        }
        const int colour = colours[std::size_t(i)];
        if (drawing.add({Thing::Slice, drawing.extentOf(low, high), colour})) {
            canvas.slice(centre, radius, from, to, chartInk(colour));
        }
        clauses.push_back(colourName(colour) + " at " +
                          at(middle.x * 100 / canvas.width(), middle.y * 100 / canvas.height()) +
                          " share " + std::to_string(parts[std::size_t(i)] * 10));
        from = to;
    }
    for (int i = 0; apart && i < count; ++i) {
        from += parts[std::size_t(i)] / 10.0;
        canvas.line(centre, {centre.x + radius * sine(from), centre.y - radius * cosine(from)}, 1.5,
                    {255, 255, 255});
    }
    if (!panel) {
        askAboutSlices(drawing, parts, colours, clauses);
    }
}

}  // namespace inference::mini
