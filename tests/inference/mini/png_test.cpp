#include "inference/mini/png.h"

#include "inference/error.h"
#include "inference/mini/sample.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <cstring>
#include <fstream>
#include <png.h>
#include <vector>

using namespace inference;
using namespace inference::mini;

namespace {

/// Writes pixels of one of libpng's simple formats.
void write(const std::filesystem::path& file, int width, int height, png_uint_32 format,
           const void* pixels)
{
    png_image png;
    std::memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = png_uint_32(width);
    png.height = png_uint_32(height);
    png.format = format;
    CHECK(png_image_write_to_file(&png, file.c_str(), 0, pixels, 0, nullptr) != 0);
}

std::vector<int> pixelsOf(const Image& image)
{
    std::vector<int> all;
    for (int y = 0; y < image.height; ++y) {
        all.insert(all.end(), image.row(y), image.row(y) + image.width * 3);
    }
    return all;
}

}  // namespace

TEST(aPictureIsReadAsItWasWritten)
{
    const test::TemporaryFolder folder;
    const Image drawn = generate(3, 1).image;
    writePng(drawn, folder.path() / "a.png");
    const Image read = readPng(folder.path() / "a.png");
    CHECK_EQUAL(read.width, drawn.width);
    CHECK_EQUAL(pixelsOf(read), pixelsOf(drawn));
}

TEST(opacityIsDroppedAndGreyBecomesColour)
{
    const test::TemporaryFolder folder;
    const std::uint8_t coloured[] = {200, 10, 20, 0, 30, 40, 50, 128};
    write(folder.path() / "a.png", 2, 1, PNG_FORMAT_RGBA, coloured);
    CHECK_EQUAL(pixelsOf(readPng(folder.path() / "a.png")),
                (std::vector<int>{200, 10, 20, 30, 40, 50}));
    const std::uint8_t grey[] = {0, 77, 255};
    write(folder.path() / "b.png", 3, 1, PNG_FORMAT_GRAY, grey);
    CHECK_EQUAL(pixelsOf(readPng(folder.path() / "b.png")),
                (std::vector<int>{0, 0, 0, 77, 77, 77, 255, 255, 255}));
}

TEST(whatIsNoSuchPictureIsRefusedByName)
{
    const test::TemporaryFolder folder;
    const auto path = [&](const char* name) { return folder.path() / name; };
    std::ofstream(path("text.png")) << "no picture";
    CHECK_THROWS(Error, readPng(path("text.png")), "text.png");
    CHECK_THROWS(Error, readPng(path("missing.png")), "missing.png");
    const std::uint16_t deep[] = {1, 60000};
    write(path("deep.png"), 2, 1, PNG_FORMAT_LINEAR_Y, deep);
    CHECK_THROWS(Error, readPng(path("deep.png")), "16 bits a channel");
    writePng(generate(3, 1).image, path("whole.png"));
    std::filesystem::resize_file(path("whole.png"),
                                 std::filesystem::file_size(path("whole.png")) / 2);
    CHECK_THROWS(Error, readPng(path("whole.png")), "whole.png");
}

KVL_TEST_MAIN
