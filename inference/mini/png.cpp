#include "inference/mini/png.h"

#include "inference/error.h"

#include <cstring>
#include <png.h>

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

}  // namespace inference::mini
