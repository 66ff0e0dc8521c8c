#include "dicom/scan.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace dicom {

namespace {

constexpr std::uint32_t undefinedLength = 0xFFFFFFFF;
constexpr std::size_t stretch = 64 * 1024;

// DCMTK parses by recursion (some 2 KiB of stack a level), needs some 250 bytes an element and
// sorts an element that is out of order by walking the list.
constexpr int maxDepth = 100;
constexpr int maxElements = 4'000'000;
constexpr int maxOutOfOrder = 2'000;
constexpr std::size_t maxFragments = 4'000'000;

constexpr Tag itemTag{0xFFFE, 0xE000}, itemEnd{0xFFFE, 0xE00D}, sequenceEnd{0xFFFE, 0xE0DD};

bool isUpper(std::uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

bool isKnownVr(std::string_view vr)
{
    constexpr std::string_view known =
        "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM "
        "UC UI UL UN UR US UT UV ";
    return vr.size() == 2 && isUpper(static_cast<std::uint8_t>(vr[0])) &&
        known.find(std::string(vr) + " ") != std::string_view::npos;
}

/// Four bytes of length after two reserved ones. A VR nobody knows is read as DCMTK reads it.
bool hasLongLength(std::string_view vr)
{
    constexpr std::string_view longOnes = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
    if (isKnownVr(vr)) {
        return longOnes.find(std::string(vr) + " ") != std::string_view::npos;
    }
    return isUpper(static_cast<std::uint8_t>(vr[0])) && isUpper(static_cast<std::uint8_t>(vr[1]));
}

bool isPixelData(Tag tag)
{
    return tag.group == 0x7FE0 &&
        (tag.element == 0x0008 || tag.element == 0x0009 || tag.element == 0x0010);
}

struct Endian {
    bool big = false;
    std::uint16_t u16(const std::uint8_t* p) const
    {
        return static_cast<std::uint16_t>(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
    }
    std::uint32_t u32(const std::uint8_t* p) const
    {
        return big ? static_cast<std::uint32_t>(u16(p)) << 16 | u16(p + 2)
                   : static_cast<std::uint32_t>(u16(p + 2)) << 16 | u16(p);
    }
};

struct Element {
    Tag tag;
    std::string vr;
    std::uint32_t length = 0;
    std::uint64_t value = 0;  // where the value begins
};

/// nullopt where the source ends inside the header.
std::optional<Element> readElement(ByteSource& source, std::uint64_t at, bool explicitVr,
                                   Endian endian)
{
    std::array<std::uint8_t, 12> head{};
    if (!source.read(at, head.data(), 8)) {
        return std::nullopt;
    }
    Element element;
    element.tag = {endian.u16(head.data()), endian.u16(head.data() + 2)};
    if (!explicitVr || element.tag.group == 0xFFFE) {
        element.length = endian.u32(head.data() + 4);
        element.value = at + 8;
        return element;
    }
    element.vr.assign(reinterpret_cast<const char*>(head.data() + 4), 2);
    if (!hasLongLength(element.vr)) {
        element.length = endian.u16(head.data() + 6);
        element.value = at + 8;
        return element;
    }
    if (!source.read(at, head.data(), 12)) {
        return std::nullopt;
    }
    element.length = endian.u32(head.data() + 8);
    element.value = at + 12;
    return element;
}

/// Encoding of the data set at `at`, from its first element.
std::string guessSyntax(ByteSource& source, std::uint64_t at)
{
    std::array<std::uint8_t, 8> head{};
    if (!source.read(at, head.data(), head.size())) {
        return "1.2.840.10008.1.2";
    }
    const std::string vr(reinterpret_cast<const char*>(head.data() + 4), 2);
    const bool big =
        head[0] == 0 && head[1] != 0;  // groups begin at 0008: the smaller reading is right
    if (!isKnownVr(vr)) {
        return "1.2.840.10008.1.2";
    }
    return big ? "1.2.840.10008.1.2.2" : "1.2.840.10008.1.2.1";
}

/// First element of a data set without meta header: a low, even group, a short value, and where
/// there is a VR, one that exists.
bool isPlausibleStart(ByteSource& source, std::uint64_t at)
{
    std::array<std::uint8_t, 8> head{};
    if (!source.read(at, head.data(), head.size())) {
        return false;
    }
    const Endian little{false}, big{true};
    const std::string vr(reinterpret_cast<const char*>(head.data() + 4), 2);
    const std::uint16_t group = std::min(little.u16(head.data()), big.u16(head.data()));
    if (group < 2 || group > 0x0028 || group % 2 != 0) {
        return false;
    }
    if (isKnownVr(vr)) {
        return true;
    }
    return little.u16(head.data()) == group && little.u16(head.data() + 2) < 0x4000 &&
        little.u32(head.data() + 4) <= std::min<std::uint64_t>(1024, source.size() - at - 8);
}

/// A few stray bytes before the first element are met where somebody cut the meta header off.
std::optional<std::uint64_t> findStart(ByteSource& source)
{
    constexpr std::uint64_t mostStray = 16;
    if (isPlausibleStart(source, 0)) {
        return 0;
    }
    for (std::uint64_t at = 1; at <= mostStray; ++at) {
        std::array<std::uint8_t, 6> head{};
        if (source.read(at, head.data(), head.size()) && head[0] == 8 && head[1] == 0 &&
            head[3] == 0 && isKnownVr({reinterpret_cast<const char*>(head.data() + 4), 2})) {
            return at;
        }
    }
    return std::nullopt;
}

struct Level {
    enum Kind { Elements, Items, Fragments };
    Kind kind = Elements;
    std::optional<std::uint64_t> end;  // absent: until its delimiter
    bool explicitVr = true;
    bool maybe = false;  // bytes that may be a sequence: nonsense in them is no problem
    Tag last{};          // to notice elements out of order
};

class Walker {
public:
    Walker(ByteSource& source, Scan& scan, const std::string& name)
        : m_source(source)
        , m_scan(scan)
        , m_name(name)
    {
        m_endian.big = scan.syntax == "1.2.840.10008.1.2.2";
        m_stack.push_back({Level::Elements, source.size(), scan.syntax != "1.2.840.10008.1.2"});
        m_position = scan.dataset;
    }

    void walk()
    {
        while (!m_stack.empty() && !m_done) {
            Level& level = m_stack.back();
            if (level.end && m_position >= *level.end) {
                m_position = *level.end;
                m_stack.pop_back();
                continue;
            }
            step(level);
        }
        if (!m_ended) {
            m_scan.end = m_position;
        }
    }

private:
    void step(Level& level)
    {
        const std::uint64_t at = m_position;
        const auto element = readElement(m_source, at, level.explicitVr, m_endian);
        if (m_stack.size() == 1) {
            m_topLevel = at;
        }
        if (!element) {
            return stop("ends inside an element");
        }
        if (++m_elements > maxElements) {
            throw Error(m_name + " has more than " + std::to_string(maxElements) +
                        " data elements; no real object needs that many, so it is refused");
        }
        if (element->tag.group == 0xFFFE) {
            return delimiter(level, *element);
        }
        if (level.kind == Level::Items) {
            return stop("has " + show(element->tag) + " where a sequence item belongs");
        }
        if (element->tag < level.last && ++m_outOfOrder > maxOutOfOrder) {
            throw Error(m_name + " has more than " + std::to_string(maxOutOfOrder) +
                        " data elements out of order, so it is refused; it is damaged, or made to "
                        "cause harm");
        }
        level.last = std::max(level.last, element->tag);
        if (m_stack.size() == 1 && isPixelData(element->tag)) {
            return pixels(*element);
        }
        if (element->length == undefinedLength) {
            // UN of undefined length is in implicit VR whatever surrounds it (PS3.5 6.2.2)
            return push(
                {Level::Items, std::nullopt, level.explicitVr && element->vr != "UN", false},
                element->value);
        }
        if (element->length > m_source.size() - element->value) {
            return stop("ends inside " + show(element->tag));
        }
        const std::uint64_t next = element->value + element->length;
        if (level.end && next > *level.end) {
            return stop("has a value in " + show(element->tag) +
                        " that is longer than the item around it");
        }
        if (element->vr == "SQ") {
            return push({Level::Items, next, level.explicitVr, false}, element->value);
        }
        if (element->length >= 8 &&
            (element->vr.empty() || element->vr == "UN" || element->vr == "OB" ||
             element->vr == "OW") &&
            beginsWithItem(element->value)) {
            return push({Level::Items, next, false, true}, element->value);
        }
        m_position = next;
    }

    void delimiter(Level& level, const Element& element)
    {
        m_position = element.value;
        if (element.tag == itemTag && level.kind == Level::Items) {
            std::optional<std::uint64_t> end;
            if (element.length != undefinedLength) {
                end = element.value + element.length;
                if (*end > level.end.value_or(m_source.size())) {
                    m_position -= 8;
                    return stop("ends inside a sequence item");
                }
            }
            return push({Level::Elements, end, level.explicitVr, level.maybe}, element.value);
        }
        if (element.tag == itemEnd && level.kind == Level::Elements && m_stack.size() > 1) {
            m_stack.pop_back();
        } else if (element.tag == sequenceEnd && m_stack.size() > 1) {
            if (level.kind == Level::Elements) {  // an item that was not closed
                m_stack.pop_back();
            }
            m_stack.pop_back();
        } else {
            m_position -= 8;
            stop("has a delimiter " + show(element.tag) + " that belongs to no sequence");
        }
    }

    void push(Level level, std::uint64_t at)
    {
        if (m_stack.size() >= 2 * maxDepth) {
            throw Error(m_name + " has sequences nested more than " + std::to_string(maxDepth) +
                        " deep; no real object needs that, so it is refused; it is damaged, or "
                        "made to cause harm");
        }
        m_stack.push_back(level);
        m_position = at;
    }

    bool beginsWithItem(std::uint64_t at)
    {
        std::array<std::uint8_t, 4> head{};
        return m_source.read(at, head.data(), 4) &&
            Tag{m_endian.u16(head.data()), m_endian.u16(head.data() + 2)} == itemTag;
    }

    /// Nonsense: skip what only may have been a sequence; else the data set ends here.
    void stop(const std::string& why)
    {
        std::size_t outermost = m_stack.size();
        while (outermost > 0 && m_stack[outermost - 1].maybe) {
            --outermost;
        }
        if (outermost < m_stack.size() && m_stack[outermost].end) {
            m_position = *m_stack[outermost].end;
            m_stack.resize(outermost);
            return;
        }
        m_scan.problem = why;
        // the element of the top level in which it happened is left out as well
        m_scan.end = m_topLevel;
        m_ended = m_done = true;
    }

    void pixels(const Element& element)
    {
        m_scan.end = m_topLevel;
        m_ended = m_done = true;
        PixelExtent found;
        found.tag = element.tag;
        found.vr = element.vr;
        if (element.length == undefinedLength) {
            found.encapsulated = true;
            fragments(element.value, found);
        } else {
            found.claimed = element.length;
            found.value = {
                element.value,
                std::min<std::uint64_t>(element.length, m_source.size() - element.value)};
            found.complete = found.value.length == found.claimed;
            if (!found.complete) {
                m_scan.problem = "ends inside the pixel data";
            }
        }
        m_scan.pixels = std::move(found);
    }

    void fragments(std::uint64_t at, PixelExtent& found)
    {
        bool first = true;
        for (;;) {
            const auto item = readElement(m_source, at, false, m_endian);
            if (item && item->tag == sequenceEnd) {
                return;
            }
            if (!item || item->tag != itemTag || found.fragments.size() >= maxFragments) {
                found.complete = false;
                m_scan.problem =
                    !item ? "ends inside the pixel data" : "has damaged pixel data fragments";
                return;
            }
            const std::uint64_t left = m_source.size() - item->value;
            if (item->length > left) {
                found.complete = false;
                found.cut = !first;
                m_scan.problem = "ends inside the pixel data";
            }
            const Extent extent{item->value, std::min<std::uint64_t>(item->length, left)};
            if (first) {
                found.offsetTable = m_source.read(extent.offset,
                                                  static_cast<std::size_t>(std::min<std::uint64_t>(
                                                      extent.length, 4 * maxFragments)));
            } else {
                found.fragments.push_back(extent);
            }
            if (!found.complete) {
                return;
            }
            first = false;
            at = extent.offset + extent.length;
        }
    }

    ByteSource& m_source;
    Scan& m_scan;
    const std::string& m_name;
    Endian m_endian;
    std::vector<Level> m_stack;
    std::uint64_t m_position = 0, m_topLevel = 0;
    int m_elements = 0, m_outOfOrder = 0;
    bool m_done = false, m_ended = false;
};

}  // namespace

ByteSource::ByteSource(const std::filesystem::path& file)
    : m_file(file, std::ios::binary)
{
    std::error_code error;
    m_size = std::filesystem::file_size(file, error);
    if (!m_file || error) {
        throw Error(file.filename().string() +
                    " could not be opened: " + (error ? error.message() : std::strerror(errno)));
    }
}

ByteSource::ByteSource(std::vector<std::uint8_t> bytes)
    : m_bytes(std::move(bytes))
    , m_size(m_bytes.size())
{
}

bool ByteSource::read(std::uint64_t offset, void* into, std::size_t length)
{
    if (offset > m_size || length > m_size - offset) {
        return false;
    }
    if (length == 0) {
        return true;
    }
    if (offset >= m_start && offset + length <= m_start + m_bytes.size()) {
        std::memcpy(into, m_bytes.data() + (offset - m_start), length);
        return true;
    }
    m_file.clear();
    m_file.seekg(static_cast<std::streamoff>(offset));
    if (length >= stretch) {
        return static_cast<bool>(
            m_file.read(static_cast<char*>(into), static_cast<std::streamsize>(length)));
    }
    m_bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(stretch, m_size - offset)));
    m_start = offset;
    if (!m_file.read(reinterpret_cast<char*>(m_bytes.data()),
                     static_cast<std::streamsize>(m_bytes.size()))) {
        m_bytes.clear();  // the file became shorter since it was opened
        return false;
    }
    std::memcpy(into, m_bytes.data(), length);
    return true;
}

