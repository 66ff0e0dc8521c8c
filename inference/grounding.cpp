#include "inference/grounding.h"

#include "inference/unicode.h"
#include "inference/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace inference {

namespace {

constexpr std::size_t mostBoxes = 10000;
constexpr std::size_t longestLabel = 200;  // bytes

/// Reads the text once, from the left; every step moves forward.
class Reader {
public:
    Reader(std::string_view text, const std::vector<ImageSize>& images)
        : m_text(text)
        , m_images(images)
    {
    }

    std::vector<Box> read();

private:
    void readWord();
    bool at(std::string_view word) const { return m_text.substr(m_place).starts_with(word); }
    void readReference();
    void readPicture();
    void readBrackets();
    std::optional<std::array<double, 4>> readNumbers();
    std::string labelBefore(std::size_t place) const;
    void add(const std::array<double, 4>& corners, const std::string& label);

    std::string_view m_text;
    const std::vector<ImageSize>& m_images;
    std::size_t m_place = 0;
    std::size_t m_labelFrom = 0;             // where the words of the present label begin
    std::optional<std::string> m_reference;  // of the last <ref>, until its line or its boxes end
    bool m_boxed = false;                    // the reference has had a box
    int m_image = 0;
    std::vector<Box> m_boxes;
};

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

/// Without bullets, numbering, marks of emphasis and what joins a name to its box.
std::string trimmed(std::string_view label)
{
    label = stripped(label);
    constexpr std::string_view bullets[]{"- ", "* ", "+ ", "\xe2\x80\xa2", "\xe2\x80\x93 "};
    for (const std::string_view bullet : bullets) {
        if (label.starts_with(bullet)) {
            label = stripped(label.substr(bullet.size()));
        }
    }
    std::size_t digits = 0;
    while (digits < label.size() && isDigit(label[digits])) {
        ++digits;
    }
    if (digits > 0 && digits + 1 < label.size() && (label[digits] == '.' || label[digits] == ')') &&
        label[digits + 1] == ' ') {
        label = stripped(label.substr(digits + 1));
    }
    constexpr std::string_view before = "*_`\"',;:=)]} ", behind = "*_`\"',;:=([{ ";
    while (!label.empty() && before.find(label.front()) != std::string_view::npos) {
        label.remove_prefix(1);
    }
    while (!label.empty() && behind.find(label.back()) != std::string_view::npos) {
        label.remove_suffix(1);
    }
    label = stripped(label);
    if (label.size() > longestLabel) {
        std::size_t begin = label.size() - longestLabel;
        while (begin < label.size() && (static_cast<unsigned char>(label[begin]) & 0xc0) == 0x80) {
            ++begin;
        }
        label.remove_prefix(begin);
    }
    return std::string(label);
}

std::vector<Box> Reader::read()
{
    while (m_place < m_text.size() && m_boxes.size() < mostBoxes) {
        const char c = m_text[m_place];
        if (c == '<' && at("<ref>")) {
            readReference();
        } else if (c == '[' || (c == '<' && at("<box>"))) {
            readBrackets();
        } else if (c == 'I' && at("Image-")) {
            readPicture();
        } else {
            readWord();
        }
    }
    return std::move(m_boxes);
}

/// Any other character.
void Reader::readWord()
{
    const char c = m_text[m_place];
    if (c == '\n' || (m_boxed && std::string_view(" \t,;]").find(c) == std::string_view::npos)) {
        m_reference.reset();
        m_boxed = false;
    }
    ++m_place;
    if (c == '\n') {
        m_labelFrom = m_place;
    }
}

/// <ref>name</ref>; without its end the name goes to the box, the next tag or the end of the line.
void Reader::readReference()
{
    m_place += std::string_view("<ref>").size();
    const std::size_t end = std::min(m_text.find_first_of("<[\n", m_place), m_text.size());
    m_reference = trimmed(m_text.substr(m_place, end - m_place));
    m_boxed = false;
    m_place = end;
    if (at("</ref>")) {
        m_place += std::string_view("</ref>").size();
    }
    m_labelFrom = m_place;
}

void Reader::readPicture()
{
    m_place += std::string_view("Image-").size();
    std::size_t end = m_place;
    while (end < m_text.size() && isDigit(m_text[end])) {
        ++end;
    }
    std::size_t number = 0;
    const auto result = std::from_chars(m_text.data() + m_place, m_text.data() + end, number);
    if (result.ec == std::errc() && number >= 1 && number <= m_images.size()) {
        m_image = int(number) - 1;
    }
    m_place = end;
    if (at(":")) {
        m_labelFrom = m_place;
    }
}

/// One box or several behind each other: [[1, 2, 3, 4], [5, 6, 7, 8]], brackets may lack.
void Reader::readBrackets()
{
    const std::size_t begin = m_place;
    if (at("<box>")) {
        m_place += std::string_view("<box>").size();
    }
    std::optional<std::string> label = m_reference;
    while (m_place < m_text.size() && m_boxes.size() < mostBoxes) {
        m_place = std::min(m_text.find_first_not_of("[](), ;\t", m_place), m_text.size());
        const auto corners = readNumbers();
        if (!corners) {
            break;
        }
        label = label ? label : labelBefore(begin);
        add(*corners, *label);
        m_boxed = true;
        m_labelFrom = m_place;
    }
    if (at("</box>")) {
        m_place += std::string_view("</box>").size();
        m_labelFrom = m_place;
    }
}

/// Four numbers with commas, spaces or parentheses between them. Moves on only over numbers.
std::optional<std::array<double, 4>> Reader::readNumbers()
{
    std::array<double, 4> values{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const char* begin = m_text.data() + m_place;
        const char* end = m_text.data() + m_text.size();
        // No more than 32 characters are looked at: a number of the answer is short.
        const auto result =
            std::from_chars(begin, std::min(end, begin + std::min<std::ptrdiff_t>(end - begin, 32)),
                            values[i], std::chars_format::fixed);
        if (result.ec != std::errc() || !std::isfinite(values[i])) {
            return std::nullopt;
        }
        m_place = std::size_t(result.ptr - m_text.data());
        const std::size_t next =
            std::min(m_text.find_first_not_of(" \t,;()", m_place), m_text.size());
        if (i + 1 < values.size()) {
            if (next == m_place) {
                return std::nullopt;
            }
            m_place = next;
        } else if (next < m_text.size() && (isDigit(m_text[next]) || m_text[next] == '-')) {
            return std::nullopt;  // five numbers are no box
        }
    }
    return values;
}

/// The words before the brackets on their line, the last of them where they are many.
std::string Reader::labelBefore(std::size_t place) const
{
    std::size_t from = m_labelFrom;
    if (place - from > 2 * longestLabel) {
        from = place - 2 * longestLabel;
        while ((static_cast<unsigned char>(m_text[from]) & 0xc0) == 0x80) {
            ++from;
        }
    }
    return trimmed(m_text.substr(from, place - from));
}

void Reader::add(const std::array<double, 4>& corners, const std::string& label)
{
    const ImageSize& size = m_images[std::size_t(m_image)];
    const auto scaled = [](double value, int side) {
        return std::clamp(value, 0.0, 1000.0) / 1000 * side;
    };
    const double left = scaled(std::min(corners[0], corners[2]), size.width);
    const double right = scaled(std::max(corners[0], corners[2]), size.width);
    const double top = scaled(std::min(corners[1], corners[3]), size.height);
    const double bottom = scaled(std::max(corners[1], corners[3]), size.height);
    if (right > left && bottom > top) {
        m_boxes.push_back({label, m_image, left, top, right - left, bottom - top});
    }
}

}  // namespace

std::vector<Box> parseBoxes(std::string_view text, const std::vector<ImageSize>& images)
{
    if (images.empty() || firstBadByte(text)) {
        return {};
    }
    return Reader(text, images).read();
}

}  // namespace inference
