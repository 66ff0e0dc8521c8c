#include "inference/mini/canvas.h"
#include "inference/mini/grade.h"
#include "inference/mini/sample.h"
#include "inference/sha256.h"
#include "inference/tiles.h"
#include "support/test.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>
#include <thread>

using namespace inference;
using namespace inference::mini;

namespace {

std::string digest(const Sample& sample)
{
    Sha256 sum;
    addPixels(sum, sample.image);
    for (const Record& record : sample.records) {
        sum.add(record.kind + "|" + record.question + "|" + reply(record) + "|" + record.truth);
    }
    return sum.hex();
}

std::string digestOf(int count, const Options& options)
{
    Sha256 sum;
    for (int i = 0; i < count; ++i) {
        sum.add(digest(generate(11, std::uint64_t(i), options)));
    }
    return sum.hex();
}

Options cleanOf(Scene scene)
{
    Options options;
    options.scenes = {scene};
    options.clean = true;
    options.allQuestions = true;
    return options;
}

using Pixel = const std::uint8_t*;

/// Parts of pixels that pass, joined by sides or corners, those that touch the border left out.
int partsOf(const Image& image, const std::function<bool(Pixel)>& passes, int least = 8)
{
    const int width = image.width, height = image.height;
    std::vector<char> left(std::size_t(width) * std::size_t(height));
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            left[std::size_t(y * width + x)] = passes(image.row(y) + 3 * x) ? 1 : 0;
        }
    }
    int parts = 0;
    for (int start = 0; start < width * height; ++start) {
        if (!left[std::size_t(start)]) {
            continue;
        }
        std::vector<int> open{start};
        left[std::size_t(start)] = 0;
        bool border = false;
        int size = 0;
        while (!open.empty()) {
            const int at = open.back(), x = at % width, y = at / width;
            open.pop_back();
            ++size;
            border = border || x == 0 || y == 0 || x == width - 1 || y == height - 1;
            for (int ny = std::max(y - 1, 0); ny <= std::min(y + 1, height - 1); ++ny) {
                for (int nx = std::max(x - 1, 0); nx <= std::min(x + 1, width - 1); ++nx) {
                    if (left[std::size_t(ny * width + nx)]) {
                        left[std::size_t(ny * width + nx)] = 0;
                        open.push_back(ny * width + nx);
                    }
                }
            }
        }
        parts += size > least && !border ? 1 : 0;
    }
    return parts;
}

int countOf(const Sample& sample, Thing thing)
{
    return int(std::count_if(sample.objects.begin(), sample.objects.end(),
                             [&](const Object& object) { return object.thing == thing; }));
}

void compareCounts(Scene scene, Thing thing, const std::function<bool(Pixel)>& passes)
{
    std::set<int> seen;
    for (std::uint64_t i = 0; i < 60; ++i) {
        const Sample sample = generate(5, i, cleanOf(scene));
        CHECK_EQUAL(partsOf(sample.image, passes), countOf(sample, thing));
        seen.insert(countOf(sample, thing));
    }
    CHECK(seen.size() >= 5);  // the reading follows the truth over its range
}

/// The pixels that change by more than a share of the greatest change.
Extent changed(const Image& a, const Image& b, double share)
{
    const auto change = [&](int x, int y) {
        int sum = 0;
        for (int i = 0; i < 3; ++i) {
            sum += std::abs(a.row(y)[3 * x + i] - b.row(y)[3 * x + i]);
        }
        return sum;
    };
    int most = 0;
    for (int y = 0; y < a.height; ++y) {
        for (int x = 0; x < a.width; ++x) {
            most = std::max(most, change(x, y));
        }
    }
    Extent found{1e9, 1e9, -1e9, -1e9};
    for (int y = 0; y < a.height; ++y) {
        for (int x = 0; x < a.width; ++x) {
            if (most > 0 && change(x, y) > share * most) {
                found = {std::min(found.left, double(x)), std::min(found.top, double(y)),
                         std::max(found.right, x + 1.0), std::max(found.bottom, y + 1.0)};
            }
        }
    }
    return found;
}

}  // namespace