std::vector<std::uint8_t> ByteSource::read(std::uint64_t offset, std::size_t length)
{
    if (offset > m_size || length > m_size - offset) {
        return {};
    }
    std::vector<std::uint8_t> bytes(length);
    return read(offset, bytes.data(), length) ? bytes : std::vector<std::uint8_t>{};
}

Scan scanStart(ByteSource& source, const std::string& name)
{
    if (source.size() == 0) {
        throw Error(name + " is empty: it has no bytes; the copy was probably interrupted");
    }
    Scan scan;
    std::array<char, 4> magic{};
    if (source.read(128, magic.data(), 4) && std::string_view(magic.data(), 4) == "DICM") {
        scan.meta = true;
        scan.dataset = 132;
    } else if (const auto start = findStart(source)) {
        scan.dataset = *start;
    } else {
        throw Error(name +
                    " is not a DICOM file: neither \"DICM\" at byte 128 nor a data set at its "
                    "start was found");
    }
    // Group 2 is explicit VR little endian always; its own length may be wrong, so it isn't used.
    for (;;) {
        const auto element = readElement(source, scan.dataset, true, {});
        if (!element || element->tag.group != 2 ||
            element->length > source.size() - element->value) {
            break;
        }
        if (element->tag.element == 0x0010) {
            const auto value =
                source.read(element->value, std::min<std::uint32_t>(element->length, 64));
            scan.syntax.assign(value.begin(), value.end());
            scan.syntax.erase(std::find_if(scan.syntax.begin(), scan.syntax.end(),
                                           [](char c) { return c == '\0' || c == ' '; }),
                              scan.syntax.end());
        }
        scan.meta = true;
        scan.dataset = element->value + element->length;
    }
    if (scan.dataset >= source.size()) {
        throw Error(
            name +
            " has a DICOM preamble but no data set; it was probably cut off while it was copied");
    }
    // Uncompressed syntaxes are often named wrongly: what the first element looks like decides.
    const bool uncompressed = scan.syntax.empty() || scan.syntax == "1.2.840.10008.1.2" ||
        scan.syntax == "1.2.840.10008.1.2.1" || scan.syntax == "1.2.840.10008.1.2.2";
    if (uncompressed) {
        scan.syntax = guessSyntax(source, scan.dataset);
    }
    return scan;
}

void scanElements(ByteSource& source, Scan& scan, const std::string& name)
{
    Walker(source, scan, name).walk();
}

std::string show(Tag tag)
{
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "(%04x,%04x)", static_cast<unsigned>(tag.group),
                  static_cast<unsigned>(tag.element));
    return text.data();
}

}  // namespace dicom
