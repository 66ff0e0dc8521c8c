#pragma once

#include "inference/image.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace inference {

/// The next byte of the model specification's check values (5.5), which the Python scripts repeat.
inline std::uint8_t seededByte(std::uint32_t& state)
{
    state = state * 1664525U + 1013904223U;
    return std::uint8_t(state >> 24);
}

/// A picture of such bytes, row by row. `padding`: unused zero bytes behind each row.
inline Image seededImage(int width, int height, std::uint32_t seed = 12345, int padding = 0)
{
    const std::size_t used = std::size_t(width) * 3, stride = used + std::size_t(padding);
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(stride * std::size_t(height));
    for (int y = 0; y < height; ++y) {
        for (std::size_t i = 0; i < used; ++i) {
            (*bytes)[std::size_t(y) * stride + i] = seededByte(seed);
        }
    }
    return {width, height, int(stride), {bytes, bytes->data()}};
}

}  // namespace inference
