#pragma once

#include "inference/image.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace test {

/// The pixels of the model specification's check values (5.5), which the Python scripts repeat.
inline inference::Image seededImage(int width, int height, std::uint32_t seed = 12345)
{
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::size_t(3) * std::size_t(width) *
                                                             std::size_t(height));
    for (std::uint8_t& sample : *bytes) {
        seed = seed * 1664525U + 1013904223U;
        sample = std::uint8_t(seed >> 24);
    }
    return {width, height, 3 * width, std::shared_ptr<const std::uint8_t>(bytes, bytes->data())};
}

}  // namespace test
