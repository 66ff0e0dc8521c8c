#include "inference/unicode.h"

#include "inference/unicode_tables.h"
#include "inference/utf8.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

namespace inference {

namespace {

// Hangul syllables are composed by arithmetic (Unicode, section 3.12).
constexpr char32_t hangul = 0xac00, leads = 0x1100, vowels = 0x1161, tails = 0x11a7;
constexpr char32_t leadCount = 19, vowelCount = 21, tailCount = 28;
constexpr char32_t hangulCount = leadCount * vowelCount * tailCount;

std::uint64_t pairKey(char32_t first, char32_t second)
{
    return std::uint64_t(first) << 32 | second;
}

struct Database {
    std::vector<std::uint8_t> classes;    // char_class bits by code point
    std::vector<std::uint8_t> combining;  // canonical combining class by code point
    std::unordered_map<char32_t, std::pair<char32_t, char32_t>> parts;
    std::unordered_map<std::uint64_t, char32_t> composites;

    Database()
    {
        const auto mark = [this](char32_t first, char32_t last, std::uint8_t bit) {
            if (last >= classes.size()) {
                classes.resize(last + 1);
            }
            for (char32_t point = first; point <= last; ++point) {
                classes[point] |= bit;
            }
        };
        for (const tables::Range& range : tables::letters()) {
            mark(range.first, range.last, char_class::letter);
        }
        for (const tables::Range& range : tables::numbers()) {
            mark(range.first, range.last, char_class::number);
        }
        for (const tables::Range& range : tables::whiteSpace()) {
            mark(range.first, range.last, char_class::space);
        }
        for (const tables::ClassRange& range : tables::combiningClasses()) {
            mark(range.first, range.last, char_class::unsettled);
            if (range.last >= combining.size()) {
                combining.resize(range.last + 1);
            }
            std::fill(combining.begin() + std::ptrdiff_t(range.first),
                      combining.begin() + std::ptrdiff_t(range.last) + 1, range.combiningClass);
        }
        for (const tables::Decomposition& row : tables::decompositions()) {
            parts.emplace(row.point, std::pair(row.first, row.second));
            if (row.composes) {
                composites.emplace(pairKey(row.first, row.second), row.point);
                mark(row.second, row.second, char_class::unsettled);
            } else {
                mark(row.point, row.point, char_class::unsettled);
            }
        }
        mark(vowels, vowels + vowelCount - 1, char_class::unsettled);
        mark(tails + 1, tails + tailCount - 1, char_class::unsettled);
    }

    std::uint8_t combiningClass(char32_t point) const
    {
        return point < combining.size() ? combining[point] : 0;
    }
};

const Database& database()
{
    static const Database data;
    return data;
}

void decompose(char32_t point, std::u32string& out)
{
    if (point >= hangul && point < hangul + hangulCount) {
        const char32_t index = point - hangul;
        out.push_back(leads + index / (vowelCount * tailCount));
        out.push_back(vowels + index % (vowelCount * tailCount) / tailCount);
        if (index % tailCount != 0) {
            out.push_back(tails + index % tailCount);
        }
        return;
    }
    const auto found = database().parts.find(point);
    if (found == database().parts.end()) {
        out += point;
        return;
    }
    decompose(found->second.first, out);
    if (found->second.second != 0) {
        decompose(found->second.second, out);
    }
}

/// 0 where the two do not compose.
char32_t composed(char32_t first, char32_t second)
{
    if (first >= leads && first < leads + leadCount && second >= vowels &&
        second < vowels + vowelCount) {
        return hangul + ((first - leads) * vowelCount + (second - vowels)) * tailCount;
    }
    if (first >= hangul && first < hangul + hangulCount && (first - hangul) % tailCount == 0 &&
        second > tails && second < tails + tailCount) {
        return first + (second - tails);
    }
    const auto found = database().composites.find(pairKey(first, second));
    return found == database().composites.end() ? 0 : found->second;
}

/// Marks into canonical order: stable, by class, between starters.
void sortMarks(std::u32string& text)
{
    const auto classOf = [](char32_t point) { return database().combiningClass(point); };
    for (std::size_t at = 0; at < text.size();) {
        if (classOf(text[at]) == 0) {
            ++at;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && classOf(text[end]) != 0) {
            ++end;
        }
        std::stable_sort(text.begin() + std::ptrdiff_t(at), text.begin() + std::ptrdiff_t(end),
                         [&](char32_t a, char32_t b) { return classOf(a) < classOf(b); });
        at = end;
    }
}

void compose(std::u32string& text)
{
    constexpr std::size_t none = std::u32string::npos;
    std::size_t starter = none, kept = 0;
    int lastClass = -1;  // of the last mark kept behind the starter; -1: none
    for (const char32_t point : text) {
        const int thisClass = database().combiningClass(point);
        if (starter != none && lastClass < thisClass) {
            if (const char32_t whole = composed(text[starter], point)) {
                text[starter] = whole;
                continue;
            }
        }
        if (thisClass == 0) {
            starter = kept;
            lastClass = -1;
        } else {
            lastClass = thisClass;
        }
        text[kept++] = point;
    }
    text.resize(kept);
}

}  // namespace

const std::vector<std::uint8_t>& charClasses()
{
    return database().classes;
}

std::uint8_t charClass(char32_t point)
{
    const std::vector<std::uint8_t>& classes = database().classes;
    return point < classes.size() ? classes[point] : 0;
}

std::string toNfc(std::string_view text)
{
    bool settled = true;
    for (std::size_t at = 0; at < text.size() && settled;) {
        const Utf8Char next = charAt(text, at);
        settled = next.point < 0x300 || (charClass(next.point) & char_class::unsettled) == 0;
        at = next.end;
    }
    if (settled) {
        return std::string(text);
    }
    std::u32string points;
    points.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char next = charAt(text, at);
        decompose(next.point, points);
        at = next.end;
    }
    sortMarks(points);
    compose(points);
    std::string out;
    out.reserve(text.size());
    for (const char32_t point : points) {
        appendUtf8(out, point);
    }
    return out;
}

bool isStripped(char32_t point)
{
    return (charClass(point) & char_class::space) != 0 || (point >= 0x1c && point <= 0x1f);
}

std::string_view stripped(std::string_view text)
{
    std::size_t begin = 0, end = 0;
    bool begun = false;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char next = charAt(text, at);
        if (!isStripped(next.point)) {
            begin = begun ? begin : at;
            end = next.end;
            begun = true;
        }
        at = next.end;
    }
    return text.substr(begin, end - begin);
}

}  // namespace inference
