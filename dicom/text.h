#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dicom {

bool isUtf8(std::string_view bytes);
/// Latin-1 to UTF-8: every byte is a character.
std::string fromLatin1(std::string_view bytes);
/// At most `length` bytes of whole UTF-8 characters, with an ellipsis where something was cut.
std::string shorten(std::string text, std::size_t length);
/// `bytes` by Specific Character Set, as UTF-8. `delimiters` end an ISO 2022 escape. Bytes that the
/// character set does not have (or a set nobody knows) are read as UTF-8, else as Latin-1.
std::string toUtf8(const std::string& bytes, const std::string& charset, const char* delimiters);

}  // namespace dicom
