#include "inference/mini/other.h"

namespace inference::mini {

namespace {

/// Parts over parts, large before small, more and less alike than the organs of a phantom: like
/// real anatomy, often with two halves that mirror each other.
void drawParts(Drawing& drawing, const Oval& body)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const bool mirrored = random.chance(60);
    const double middle = random.real(60, 190), range = random.real(20, 110);
    const int count = random.whole(12, 90);
    const double largest = random.real(8, 24);
    for (int i = 0; i < count; ++i) {
        const double share = (i + 1.0) / count;
        const double a = drawing.percent(largest * (1 - share) * (1 - share) + 0.8);
        const double x = random.real(-1, 1), y = random.real(-1, 1);
        const double flat = random.real(0.25, 1), turn = random.real(0, 1);
        double level = middle + random.real(-range, range);
        level = random.chance(8) ? random.real(225, 255) : random.chance(8) ? 5 : level;
        const double soft = drawing.percent(random.real(0.3, 3));
        const bool ring = random.chance(20);
        const int sides = mirrored && random.chance(85) ? 2 : 1;
        for (int side = 0; side < sides; ++side) {
            const double sign = side == 0 ? 1 : -1;
            const Oval part{{body.centre.x + sign * x * body.a, body.centre.y + y * body.b},
                            a,
                            a * flat,
                            sign * turn};
            if (ring) {
                canvas.ring(part, drawing.percent(0.7) + soft / 2, grey(level));
            } else {
                canvas.oval(part, grey(level), soft);
            }
        }
    }
}

/// Black around one or two bent outlines with a rim.
void keepBodies(Drawing& drawing, const std::vector<Oval>& bodies)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const std::vector<float> bend = cloud(canvas.width(), canvas.height(),
                                          drawing.percent(random.real(15, 40)), drawing.newSeed());
    const auto bending = float(random.real(0.02, 0.35));
    const auto rim = float(random.real(0.02, 0.25)), rimLevel = float(random.real(10, 255));
    const float outsideLevel = random.chance(70) ? 2 : float(random.real(0, 60));
    const float* shift = bend.data();
    canvas.visit([&](float x, float y, float* pixel) {
        float depth = -10;  // 1 in the centre, 0 on the outline
        for (const Oval& body : bodies) {
            const float u = (x - float(body.centre.x)) / float(body.a);
            const float v = (y - float(body.centre.y)) / float(body.b);
            depth = std::max(depth, 1 - u * u - v * v);
        }
        depth += *shift++ * bending;
        const float inside = std::clamp(depth * 25 + 0.5F, 0.0F, 1.0F);
        const float within = std::clamp((depth - rim) * 25 + 0.5F, 0.0F, 1.0F);
        for (int i = 0; i < 3; ++i) {
            const float body = rimLevel + (pixel[i] - rimLevel) * within;
            pixel[i] = outsideLevel + (body - outsideLevel) * inside;
        }
    });
}

}  // namespace

/// A field seen through a body's outline on black: like a real slice, with nothing of the phantoms.
void drawUnknownBody(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    drawField(drawing, false);
    const double w = canvas.width() / 100.0, h = canvas.height() / 100.0;
    for (int i = random.whole(3, 14); i > 0; --i) {
        const double a = drawing.percent(random.real(1, 14));
        const Oval oval{{random.real(15, 85) * w, random.real(15, 85) * h},
                        a,
                        a * random.real(0.2, 1),
                        random.real(0, 1)};
        const Ink ink = grey(random.real(20, 240));
        canvas.oval(oval, ink, drawing.percent(random.real(0.5, 5)));
    }
    const Oval body{{50 * w, 50 * h},
                    random.real(30, 52) * w,
                    random.real(30, 52) * h,
                    random.real(-0.05, 0.05)};
    const std::vector<float> bend =
        cloud(canvas.width(), canvas.height(), drawing.percent(25), drawing.newSeed());
    const float* shift = bend.data();
    const auto x0 = float(body.centre.x), y0 = float(body.centre.y);
    const auto a = float(body.a), b = float(body.b);
    canvas.visit([&](float x, float y, float* pixel) {
        const float u = (x - x0) / a, v = (y - y0) / b;
        const float inside = std::clamp((1 - u * u - v * v + *shift++ * 0.3F) * 20, 0.0F, 1.0F);
        pixel[0] *= inside;
        pixel[1] *= inside;
        pixel[2] *= inside;
    });
}

/// Anatomy in an outline that is no phantom's, or a part of it that fills the picture.
void drawAnatomy(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const double w = canvas.width() / 100.0, h = canvas.height() / 100.0;
    std::vector<Oval> bodies;
    const bool cropped = random.chance(35);
    const bool two = !cropped && random.chance(15);
    for (int i = 0; i < (two ? 2 : 1); ++i) {
        const double x = two ? 28 + 44 * i : random.real(42, 58);
        const double a = two ? random.real(14, 24) : random.real(22, 54);
        const double y = random.real(42, 58), b = random.real(22, 54);
        const double scale = cropped ? 1.6 : 1;
        bodies.push_back({{x * w, y * h}, a * w * scale, b * h * scale, 0});
    }
    canvas.rectangle({0, 0}, {double(canvas.width()), double(canvas.height())},
                     grey(random.real(20, 160)));
    for (const Oval& body : bodies) {
        drawParts(drawing, body);
    }
    addTexture(drawing, random.real(4, 40));
    if (!cropped) {
        keepBodies(drawing, bodies);
    }
    for (int i = random.chance(40) ? random.whole(1, 4) : 0; i > 0; --i) {
        canvas.blur(1);  // as of few pixels, enlarged
    }
    if (random.chance(40)) {
        addMarks(drawing);
    }
}

/// Like a real radiograph: soft shades over the whole picture, long bones and their edges.
void drawRadiograph(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    drawField(drawing, false);
    const double w = canvas.width(), h = canvas.height();
    const double turn = random.real(-0.3, 0.3);
    for (int i = random.whole(2, 16); i > 0; --i) {
        const double x = random.real(-0.1, 1.1), y = random.real(-0.1, 1.1);
        const double length = random.real(0.2, 1), lean = turn + random.real(-0.08, 0.08);
        const Point from{x * w, y * h};
        const Point to{from.x + length * w * cosine(lean), from.y + length * h * sine(lean)};
        const double thick = drawing.percent(random.real(1, 12)), level = random.real(110, 235);
        canvas.line(from, to, thick, grey(level));
        canvas.line(from, to, thick * 0.7, grey(level * random.real(0.7, 0.98)));
    }
    canvas.blur(1);
    addTexture(drawing, random.real(3, 20));
    if (random.chance(60)) {
        addMarks(drawing);
    }
}

}  // namespace inference::mini
