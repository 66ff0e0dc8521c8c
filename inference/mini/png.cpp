#include "inference/mini/png.h"

#include "inference/error.h"

#include <algorithm>
#include <cstring>
#include <png.h>
#include <vector>

namespace inference::mini {

void writePng(const Image& image, const std::filesystem::path& file)
{
    png_image png;
    std::memset(&png, 0, sizeof png);
    png.version = PNG_IMAGE_VERSION;
    png.width = png_uint_32(image.width);
    png.height = png_uint_32(image.height);
    png.format = PNG_FORMAT_RGB;
    png.flags = PNG_IMAGE_FLAG_FAST;
    const std::filesystem::path part = file.string() + ".part";
    if (!png_image_write_to_file(&png, part.c_str(), 0, image.pixels.get(), image.stride,
                                 nullptr)) {
        std::error_code ignored;
        std::filesystem::remove(part, ignored);
        throw Error("The picture " + file.string() + " cannot be written (" + png.message + ").");
    }
    std::error_code error;
    std::filesystem::rename(part, file, error);
    if (error) {
        throw Error("The picture " + file.string() + " cannot be written (" + error.message() +
                    ").");
    }
}

Image readPng(const std::filesystem::path& file)
{
    constexpr std::uint64_t mostPixels = 100'000'000;
    const auto fail = [&](const std::string& what) {
        throw Error("The picture " + file.string() + " cannot be read (" + what + ").");
    };
    struct Reader : png_image {
        Reader() { std::memset(static_cast<png_image*>(this), 0, sizeof(png_image)); }
        ~Reader() { png_image_free(this); }
    } png;
    png.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&png, file.c_str())) {
        fail(png.message);
    }
    if ((png.format & PNG_FORMAT_FLAG_LINEAR) != 0) {
        fail("16 bits a channel; a program built with Qt reads it");
    }
    if (std::uint64_t(png.width) * png.height > mostPixels) {
        fail(std::to_string(png.width) + " x " + std::to_string(png.height) +
             " pixels; at most 100 million are read");
    }
    png.format = PNG_FORMAT_RGBA;  // RGB would lay transparent pixels over black
    std::vector<std::uint8_t> read(PNG_IMAGE_SIZE(png));
    const std::size_t pixels = std::size_t(png.width) * png.height;
    if (!png_image_finish_read(&png, nullptr, read.data(), 0, nullptr) || PNG_IMAGE_FAILED(png)) {
        fail(png.message);
    }
    std::shared_ptr<std::uint8_t> rgb(new std::uint8_t[pixels * 3],
                                      std::default_delete<std::uint8_t[]>());
    for (std::size_t i = 0; i < pixels; ++i) {
        std::copy_n(&read[i * 4], 3, rgb.get() + i * 3);
    }
    return {int(png.width), int(png.height), int(png.width) * 3, rgb};
}

}  // namespace inference::mini
