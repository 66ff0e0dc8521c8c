#include "inference/pretokenizer.h"

#include "inference/unicode.h"
#include "inference/utf8.h"

namespace inference {

const std::string_view wordPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

/// A character with its class; `end` == `at` at the end of the text.
class Scanner {
public:
    explicit Scanner(std::string_view text)
        : m_text(text)
        , m_classes(charClasses())
    {
    }

    struct Char {
        char32_t point = 0;
        std::uint8_t bits = 0;
        std::size_t end = 0;

        bool letter() const { return (bits & char_class::letter) != 0; }
        bool number() const { return (bits & char_class::number) != 0; }
        bool space() const { return (bits & char_class::space) != 0; }
        bool lineEnd() const { return point == '\r' || point == '\n'; }
    };
    bool atEnd(std::size_t at) const { return at >= m_text.size(); }
    Char at(std::size_t place) const
    {
        const Utf8Char next = charAt(m_text, place);
        return {next.point, next.point < m_classes.size() ? m_classes[next.point] : std::uint8_t(0),
                next.end};
    }

    /// The end of 's, 't, 're, 've, 'm, 'll or 'd; `place` where there is none.
    std::size_t contraction(std::size_t place) const;
    std::size_t letters(std::size_t place) const;
    std::size_t signs(std::size_t place) const;
    std::size_t spaces(std::size_t place) const;

private:
    std::string_view m_text;
    const std::vector<std::uint8_t>& m_classes;
};

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
}

std::size_t Scanner::contraction(std::size_t place) const
{
    const std::string_view rest = m_text.substr(place + 1, 2);
    if (rest.empty()) {
        return place;
    }
    if (rest == "\xc5\xbf") {  // long s, equal to s where case is ignored
        return place + 3;
    }
    const char first = lower(rest[0]);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
        return place + 2;
    }
    const char second = rest.size() > 1 ? lower(rest[1]) : '\0';
    const bool two =
        ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
    return two ? place + 3 : place;
}

std::size_t Scanner::letters(std::size_t place) const
{
    while (!atEnd(place)) {
        const Char next = at(place);
        if (!next.letter()) {
            break;
        }
        place = next.end;
    }
    return place;
}

/// [^\s\p{L}\p{N}]+[\r\n]*; `place` where it does not match.
std::size_t Scanner::signs(std::size_t place) const
{
    const std::size_t begin = place;
    while (!atEnd(place)) {
        const Char next = at(place);
        if (next.bits & (char_class::letter | char_class::number | char_class::space)) {
            break;
        }
        place = next.end;
    }
    if (place == begin) {
        return begin;
    }
    while (!atEnd(place) && at(place).lineEnd()) {
        ++place;
    }
    return place;
}

/// A run of white space: up to its last line end if it has one; else all of it at the end of the
/// text; else all but its last character, which belongs to what follows.
std::size_t Scanner::spaces(std::size_t place) const
{
    const std::size_t begin = place;
    std::size_t last = place, lineEnd = place;
    while (!atEnd(place)) {
        const Char next = at(place);
        if (!next.space()) {
            break;
        }
        last = place;
        place = next.end;
        lineEnd = next.lineEnd() ? place : lineEnd;
    }
    if (lineEnd > begin) {
        return lineEnd;
    }
    return atEnd(place) || last == begin ? place : last;
}

}  // namespace

std::size_t wordEnd(std::string_view text, std::size_t at)
{
    const Scanner scanner(text);
    const Scanner::Char first = scanner.at(at);
    if (first.letter()) {
        return scanner.letters(first.end);
    }
    if (first.number()) {
        return first.end;
    }
    if (first.point == '\'') {
        if (const std::size_t end = scanner.contraction(at); end > at) {
            return end;
        }
    }
    if (!first.lineEnd()) {
        if (const std::size_t end = scanner.letters(first.end); end > first.end) {
            return end;
        }
    }
    const std::size_t signs = first.point == ' ' ? first.end : at;
    if (const std::size_t end = scanner.signs(signs); end > signs) {
        return end;
    }
    return scanner.spaces(at);
}

}  // namespace inference
