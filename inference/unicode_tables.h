#pragma once

#include <cstdint>
#include <vector>

/// Inside of unicode.cpp. Sorted by code point.
namespace inference::tables {

struct Range {
    char32_t first, last;
};
struct ClassRange {
    char32_t first, last;
    std::uint8_t combiningClass;
};
/// Canonical decomposition by one step; `second` is 0 for a single character. `composes`: NFC puts
/// the two together again.
struct Decomposition {
    char32_t point, first, second;
    bool composes;
};

const std::vector<Range>& letters();
const std::vector<Range>& numbers();
const std::vector<Range>& whiteSpace();
const std::vector<ClassRange>& combiningClasses();
const std::vector<Decomposition>& decompositions();

}  // namespace inference::tables
