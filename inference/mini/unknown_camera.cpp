#include "inference/mini/other.h"

#include <cmath>

namespace inference::mini {

namespace {

/// Anywhere in the picture; `flat`: the least ratio of its axes.
Oval anyOval(Drawing& drawing, double a, double flat)
{
    Random& random = drawing.random;
    return {{random.real(0, drawing.canvas.width()), random.real(0, drawing.canvas.height())},
            a,
            a * random.real(flat, 1),
            random.real(0, 1)};
}

/// Thick bent ridges, in their own shadow on one side.
void addFolds(Drawing& drawing)
{
    Random& random = drawing.random;
    for (int i = random.below(8); i > 0; --i) {
        Oval fold = anyOval(drawing, drawing.percent(random.real(15, 75)), 0.3);
        const double thick = drawing.percent(random.real(2, 10)), level = random.real(120, 215);
        drawing.canvas.ring(fold, thick, grey(level * random.real(0.3, 0.7)));
        fold.centre.x += thick * random.real(-0.5, 0.5);
        fold.centre.y += thick * random.real(0.2, 0.6);
        drawing.canvas.ring(fold, thick * 0.8, grey(level));
    }
}

/// Heaps of flesh, uneven and without the bumps' clear outline.
void addLumps(Drawing& drawing)
{
    Random& random = drawing.random;
    for (int lump = random.below(4); lump > 0; --lump) {
        const double size = drawing.percent(random.real(5, 30)), level = random.real(110, 225);
        const double softness = random.real(0.1, 0.6);
        const Oval whole = anyOval(drawing, size, 0.5);
        drawing.canvas.oval({{whole.centre.x, whole.centre.y + size * 0.15},
                             whole.a * 1.12,
                             whole.b * 1.12,
                             whole.turn},
                            grey(level * 0.45), size * softness);
        drawing.canvas.oval(whole, grey(level), size * softness);
        for (int i = random.below(12); i > 0; --i) {
            const double direction = random.real(0, 1), far = size * random.real(0, 0.9);
            const double a = size * random.real(0.1, 0.5);
            const Oval knob{
                {whole.centre.x + far * cosine(direction), whole.centre.y + far * sine(direction)},
                a,
                a * random.real(0.5, 1),
                random.real(0, 1)};
            drawing.canvas.oval(knob, grey(level + random.real(-40, 30)), a * softness);
        }
    }
}

/// From shades to the colours of flesh; now and then those of a filtered light.
void colourFlesh(Drawing& drawing)
{
    Random& random = drawing.random;
    const bool filtered = random.chance(10);
    const Ink dark{float(random.real(8, 80)), float(random.real(4, 30)), float(random.real(4, 26))};
    const Ink middle{float(random.real(140, 220)), float(random.real(50, 125)),
                     float(random.real(40, 115))};
    const Ink lit{float(random.real(220, 255)), float(random.real(145, 225)),
                  float(random.real(115, 210))};
    drawing.canvas.visit([&](float, float, float* pixel) {
        const float share = std::clamp(pixel[0] / 255, 0.0F, 1.0F) * 2;
        const Ink ink = share < 1 ? between(dark, middle, share) : between(middle, lit, share - 1);
        pixel[0] = filtered ? ink.green : ink.red;
        pixel[1] = filtered ? ink.red * 0.7F : ink.green;
        pixel[2] = filtered ? ink.red * 0.6F : ink.blue;
    });
}

/// What is wet, stained and vesselled.
void addSurface(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    for (int i = random.chance(35) ? random.whole(1, 6) : 0; i > 0; --i) {
        const Oval stain = anyOval(drawing, drawing.percent(random.real(0.5, 5)), 0.2);
        canvas.oval(stain, {206, 168, 70}, drawing.percent(random.real(0.5, 3)));
    }
    for (int i = random.chance(35) ? random.whole(2, 12) : 0; i > 0; --i) {
        Point at{random.real(0, canvas.width()), random.real(0, canvas.height())};
        double direction = random.real(0, 1);
        for (int step = random.whole(3, 10); step > 0; --step) {
            const double length = drawing.percent(random.real(1, 6));
            const Point next{at.x + cosine(direction) * length, at.y + sine(direction) * length};
            canvas.line(at, next, drawing.percent(0.4), {150, 44, 40});
            direction += random.real(-0.12, 0.12);
            at = next;
        }
    }
    for (int group = random.below(8); group > 0; --group) {
        const Oval wet = anyOval(drawing, drawing.percent(random.real(2, 20)), 0.3);
        for (int i = random.whole(1, 20); i > 0; --i) {
            const double x = wet.centre.x + wet.a * random.real(-1, 1);
            const double y = wet.centre.y + wet.b * random.real(-1, 1);
            const double a = drawing.percent(random.real(0.25, 2.2));
            const double soft = drawing.percent(random.real(0.2, 1));
            canvas.oval({{x, y}, a, a * random.real(0.2, 1), random.real(0, 1)}, {252, 244, 238},
                        soft);
        }
    }
}

/// The black around the view of a camera: none, cut corners, a disc or two sides.
void addFrame(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const double w = canvas.width(), h = canvas.height();
    const int kind = random.below(4);
    const auto limit = float(kind == 1 ? random.real(1.25, 1.75) : random.real(0.95, 1.3));
    const auto side = float(random.real(0.7, 1));
    const auto x0 = float(w / 2), y0 = float(h / 2), shorter = float(std::min(w, h) / 2);
    canvas.visit([&](float x, float y, float* pixel) {
        const float u = std::fabs(x - x0) / x0, v = std::fabs(y - y0) / y0;
        const float a = (x - x0) / shorter, b = (y - y0) / shorter;
        const bool outside = kind == 1 ? u + v > limit || u > side
            : kind == 2                ? a * a + b * b > limit * limit
                                       : kind == 3 && u > side;
        if (outside) {
            pixel[0] = pixel[1] = pixel[2] = 4;
        }
    });
    if (random.chance(15)) {
        const double width = random.real(0.15, 0.35), height = random.real(0.15, 0.35);
        canvas.rectangle({0, h * (1 - height)}, {w * width, h}, {4, 4, 4});
    }
    if (random.chance(45)) {
        addMarks(drawing);
    }
}

}  // namespace

void drawUnknownCavity(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    drawField(drawing, false);
    const auto contrast = float(random.real(0.2, 0.9)), brightness = float(random.real(90, 170));
    canvas.visit([&](float, float, float* pixel) {
        pixel[0] = pixel[1] = pixel[2] = brightness + (pixel[0] - 128) * contrast;
    });
    for (int i = random.below(3); i > 0; --i) {
        const Oval depth = anyOval(drawing, drawing.percent(random.real(6, 32)), 0.4);
        const double soft = depth.a * random.real(0.3, 1.4);
        canvas.oval(depth, grey(random.real(0, 40)), soft);
    }
    addFolds(drawing);
    addLumps(drawing);
    for (int i = random.below(5); i > 0; --i) {
        canvas.blur(1);
    }
    addTexture(drawing, random.real(3, 28));
    colourFlesh(drawing);
    addSurface(drawing);
    addFrame(drawing);
}

/// More small nuclei than can be told apart: like a real section.
void drawUnknownTissue(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    drawField(drawing, false);
    canvas.visit([](float, float, float* pixel) {
        const float share = pixel[0] / 255;
        const Ink ink = between({246, 222, 234}, {196, 110, 164}, share);
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
    for (int i = random.whole(60, 260); i > 0; --i) {
        const double a = drawing.percent(random.real(0.7, 2.4));
        const Oval nucleus = anyOval(drawing, a, 0.4);
        canvas.oval(nucleus, between({70, 36, 120}, {120, 70, 150}, float(random.real(0, 1))), 1.5);
    }
}

}  // namespace inference::mini
