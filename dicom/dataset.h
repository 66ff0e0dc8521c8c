#pragma once

#include "dicom/error.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace dicom {

struct Tag {
    std::uint16_t group = 0, element = 0;
    auto operator<=>(const Tag&) const = default;
};

/// One attribute for display.
struct Attribute {
    Tag tag;
    std::string vr, keyword;
    std::string value;  // UTF-8, shortened where long
    int depth = 0;      // nesting in sequences
};

/// A DICOM file, with or without preamble and meta header. One thread at a time.
class Dataset {
public:
    /// Reads the header; Pixel Data stays in the file until it is asked for. Throws Error.
    static Dataset read(const std::filesystem::path& file);
    /// True where the bytes look like DICOM: "DICM" at 128, or a plausible first element without.
    static bool recognises(const std::filesystem::path& file);

    Dataset(Dataset&&) noexcept;
    Dataset& operator=(Dataset&&) noexcept;
    ~Dataset();

    const std::filesystem::path& file() const;
    /// All values joined by backslashes, UTF-8 by Specific Character Set; absent is not empty.
    std::optional<std::string> text(Tag tag) const;
    std::optional<double> number(Tag tag, int index = 0) const;
    std::vector<double> numbers(Tag tag) const;
    /// Number of Frames, at least 1; 0 where there are no pixels.
    int frameCount() const;
    /// UID, "1.2.840.10008.1.2.1".
    std::string transferSyntax() const;
    /// At most `limit` attributes in file order, sequences opened to a bounded depth.
    std::vector<Attribute> attributes(int limit = 2000) const;

    struct Data;  // DCMTK's side, dicom/access.h
    const Data& data() const { return *m_data; }
    Data& data() { return *m_data; }

private:
    Dataset();
    std::unique_ptr<Data> m_data;
};

}  // namespace dicom
