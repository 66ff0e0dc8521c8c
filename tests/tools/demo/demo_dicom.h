#pragma once

#include "inference/image.h"

#include <filesystem>
#include <string>

namespace demo {

/// Where a slice belongs.
struct Slice {
    std::string modality;  // "CT"
    std::string series;    // its description
    int seriesNumber = 1, instance = 1;
};

/// Writes a grey picture as a Secondary Capture, JPEG-LS without loss. Throws std::runtime_error.
void writeDicom(const inference::Image& image, const Slice& slice,
                const std::filesystem::path& file);

}  // namespace demo
