#include "inference/mini/chart.h"
#include "inference/mini/scene.h"

#include <cmath>

namespace inference::mini {

namespace {

Ink anyInk(Random& random, bool coloured)
{
    const double level = random.real(5, 250);
    return coloured
        ? Ink{float(random.real(5, 250)), float(random.real(5, 250)), float(random.real(5, 250))}
        : grey(level);
}

/// Anywhere in the picture; `flat`: the least ratio of its axes.
Oval anyOval(Drawing& drawing, double a, double flat)
{
    Random& random = drawing.random;
    return {{random.real(0, drawing.canvas.width()), random.real(0, drawing.canvas.height())},
            a,
            a * random.real(flat, 1),
            random.real(0, 1)};
}

/// Fields of several scales laid over each other and pushed through a random scale of inks: clouds,
/// flesh, marble; with few steps, a map.
void drawField(Drawing& drawing, bool coloured)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const Ink inks[] = {anyInk(random, coloured), anyInk(random, coloured),
                        anyInk(random, coloured)};
    std::vector<std::vector<float>> fields;
    double cell = random.real(12, 50);
    const int octaves = random.whole(2, 4);
    for (int octave = 0; octave < octaves; ++octave, cell *= random.real(0.35, 0.55)) {
        fields.push_back(
            cloud(canvas.width(), canvas.height(), drawing.percent(cell), drawing.newSeed()));
    }
    const auto roughness = float(random.real(0.4, 0.9));
    const bool ridges = random.chance(40);
    std::size_t at = 0;
    canvas.visit([&](float, float, float* pixel) {
        float value = 0, weight = 0.9F;
        for (const std::vector<float>& field : fields) {
            value += (ridges ? 1 - 2 * std::fabs(field[at]) : field[at]) * weight;
            weight *= roughness;
        }
        ++at;
        const float share = std::clamp(value * 0.7F + 0.5F, 0.0F, 1.0F) * 2;
        const Ink ink =
            share < 1 ? between(inks[0], inks[1], share) : between(inks[1], inks[2], share - 1);
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
}

/// Many shapes over each other, too many and too mixed to be named.
void drawClutter(Drawing& drawing, bool coloured, int count)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const auto point = [&] {
        return Point{random.real(-0.1, 1.1) * canvas.width(),
                     random.real(-0.1, 1.1) * canvas.height()};
    };
    for (; count > 0; --count) {
        const Ink ink = anyInk(random, coloured);
        const double a = drawing.percent(random.real(2, 26)), b = a * random.real(0.15, 1);
        const Oval oval{point(), a, b, random.real(0, 1)};
        const Point other = point();
        const double thickness = drawing.percent(random.real(0.5, 6));
        switch (random.below(5)) {
        case 0:
            canvas.rectangle(oval.centre, {oval.centre.x + a * 2, oval.centre.y + b * 2}, ink);
            break;
        case 1:
            canvas.line(oval.centre, other, thickness, ink);
            break;
        case 2:
            canvas.ring(oval, thickness / 2, ink);
            break;
        default:
            canvas.oval(oval, ink, thickness);
        }
    }
}

/// A page: lines of words, perhaps in two columns.
void drawPage(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const double height = drawing.percent(random.real(1.6, 3.6));
    const int columns = random.whole(1, 2);
    const double wide = canvas.width() / double(columns);
    for (int column = 0; column < columns; ++column) {
        double y = height * 3;
        while (y < canvas.height() - height * 2) {
            double x = wide * column + height * 2;
            const double end = wide * (column + 1) - height * (random.chance(15) ? 12 : 3);
            while (x < end) {
                std::string word;
                for (int letter = random.whole(1, 8); letter > 0; --letter) {
                    word += char('a' + random.below(26));
                }
                canvas.text({x, y}, word, height, {20, 20, 20});
                x += textWidth(word, height) + height * 1.2;
            }
            y += height * (random.chance(12) ? 3.6 : 1.9);
        }
    }
}

/// Rows of dark bands, as of a gel or a table of small pictures.
void drawBands(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const int lanes = random.whole(4, 12), rows = random.whole(2, 7);
    const double w = canvas.width() / double(lanes), h = canvas.height() / double(rows);
    for (int row = 0; row < rows; ++row) {
        for (int lane = 0; lane < lanes; ++lane) {
            const double strength = random.real(0, 1);
            canvas.oval({{(lane + 0.5) * w, (row + random.real(0.3, 0.7)) * h},
                         w * random.real(0.25, 0.45),
                         h * random.real(0.05, 0.25),
                         0},
                        grey(220 - 200 * strength), h * 0.1);
        }
    }
}

/// Stripes or checks.
void drawPattern(Drawing& drawing)
{
    Random& random = drawing.random;
    const bool coloured = random.chance(50);
    const Ink one = anyInk(random, coloured), two = anyInk(random, coloured);
    const double turn = random.real(0, 1);
    const float c = float(cosine(turn)), s = float(sine(turn));
    const auto period = float(drawing.percent(random.real(3, 20)));
    const bool checks = random.chance(50), smooth = random.chance(50);
    const auto wave = [&](float value) {
        const float phase = value / period + 1000;
        const float part = phase - float(int(phase));
        return smooth ? 4 * part * (1 - part) : (part < 0.5F ? 0.0F : 1.0F);
    };
    drawing.canvas.visit([&](float x, float y, float* pixel) {
        const float across = wave(x * c + y * s), along = checks ? wave(y * c - x * s) : 0;
        const Ink ink = between(one, two, std::fabs(across - along));
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
}

/// A smooth change from one ink to another, or one ink alone.
void drawGradient(Drawing& drawing)
{
    Random& random = drawing.random;
    const bool coloured = random.chance(50);
    const Ink one = anyInk(random, coloured);
    const Ink two = random.chance(35) ? one : anyInk(random, coloured);
    const double turn = random.real(0, 1);
    const float c = float(cosine(turn)), s = float(sine(turn));
    const auto width = float(drawing.canvas.width()), height = float(drawing.canvas.height());
    drawing.canvas.visit([&](float x, float y, float* pixel) {
        const float share =
            std::clamp(0.5F + (x / width - 0.5F) * c + (y / height - 0.5F) * s, 0.0F, 1.0F);
        const Ink ink = between(one, two, share);
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
}

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

/// Clouds of two or three scales over all that is drawn.
void addTexture(Drawing& drawing, double strength)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    double cell = random.real(3, 14);
    for (int i = random.whole(2, 3); i > 0; --i, cell *= 0.4) {
        const std::vector<float> field =
            cloud(canvas.width(), canvas.height(), drawing.percent(cell), drawing.newSeed());
        const auto scale = float(strength * random.real(0.4, 1));
        const float* value = field.data();
        canvas.visit([&](float, float, float* pixel) {
            const float change = *value++ * scale;
            pixel[0] += change;
            pixel[1] += change;
            pixel[2] += change;
        });
    }
}

/// Letters and a scale at the edges, as scanners burn them in.
void addMarks(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const double height = drawing.percent(random.real(2, 6));
    const Ink ink = grey(random.real(150, 255));
    for (int i = random.whole(1, 4); i > 0; --i) {
        std::string word;
        for (int letter = random.whole(1, 9); letter > 0; --letter) {
            word += random.chance(50) ? char('A' + random.below(26)) : char('0' + random.below(10));
        }
        const double x = random.real(0.02, 0.8) * canvas.width();
        const double y =
            (random.chance(50) ? random.real(0.05, 0.2) : random.real(0.8, 0.97)) * canvas.height();
        canvas.text({x, y}, word, height, ink);
    }
    if (random.chance(50)) {
        const double x = random.real(0.9, 0.98) * canvas.width();
        canvas.line({x, canvas.height() * 0.25}, {x, canvas.height() * 0.75}, 1, ink);
    }
}

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

/// Like a real slice: anatomy in an outline that is no phantom's.
void drawAnatomy(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const double w = canvas.width() / 100.0, h = canvas.height() / 100.0;
    std::vector<Oval> bodies;
    const bool two = random.chance(15);
    for (int i = 0; i < (two ? 2 : 1); ++i) {
        const double x = two ? 28 + 44 * i : random.real(42, 58);
        const double a = two ? random.real(14, 24) : random.real(22, 54);
        const double y = random.real(42, 58), b = random.real(22, 54);
        bodies.push_back({{x * w, y * h}, a * w, b * h, 0});
    }
    canvas.rectangle({0, 0}, {double(canvas.width()), double(canvas.height())},
                     grey(random.real(20, 160)));
    for (const Oval& body : bodies) {
        drawParts(drawing, body);
    }
    addTexture(drawing, random.real(4, 40));
    keepBodies(drawing, bodies);
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

/// A field of flesh colours with wet reflections in a dark frame: like a real endoscopy.
void drawUnknownCavity(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    drawField(drawing, false);
    canvas.visit([](float, float, float* pixel) {
        pixel[0] = 60 + pixel[0] * 0.72F;
        pixel[1] = 14 + pixel[1] * 0.55F;
        pixel[2] = 12 + pixel[2] * 0.45F;
    });
    for (int i = random.whole(2, 30); i > 0; --i) {
        const double a = drawing.percent(random.real(0.4, 5));
        const Oval glint = anyOval(drawing, a, 0.2);
        canvas.oval(glint, {250, 240, 232}, drawing.percent(random.real(0.5, 2)));
    }
    if (random.chance(60)) {
        const double edge = drawing.percent(random.real(2, 14));
        canvas.rectangle({0, 0}, {edge, double(canvas.height())}, {3, 3, 3});
        canvas.rectangle({canvas.width() - edge, 0},
                         {double(canvas.width()), double(canvas.height())}, {3, 3, 3});
    }
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

/// Several of the above as panels.
void drawMontage(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const int columns = random.whole(2, 4), rows = random.whole(2, 4);
    drawField(drawing, random.chance(50));
    const double w = canvas.width() / double(columns), h = canvas.height() / double(rows);
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            const Point corner{column * w, row * h};
            if (random.chance(55)) {
                canvas.rectangle(corner, {corner.x + w, corner.y + h}, {252, 252, 252});
                const double from = random.real(0.3, 0.9), to = random.real(0.1, 0.8);
                canvas.line({corner.x + w * 0.15, corner.y + h * from},
                            {corner.x + w * 0.9, corner.y + h * to}, 1.2, anyInk(random, true));
                canvas.lines({{corner.x + w * 0.15, corner.y + h * 0.1},
                              {corner.x + w * 0.15, corner.y + h * 0.9},
                              {corner.x + w * 0.95, corner.y + h * 0.9}},
                             1, {30, 30, 30});
            }
            canvas.text({corner.x + 2, corner.y + h * 0.14},
                        std::string(1, char('a' + row * columns + column)), h * 0.1, {20, 20, 20});
        }
    }
    for (int column = 0; column <= columns; ++column) {
        canvas.line({column * w, 0}, {column * w, double(canvas.height())}, drawing.percent(1.5),
                    {255, 255, 255});
    }
    for (int row = 0; row <= rows; ++row) {
        canvas.line({0, row * h}, {double(canvas.width()), row * h}, drawing.percent(1.5),
                    {255, 255, 255});
    }
}

}  // namespace

void drawOther(Drawing& drawing)
{
    Random& random = drawing.random;
    switch (random.below(16)) {
    case 0:
        return drawGradient(drawing);
    case 1:
        return drawPattern(drawing);
    case 2:
        return drawField(drawing, true);
    case 3:
        return drawField(drawing, false);
    case 4:
        return drawPage(drawing);
    case 5:
        return drawBands(drawing);
    case 6:
        return drawUnknownCavity(drawing);
    case 7:
        return drawUnknownTissue(drawing);
    case 8:
        return drawMontage(drawing);
    case 9: {
        const bool coloured = random.chance(60);
        return drawClutter(drawing, coloured, random.whole(8, 50));
    }
    case 10:
    case 11:
        return drawUnknownBody(drawing);
    case 12:
        return drawRadiograph(drawing);
    default:
        return drawAnatomy(drawing);
    }
}

}  // namespace inference::mini
