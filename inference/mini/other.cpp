#include "inference/mini/other.h"

#include <cmath>

namespace inference::mini {

Ink anyInk(Random& random, bool coloured)
{
    const double level = random.real(5, 250);
    return coloured
        ? Ink{float(random.real(5, 250)), float(random.real(5, 250)), float(random.real(5, 250))}
        : grey(level);
}

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

namespace {

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

std::string anyWord(Random& random, int longest)
{
    std::string word;
    for (int letter = random.whole(1, longest); letter > 0; --letter) {
        word += char('a' + random.below(26));
    }
    return word;
}

/// A page: lines of words, perhaps in two columns, below a heading, with the lines' numbers.
void drawPage(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const Ink ink{20, 20, 20};
    const double height = drawing.percent(random.real(1.2, 3.6));
    double top = height * 3;
    for (int i = random.chance(50) ? random.whole(1, 4) : 0; i > 0; --i) {
        const double large = height * random.real(1.4, 2.4);
        std::string heading;
        for (int word = random.whole(1, 5); word > 0; --word) {
            heading += anyWord(random, 9) + " ";
        }
        top += large * 1.6;
        canvas.text({(canvas.width() - textWidth(heading, large)) / 2, top - large * 0.3}, heading,
                    large, ink);
    }
    const int columns = random.whole(1, 2);
    const double wide = canvas.width() / double(columns);
    const bool numbered = columns == 1 && random.chance(40);
    for (int column = 0; column < columns; ++column) {
        int line = 0;
        for (double y = top + height; y < canvas.height() - height * 2;) {
            double x = wide * column + height * 2;
            if (numbered) {
                canvas.text({x, y}, std::to_string(++line), height, ink);
                x += height * 4;
            }
            const double end = wide * (column + 1) - height * (random.chance(15) ? 12 : 3);
            while (x < end) {
                const std::string word = anyWord(random, 8);
                canvas.text({x, y}, word, height, ink);
                x += textWidth(word, height) + height * 1.2;
            }
            y += height * (random.chance(12) ? 3.6 : 1.9);
        }
    }
}

/// Boxes and blobs with words in them and arrows between, as of a pathway.
void drawDiagram(Drawing& drawing)
{
    Canvas& canvas = drawing.canvas;
    Random& random = drawing.random;
    const auto pale = [&] {
        return Ink{float(random.real(150, 250)), float(random.real(150, 250)),
                   float(random.real(150, 250))};
    };
    const double height = drawing.percent(random.real(1.6, 3.4));
    if (random.chance(40)) {
        const Oval cell{
            {canvas.width() * random.real(0.3, 0.7), canvas.height() * random.real(0.3, 0.7)},
            canvas.width() * random.real(0.25, 0.5),
            canvas.height() * random.real(0.25, 0.5),
            0};
        canvas.oval(cell, pale());
    }
    Point before{canvas.width() * 0.5, canvas.height() * 0.5};
    for (int i = random.whole(4, 18); i > 0; --i) {
        const Point at{random.real(0.05, 0.9) * canvas.width(),
                       random.real(0.05, 0.95) * canvas.height()};
        const double wide = drawing.percent(random.real(4, 12)), high = height * random.real(1, 3);
        const Ink ink = grey(random.real(20, 140));
        canvas.line(before, at, drawing.percent(random.real(0.4, 1)), ink);
        if (random.chance(50)) {
            canvas.rectangle({at.x - wide, at.y - high}, {at.x + wide, at.y + high}, pale());
        } else {
            canvas.oval({at, wide, high, 0}, pale());
        }
        const std::string word = anyWord(random, 6);
        canvas.text({at.x - textWidth(word, height) / 2, at.y + height / 2}, word, height,
                    {20, 20, 20});
        before = at;
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
    switch (random.below(20)) {
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
        return drawDiagram(drawing);
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
    case 13:
    case 14:
    case 15:
        return drawUnknownCavity(drawing);
    default:
        return drawAnatomy(drawing);
    }
}

}  // namespace inference::mini
