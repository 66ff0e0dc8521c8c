#include "inference/mini/sample.h"

#include "inference/mini/scene.h"
#include "inference/resize.h"

#include <algorithm>

namespace inference::mini {

std::string_view name(Scene scene)
{
    constexpr std::array<std::string_view, sceneCount> names{
        "bar chart", "line chart", "scatter plot", "pie chart", "two panels", "CT",
        "MR",        "X-ray",      "ultrasound",   "endoscopy", "tissue",     "other"};
    return names[std::size_t(scene)];
}

std::string_view name(Thing thing)
{
    constexpr std::array<std::string_view, thingCount> names{
        "bright spot",   "dark spot", "bump", "dark opening", "purple nucleus",
        "brown nucleus", "bar",       "line", "point",        "slice"};
    return names[std::size_t(thing)];
}

bool isColoured(Scene scene)
{
    return scene < Scene::Ct || scene > Scene::Ultrasound;
}

namespace {

struct Size {
    int width = 0, height = 0;
};

/// Half of the pictures have the tile's size; the others differ in size and shape, some are as
/// large as a slice of 512 x 512.
Size chooseSize(Random& random, const Options& options, Scene scene)
{
    const int tile = options.tile;
    const bool panels = scene == Scene::TwoPanels;
    if (options.clean || random.chance(50)) {
        return {tile, tile};
    }
    const bool large = random.chance(12);
    const double scale = large ? random.real(1.6, 512.0 / 224) : random.real(0.85, 1.4);
    const double shape = panels ? random.real(0.7, 1.45) : random.real(0.78, 1.3);
    return {int(tile * scale * (shape > 1 ? shape : 1)),
            int(tile * scale / (shape < 1 ? shape : 1))};
}

/// What a camera, a scanner and a window do: contrast, brightness, blur, noise.
void expose(Drawing& drawing, Scene scene)
{
    Random& random = drawing.random;
    Canvas& canvas = drawing.canvas;
    const bool chart = scene <= Scene::TwoPanels;
    const double contrast = random.real(drawing.eased(0.97, chart ? 0.9 : 0.8), chart ? 1 : 1.08);
    const double brightness = chart ? random.real(0, 4) : random.real(-4, drawing.eased(6, 18));
    const double noise = random.chance(25) ? 0 : random.real(0, drawing.eased(2, chart ? 5 : 9));
    const double blurring = random.chance(40) ? 0 : random.real(0, drawing.eased(0.5, 1));
    const bool grain = isColoured(scene) && random.chance(50);
    if (blurring > 0) {
        canvas.blur(blurring);
    }
    const auto gain = float(contrast), offset = float(brightness);
    // The sum of four bytes is nearly normal: mean 510, deviation 147.8.
    const auto strength = float(noise / 147.8);
    std::uint64_t counter = random.next();
    const auto normal = [](std::uint64_t bits) {
        return float(int(bits & 255) + int((bits >> 8) & 255) + int((bits >> 16) & 255) +
                     int((bits >> 24) & 255) - 510);
    };
    canvas.visit([&](float, float, float* pixel) {
        float change[3] = {0, 0, 0};
        if (strength > 0) {
            const std::uint64_t bits = mixed(counter += 0x9e3779b97f4a7c15);
            change[0] = normal(bits) * strength;
            change[1] = grain ? normal(bits >> 32) * strength : change[0];
            change[2] = grain ? normal(bits >> 16) * strength : change[0];
        }
        for (int i = 0; i < 3; ++i) {
            pixel[i] = pixel[i] * gain + offset + change[i];
        }
    });
}

/// Through another resolution and back, as slices and figures come.
Image resampled(Random& random, Image image, const Options& options)
{
    if (!random.chance(20)) {
        return image;
    }
    const double scale = random.real(0.75, 1.5);
    const int shortest = std::min(image.width, image.height);
    const double kept = std::max(scale, double(options.tile) / shortest * 0.75);
    const PixelSize size{int(image.width * kept), int(image.height * kept)};
    return resize(image, size, random.chance(50) ? Filter::Bicubic : Filter::Bilinear);
}

void draw(Drawing& drawing, Scene scene)
{
    switch (scene) {
    case Scene::BarChart:
    case Scene::LineChart:
    case Scene::ScatterPlot:
    case Scene::PieChart:
        return drawChart(drawing, scene);
    case Scene::TwoPanels:
        return drawPanels(drawing);
    case Scene::Endoscopy:
        return drawEndoscopy(drawing);
    case Scene::Tissue:
        return drawTissue(drawing);
    case Scene::Other:
        return drawOther(drawing);
    default:
        return drawPhantom(drawing, scene);
    }
}

/// Questions that are refused: ordinary ones on unknown pictures, others on all.
void addRefusals(Drawing& drawing, Scene scene)
{
    Random& random = drawing.random;
    const auto refuse = [&](std::string question) {
        drawing.records.push_back(
            {"refuse", std::move(question), "", std::string(refusal), "refuse", {}});
    };
    if (scene != Scene::Other) {
        if (random.chance(30)) {
            refuse(ask(random, "beyond", {}, true).text);
        }
        return;
    }
    const std::string many = random.chance(50) ? "bright spots" : "dark spots";
    const std::string colour(random.pick(colourNames));
    const std::pair<std::string_view, Slots> usual[] = {
        {"count", {{"many", many}}},
        {"count", {{"many", "purple nuclei"}}},
        {"count", {{"many", "bumps"}}},
        {"count", {{"many", "bars"}}},
        {"side", {{"the", "the largest bright spot"}}},
        {"place", {{"the", "the largest bump"}}},
        {"box", {{"the", "the largest dark spot"}}},
        {"box", {{"the", "the largest bump"}}},
        {"inside", {{"the", "the largest dark spot"}}},
        {"half", {{"one", "bump"}, {"side", "left"}}},
        {"half", {{"one", "bright spot"}, {"side", "right"}}},
        {"morethan", {{"n", "3"}, {"many", many}}},
        {"any", {{"one", "bump"}}},
        {"more", {}},
        {"picture", {}},
        {"type", {}},
        {"panels", {}},
        {"highest", {}},
        {"value", {{"colour", colour}}},
        {"trend", {{"colour", colour}}},
        {"title", {}},
        {"legend", {}},
        {"haslegend", {}},
        {"beyond", {}},
        {"beyond", {}},
        {"beyond", {}},
    };
    for (const auto& [key, slots] : usual) {
        refuse(ask(random, key, slots, true).text);
    }
}

bool isSkipped(const Record& record)
{
    return record.question.empty();
}

/// Takes some of the questions at random, of as many kinds as there are: each kind in turn gives
/// one. The choice does not look at the answers, nor at what cannot be asked; one question at least
/// is left.
void choose(Random& random, std::vector<Record>& records, std::size_t count)
{
    random.shuffle(records);
    std::vector<std::string> kinds;
    kinds.reserve(records.size());
    for (const Record& record : records) {
        kinds.push_back(record.kind);
    }
    std::sort(kinds.begin(), kinds.end());
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
    random.shuffle(kinds);
    std::vector<Record> chosen;
    while (chosen.size() < records.size()) {
        for (const std::string& kind : kinds) {
            const auto found = std::find_if(records.begin(), records.end(),
                                            [&](const Record& one) { return one.kind == kind; });
            if (found != records.end()) {
                chosen.push_back(std::move(*found));
                found->kind.clear();
            }
        }
    }
    const auto first = std::find_if(chosen.begin(), chosen.end(),
                                    [](const Record& one) { return !isSkipped(one); });
    chosen.resize(
        std::min(chosen.size(), std::max(count, std::size_t(first - chosen.begin()) + 1)));
    records = std::move(chosen);
}

}  // namespace

Sample generate(std::uint64_t seed, std::uint64_t index, const Options& options)
{
    Random random(mixed(seed ^ 0x6b766c2d6d696e69) + index * 0x9e3779b97f4a7c15);
    const int choice =
        random.below(options.scenes.empty() ? sceneCount : int(options.scenes.size()));
    Sample sample;
    sample.scene = options.scenes.empty() ? Scene(choice) : options.scenes[std::size_t(choice)];
    const Size size = chooseSize(random, options, sample.scene);
    Drawing drawing(options, random, size.width, size.height,
                    sample.scene <= Scene::TwoPanels || sample.scene == Scene::Other
                        ? grey(random.real(247, 255))
                        : grey(3));
    draw(drawing, sample.scene);
    if (sample.scene > Scene::TwoPanels && sample.scene != Scene::Other) {
        const std::string scene(name(sample.scene));
        drawing.ask("picture", "picture", {}, "looks like: " + scene + ".", scene);
    }
    addRefusals(drawing, sample.scene);
    if (!options.allQuestions) {
        choose(random, drawing.records, std::size_t(std::max(options.questions, 1)));
    }
    std::erase_if(drawing.records, isSkipped);
    if (!options.clean) {
        expose(drawing, sample.scene);
    }
    sample.image = drawing.canvas.image();
    if (!options.clean) {
        sample.image = resampled(random, sample.image, options);
    }
    sample.objects = std::move(drawing.objects);
    sample.records = std::move(drawing.records);
    return sample;
}

std::string reply(const Record& record)
{
    return record.thought.empty() ? record.answer
                                  : "<think>" + record.thought + "</think>\n" + record.answer;
}

}  // namespace inference::mini
