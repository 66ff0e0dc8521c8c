#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// A box of an answer, in pixels of the picture the model was given (origin top left).
struct Box {
    std::string label;
    int image = 0;  // index among the request's pictures, in order of their appearance
    double x = 0, y = 0, width = 0, height = 0;
};

struct ImageSize {
    int width = 0, height = 0;
};

/// Reads boxes out of answer text whose special tokens were kept or dropped:
/// `<ref>name</ref><box>[[x1, y1, x2, y2], …]</box>` and `name[[x1, y1, x2, y2]]`, coordinates
/// 0..1000 of the picture (model specification 9). With several pictures the last `Image-k` before
/// the box says which one is meant, the first picture otherwise. Lenient about spaces, decimals and
/// missing brackets; corners are ordered and clamped to the picture; what makes no box is left out.
std::vector<Box> parseBoxes(std::string_view text, const std::vector<ImageSize>& images);

}  // namespace inference
