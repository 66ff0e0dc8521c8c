#pragma once

#include "inference/image.h"
#include "inference/tiling.h"

#include <stop_token>
#include <vector>

namespace inference {

/// The very RGB tiles the model receives, tileSize x tileSize each, row by row, the thumbnail last
/// (model specification 5.4). Equal to Pillow 11.3 byte for byte. Throws Cancelled.
std::vector<Image> cutTiles(const Image& image, const TilingOptions& options = {},
                            const std::stop_token& stop = {});
/// The same by a grid that is chosen already, as in ImageUse.
std::vector<Image> cutTiles(const Image& image, TileGrid grid, const TilingOptions& options,
                            const std::stop_token& stop = {});

}  // namespace inference
