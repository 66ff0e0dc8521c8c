#include "inference/tiles.h"

#include "inference/error.h"
#include "support/csv.h"
#include "support/noise.h"
#include "support/test.h"

#include <map>
#include <stop_token>
#include <thread>
#include <tuple>

using namespace inference;

TEST(everyTileIsTheReferencesTheThumbnailLast)
{
    std::map<std::tuple<int, int, int>, std::vector<std::string>> expected;
    for (const auto& row : test::csv("tiles.csv")) {
        expected[{std::stoi(row[0]), std::stoi(row[1]), std::stoi(row[2])}].push_back(row[4]);
    }
    CHECK_EQUAL(expected.size(), 5U);
    for (const auto& [input, hashes] : expected) {
        const auto& [width, height, most] = input;
        TilingOptions options;
        options.maxTiles = most;
        std::vector<std::string> found;
        for (const Image& tile : cutTiles(test::noise(width, height), options)) {
            CHECK_EQUAL(tile.width, 448);
            CHECK_EQUAL(tile.height, 448);
            found.push_back(test::sha256(tile));
        }
        CHECK_EQUAL(found, hashes);
    }
}

TEST(tilesOutliveTheSourceAndEachOther)
{
    Image tile;
    {
        auto tiles = cutTiles(test::noise(100, 50));
        CHECK_EQUAL(tiles.size(), 3U);
        tile = tiles[1];
    }
    CHECK_EQUAL(test::sha256(tile), test::sha256(cutTiles(test::noise(100, 50))[1]));
}

TEST(aStopEndsTheCuttingOfALargePictureHalfWay)
{
    const Image picture = test::noise(6000, 4000);
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    CHECK_THROWS(Cancelled, (cutTiles(picture, {}, stop.get_token())), "cancelled");
}

TEST(otherTileSizesAreCutAlike)
{
    TilingOptions options;
    options.tileSize = 56;
    const auto tiles = cutTiles(test::noise(100, 50), options);
    CHECK_EQUAL(tiles.size(), 3U);
    CHECK_EQUAL(tiles.front().width, 56);
}

TEST(aPictureWithoutPixelsIsRefused)
{
    CHECK_THROWS(Error, cutTiles(Image{}), "0 x 0");
    CHECK_THROWS(Error, cutTiles(Image{10, 10, 30, nullptr}), "no pixels");
}

KVL_TEST_MAIN
