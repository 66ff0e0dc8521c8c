#include "ui/model/to_inference_image.h"

namespace ui {

inference::Image toInferenceImage(const QImage& picture)
{
    if (picture.isNull()) {
        return {};
    }
    const auto shared =
        std::make_shared<const QImage>(picture.convertToFormat(QImage::Format_RGB888));
    inference::Image image;
    image.width = shared->width();
    image.height = shared->height();
    image.stride = int(shared->bytesPerLine());
    image.pixels = std::shared_ptr<const std::uint8_t>(shared, shared->constBits());
    return image;
}

QImage toQImage(const inference::Image& image)
{
    if (image.isNull()) {
        return {};
    }
    using Pixels = std::shared_ptr<const std::uint8_t>;
    return QImage(
        image.pixels.get(), image.width, image.height, image.stride, QImage::Format_RGB888,
        [](void* pixels) { delete static_cast<Pixels*>(pixels); }, new Pixels(image.pixels));
}

}  // namespace ui
