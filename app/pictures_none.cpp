#include "app/pictures.h"

#include <stdexcept>

namespace app {

namespace {

[[noreturn]] void refuse(const std::string& what)
{
    throw std::runtime_error(what +
                             ": this kvl was built with KVL_ENGINE_ONLY and opens no pictures; "
                             "use one built with Qt and DCMTK");
}

}  // namespace

std::shared_ptr<void> startPictures()
{
    return nullptr;
}

std::vector<Picture> openPictures(const PictureChoice& choice, const std::stop_token&)
{
    refuse(choice.file);
}

Picture openPicture(const PictureChoice& choice)
{
    refuse(choice.file);
}

void writePng(const inference::Image&, const std::string& file)
{
    refuse(file);
}

nlohmann::ordered_json describeDocument(const std::string& path)
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
