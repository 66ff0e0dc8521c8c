#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace inference {

/// The character at `at` of text known to be UTF-8, and the place behind it.
struct Utf8Char {
    char32_t point = 0;
    std::size_t end = 0;
};
inline Utf8Char charAt(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return char32_t(static_cast<unsigned char>(text[i])); };
    const char32_t lead = byte(at);
    if (lead < 0x80) {
        return {lead, at + 1};
    }
    if (lead < 0xe0) {
        return {(lead & 0x1f) << 6 | (byte(at + 1) & 0x3f), at + 2};
    }
    if (lead < 0xf0) {
        return {(lead & 0x0f) << 12 | (byte(at + 1) & 0x3f) << 6 | (byte(at + 2) & 0x3f), at + 3};
    }
    return {(lead & 0x07) << 18 | (byte(at + 1) & 0x3f) << 12 | (byte(at + 2) & 0x3f) << 6 |
                (byte(at + 3) & 0x3f),
            at + 4};
}

void appendUtf8(std::string& text, char32_t point);

/// The first byte that is not part of a whole UTF-8 character; surrogates, overlong forms and
/// points beyond U+10FFFF count as bad.
std::optional<std::size_t> firstBadByte(std::string_view text);

/// Each longest bad part replaced by one U+FFFD, as Python's and Rust's decoders do; or each bad
/// byte, as SentencePiece does.
enum class BadPart { Longest, Byte };
std::string withoutBadBytes(std::string_view bytes, BadPart part = BadPart::Longest);

/// How many bytes at the end are the beginning of a character that more bytes could complete: 0..3.
std::size_t unfinishedBytes(std::string_view bytes);

}  // namespace inference
