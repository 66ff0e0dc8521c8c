#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace inference {

/// Bits of charClass().
namespace char_class {
inline constexpr std::uint8_t letter = 1, number = 2, space = 4;  // \p{L}, \p{N}, White_Space
inline constexpr std::uint8_t unsettled = 8;  // NFC may change it or what stands before it
}  // namespace char_class

std::uint8_t charClass(char32_t point);

/// charClass() by code point, for loops; 0 beyond its end.
const std::vector<std::uint8_t>& charClasses();

/// Canonical composition (NFC) of UTF-8 text.
std::string toNfc(std::string_view text);

/// Without the white space at both ends that Python's str.strip() takes off: White_Space and
/// U+001C..U+001F.
std::string_view stripped(std::string_view text);
bool isStripped(char32_t point);

}  // namespace inference
