#pragma once

// Private to this folder: lookup tables of all kinds (PS3.3 C.11.1.1.1, C.11.2.1.1, C.7.6.3.1.5).

#include "dicom/access.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace dicom {

struct LookupTable {
    int first = 0;  // the value that the first entry stands for
    int bits = 16;  // of an entry
    std::vector<std::uint16_t> entries;

    /// Values below the first entry get the first, values above the last get the last.
    std::uint16_t at(double value) const
    {
        return entries[static_cast<std::size_t>(
            std::clamp(value - first, 0.0, static_cast<double>(entries.size() - 1)))];
    }
};

/// `what` names the table in messages. Throws Error where it has fewer entries than it says.
LookupTable readLookupTable(DcmItem& item, Tag descriptor, Tag data, bool isSigned,
                            const std::string& name, const std::string& what);

/// A palette table: as above, or segmented data (PS3.3 C.7.9.2) expanded.
LookupTable readPalette(DcmItem& item, Tag descriptor, Tag data, Tag segmented,
                        const std::string& name, const std::string& what);

}  // namespace dicom
