#pragma once

#include "inference/image.h"

#include <QImage>

namespace ui {

/// Shares the pixels of a Format_RGB888 picture, without a copy; other formats are converted.
/// A null picture gives a null image. The pixels live as long as the result.
inference::Image toInferenceImage(const QImage& picture);
/// The other way, sharing as well.
QImage toQImage(const inference::Image& image);

}  // namespace ui
