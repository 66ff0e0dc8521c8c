#pragma once

// Private to this folder: stored colour to RGB.

#include "dicom/pixels.h"

#include <cstdint>
#include <vector>

namespace dicom {

/// True for PALETTE COLOR and for three samples a pixel.
bool isColor(const PixelFormat& format);

/// rows * columns * 3 bytes. More than 8 bits are cut to the upper 8. Throws Error.
std::vector<std::uint8_t> toRgb(const Dataset& dataset, const StoredFrame& frame);

}  // namespace dicom
