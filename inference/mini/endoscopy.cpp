#include "inference/mini/scene.h"
#include "inference/mini/spots.h"

#include <cmath>

namespace inference::mini {

namespace {

/// A wall that darkens towards the opening, with folds as rings around it and vessels.
void drawWall(Drawing& drawing, Point opening)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const double hue = random.real(0, 1);
    const Ink lit = between({232, 150, 118}, {226, 128, 122}, float(hue));
    const Ink deep = between({92, 30, 20}, {104, 32, 36}, float(hue));
    const auto reachable = float(std::max(canvas.width(), canvas.height()) * 0.75);
    const auto foldPeriod = float(drawing.percent(random.real(13, 20)));
    const float foldDepth = float(random.real(0.05, drawing.eased(0.1, 0.2)));
    const std::vector<float> wobble =
        cloud(canvas.width(), canvas.height(), drawing.percent(22), drawing.newSeed());
    const std::vector<float> flesh =
        cloud(canvas.width(), canvas.height(), drawing.percent(5), drawing.newSeed());
    const float* bend = wobble.data();
    const float* grain = flesh.data();
    canvas.visit([&](float x, float y, float* pixel) {
        const float dx = x - float(opening.x), dy = y - float(opening.y);
        const float far = std::sqrt(dx * dx + dy * dy) + *bend * foldPeriod * 0.6F;
        const float phase = far / foldPeriod;
        const float part = phase - float(int(phase)) - 0.5F;  // a saw tooth, bright behind a fold
        const float light = std::clamp(far / reachable * 1.15F + part * foldDepth +
                                           *bend++ * 0.08F + *grain++ * 0.05F,
                                       0.0F, 1.0F);
        const Ink ink = between(deep, lit, light * (2 - light));
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
    for (int vessel = random.whole(2, 5); vessel > 0; --vessel) {
        Point at{random.real(0, canvas.width()), random.real(0, canvas.height())};
        double direction = random.real(0, 1);
        for (int step = 0; step < 7; ++step) {
            const double length = drawing.percent(random.real(3, 6));
            const Point next{at.x + cosine(direction) * length, at.y + sine(direction) * length};
            canvas.line(at, next, drawing.percent(0.5), {176, 72, 62});
            direction += random.real(-0.09, 0.09);
            at = next;
        }
    }
}

/// A lit dome: brighter towards the light, a dark rim away from it, a reflection.
void drawBump(Drawing& drawing, const Oval& oval, const Ink& base, Point light)
{
    Canvas& canvas = drawing.canvas;
    canvas.oval(
        {{oval.centre.x + light.x * -0.07 * oval.a, oval.centre.y + light.y * -0.07 * oval.b},
         oval.a * 1.1,
         oval.b * 1.1,
         oval.turn},
        {118, 42, 38}, oval.a * 0.25);
    const Point half = reach(oval);
    const double c = cosine(oval.turn), s = sine(oval.turn);
    const auto inverse = float(1.0 / std::max(oval.a, oval.b));
    canvas.visit(
        {oval.centre.x - half.x - 1, oval.centre.y - half.y - 1},
        {oval.centre.x + half.x + 1, oval.centre.y + half.y + 1},
        [&](float x, float y, float* pixel) {
            const float dx = x - float(oval.centre.x), dy = y - float(oval.centre.y);
            const float u = (dx * float(c) + dy * float(s)) / float(oval.a);
            const float v = (dy * float(c) - dx * float(s)) / float(oval.b);
            const float squared = u * u + v * v;
            const float share = std::clamp(0.5F - (squared - 1) * float(oval.b) * 0.5F, 0.0F, 1.0F);
            const float up = std::sqrt(std::max(1 - squared, 0.0F));
            const float lit = std::clamp(
                0.6F + 0.36F * up + 0.32F * (dx * float(light.x) + dy * float(light.y)) * inverse,
                0.0F, 1.25F);
            pixel[0] += (std::min(base.red * lit, 255.0F) - pixel[0]) * share;
            pixel[1] += (base.green * lit - pixel[1]) * share;
            pixel[2] += (base.blue * lit - pixel[2]) * share;
        });
    canvas.oval({{oval.centre.x + light.x * 0.42 * oval.a, oval.centre.y + light.y * 0.42 * oval.b},
                 oval.a * 0.13,
                 oval.b * 0.08,
                 oval.turn},
                {255, 246, 238}, 2);
}

/// Black around a round or cut-off field of view.
void drawMask(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    const float middleX = float(canvas.width()) / 2, middleY = float(canvas.height()) / 2;
    const float roundness = float(drawing.random.real(1.02, 1.3));
    const float shorter = std::min(middleX, middleY);
    canvas.visit([&](float x, float y, float* pixel) {
        const float dx = x - middleX, dy = y - middleY;
        const float far = std::sqrt(dx * dx + dy * dy);
        const float share = std::clamp(0.5F - (far - shorter * roundness), 0.0F, 1.0F);
        const float dim = far / (shorter * 1.4F);
        const float light = (1 - 0.4F * dim * dim) * share;
        pixel[0] = pixel[0] * light + 3;
        pixel[1] = pixel[1] * light + 3;
        pixel[2] = pixel[2] * light + 3;
    });
}

}  // namespace

void drawEndoscopy(Drawing& drawing)
{
    Random& random = drawing.random;
    Canvas& canvas = drawing.canvas;
    const double w = canvas.width() / 100.0, h = canvas.height() / 100.0;
    const Point centre{50 * w, 50 * h};
    const double field = drawing.percent(45);
    const double apart = drawing.percent(random.real(5, 24)), direction = random.real(0, 1);
    const Point opening{centre.x + cosine(direction) * apart, centre.y + sine(direction) * apart};
    drawWall(drawing, opening);
    const double wide = drawing.percent(random.real(8, 12));
    const Oval hole{opening, wide, wide * random.real(0.7, 1), random.real(0, 0.5)};
    SpotField taken(drawing.percent(3));
    taken.take(hole);
    if (drawing.add({Thing::Opening, drawing.extentOf(hole), -1})) {
        canvas.oval({hole.centre, hole.a * 1.2, hole.b * 1.2, hole.turn}, {70, 20, 16}, wide * 0.7);
        canvas.oval(hole, {16, 5, 5}, wide * 0.3);
    }
    const int count = random.below(4);
    const double least = spotSizes(drawing.options).least * 1.5;
    std::vector<Oval> bumps;
    for (int attempt = 0; int(bumps.size()) < count && attempt < 90; ++attempt) {
        const double shrink = 1 - 0.4 * attempt / 90;
        const double size =
            std::max(least, random.real(least, drawing.options.tile < 200 ? 24 : 22) * shrink);
        Oval bump{{random.real(0, 100 * w), random.real(0, 100 * h)},
                  drawing.percent(size / 2),
                  drawing.percent(size / 2) * random.real(0.82, 1),
                  random.real(0, 0.5)};
        const double dx = bump.centre.x - centre.x, dy = bump.centre.y - centre.y;
        const double room = field - bump.a;
        if (dx * dx + dy * dy < room * room && taken.isFree(bump)) {
            taken.take(bump);
            bumps.push_back(bump);
        }
    }
    for (const Oval& bump : bumps) {
        const Ink base = random.chance(50) ? Ink{228, 84, 76} : Ink{250, 184, 158};
        const double x = bump.centre.x - centre.x, y = bump.centre.y - centre.y;
        const double far = std::sqrt(x * x + y * y) + 1;
        if (drawing.add({Thing::Bump, drawing.extentOf(bump), -1})) {
            drawBump(drawing, bump, base, {-x / far * 0.8, -y / far * 0.8 - 0.3});
        }
    }
    for (int glint = random.whole(2, 7); glint > 0; --glint) {  // wet wall
        const Oval spot{{random.real(15 * w, 85 * w), random.real(15 * h, 85 * h)},
                        drawing.percent(random.real(0.5, 1.1)),
                        drawing.percent(random.real(0.3, 0.6)),
                        random.real(0, 0.5)};
        if (taken.isFree(spot)) {
            canvas.oval(spot, {255, 240, 230}, 1.5);
        }
    }
    drawMask(drawing);

    askAboutThings(drawing, {"bump", "bumps"}, drawing.all(Thing::Bump), 0, 3);
    const std::vector<Object> holes = drawing.all(Thing::Opening);
    const Extent& extent = holes.front().extent;
    const std::string thought = "dark opening " + placeOf(extent) + ".";
    const Slots the{{"the", "the dark opening"}};
    if (std::fabs(extent.x() - 50) > 4) {
        const std::string side = extent.x() < 50 ? "left" : "right";
        drawing.ask("side", "side", the, thought, side);
        if (std::fabs(extent.y() - 50) > 4) {
            drawing.ask("place", "place", the, thought,
                        (extent.y() < 50 ? "upper " : "lower ") + side);
        }
    }
}

}  // namespace inference::mini
