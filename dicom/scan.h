#pragma once

#include "dicom/dataset.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace dicom {

/// Bytes of a file, or of a file that was inflated. Reads at any place, a few kilobytes at a time.
class ByteSource {
public:
    /// Throws Error where the file can't be opened.
    explicit ByteSource(const std::filesystem::path& file);
    explicit ByteSource(std::vector<std::uint8_t> bytes);

    std::uint64_t size() const { return m_size; }
    /// False where fewer than `length` bytes are left.
    bool read(std::uint64_t offset, void* into, std::size_t length);
    std::vector<std::uint8_t> read(std::uint64_t offset, std::size_t length);

private:
    std::vector<std::uint8_t> m_bytes;  // the whole, or the stretch of the file read last
    std::uint64_t m_start = 0, m_size = 0;
    std::ifstream m_file;
};

/// A stretch of the source.
struct Extent {
    std::uint64_t offset = 0, length = 0;
};

/// Where the picture is: found by the scan, read by pixels.cpp.
struct PixelExtent {
    Tag tag;
    std::string vr;
    bool encapsulated = false;
    std::uint64_t claimed = 0;      // bytes the element says it has; 0 where encapsulated
    Extent value;                   // what is there of them
    std::vector<Extent> fragments;  // without the offset table
    std::vector<std::uint8_t> offsetTable;
    bool complete = true;  // false where the file ends inside
    bool cut = false;      // and the last fragment has lost bytes
};

/// What the bytes say before DCMTK parses them.
struct Scan {
    bool meta = false;          // preamble, "DICM" and group 2
    std::string syntax;         // UID as the meta header names it; guessed where it names none
    std::uint64_t dataset = 0;  // where the data set begins
    std::uint64_t end = 0;      // where it stops being well formed, or Pixel Data begins
    std::optional<PixelExtent> pixels;
    std::string problem;  // why it stopped: "ends inside (0010,0010)"; empty at a clean end
};

/// Reads meta header and the first element: fills `meta`, `syntax`, `dataset`. Throws Error where
/// it isn't DICOM. `name` is the file name for messages.
Scan scanStart(ByteSource& source, const std::string& name);

/// Walks the elements from `scan.dataset` without recursion, up to the end of Pixel Data. Throws
/// Error for what DCMTK would need unbounded stack, memory or time for.
void scanElements(ByteSource& source, Scan& scan, const std::string& name);

/// "(0010,0020)"
std::string show(Tag tag);

}  // namespace dicom
