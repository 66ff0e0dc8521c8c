#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace inference {

/// A picture as the model receives it: 8-bit RGB, rows from the top. Never written after it is
/// made, so copies share the pixels and may be used from any thread.
struct Image {
    int width = 0;
    int height = 0;
    int stride = 0;  // bytes from one row to the next, at least 3 * width
    std::shared_ptr<const std::uint8_t> pixels;

    const std::uint8_t* row(int y) const { return pixels.get() + std::ptrdiff_t(y) * stride; }
    bool isNull() const { return !pixels || width <= 0 || height <= 0; }
};

}  // namespace inference
