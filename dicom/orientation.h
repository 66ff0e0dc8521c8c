#pragma once

// Private to this folder: where in the patient the edges of a frame lie.

#include "dicom/frame.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace dicom {

/// Letters of a direction in patient coordinates, x to the left hand, y to the back, z to the head
/// (PS3.3 C.7.6.2.1.1): "R", or "RA" where it is oblique by more than six degrees. The largest part
/// first, at most two.
std::string lettersOf(std::array<double, 3> direction);

/// From the direction cosines of a row and a column; none where they are not two unit vectors at
/// right angles.
std::optional<Edges> edgesOf(const std::array<double, 6>& cosines);

/// From the two values of Patient Orientation, each of A P R L H F (PS3.3 C.7.6.1.1.1).
std::optional<Edges> edgesOf(std::string_view row, std::string_view column);

/// Image Orientation (Patient) of the frame, else Patient Orientation. None for animals, whose
/// letters are others.
std::optional<Edges> edgesOf(const Dataset& dataset, int index);

}  // namespace dicom
