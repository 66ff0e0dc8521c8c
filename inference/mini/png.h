#pragma once

#include "inference/image.h"

#include <filesystem>

namespace inference::mini {

/// Writes 8-bit RGB as PNG, whole or not at all. Throws Error that names the file.
void writePng(const Image& image, const std::filesystem::path& file);

}  // namespace inference::mini
