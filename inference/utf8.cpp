#include "inference/utf8.h"

#include <algorithm>

namespace inference {

namespace {

/// What stands at a place: a whole character, or the longest prefix of one.
struct Sequence {
    std::size_t length = 0;  // at least 1
    bool whole = false;
    bool cutShort = false;  // a prefix at the end of the text
};

Sequence sequenceAt(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(at);
    if (lead < 0x80) {
        return {1, true, false};
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return {1, false, false};
    }
    const std::size_t wanted = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    // The second byte's range keeps out overlong forms, surrogates and what is beyond U+10FFFF.
    unsigned char low = 0x80, high = 0xbf;
    low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : low;
    high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : high;
    std::size_t length = 1;
    while (length < wanted && at + length < text.size() && byte(at + length) >= low &&
           byte(at + length) <= high) {
        ++length;
        low = 0x80;
        high = 0xbf;
    }
    return {length, length == wanted, length < wanted && at + length == text.size()};
}

}  // namespace

void appendUtf8(std::string& text, char32_t point)
{
    if (point < 0x80) {
        text += char(point);
    } else if (point < 0x800) {
        text += {char(0xc0 | point >> 6), char(0x80 | (point & 0x3f))};
    } else if (point < 0x10000) {
        text += {char(0xe0 | point >> 12), char(0x80 | (point >> 6 & 0x3f)),
                 char(0x80 | (point & 0x3f))};
    } else {
        text += {char(0xf0 | point >> 18), char(0x80 | (point >> 12 & 0x3f)),
                 char(0x80 | (point >> 6 & 0x3f)), char(0x80 | (point & 0x3f))};
    }
}

std::optional<std::size_t> firstBadByte(std::string_view text)
{
    for (std::size_t at = 0; at < text.size();) {
        const Sequence sequence = sequenceAt(text, at);
        if (!sequence.whole) {
            return at;
        }
        at += sequence.length;
    }
    return std::nullopt;
}

std::string withoutBadBytes(std::string_view bytes, BadPart part)
{
    std::string text;
    text.reserve(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
        const Sequence sequence = sequenceAt(bytes, at);
        if (sequence.whole) {
            text.append(bytes, at, sequence.length);
        } else {
            text += "\xef\xbf\xbd";
        }
        at += sequence.whole || part == BadPart::Longest ? sequence.length : 1;
    }
    return text;
}

std::size_t unfinishedBytes(std::string_view bytes)
{
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
        const std::size_t at = bytes.size() - back;
        if ((static_cast<unsigned char>(bytes[at]) & 0xc0) != 0x80) {
            return sequenceAt(bytes, at).cutShort ? back : 0;
        }
    }
    return 0;
}

}  // namespace inference
