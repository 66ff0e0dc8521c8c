#pragma once

// Private to this folder and its tests: from the file to stored values, before any transform.

#include "dicom/dataset.h"

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace dicom {

enum class Number { Integer, Float, Double };

/// The Image Pixel module (PS3.3 C.7.6.3), checked.
struct PixelFormat {
    int rows = 0, columns = 0;
    int samples = 1;
    int allocated = 16, stored = 16, highBit = 15;
    bool isSigned = false;
    int planar = 0;
    Number number = Number::Integer;
    std::string photometric;

    std::size_t pixels() const
    {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    }
};

/// One frame as stored: what the compressed stream or the file has, samples of a pixel side by
/// side.
struct StoredFrame {
    PixelFormat format;  // photometric: of these values, so RGB after YBR_RCT was undone
    std::vector<std::int32_t>
        values;                // rows * columns * samples; unsigned 32-bit ones as their bits
    std::vector<double> real;  // instead of `values` for Float and Double Pixel Data

    double value(std::size_t i) const
    {
        return format.isSigned ? static_cast<double>(values[i])
                               : static_cast<double>(static_cast<std::uint32_t>(values[i]));
    }
};

/// Throws Error where the dataset has no picture, or one whose description makes no sense.
PixelFormat pixelFormat(const Dataset& dataset);

/// See Dataset::frameCount. A number of frames that the bytes can't hold is cut to what they can.
int countFrames(const Dataset& dataset);

/// `index` counts from 0. Throws Error, or Cancelled.
StoredFrame storedFrame(const Dataset& dataset, int index, std::stop_token stop = {});

/// The compressed bytes of one frame, its fragments joined.
std::vector<std::uint8_t> frameBytes(const Dataset& dataset, int index);

/// "an object of the kind RT Structure Set", from SOP Class UID.
std::string objectName(const Dataset& dataset);

}  // namespace dicom
