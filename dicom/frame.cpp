#include "dicom/frame.h"

#include "dicom/access.h"
#include "dicom/color.h"
#include "dicom/orientation.h"
#include "dicom/pixels.h"
#include "dicom/transforms.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dicom {

namespace {

/// Stored values that stand for "no picture here": [low, high] (PS3.3 C.7.5.1.1.2).
struct Padding {
    double low = 0, high = 0;
    bool holds(double value) const { return value >= low && value <= high; }
};

std::optional<Padding> paddingOf(const Dataset& dataset, const PixelFormat& format)
{
    DcmItem& set = dataset.data().set;
    const bool real = format.number != Number::Integer;
    const Tag valueTag = real
        ? (format.number == Number::Float ? Tag{0x0028, 0x0122} : Tag{0x0028, 0x0123})
        : Tag{0x0028, 0x0120};
    auto value = numberIn(set, valueTag);
    auto limit = real ? std::nullopt : numberIn(set, {0x0028, 0x0121});
    if (!value) {
        return std::nullopt;
    }
    const auto mend = [&](double one) {  // US or SS in the file, whatever the pixels are
        return real || format.allocated > 16 ? one
            : format.isSigned && one > 32767 ? one - 65536
            : !format.isSigned && one < 0    ? one + 65536
                                             : one;
    };
    const double a = mend(*value), b = mend(limit.value_or(*value));
    return Padding{std::min(a, b), std::max(a, b)};
}

void fillGray(const StoredFrame& stored, const Modality& modality,
              const std::optional<Padding>& padding, Frame& frame)
{
    const bool real = stored.format.number != Number::Integer;
    const std::size_t count = stored.format.pixels();
    frame.gray.resize(count);
    float minimum = std::numeric_limits<float>::infinity(), maximum = -minimum;
    for (std::size_t i = 0; i < count; ++i) {
        const double value = real ? stored.real[i] : stored.value(i);
        const float gray = static_cast<float>(modality.apply(value));
        frame.gray[i] = gray;
        if (std::isfinite(gray) && !(padding && padding->holds(value))) {
            minimum = std::min(minimum, gray);
            maximum = std::max(maximum, gray);
        }
    }
    if (minimum > maximum) {  // nothing but padding
        minimum = maximum = padding ? static_cast<float>(modality.apply(padding->low)) : 0;
    }
    frame.minimum = minimum;
    frame.maximum = maximum;
}

}  // namespace

Frame decodeFrame(const Dataset& dataset, int index, std::stop_token stop)
{
    const StoredFrame stored = storedFrame(dataset, index, std::move(stop));
    Frame frame;
    frame.width = stored.format.columns;
    frame.height = stored.format.rows;
    frame.spacing = spacingOf(dataset, index);
    frame.edges = edgesOf(dataset, index);
    if (isColor(stored.format)) {
        frame.rgb = toRgb(dataset, stored);
        return frame;
    }
    const Modality modality = modalityOf(dataset, index, stored.format.isSigned);
    const std::optional<Padding> padding = paddingOf(dataset, stored.format);
    fillGray(stored, modality, padding, frame);
    if (padding) {
        frame.padding = static_cast<float>(modality.apply(padding->low));
    }
    frame.unit = modality.unit;
    frame.windows = windowsOf(dataset, index, frame.minimum < 0);
    frame.inverted = stored.format.photometric == "MONOCHROME1" ||
        textIn(dataset.data().set, {0x2050, 0x0020}) == "INVERSE";
    return frame;
}

Window defaultWindow(const Frame& frame)
{
    if (!frame.windows.empty()) {
        return frame.windows.front();
    }
    Window window;
    window.function = Window::Function::LinearExact;
    window.center = (static_cast<double>(frame.minimum) + static_cast<double>(frame.maximum)) / 2;
    window.width = static_cast<double>(frame.maximum) - static_cast<double>(frame.minimum);
    if (!(window.width > 0)) {
        window.width = 1;
    }
    return window;
}

}  // namespace dicom
