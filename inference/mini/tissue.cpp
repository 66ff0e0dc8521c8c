#include "inference/mini/scene.h"
#include "inference/mini/spots.h"

#include <cmath>

namespace inference::mini {

namespace {

/// Eosin pink with fibres and pale gaps, as in a stained section.
void drawStroma(Drawing& drawing, const std::vector<Oval>& gaps)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const Ink pale = between({246, 218, 230}, {240, 214, 220}, float(random.real(0, 1)));
    const Ink strong = between({214, 140, 178}, {206, 132, 150}, float(random.real(0, 1)));
    const double lean = random.real(0, 1);
    const float along = float(cosine(lean)), across = float(sine(lean));
    const auto period = float(drawing.percent(random.real(7, 12)));
    const std::vector<float> bend =
        cloud(canvas.width(), canvas.height(), drawing.percent(18), drawing.newSeed());
    const std::vector<float> grain =
        cloud(canvas.width(), canvas.height(), drawing.percent(2), drawing.newSeed());
    const float* wave = bend.data();
    const float* fleck = grain.data();
    canvas.visit([&](float x, float y, float* pixel) {
        const float phase = (x * along + y * across) / period + *wave * 1.6F;
        const float part = phase - float(int(phase + 1000) - 1000);  // 0 .. 1
        const float fibre = 4 * part * (1 - part);
        const float share =
            std::clamp(0.35F + 0.35F * fibre + *wave++ * 0.22F + *fleck++ * 0.14F, 0.0F, 1.0F);
        const Ink ink = between(pale, strong, share);
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
    for (const Oval& gap : gaps) {
        canvas.oval({gap.centre, gap.a + 2, gap.b + 2, gap.turn}, strong, 3);
        canvas.oval(gap, {250, 246, 248}, 2);
    }
}

/// A nucleus: dark rim, mottled inside.
void drawNucleus(Drawing& drawing, const Oval& oval, bool brown, std::uint64_t seed)
{
    Canvas& canvas = drawing.canvas;
    const Ink rim = brown ? Ink{92, 52, 22} : Ink{62, 34, 112};
    const Ink middle = brown ? Ink{138, 84, 40} : Ink{104, 74, 158};
    canvas.oval(oval, rim, 1.5);
    canvas.oval({oval.centre, oval.a * 0.82, oval.b * 0.8, oval.turn}, middle, oval.b * 0.3);
    Random random(seed);
    for (int fleck = 0; fleck < 4; ++fleck) {
        const double direction = random.real(0, 1), far = random.real(0.1, 0.55);
        canvas.oval({{oval.centre.x + cosine(direction) * oval.b * far,
                      oval.centre.y + sine(direction) * oval.b * far},
                     oval.b * 0.16,
                     oval.b * 0.14,
                     0},
                    rim, 1.5);
    }
}

}  // namespace

void drawTissue(Drawing& drawing)
{
    Random& random = drawing.random;
    const Canvas& canvas = drawing.canvas;
    const SpotSizes sizes = spotSizes(drawing.options);
    SpotField taken(drawing.percent(drawing.eased(2.5, 1.5)));
    const auto free = [&](double least, double most) {
        Oval oval;
        for (int attempt = 0; attempt < 60; ++attempt) {
            const double size =
                std::max(least, random.real(least, most) * (1 - 0.4 * attempt / 60));
            oval = {{},
                    drawing.percent(size / 2),
                    drawing.percent(size / 2) * random.real(0.7, 1),
                    random.real(0, 0.5)};
            const Point half = reach(oval);
            const double edge = drawing.percent(1);
            oval.centre = {random.real(half.x + edge, canvas.width() - half.x - edge),
                           random.real(half.y + edge, canvas.height() - half.y - edge)};
            if (taken.isFree(oval)) {
                taken.take(oval);
                return std::optional<Oval>(oval);
            }
        }
        return std::optional<Oval>();
    };
    std::vector<Oval> gaps;
    for (int gap = random.below(3); gap > 0; --gap) {
        if (const auto oval = free(7, 16)) {
            gaps.push_back(*oval);
        }
    }
    drawStroma(drawing, gaps);
    const int most = sizes.mostOnes + 1;
    const int purple = random.below(most + 1), brown = random.below(most + 1);
    const double least = sizes.least * 1.15;
    for (int i = 0; i < purple + brown; ++i) {
        const bool isBrown = i >= purple;
        const double size = random.chance(20) ? sizes.most * 1.15 : sizes.most * 0.85;
        const auto oval = free(least, size);
        const std::uint64_t seed = drawing.newSeed();
        if (oval &&
            drawing.add(
                {isBrown ? Thing::BrownNucleus : Thing::Nucleus, drawing.extentOf(*oval), -1})) {
            drawNucleus(drawing, *oval, isBrown, seed);
        }
    }
    askAboutThings(drawing, {"purple nucleus", "purple nuclei"}, drawing.all(Thing::Nucleus), 0,
                   most);
    askAboutThings(drawing, {"brown nucleus", "brown nuclei"}, drawing.all(Thing::BrownNucleus), 0,
                   most);
}

}  // namespace inference::mini
