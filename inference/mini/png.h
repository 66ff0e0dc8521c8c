#pragma once

#include "inference/image.h"

#include <filesystem>

namespace inference::mini {

/// Writes 8-bit RGB as PNG, whole or not at all. Throws Error that names the file.
void writePng(const Image& image, const std::filesystem::path& file);

/// Reads a PNG of at most 8 bits a channel as Pillow's convert("RGB") does: opacity is dropped,
/// grey and palettes become colours. At most 100 megapixels. Throws Error that names the file.
Image readPng(const std::filesystem::path& file);

}  // namespace inference::mini
