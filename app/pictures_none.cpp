#include "app/pictures.h"

#include "inference/mini/png.h"

#include <stdexcept>

namespace app {

namespace {

[[noreturn]] void refuse(const std::string& what)
{
    throw std::runtime_error(
        what +
        ": this kvl was built with KVL_ENGINE_ONLY and knows PNG pictures only; "
        "use one built with Qt and DCMTK");
}

/// The part of it, which shares its pixels.
inference::Image cut(const inference::Image& image, const Region& region, const std::string& file)
{
    if (region.x < 0 || region.y < 0 || region.width < 1 || region.height < 1 ||
        region.x > image.width - region.width || region.y > image.height - region.height) {
        throw std::runtime_error("the region lies outside of " + file + ", which has " +
                                 std::to_string(image.width) + " x " +
                                 std::to_string(image.height) + " pixels");
    }
    const std::shared_ptr<const std::uint8_t> pixels(image.pixels,
                                                     image.row(region.y) + region.x * 3);
    return {region.width, region.height, image.stride, pixels};
}

}  // namespace

std::shared_ptr<void> startPictures()
{
    return nullptr;
}

std::vector<Picture> openPictures(const PictureChoice& choice, const std::stop_token&)
{
    return {openPicture(choice)};
}

Picture openPicture(const PictureChoice& choice)
{
    if (!choice.file.ends_with(".png") || choice.frame != 0 || choice.frames || choice.window) {
        refuse(choice.file);
    }
    Picture picture;
    picture.choice = choice;
    picture.image = inference::mini::readPng(choice.file);
    if (choice.region) {
        picture.image = cut(picture.image, *choice.region, choice.file);
    }
    return picture;
}

void writePng(const inference::Image& image, const std::string& file)
{
    inference::mini::writePng(image, file);
}

nlohmann::ordered_json describeDocument(const std::string& path, const std::string&)
{
    refuse(path);
}

void checkReport(const std::string& file)
{
    refuse(file);
}

void writeReport(const std::string& file, const std::vector<Picture>&, const inference::Request&,
                 const inference::Answer&, const inference::ModelInfo&, const std::string&)
{
    refuse(file);
}

}  // namespace app
