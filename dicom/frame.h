#pragma once

#include "dicom/dataset.h"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace dicom {

/// A VOI window in stored units after the modality transform (PS3.3 C.11.2.1.2), or a VOI LUT.
struct Window {
    enum class Function { Linear, LinearExact, Sigmoid };
    double center = 0, width = 1;
    Function function = Function::Linear;
    std::string explanation;   // "LUNG"
    std::vector<float> table;  // VOI LUT, 0..1; empty for a window
    double tableStart = 0;     // first value mapped by the table
};

struct Spacing {
    double row = 0, column = 0;  // mm between rows, between columns
    std::string source;          // the attribute it comes from, "Pixel Spacing"
};

/// Where in the patient the edges of a frame lie: letters of R L A P H F (right, left, anterior,
/// posterior, head, feet), the nearest direction first, a second where it is oblique.
struct Edges {
    std::string left, top, right, bottom;
    bool operator==(const Edges&) const = default;
};

/// A decoded frame: grey values in physical units, or colour.
struct Frame {
    int width = 0, height = 0;
    std::vector<float> gray;        // after the modality transform (PS3.4 N.2.1), before any window
    std::vector<std::uint8_t> rgb;  // width * height * 3 where the frame has colour
    std::string unit;               // "HU", or empty
    bool inverted = false;          // MONOCHROME1, or Presentation LUT Shape INVERSE
    std::vector<Window> windows;    // those of the file, then nothing
    std::optional<Spacing> spacing;
    std::optional<Edges> edges;
    std::optional<float> padding;    // Pixel Padding Value after the modality transform
    float minimum = 0, maximum = 0;  // of gray, without padding
};

/// `index` counts from 0. Throws Error, or Cancelled.
Frame decodeFrame(const Dataset& dataset, int index, std::stop_token stop = {});

/// The first window of the file, else one made from minimum and maximum.
Window defaultWindow(const Frame& frame);

/// Packed 8-bit RGB, width * height * 3; colour frames come back unchanged.
std::vector<std::uint8_t> render(const Frame& frame, const Window& window);

}  // namespace dicom
