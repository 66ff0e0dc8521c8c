#include "inference/resize.h"

#include "inference/error.h"
#include "support/csv.h"
#include "support/noise.h"
#include "support/test.h"

using namespace inference;

TEST(everyByteIsPillows)
{
    const auto rows = test::csv("resize.csv");
    CHECK(rows.size() > 60);
    for (const auto& row : rows) {
        const Image source = test::noise(std::stoi(row[0]), std::stoi(row[1]));
        const PixelSize size{std::stoi(row[2]), std::stoi(row[3])};
        const Filter filter = row[4] == "bilinear" ? Filter::Bilinear : Filter::Bicubic;
        const std::string name = row[0] + "x" + row[1] + " to " + row[2] + "x" + row[3] + " ";
        CHECK_EQUAL(name + test::sha256(resize(source, size, filter)), name + row[5]);
        CHECK_EQUAL(name + test::sha256(resizeScalar(source, size, filter)), name + row[5]);
    }
}

// model specification 5.5
TEST(vectorsOfTheSpecificationHold)
{
    CHECK_EQUAL(test::sha256(resize(test::noise(37, 23), {448, 448})),
                "a9374eebf1a5aa1efa0fdf341eeb91d1a8c0b47820f1c3e0de3cab39947653d7");
    CHECK_EQUAL(test::sha256(resize(test::noise(640, 481), {448, 448})),
                "c4f471b5df1ea69d2f80de911e327544a458da0933147d154b28b0b3fe252ff2");
    CHECK_EQUAL(test::sha256(resize(test::noise(3, 3), {7, 5})),
                "6a3e8ed4bcde762b711982820b6427af4021484dca9f23f8b9de34a5d242eaa4");
    CHECK_EQUAL(test::sha256(resize(test::noise(100, 60), {200, 120}, Filter::Bilinear)),
                "c93a4435c13dac7ba55afd72653de2cf44bf257b8eab3ff72bdfbb5ca25b17e0");
}

// Every remainder of the vector loops: widths and heights around multiples of 4, 16 and 32.
TEST(vectorPathEqualsScalarPathAtEverySmallSize)
{
    for (int side = 1; side <= 36; ++side) {
        const Image source = test::noise(side, 37 - side, side % 5);
        for (const PixelSize& size :
             {PixelSize{7, 5}, PixelSize{37 - side, side}, PixelSize{33, 17}}) {
            CHECK_EQUAL(test::sha256(resize(source, size)),
                        test::sha256(resizeScalar(source, size)));
        }
    }
}

TEST(paddingBetweenRowsIsNotRead)
{
    CHECK_EQUAL(test::sha256(resize(test::noise(37, 23, 11), {448, 448})),
                test::sha256(resize(test::noise(37, 23), {448, 448})));
}

TEST(extremesOfTheRangeDoNotWrap)
{
    for (const std::uint8_t level : {std::uint8_t(0), std::uint8_t(255)}) {
        const auto pixels = std::shared_ptr<std::uint8_t[]>(new std::uint8_t[5000 * 3 * 3]);
        std::fill_n(pixels.get(), 5000 * 3 * 3, level);
        const Image source{5000, 3, 15000, {pixels, pixels.get()}};
        const Image small = resize(source, {2, 2});
        for (int i = 0; i < 12; ++i) {
            CHECK_EQUAL(int(small.pixels.get()[i]), int(level));
        }
    }
}

TEST(severalSizesGiveWhatEachGivesAlone)
{
    const Image source = test::noise(321, 123);
    const std::vector<PixelSize> sizes{{448, 448}, {321, 50}, {100, 123}, {321, 123}};
    const auto all = resize(source, sizes);
    CHECK_EQUAL(all.size(), sizes.size());
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        CHECK_EQUAL(test::sha256(all[i]), test::sha256(resizeScalar(source, sizes[i])));
    }
}

TEST(impossibleSizesAreRefused)
{
    const Image source = test::noise(4, 4);
    CHECK_THROWS(Error, resize(source, {0, 4}), "0 x 4");
    CHECK_THROWS(Error, resize(source, {4, -1}), "4 x -1");
    CHECK_THROWS(Error, resize(source, {1 << 20, 4}), "1048576");
    CHECK_THROWS(Error, resize(Image{}, {4, 4}), "no pixels");
    CHECK_THROWS(Error, resizeScalar(source, {0, 0}), "0 x 0");
}

KVL_TEST_MAIN
