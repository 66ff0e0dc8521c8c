#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace inference {

struct StoredTensor {
    std::string dtype;  // as in the file: "BF16", "F32", ...
    std::vector<std::int64_t> shape;
    std::uint64_t offset = 0;  // bytes from the start of the file
    std::uint64_t bytes = 0;
};

/// One safetensors file, mapped for reading; nothing but the header is read on opening.
/// The file must not be cut short by another program while it is open (the operating system
/// answers that with SIGBUS).
class SafetensorsFile {
public:
    /// Checks the whole header before a byte of it is used: length, JSON, types, shapes, and that
    /// the tensors fill the file without gap or overlap. Throws Error.
    explicit SafetensorsFile(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return m_path; }
    std::uint64_t size() const { return m_size; }         // bytes, header included
    std::string_view header() const { return m_header; }  // JSON
    const std::map<std::string, StoredTensor>& tensors() const { return m_tensors; }

    const std::byte* data(const StoredTensor& tensor) const
    {
        return m_mapping.get() + tensor.offset;
    }
    /// Keeps the bytes readable for as long as it is held.
    std::shared_ptr<const std::byte> mapping() const { return m_mapping; }

private:
    void readHeader();
    void checkRanges(std::uint64_t dataStart) const;
    [[noreturn]] void fail(const std::string& what) const;

    std::filesystem::path m_path;
    std::uint64_t m_size = 0;
    std::shared_ptr<const std::byte> m_mapping;
    std::string_view m_header;
    std::map<std::string, StoredTensor> m_tensors;
};

/// Bytes of one element; 0 for a type that safetensors does not have.
int elementBytes(std::string_view dtype);

}  // namespace inference
