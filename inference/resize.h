#pragma once

#include "inference/image.h"

#include <stop_token>
#include <vector>

namespace inference {

struct PixelSize {
    int width = 0, height = 0;
};

enum class Filter { Bilinear, Bicubic };

/// Pillow 11.3's Image.resize() byte for byte: antialiased, horizontal pass first, 22-bit fixed
/// point, 8 bits between the passes (model specification 5.5). Uses AVX2 where the CPU has it.
/// Throws Error where a side is below 1 or beyond 65,536, or the picture has no pixels.
Image resize(const Image& image, PixelSize size, Filter filter = Filter::Bicubic);

/// The same for several sizes in one walk over the source rows. Throws Cancelled.
std::vector<Image> resize(const Image& image, const std::vector<PixelSize>& sizes,
                          Filter filter = Filter::Bicubic, const std::stop_token& stop = {});

/// The same without vector instructions: what resize() must equal.
Image resizeScalar(const Image& image, PixelSize size, Filter filter = Filter::Bicubic);

}  // namespace inference
