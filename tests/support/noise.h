#pragma once

#include "inference/seeded_image.h"
#include "inference/sha256.h"

#include <string>

namespace test {

/// The picture of the model specification's resize vectors (5.5). `padding`: unused bytes a row.
inline inference::Image noise(int width, int height, int padding = 0)
{
    return inference::seededImage(width, height, 12345, padding);
}

/// SHA-256 of the packed RGB bytes.
inline std::string sha256(const inference::Image& image)
{
    inference::Sha256 sum;
    addPixels(sum, image);
    return sum.hex();
}

}  // namespace test
