#include "dicom/color.h"

#include "dicom/lookup.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace dicom {

namespace {

std::uint8_t toByte(double value)
{
    return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
}

std::vector<std::uint8_t> fromPalette(const Dataset& dataset, const StoredFrame& frame)
{
    DcmItem& set = dataset.data().set;
    const std::string& name = dataset.data().name;
    const std::array<LookupTable, 3> tables{
        readPalette(set, {0x0028, 0x1101}, {0x0028, 0x1201}, {0x0028, 0x1221}, name, "red palette"),
        readPalette(set, {0x0028, 0x1102}, {0x0028, 0x1202}, {0x0028, 0x1222}, name,
                    "green palette"),
        readPalette(set, {0x0028, 0x1103}, {0x0028, 0x1203}, {0x0028, 0x1223}, name,
                    "blue palette"),
    };
    // a colour that happens to use less than 256 is no reason to read it at another depth than its
    // sisters
    const int bits = std::max({tables[0].bits, tables[1].bits, tables[2].bits});
    std::vector<std::uint8_t> rgb(frame.values.size() * 3);
    for (std::size_t i = 0; i < frame.values.size(); ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            const int entry = tables[c].at(frame.value(i));
            rgb[3 * i + c] =
                static_cast<std::uint8_t>(std::min(bits > 8 ? entry >> (bits - 8) : entry, 255));
        }
    }
    return rgb;
}

}  // namespace

bool isColor(const PixelFormat& format)
{
    return format.samples == 3 || format.photometric == "PALETTE COLOR";
}

std::vector<std::uint8_t> toRgb(const Dataset& dataset, const StoredFrame& frame)
{
    if (frame.format.photometric == "PALETTE COLOR") {
        return fromPalette(dataset, frame);
    }
    std::vector<std::uint8_t> rgb(frame.values.size());
    const int stored = frame.format.stored;
    for (std::size_t i = 0; i < rgb.size(); ++i) {
        const std::uint32_t value = static_cast<std::uint32_t>(frame.values[i]);
        rgb[i] = static_cast<std::uint8_t>(stored > 8        ? value >> (stored - 8)
                                               : stored == 8 ? value
                                                             : value * 255 / ((1u << stored) - 1));
    }
    const bool partial = frame.format.photometric.starts_with("YBR_PARTIAL");
    if (frame.format.photometric != "YBR_FULL" && !partial) {
        return rgb;
    }
    // PS3.3 C.7.6.3.1.2, solved for R, G and B
    for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
        double y = rgb[i], cb = rgb[i + 1] - 128.0, cr = rgb[i + 2] - 128.0;
        if (partial) {
            y = (y - 16) * 255 / 219;
            cb = cb * 255 / 224;
            cr = cr * 255 / 224;
        }
        rgb[i] = toByte(y + 1.402 * cr);
        rgb[i + 1] = toByte(y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587);
        rgb[i + 2] = toByte(y + 1.772 * cb);
    }
    return rgb;
}

}  // namespace dicom
