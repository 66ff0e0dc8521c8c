#pragma once

#include "inference/image.h"
#include "inference/tiling.h"

#include <vector>

namespace inference {

/// The very RGB tiles the model receives, tileSize x tileSize each, row by row, the thumbnail last
/// (model specification 5.4). Equal to Pillow 11.3 byte for byte.
std::vector<Image> cutTiles(const Image& image, const TilingOptions& options = {});

}  // namespace inference
