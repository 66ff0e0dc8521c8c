#include "inference/tiling.h"

#include "inference/error.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

namespace inference {

namespace {

constexpr int mostTiles = 1024;
constexpr int largestTile = 8192;

void check(int width, int height, const TilingOptions& options)
{
    if (width < 1 || height < 1) {
        throw Error("The picture is " + std::to_string(width) + " x " + std::to_string(height) +
                    " pixels; both sides must be at least 1.");
    }
    if (options.minTiles < 1 || options.maxTiles < options.minTiles ||
        options.maxTiles > mostTiles) {
        throw Error("The number of tiles is limited to " + std::to_string(options.minTiles) + ".." +
                    std::to_string(options.maxTiles) + "; a range within 1.." +
                    std::to_string(mostTiles) + " is expected.");
    }
    if (options.tileSize < 1 || options.tileSize > largestTile || options.tokensPerTile < 0) {
        throw Error("Tiles of " + std::to_string(options.tileSize) + " pixels with " +
                    std::to_string(options.tokensPerTile) + " tokens each make no sense; 1.." +
                    std::to_string(largestTile) + " pixels are expected.");
    }
}

}  // namespace

TileGrid chooseGrid(int width, int height, const TilingOptions& options)
{
    check(width, height, options);
    const double aspect = double(width) / height;
    const double area = double(std::int64_t(width) * height);
    double best = std::numeric_limits<double>::infinity();
    TileGrid chosen;
    // By number of tiles, as in the reference. Among grids of one number the order cannot decide
    // while minTiles is 1: no two of neighbouring ratio have the same number.
    for (int tiles = options.minTiles; tiles <= options.maxTiles; ++tiles) {
        for (int columns = 1; columns <= tiles; ++columns) {
            if (tiles % columns != 0) {
                continue;
            }
            const int rows = tiles / columns;
            const double difference = std::abs(aspect - double(columns) / rows);
            const double half = 0.5 * options.tileSize * options.tileSize * tiles;
            if (difference < best || (difference == best && area > half)) {
                best = difference;
                chosen = {columns, rows};
            }
        }
    }
    return chosen;
}

TileLayout layoutTiles(int width, int height, const TilingOptions& options)
{
    return layoutTiles(chooseGrid(width, height, options), options);
}

TileLayout layoutTiles(TileGrid grid, const TilingOptions& options)
{
    TileLayout layout;
    layout.grid = grid;
    const int cells = layout.grid.columns * layout.grid.rows;
    layout.thumbnail = options.thumbnail && cells != 1;
    layout.tiles = cells + (layout.thumbnail ? 1 : 0);
    layout.tokens = layout.tiles * options.tokensPerTile;
    layout.width = options.tileSize * layout.grid.columns;
    layout.height = options.tileSize * layout.grid.rows;
    return layout;
}

std::vector<TileRect> tileRects(TileGrid grid, int width, int height)
{
    if (grid.columns < 1 || grid.rows < 1) {
        return {};
    }
    std::vector<TileRect> rects;
    const double w = double(width) / grid.columns, h = double(height) / grid.rows;
    for (int row = 0; row < grid.rows; ++row) {
        for (int column = 0; column < grid.columns; ++column) {
            rects.push_back({column * w, row * h, w, h});
        }
    }
    return rects;
}

}  // namespace inference
