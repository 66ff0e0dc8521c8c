#pragma once

#include "inference/image.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace inference::mini {

struct Point {
    double x = 0, y = 0;  // pixels, (0, 0) is the top left corner of the top left pixel
};

struct Ink {
    float red = 0, green = 0, blue = 0;  // 0..255
};
constexpr Ink grey(double level)
{
    return {float(level), float(level), float(level)};
}
constexpr Ink between(const Ink& a, const Ink& b, float share)
{
    return {a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share,
            a.blue + (b.blue - a.blue) * share};
}

struct Oval {
    Point centre;
    double a = 1, b = 1;  // half axes in pixels
    double turn = 0;      // of the first axis, in turns, clockwise
};

/// The nearest whole number of one that is not negative.
inline int nearest(double value)
{
    const double above = value + 0.5;
    return int(above);
}

/// sin(2 pi turns) by a polynomial: the C library's differs from machine to machine.
double sine(double turns);
inline double cosine(double turns)
{
    return sine(turns + 0.25);
}

/// Half the width and height of an oval's bounding box.
Point reach(const Oval& oval);
/// 1 on the outline, less inside.
double level(const Oval& oval, Point at);

/// Smooth random field of -1 .. 1, one value a pixel, blobs about `cell` pixels wide.
std::vector<float> cloud(int width, int height, double cell, std::uint64_t seed);

/// A drawing of floating-point RGB. Edges are anti-aliased by their distance. Uses + - * / and sqrt
/// only, each exactly rounded by IEEE 754, and is compiled without fused operations: the same bytes
/// everywhere.
class Canvas {
public:
    Canvas(int width, int height, const Ink& ink);

    int width() const { return m_width; }
    int height() const { return m_height; }
    float* row(int y) { return m_pixels.data() + std::size_t(y) * std::size_t(m_width) * 3; }
    const float* row(int y) const
    {
        return m_pixels.data() + std::size_t(y) * std::size_t(m_width) * 3;
    }

    /// Calls shade(x, y, pixel) for the centres of all pixels in the rectangle; pixel is float[3].
    template <typename Shade>
    void visit(Point from, Point to, Shade&& shade)
    {
        const int left = std::clamp(int(from.x), 0, m_width);
        const int top = std::clamp(int(from.y), 0, m_height);
        const int right = std::clamp(int(to.x) + 1, 0, m_width);
        const int bottom = std::clamp(int(to.y) + 1, 0, m_height);
        for (int y = top; y < bottom; ++y) {
            float* pixel = row(y) + std::ptrdiff_t(left) * 3;
            for (int x = left; x < right; ++x, pixel += 3) {
                shade(float(x) + 0.5F, float(y) + 0.5F, pixel);
            }
        }
    }
    template <typename Shade>
    void visit(Shade&& shade)
    {
        visit({0, 0}, {double(m_width), double(m_height)}, shade);
    }

    /// `soft`: pixels over which the edge fades.
    void oval(const Oval& oval, const Ink& ink, double soft = 1);
    void ring(const Oval& oval, double thickness, const Ink& ink);
    void rectangle(Point from, Point to, const Ink& ink);
    void line(Point from, Point to, double thickness, const Ink& ink);
    void lines(const std::vector<Point>& points, double thickness, const Ink& ink);
    /// A slice of a disc clockwise between two directions in turns; 0 points up.
    void slice(Point centre, double radius, double from, double to, const Ink& ink);
    /// One line of text in the own stroke font; characters it lacks are left blank.
    /// `at`: left end of the base line. `height`: of capital letters.
    void text(Point at, std::string_view text, double height, const Ink& ink);
    void textUpwards(Point at, std::string_view text, double height, const Ink& ink);

    /// Blurs with weights 1-2-1 scaled: amount 0 leaves as it is, 1 is the full kernel.
    void blur(double amount);
    Image image() const;  // rounded, clamped

private:
    void glyphs(Point at, Point along, std::string_view text, double height, const Ink& ink);

    int m_width, m_height;
    std::vector<float> m_pixels;
};

double textWidth(std::string_view text, double height);

}  // namespace inference::mini
