#pragma once

#include "inference/mini/canvas.h"
#include "inference/mini/sample.h"

#include <optional>
#include <vector>

namespace inference::mini {

/// How large and how many round things may be, in percent of the shorter side.
struct SpotSizes {
    double least = 5, most = 13;
    int mostOnes = 6;
};
/// The least is 11 pixels of the model's tile where the picture is square, so that each covers the
/// better part of a patch of 14; 8 where it is half as wide as high.
SpotSizes spotSizes(const Options& options);

/// Whether a spot, widened by a margin in pixels, lies wholly inside or outside an oval; checked at
/// 12 points of its outline.
bool insideOf(const Oval& spot, const Oval& region, double margin);
bool outsideOf(const Oval& spot, const Oval& region, double margin);

/// Places that are taken, so that no two things touch.
class SpotField {
public:
    explicit SpotField(double gap)
        : m_gap(gap)
    {
    }
    bool isFree(const Oval& spot) const;
    void take(const Oval& spot) { m_taken.push_back(spot); }

private:
    double m_gap;
    std::vector<Oval> m_taken;
};

}  // namespace inference::mini
