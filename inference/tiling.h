#pragma once

#include <vector>

namespace inference {

/// Dynamic tiling as in InternVL (model specification 5.3, 5.4).
struct TilingOptions {
    int tileSize = 448;  // pixels, force_image_size
    int minTiles = 1;
    int maxTiles = 12;        // without the thumbnail
    bool thumbnail = true;    // one more tile of the whole picture where there is more than one
    int tokensPerTile = 256;  // (tileSize / patch * downsample)^2
};

struct TileGrid {
    int columns = 1;
    int rows = 1;
    bool operator==(const TileGrid&) const = default;
};

struct TileRect {
    double x = 0, y = 0, width = 0, height = 0;  // pixels of the source picture
};

/// What a picture costs: the grid, its tiles and the tokens they become.
struct TileLayout {
    TileGrid grid;
    int tiles = 1;  // thumbnail included
    bool thumbnail = false;
    int tokens = 0;             // tiles * tokensPerTile
    int width = 0, height = 0;  // pixels that the picture is resized to, tileSize * grid
};

/// The grid whose aspect ratio is nearest; between equals the picture's area decides.
/// Throws Error where a side is below 1 or the options make no sense.
TileGrid chooseGrid(int width, int height, const TilingOptions& options = {});

TileLayout layoutTiles(int width, int height, const TilingOptions& options = {});
/// The layout of a grid that is chosen already.
TileLayout layoutTiles(TileGrid grid, const TilingOptions& options);

/// Each tile's place in the source picture, row by row; the thumbnail is not among them.
std::vector<TileRect> tileRects(TileGrid grid, int width, int height);

}  // namespace inference
