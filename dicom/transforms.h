#pragma once

// Private to this folder: what the header says about the values of a frame. A functional group of
// the frame goes before one shared by all, and that before the top level (PS3.3 C.7.6.16).

#include "dicom/frame.h"
#include "dicom/lookup.h"

#include <optional>
#include <string>
#include <vector>

class DcmItem;

namespace dicom {

/// The item of a functional group macro for this frame, or null.
DcmItem* functionalGroup(DcmItem& set, Tag macro, int index);

/// Stored values to physical ones: a table, or slope and intercept.
struct Modality {
    double slope = 1, intercept = 0;
    std::optional<LookupTable> table;
    std::string unit;

    double apply(double stored) const
    {
        return table ? table->at(stored) : stored * slope + intercept;
    }
};

Modality modalityOf(const Dataset& dataset, int index, bool isSigned);

/// VOI LUTs first, then windows, each in the order of the file. A window of no width is left out.
std::vector<Window> windowsOf(const Dataset& dataset, int index, bool hasNegativeValues);

std::optional<Spacing> spacingOf(const Dataset& dataset, int index);

}  // namespace dicom