TEST(theSameSeedGivesTheSameBytesInEveryThread)
{
    constexpr int count = 48;
    std::vector<std::string> inThreads(count);
    std::vector<std::thread> threads;
    for (int first = 0; first < 4; ++first) {
        threads.emplace_back([&, first] {
            for (int i = count - 1 - first; i >= 0; i -= 4) {
                inThreads[std::size_t(i)] = digest(generate(3, std::uint64_t(i)));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (int i = 0; i < count; ++i) {
        CHECK_EQUAL(inThreads[std::size_t(i)], digest(generate(3, std::uint64_t(i))));
    }
    CHECK(digest(generate(3, 0)) != digest(generate(4, 0)));
    CHECK(digest(generate(3, 0)) != digest(generate(3, 1)));
}

// They change when anything that is drawn or asked changes, and with that the model must be trained
// anew: on purpose only.
TEST(theBytesAreThoseOfEveryOtherMachine)
{
    CHECK_EQUAL(digestOf(120, {}),
                std::string("dacf4786e39c5d10222d0e6fcbd70f69b5d940a3e615dc8d46b4e493804055af"));
    Options small;
    small.tile = 112;
    small.difficulty = 30;
    CHECK_EQUAL(digestOf(60, small),
                std::string("93655afdeff15370bdb8315b28b07f57dfc594d4f5070f08abacdf3ceeaae35e"));
}

TEST(brightPartsOfACleanSliceAreAsManyAsCounted)
{
    for (const Scene scene : {Scene::Ct, Scene::Mr, Scene::XRay, Scene::Ultrasound}) {
        compareCounts(scene, Thing::BrightSpot, [](Pixel pixel) { return pixel[0] > 200; });
    }
}

TEST(darkPartsOfACleanSliceAreAsManyAsCounted)
{
    for (const Scene scene : {Scene::Ct, Scene::XRay}) {
        compareCounts(scene, Thing::DarkSpot, [](Pixel pixel) { return pixel[0] < 32; });
    }
}

TEST(nucleiOfAColourAreAsManyAsCounted)
{
    compareCounts(Scene::Tissue, Thing::Nucleus,
                  [](Pixel pixel) { return pixel[2] > pixel[0] + 12 && pixel[0] < 150; });
    compareCounts(Scene::Tissue, Thing::BrownNucleus,
                  [](Pixel pixel) { return pixel[0] > pixel[2] + 30 && pixel[0] < 150; });
}

TEST(barsSlicesAndPointsOfAColourAreThere)
{
    const float inks[][3] = {{212, 38, 38},  {36, 84, 204},   {34, 148, 58},  {245, 150, 24},
                             {128, 48, 168}, {245, 128, 190}, {128, 128, 128}};
    for (const Scene scene : {Scene::BarChart, Scene::PieChart, Scene::ScatterPlot}) {
        for (std::uint64_t i = 0; i < 40; ++i) {
            Options options = cleanOf(scene);
            const Sample sample = generate(6, i, options);
            for (int colour = 0; colour < 6; ++colour) {  // not grey, of which edges of text are
                const auto wanted =
                    std::count_if(sample.objects.begin(), sample.objects.end(),
                                  [&](const Object& object) { return object.colour == colour; });
                if (sample.objects.empty()) {
                    continue;  // a cloud of points
                }
                int found = partsOf(
                    sample.image,
                    [&](Pixel pixel) {
                        return std::fabs(pixel[0] - inks[colour][0]) < 9 &&
                            std::fabs(pixel[1] - inks[colour][1]) < 9 &&
                            std::fabs(pixel[2] - inks[colour][2]) < 9;
                    },
                    30);
                const bool legend = std::any_of(
                    sample.records.begin(), sample.records.end(), [](const Record& record) {
                        return record.kind == "legend" && record.truth != "absent";
                    });
                found -= legend && wanted > 0 ? 1 : 0;
                CHECK_EQUAL(found, int(wanted));
            }
        }
    }
}

TEST(aBoxIsWhatChangesWhenItsObjectIsLeftOut)
{
    int compared = 0;
    for (const Scene scene :
         {Scene::BarChart, Scene::PieChart, Scene::ScatterPlot, Scene::Ct, Scene::Mr, Scene::XRay,
          Scene::Ultrasound, Scene::Endoscopy, Scene::Tissue}) {
        for (std::uint64_t i = 0; i < 8; ++i) {
            const Options options = cleanOf(scene);
            const Sample whole = generate(9, i, options);
            for (std::size_t k = 0; k < whole.objects.size(); ++k) {
                if (whole.objects[k].thing == Thing::Opening) {
                    continue;  // fades into the wall and is never asked a box of
                }
                Options without = options;
                without.leaveOut = int(k);
                const Sample rest = generate(9, i, without);
                const bool bump = whole.objects[k].thing == Thing::Bump;
                // a bump is lit: its reflection changes most, its middle tones little
                const Extent found = changed(whole.image, rest.image, bump ? 0.2 : 0.5);
                const Extent& said = whole.objects[k].extent;
                const double x = whole.image.width / 100.0, y = whole.image.height / 100.0;
                if (bump) {  // with its shadow the change is a little larger than the bump
                    CHECK(
                        overlap({found.left / x, found.top / y, found.right / x, found.bottom / y},
                                said) > 0.68);
                    ++compared;
                    continue;
                }
                // pixels; lines between slices cover the tips of these
                const double limit = whole.objects[k].thing == Thing::Slice ? 4 : 1.6;
                const double off = std::max({std::fabs(found.left - said.left * x),
                                             std::fabs(found.right - said.right * x),
                                             std::fabs(found.top - said.top * y),
                                             std::fabs(found.bottom - said.bottom * y)});
                if (off > limit) {
                    test::fail(__FILE__, __LINE__,
                               std::string(name(scene)) + " " + std::to_string(i) + ": the " +
                                   std::string(name(whole.objects[k].thing)) + " at " +
                                   std::to_string(said.x()) + " " + std::to_string(said.y()) +
                                   " changes pixels " + std::to_string(off) +
                                   " off the edge of its box");
                }
                CHECK_EQUAL(rest.records.size(), whole.records.size());
                CHECK_EQUAL(rest.records.front().question, whole.records.front().question);
                ++compared;
            }
        }
    }
    CHECK(compared > 200);
}

TEST(thingsThatAreCountedNeverTouch)
{
    for (std::uint64_t i = 0; i < 400; ++i) {
        Options options;
        options.scenes = {Scene::Ct,         Scene::Mr,        Scene::XRay,
                          Scene::Ultrasound, Scene::Endoscopy, Scene::Tissue};
        options.clean = true;
        const Sample sample = generate(21, i, options);
        for (std::size_t a = 0; a < sample.objects.size(); ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                const Extent &one = sample.objects[a].extent, &two = sample.objects[b].extent;
                const double dx = one.x() - two.x(), dy = one.y() - two.y();
                const double radii =
                    (std::max(one.width(), one.height()) + std::max(two.width(), two.height())) / 2;
                CHECK(std::sqrt(dx * dx + dy * dy) > radii + 1);  // percent
            }
        }
    }
}

namespace {

struct Seen {
    double size = 1e9;      // pixels of the tile
    double contrast = 1e9;  // grey levels of the strongest channel, inside against around
};

/// The least there is among the scene's objects, through the tiles that the model receives.
Seen hardest(Scene scene, int tile, int pictures)
{
    Options options;
    options.tile = tile;
    options.scenes = {scene};
    Seen least;
    for (int i = 0; i < pictures; ++i) {
        const Sample sample = generate(31, std::uint64_t(i), options);
        TilingOptions tiling;
        tiling.tileSize = tile;
        tiling.maxTiles = 1;
        const Image seen = cutTiles(sample.image, tiling).front();
        for (const Object& object : sample.objects) {
            const Extent& box = object.extent;
            const double x = box.x() * tile / 100, y = box.y() * tile / 100;
            const double a = box.width() * tile / 200, b = box.height() * tile / 200;
            double inside[3] = {}, around[3] = {};
            int insideCount = 0, aroundCount = 0;
            for (int py = std::max(int(y - 2 * b), 0); py < std::min(int(y + 2 * b), tile); ++py) {
                for (int px = std::max(int(x - 2 * a), 0); px < std::min(int(x + 2 * a), tile);
                     ++px) {
                    const double u = (px + 0.5 - x) / a, v = (py + 0.5 - y) / b;
                    const double far = u * u + v * v;
                    for (int c = 0; c < 3; ++c) {
                        inside[c] += far < 0.6 ? seen.row(py)[3 * px + c] : 0;
                        around[c] += far > 1.6 && far < 2.6 ? seen.row(py)[3 * px + c] : 0;
                    }
                    insideCount += far < 0.6 ? 1 : 0;
                    aroundCount += far > 1.6 && far < 2.6 ? 1 : 0;
                }
            }
            double contrast = 0;
            for (int c = 0; c < 3; ++c) {
                contrast = std::max(contrast,
                                    std::fabs(inside[c] / std::max(insideCount, 1) -
                                              around[c] / std::max(aroundCount, 1)));
            }
            least.size = std::min(least.size, std::min(2 * a, 2 * b));
            least.contrast = std::min(least.contrast, contrast);
        }
    }
    std::printf("       %-10s tile %d: least size %.1f pixels, least contrast %.0f levels\n",
                std::string(name(scene)).c_str(), tile, least.size, least.contrast);
    return least;
}

}  // namespace

TEST(theSmallestThingsRemainVisibleInTheModelsTiles)
{
    for (const int tile : {112, 224}) {
        for (const Scene scene : {Scene::Ct, Scene::Mr, Scene::XRay, Scene::Ultrasound,
                                  Scene::Endoscopy, Scene::Tissue}) {
            const Seen least = hardest(scene, tile, 60);
            CHECK(least.size >= 6.5);  // half a patch
            CHECK(least.contrast >= (scene == Scene::Endoscopy ? 10 : 28));
        }
    }
}

TEST(everyReplyOfTheGeneratorIsGradedRight)
{
    Options options;
    options.allQuestions = true;
    int records = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
        const Sample sample = generate(17, i, options);
        for (const Record& record : sample.records) {
            CHECK(isRight(record, reply(record)));
            CHECK(record.question.find('{') == std::string::npos);
            ++records;
        }
    }
    CHECK(records > 1500);
}

TEST(theCountInAThoughtIsTheNumberOfThingsItLists)
{
    Options options;
    options.allQuestions = true;
    options.scenes = {Scene::Ct,         Scene::Mr,        Scene::XRay,
                      Scene::Ultrasound, Scene::Endoscopy, Scene::Tissue};
    for (std::uint64_t i = 0; i < 150; ++i) {
        for (const Record& record : generate(18, i, options).records) {
            if (record.kind == "count") {
                int places = 0;
                for (std::size_t at = record.thought.find("at "); at != std::string::npos;
                     at = record.thought.find("at ", at + 1)) {
                    ++places;
                }
                CHECK_EQUAL(std::to_string(places), record.truth);
            }
        }
    }
}

TEST(whatIsOutsideOfItsKindsIsRefusedInOneSentence)
{
    Options options;
    options.scenes = {Scene::Other};
    for (std::uint64_t i = 0; i < 60; ++i) {
        const Sample sample = generate(19, i, options);
        CHECK_EQUAL(sample.records.size(), 5U);
        for (const Record& record : sample.records) {
            CHECK_EQUAL(record.kind, std::string("refuse"));
            CHECK_EQUAL(reply(record),
                        std::string("I am a small demonstration model and cannot read this."));
        }
    }
}

TEST(sinesAreThoseOfTheMathematicsLibrary)
{
    for (double turns = -2; turns < 2; turns += 0.001) {
        CHECK(std::fabs(sine(turns) - std::sin(turns * 6.283185307179586)) < 1e-10);
    }
}

KVL_TEST_MAIN
