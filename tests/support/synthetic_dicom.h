#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// Writes small DICOM files byte by byte from PS3.5, sharing nothing with the reader under test.
class SyntheticDicom {
public:
    using Bytes = std::vector<std::uint8_t>;
    enum class Encoding { ExplicitLittle, ImplicitLittle, ExplicitBig };

    SyntheticDicom& text(std::uint16_t group, std::uint16_t element, std::string_view vr,
                         std::string_view value)
    {
        return bytes(group, element, vr, Bytes(value.begin(), value.end()), vr == "UI" ? 0 : ' ');
    }
    /// US or SS
    SyntheticDicom& shorts(std::uint16_t group, std::uint16_t element, std::string_view vr,
                           std::vector<int> values)
    {
        Bytes raw;
        for (const int value : values) {
            raw.push_back(static_cast<std::uint8_t>(value & 0xFF));
            raw.push_back(static_cast<std::uint8_t>(value >> 8 & 0xFF));
        }
        return bytes(group, element, vr, raw);
    }
    SyntheticDicom& bytes(std::uint16_t group, std::uint16_t element, std::string_view vr,
                          Bytes value, char pad = 0)
    {
        if (value.size() % 2 != 0) {
            value.push_back(static_cast<std::uint8_t>(pad));
        }
        m_elements[{group, element}] = {std::string(vr), std::move(value), {}, false};
        return *this;
    }
    SyntheticDicom& sequence(std::uint16_t group, std::uint16_t element,
                             std::vector<SyntheticDicom> items)
    {
        m_elements[{group, element}] = {"SQ", {}, std::move(items), false};
        return *this;
    }
    /// Encapsulated pixel data: fragments after an offset table (32-bit little endian, or empty).
    SyntheticDicom& fragments(const Bytes& offsetTable, const std::vector<Bytes>& parts)
    {
        Bytes raw;
        item(raw, offsetTable);
        for (const Bytes& part : parts) {
            item(raw, part);
        }
        append(raw, {0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0});
        m_elements[{0x7FE0, 0x0010}] = {"OB", std::move(raw), {}, true};
        return *this;
    }
    SyntheticDicom& without(std::uint16_t group, std::uint16_t element)
    {
        m_elements.erase({group, element});
        return *this;
    }

    /// The whole file: preamble, meta header, data set.
    Bytes file(std::string_view syntax = "1.2.840.10008.1.2.1") const
    {
        Bytes out(128);
        append(out, {'D', 'I', 'C', 'M'});
        SyntheticDicom meta;
        meta.text(0x0002, 0x0010, "UI", syntax);
        append(out, meta.dataset(Encoding::ExplicitLittle));
        append(out,
               dataset(syntax == "1.2.840.10008.1.2"         ? Encoding::ImplicitLittle
                           : syntax == "1.2.840.10008.1.2.2" ? Encoding::ExplicitBig
                                                             : Encoding::ExplicitLittle));
        return out;
    }

    Bytes dataset(Encoding encoding) const
    {
        Bytes out;
        const bool big = encoding == Encoding::ExplicitBig;
        for (const auto& [tag, element] : m_elements) {
            Bytes value = element.value;
            for (const SyntheticDicom& child : element.items) {
                const Bytes inner = child.dataset(encoding);
                put(value, 0xFFFE, 2, big);
                put(value, 0xE000, 2, big);
                put(value, inner.size(), 4, big);
                append(value, inner);
            }
            if (big && (element.vr == "US" || element.vr == "SS" || element.vr == "OW")) {
                for (std::size_t i = 0; i + 1 < value.size(); i += 2) {
                    std::swap(value[i], value[i + 1]);
                }
            }
            put(out, tag.first, 2, big);
            put(out, tag.second, 2, big);
            const std::uint64_t length = element.undefined ? 0xFFFFFFFF : value.size();
            if (encoding == Encoding::ImplicitLittle) {
                put(out, length, 4, big);
            } else {
                append(out, Bytes(element.vr.begin(), element.vr.end()));
                constexpr std::string_view longOnes = "OB OD OF OL OW SQ UC UN UR UT";
                if (longOnes.find(element.vr) != std::string_view::npos) {
                    put(out, 0, 2, big);
                    put(out, length, 4, big);
                } else {
                    put(out, length, 2, big);
                }
            }
            append(out, value);
        }
        return out;
    }

    static std::filesystem::path write(const std::filesystem::path& file, const Bytes& content)
    {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()),
                   static_cast<std::streamsize>(content.size()));
        return file;
    }

    static void append(Bytes& out, const Bytes& more)
    {
        out.insert(out.end(), more.begin(), more.end());
    }

    /// A grey picture of 16 bits: `values` are stored values, row by row.
    static SyntheticDicom gray(int width, int height, const std::vector<int>& values,
                               bool isSigned = false, int stored = 16)
    {
        SyntheticDicom dicom;
        dicom.text(0x0008, 0x0016, "UI", "1.2.840.10008.5.1.4.1.1.7")
            .text(0x0008, 0x0018, "UI", "1.2.3.4")
            .text(0x0008, 0x0060, "CS", "OT");
        dicom.shorts(0x0028, 0x0002, "US", {1}).text(0x0028, 0x0004, "CS", "MONOCHROME2");
        dicom.shorts(0x0028, 0x0010, "US", {height}).shorts(0x0028, 0x0011, "US", {width});
        dicom.shorts(0x0028, 0x0100, "US", {16}).shorts(0x0028, 0x0101, "US", {stored});
        dicom.shorts(0x0028, 0x0102, "US", {stored - 1})
            .shorts(0x0028, 0x0103, "US", {isSigned ? 1 : 0});
        dicom.shorts(0x7FE0, 0x0010, "OW", values);
        return dicom;
    }

    /// A colour picture of 8 bits, three samples a pixel.
    static SyntheticDicom color(int width, int height, std::string_view photometric,
                                const Bytes& samples)
    {
        SyntheticDicom dicom = gray(width, height, {});
        dicom.shorts(0x0028, 0x0002, "US", {3})
            .text(0x0028, 0x0004, "CS", photometric)
            .shorts(0x0028, 0x0006, "US", {0});
        dicom.shorts(0x0028, 0x0100, "US", {8})
            .shorts(0x0028, 0x0101, "US", {8})
            .shorts(0x0028, 0x0102, "US", {7});
        dicom.bytes(0x7FE0, 0x0010, "OB", samples);
        return dicom;
    }

private:
    struct Element {
        std::string vr;
        Bytes value;
        std::vector<SyntheticDicom> items;
        bool undefined = false;
    };

    static void put(Bytes& out, std::uint64_t value, int size, bool big)
    {
        for (int i = 0; i < size; ++i) {
            out.push_back(static_cast<std::uint8_t>(value >> 8 * (big ? size - 1 - i : i)));
        }
    }
    static void item(Bytes& out, const Bytes& value)
    {
        append(out, {0xFE, 0xFF, 0x00, 0xE0});
        put(out, value.size() + value.size() % 2, 4, false);
        append(out, value);
        if (value.size() % 2 != 0) {
            out.push_back(0);
        }
    }

    std::map<std::pair<std::uint16_t, std::uint16_t>, Element> m_elements;
};

}  // namespace test
