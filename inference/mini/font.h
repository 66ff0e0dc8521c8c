#pragma once

#include <string_view>

namespace inference::mini {

/// A character as strokes: strokes are apart by spaces, each is points of two digits, x 0..4 to the
/// right and y 0..8 downwards; capitals stand on y = 6 and reach y = 0, tails end at 8.
/// Empty for a space and for characters that the font lacks.
std::string_view strokes(char character);

inline constexpr double capitalHeight = 6;
/// From the left of one character to the left of the next, of the same grid.
double advance(char character);

}  // namespace inference::mini
