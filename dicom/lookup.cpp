#include "dicom/lookup.h"

namespace dicom {

namespace {

struct Descriptor {
    std::size_t entries = 0;
    int first = 0, bits = 16;
};

Descriptor readDescriptor(DcmItem& item, Tag tag, bool isSigned, const std::string& name,
                          const std::string& what)
{
    DcmElement* element = find(item, tag);
    const std::vector<std::uint16_t> words =
        element ? wordsOf(*element) : std::vector<std::uint16_t>{};
    if (words.size() < 3) {
        throw Error(name + " has a " + what +
                    " without a usable descriptor; its header is damaged");
    }
    Descriptor descriptor;
    descriptor.entries = words[0] == 0 ? 65536 : words[0];
    descriptor.first =
        isSigned || element->ident() == EVR_SS ? static_cast<std::int16_t>(words[1]) : words[1];
    descriptor.bits = words[2];
    if (descriptor.bits < 1 || descriptor.bits > 16) {
        throw Error(name + " has a " + what + " with entries of " +
                    std::to_string(descriptor.bits) +
                    " bits; 8 to 16 are allowed, so its header is damaged");
    }
    return descriptor;
}

/// Segments: discrete (0, n, values), linear (1, n, last value), indirect (2, n, offset low, high).
class Expander {
public:
    Expander(const std::vector<std::uint16_t>& words, std::size_t most)
        : m_words(words)
        , m_most(most)
    {
    }
    std::vector<std::uint16_t> expand()
    {
        run(0, m_words.size(), false, 0);
        return std::move(m_values);
    }

private:
    /// Up to `count` segments from `at`; with `nested`, indirect ones are not followed again.
    void run(std::size_t at, std::size_t count, bool nested, int)
    {
        for (std::size_t n = 0; n < count && at + 2 <= m_words.size() && m_values.size() < m_most;
             ++n) {
            const std::uint16_t code = m_words[at];
            const std::size_t length = m_words[at + 1];
            if (code == 0 && at + 2 + length <= m_words.size()) {
                m_values.insert(m_values.end(),
                                m_words.begin() + static_cast<std::ptrdiff_t>(at + 2),
                                m_words.begin() + static_cast<std::ptrdiff_t>(at + 2 + length));
                at += 2 + length;
            } else if (code == 1 && at + 3 <= m_words.size() && !m_values.empty()) {
                const double from = m_values.back(), to = m_words[at + 2];
                for (std::size_t i = 1; i <= length; ++i) {
                    m_values.push_back(static_cast<std::uint16_t>(
                        from + (to - from) * static_cast<double>(i) / static_cast<double>(length) +
                        0.5));
                }
                at += 3;
            } else if (code == 2 && at + 4 <= m_words.size() && !nested) {
                const std::size_t bytes = static_cast<std::size_t>(m_words[at + 2]) |
                    static_cast<std::size_t>(m_words[at + 3]) << 16;
                run(bytes / 2, length, true, 0);
                at += 4;
            } else {
                return;
            }
        }
    }

    const std::vector<std::uint16_t>& m_words;
    std::size_t m_most;
    std::vector<std::uint16_t> m_values;
};

/// 8-bit entries may be packed two to a word, or lie in a word each.
std::vector<std::uint16_t> unpackEntries(std::vector<std::uint16_t> words,
                                         const Descriptor& descriptor)
{
    if (descriptor.bits > 8 || words.size() >= descriptor.entries ||
        words.size() * 2 < descriptor.entries) {
        return words;
    }
    std::vector<std::uint16_t> entries;
    for (const std::uint16_t two : words) {
        entries.push_back(two & 0xFF);
        entries.push_back(two >> 8);
    }
    return entries;
}

LookupTable finish(std::vector<std::uint16_t> entries, const Descriptor& descriptor,
                   const std::string& name, const std::string& what)
{
    if (entries.size() < descriptor.entries) {
        throw Error(name + " has " + std::to_string(entries.size()) + " of the " +
                    std::to_string(descriptor.entries) + " entries of its " + what +
                    "; it is damaged");
    }
    entries.resize(descriptor.entries);
    return {descriptor.first, descriptor.bits, std::move(entries)};
}

}  // namespace

LookupTable readLookupTable(DcmItem& item, Tag descriptorTag, Tag data, bool isSigned,
                            const std::string& name, const std::string& what)
{
    const Descriptor descriptor = readDescriptor(item, descriptorTag, isSigned, name, what);
    DcmElement* element = find(item, data);
    return finish(element ? unpackEntries(wordsOf(*element), descriptor)
                          : std::vector<std::uint16_t>{},
                  descriptor, name, what);
}

LookupTable readPalette(DcmItem& item, Tag descriptorTag, Tag data, Tag segmented,
                        const std::string& name, const std::string& what)
{
    const Descriptor descriptor = readDescriptor(item, descriptorTag, false, name, what);
    if (DcmElement* element = find(item, segmented); element && !find(item, data)) {
        return finish(Expander(wordsOf(*element), descriptor.entries).expand(), descriptor, name,
                      what);
    }
    LookupTable table = readLookupTable(item, descriptorTag, data, false, name, what);
    // Many writers say 16 bits and store 8.
    if (table.bits > 8 &&
        std::all_of(table.entries.begin(), table.entries.end(),
                    [](std::uint16_t entry) { return entry < 256; })) {
        table.bits = 8;
    }
    return table;
}

}  // namespace dicom
