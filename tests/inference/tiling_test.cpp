#include "inference/tiling.h"

#include "inference/error.h"
#include "support/csv.h"
#include "support/test.h"

using namespace inference;

namespace {

TilingOptions most(int tiles)
{
    TilingOptions options;
    options.maxTiles = tiles;
    return options;
}

}  // namespace

TEST(everyGridIsTheReferences)
{
    const auto rows = test::csv("grids.csv");
    CHECK(rows.size() > 2000);
    for (const auto& row : rows) {
        const TileGrid grid =
            chooseGrid(std::stoi(row[0]), std::stoi(row[1]), most(std::stoi(row[2])));
        if (!(grid == TileGrid{std::stoi(row[3]), std::stoi(row[4])})) {
            test::fail(__FILE__, __LINE__,
                       row[0] + " x " + row[1] + " with " + row[2] + " tiles gave " +
                           std::to_string(grid.columns) + " x " + std::to_string(grid.rows));
        }
    }
}

// model specification 5.3
TEST(areaDecidesBetweenEquallyNearRatios)
{
    CHECK(chooseGrid(500, 400, most(6)) == (TileGrid{1, 1}));
    CHECK(chooseGrid(1250, 1000, most(6)) == (TileGrid{3, 2}));
}

TEST(thumbnailCountsAsATileButNotForASingleTile)
{
    const TileLayout many = layoutTiles(640, 480);
    CHECK(many.grid == (TileGrid{4, 3}));
    CHECK(many.thumbnail);
    CHECK_EQUAL(many.tiles, 13);
    CHECK_EQUAL(many.tokens, 3328);
    CHECK_EQUAL(many.width, 1792);
    CHECK_EQUAL(many.height, 1344);

    const TileLayout one = layoutTiles(448, 448);
    CHECK(!one.thumbnail);
    CHECK_EQUAL(one.tiles, 1);
    CHECK_EQUAL(one.tokens, 256);

    TilingOptions bare;
    bare.thumbnail = false;
    CHECK_EQUAL(layoutTiles(640, 480, bare).tiles, 12);
}

TEST(rectanglesCoverThePictureRowByRow)
{
    const auto rects = tileRects({3, 2}, 300, 100);
    CHECK_EQUAL(rects.size(), 6U);
    CHECK_EQUAL(rects[1].x, 100.0);
    CHECK_EQUAL(rects[1].y, 0.0);
    CHECK_EQUAL(rects[3].x, 0.0);
    CHECK_EQUAL(rects[3].y, 50.0);
    CHECK_EQUAL(rects[5].x + rects[5].width, 300.0);
    CHECK_EQUAL(rects[5].y + rects[5].height, 100.0);
    CHECK(tileRects({0, 2}, 300, 100).empty());
}

TEST(senselessSizesAndOptionsAreRefused)
{
    CHECK_THROWS(Error, chooseGrid(0, 10), "0 x 10");
    CHECK_THROWS(Error, chooseGrid(10, -1), "10 x -1");
    CHECK_THROWS(Error, chooseGrid(10, 10, most(0)), "1..0");
    CHECK_THROWS(Error, chooseGrid(10, 10, most(100000)), "1..100000");
    TilingOptions options;
    options.tileSize = 0;
    CHECK_THROWS(Error, layoutTiles(10, 10, options), "0 pixels");
}

KVL_TEST_MAIN
