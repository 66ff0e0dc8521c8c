#include "inference/tiles.h"

#include "inference/error.h"
#include "inference/resize.h"

namespace inference {

std::vector<Image> cutTiles(const Image& image, const TilingOptions& options,
                            const std::stop_token& stop)
{
    return cutTiles(image, chooseGrid(image.width, image.height, options), options, stop);
}

std::vector<Image> cutTiles(const Image& image, TileGrid grid, const TilingOptions& options,
                            const std::stop_token& stop)
{
    const TileLayout layout = layoutTiles(grid, options);
    const int side = options.tileSize;
    std::vector<PixelSize> sizes{{layout.width, layout.height}};
    if (layout.thumbnail) {
        sizes.push_back({side, side});
    }
    const std::vector<Image> resized = resize(image, sizes, Filter::Bicubic, stop);

    std::vector<Image> tiles;
    const Image& whole = resized.front();
    for (int row = 0; row < layout.grid.rows; ++row) {
        for (int column = 0; column < layout.grid.columns; ++column) {
            const std::uint8_t* corner = whole.row(row * side) + std::ptrdiff_t(3) * column * side;
            tiles.push_back({side, side, whole.stride, {whole.pixels, corner}});
        }
    }
    if (layout.thumbnail) {
        tiles.push_back(resized.back());
    }
    return tiles;
}

}  // namespace inference
