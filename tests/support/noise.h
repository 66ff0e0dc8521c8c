#pragma once

#include "inference/image.h"
#include "inference/sha256.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace test {

/// The picture of the model specification's resize vectors (5.5). `padding`: unused bytes a row.
inline inference::Image noise(int width, int height, int padding = 0)
{
    const std::size_t stride = std::size_t(width) * 3 + std::size_t(padding);
    const std::shared_ptr<std::uint8_t[]> pixels(new std::uint8_t[stride * std::size_t(height)]());
    std::uint32_t state = 12345;
    for (int y = 0; y < height; ++y) {
        for (std::size_t i = 0; i < std::size_t(width) * 3; ++i) {
            state = state * 1664525U + 1013904223U;
            pixels[std::size_t(y) * stride + i] = std::uint8_t(state >> 24);
        }
    }
    return {width, height, int(stride), {pixels, pixels.get()}};
}

/// SHA-256 of the packed RGB bytes.
inline std::string sha256(const inference::Image& image)
{
    inference::Sha256 sum;
    addPixels(sum, image);
    return sum.hex();
}

}  // namespace test
