#include "inference/mini/canvas.h"

#include "inference/mini/font.h"
#include "inference/mini/random.h"

#include <array>

namespace inference::mini {

namespace {

float covered(float distance)
{
    return std::clamp(0.5F - distance, 0.0F, 1.0F);
}

constexpr double narrow = 0.82;  // width of the font's grid, of its height

void blend(float* pixel, const Ink& ink, float share)
{
    pixel[0] += (ink.red - pixel[0]) * share;
    pixel[1] += (ink.green - pixel[1]) * share;
    pixel[2] += (ink.blue - pixel[2]) * share;
}

/// An oval turned into the frame of its axes, for many pixels.
struct Turned {
    explicit Turned(const Oval& oval)
        : x(float(oval.centre.x))
        , y(float(oval.centre.y))
        , xa(float(cosine(oval.turn) / oval.a))
        , ya(float(sine(oval.turn) / oval.a))
        , xb(float(-sine(oval.turn) / oval.b))
        , yb(float(cosine(oval.turn) / oval.b))
        , inverseA(float(1 / oval.a))
        , inverseB(float(1 / oval.b))
    {
    }
    /// Pixels to the outline, of first order; negative inside.
    float distance(float px, float py) const
    {
        const float u = (px - x) * xa + (py - y) * ya;
        const float v = (px - x) * xb + (py - y) * yb;
        const float slope =
            std::sqrt(u * u * inverseA * inverseA + v * v * inverseB * inverseB) + 1e-6F;
        return (u * u + v * v - 1) / (2 * slope);
    }

