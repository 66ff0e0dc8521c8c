#include "inference/mini/spots.h"

#include <algorithm>

namespace inference::mini {

SpotSizes spotSizes(const Options& options)
{
    const double least = 1100.0 / options.tile;  // percent: 11 pixels of the tile
    const double hard = options.difficulty / 100.0;
    return {least * (1.6 - 0.6 * hard), least * (options.tile < 200 ? 1.7 : 2.7),
            int(2.5 + (options.tile < 200 ? 3 : 4) * hard)};
}

namespace {

template <typename Test>
bool everywhere(const Oval& spot, double margin, Test&& test)
{
    const double c = cosine(spot.turn), s = sine(spot.turn);
    for (int i = 0; i < 12; ++i) {
        const double u = (spot.a + margin) * cosine(i / 12.0);
        const double v = (spot.b + margin) * sine(i / 12.0);
        if (!test(Point{spot.centre.x + u * c - v * s, spot.centre.y + u * s + v * c})) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool insideOf(const Oval& spot, const Oval& region, double margin)
{
    return everywhere(spot, margin, [&](Point at) { return level(region, at) < 1; });
}

bool outsideOf(const Oval& spot, const Oval& region, double margin)
{
    return level(region, spot.centre) > 1 &&
        everywhere(spot, margin, [&](Point at) { return level(region, at) > 1; });
}

bool SpotField::isFree(const Oval& spot) const
{
    return std::all_of(m_taken.begin(), m_taken.end(), [&](const Oval& other) {
        const double dx = spot.centre.x - other.centre.x, dy = spot.centre.y - other.centre.y;
        const double apart = std::max(spot.a, spot.b) + std::max(other.a, other.b) + m_gap;
        return dx * dx + dy * dy > apart * apart;
    });
}

}  // namespace inference::mini