    float x, y, xa, ya, xb, yb, inverseA, inverseB;
};

}  // namespace

double sine(double turns)
{
    double part = turns - double(std::int64_t(turns));  // -1 .. 1
    part += part < 0 ? 1 : 0;
    if (part > 0.75) {
        part -= 1;
    } else if (part > 0.25) {
        part = 0.5 - part;
    }
    // Taylor series to the 15th power over a quarter turn: below 1e-11 off
    const double x = part * 6.283185307179586;
    double term = x, sum = x;
    for (int power = 3; power <= 15; power += 2) {
        term *= -x * x / double(power * (power - 1));
        sum += term;
    }
    return sum;
}

Point reach(const Oval& oval)
{
    const double c = cosine(oval.turn), s = sine(oval.turn);
    return {std::sqrt(oval.a * oval.a * c * c + oval.b * oval.b * s * s),
            std::sqrt(oval.a * oval.a * s * s + oval.b * oval.b * c * c)};
}

double level(const Oval& oval, Point at)
{
    const double c = cosine(oval.turn), s = sine(oval.turn);
    const double x = at.x - oval.centre.x, y = at.y - oval.centre.y;
    const double u = (x * c + y * s) / oval.a, v = (y * c - x * s) / oval.b;
    return std::sqrt(u * u + v * v);
}

std::vector<float> cloud(int width, int height, double cell, std::uint64_t seed)
{
    cell = std::max(cell, 1.0);
    const int columns = int(width / cell) + 2, rows = int(height / cell) + 2;
    std::vector<float> knots(std::size_t(columns) * std::size_t(rows));
    for (std::size_t i = 0; i < knots.size(); ++i) {
        knots[i] = float(mixed(seed + i * 0x9e3779b97f4a7c15) >> 40) * 0x1p-23F - 1;
    }
    struct Step {
        int knot;
        float share;
    };
    const auto steps = [&](int count) {
        std::vector<Step> all;
        for (int i = 0; i < count; ++i) {
            const double at = (i + 0.5) / cell;
            const auto part = float(at - int(at));
            all.push_back({int(at), part * part * (3 - 2 * part)});
        }
        return all;
    };
    const std::vector<Step> across = steps(width), down = steps(height);
    std::vector<float> field(std::size_t(width) * std::size_t(height));
    std::vector<float> line(std::size_t(columns), 0.0F);
    for (int y = 0; y < height; ++y) {
        const Step& step = down[std::size_t(y)];
        const float* above = knots.data() + std::size_t(step.knot) * std::size_t(columns);
        for (int i = 0; i < columns; ++i) {
            line[std::size_t(i)] = above[i] + (above[i + columns] - above[i]) * step.share;
        }
        float* out = field.data() + std::size_t(y) * std::size_t(width);
        for (int x = 0; x < width; ++x) {
            const Step& at = across[std::size_t(x)];
            const float* knot = line.data() + at.knot;
            out[x] = knot[0] + (knot[1] - knot[0]) * at.share;
        }
    }
    return field;
}

Canvas::Canvas(int width, int height, const Ink& ink)
    : m_width(width)
    , m_height(height)
    , m_pixels(std::size_t(width) * std::size_t(height) * 3)
{
    visit([&](float, float, float* pixel) {
        pixel[0] = ink.red;
        pixel[1] = ink.green;
        pixel[2] = ink.blue;
    });
}

void Canvas::oval(const Oval& oval, const Ink& ink, double soft)
{
    const Turned turned(oval);
    const Point half = reach(oval);
    const double edge = soft + 1;
    const auto sharpness = float(1 / soft);
    visit({oval.centre.x - half.x - edge, oval.centre.y - half.y - edge},
          {oval.centre.x + half.x + edge, oval.centre.y + half.y + edge},
          [&](float x, float y, float* pixel) {
              blend(pixel, ink, covered(turned.distance(x, y) * sharpness));
          });
}

void Canvas::ring(const Oval& oval, double thickness, const Ink& ink)
{
    const Turned turned(oval);
    const Point half = reach(oval);
    const double edge = thickness + 1;
    const auto radius = float(thickness / 2);
    visit({oval.centre.x - half.x - edge, oval.centre.y - half.y - edge},
          {oval.centre.x + half.x + edge, oval.centre.y + half.y + edge},
          [&](float x, float y, float* pixel) {
              blend(pixel, ink, covered(std::fabs(turned.distance(x, y)) - radius));
          });
}

void Canvas::rectangle(Point from, Point to, const Ink& ink)
{
    const float left = float(from.x), top = float(from.y), right = float(to.x),
                bottom = float(to.y);
    const auto overlap = [](float centre, float low, float high) {
        return std::clamp(std::min(centre + 0.5F, high) - std::max(centre - 0.5F, low), 0.0F, 1.0F);
    };
    visit(from, to, [&](float x, float y, float* pixel) {
        blend(pixel, ink, overlap(x, left, right) * overlap(y, top, bottom));
    });
}

void Canvas::line(Point from, Point to, double thickness, const Ink& ink)
{
    const double edge = thickness / 2 + 1;
    const float x0 = float(from.x), y0 = float(from.y);
    const float dx = float(to.x - from.x), dy = float(to.y - from.y);
    const float inverse = 1 / std::max(dx * dx + dy * dy, 1e-9F);
    const auto radius = float(thickness / 2);
    visit({std::min(from.x, to.x) - edge, std::min(from.y, to.y) - edge},
          {std::max(from.x, to.x) + edge, std::max(from.y, to.y) + edge},
          [&](float x, float y, float* pixel) {
              const float along = std::clamp(((x - x0) * dx + (y - y0) * dy) * inverse, 0.0F, 1.0F);
              const float ox = x - x0 - along * dx, oy = y - y0 - along * dy;
              blend(pixel, ink, covered(std::sqrt(ox * ox + oy * oy) - radius));
          });
}

void Canvas::lines(const std::vector<Point>& points, double thickness, const Ink& ink)
{
    for (std::size_t i = 1; i < points.size(); ++i) {
        line(points[i - 1], points[i], thickness, ink);
    }
}

void Canvas::slice(Point centre, double radius, double from, double to, const Ink& ink)
{
    const float startX = float(sine(from)), startY = float(-cosine(from));
    const float endX = float(sine(to)), endY = float(-cosine(to));
    const bool wide = to - from > 0.5;
    const auto size = float(radius);
    visit({centre.x - radius - 1, centre.y - radius - 1},
          {centre.x + radius + 1, centre.y + radius + 1}, [&](float px, float py, float* pixel) {
              const float x = px - float(centre.x), y = py - float(centre.y);
              const float behindStart = x * startY - y * startX;  // negative: clockwise of it
              const float beforeEnd = y * endX - x * endY;
              const float sides =
                  wide ? std::min(behindStart, beforeEnd) : std::max(behindStart, beforeEnd);
              blend(pixel, ink, covered(std::max(sides, std::sqrt(x * x + y * y) - size)));
          });
}

void Canvas::glyphs(Point at, Point along, std::string_view text, double height, const Ink& ink)
{
    const double unit = height / capitalHeight;
    const double thickness = std::max(unit * 0.95, 0.9);
    for (const char character : text) {
        const auto place = [&](std::string_view digits) {
            const double x = (digits[0] - '0') * unit * narrow, y = (digits[1] - '0' - 6) * unit;
            return Point{at.x + along.x * x - along.y * y, at.y + along.y * x + along.x * y};
        };
        const std::string_view all = strokes(character);
        for (std::size_t i = 0; i + 3 < all.size(); i += 2) {
            if (all[i + 2] == ' ') {
                ++i;  // the pen is lifted; the next stroke begins behind the space
                continue;
            }
            line(place(all.substr(i)), place(all.substr(i + 2)), thickness, ink);
        }
        at.x += along.x * advance(character) * unit * narrow;
        at.y += along.y * advance(character) * unit * narrow;
    }
}

void Canvas::text(Point at, std::string_view text, double height, const Ink& ink)
{
    glyphs(at, {1, 0}, text, height, ink);
}

void Canvas::textUpwards(Point at, std::string_view text, double height, const Ink& ink)
{
    glyphs(at, {0, -1}, text, height, ink);
}

void Canvas::blur(double amount)
{
    const float side = float(amount) / 4, middle = 1 - 2 * side;
    std::vector<float> line(std::size_t(m_width) * 3);
    for (int y = 0; y < m_height; ++y) {
        float* pixels = row(y);
        std::copy(pixels, pixels + line.size(), line.begin());
        for (std::size_t i = 3; i + 3 < line.size(); ++i) {
            pixels[i] = middle * line[i] + side * (line[i - 3] + line[i + 3]);
        }
    }
    std::vector<float> above(row(0), row(0) + line.size());
    for (int y = 1; y + 1 < m_height; ++y) {
        float* pixels = row(y);
        const float* below = row(y + 1);
        for (std::size_t i = 0; i < line.size(); ++i) {
            const float here = pixels[i];
            pixels[i] = middle * here + side * (above[i] + below[i]);
            above[i] = here;
        }
    }
}

Image Canvas::image() const
{
    const std::size_t count = m_pixels.size();
    std::shared_ptr<std::uint8_t> bytes(new std::uint8_t[count],
                                        std::default_delete<std::uint8_t[]>());
    std::uint8_t* out = bytes.get();
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = std::uint8_t(nearest(std::clamp(m_pixels[i], 0.0F, 255.0F)));
    }
    return {m_width, m_height, m_width * 3, bytes};
}

double textWidth(std::string_view text, double height)
{
    double width = 0;
    for (const char character : text) {
        width += advance(character);
    }
    return (width - 1.8) * narrow * height / capitalHeight;
}

}  // namespace inference::mini
