#include "inference/safetensors.h"

#include "inference/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inference {
namespace {

using nlohmann::json;

constexpr std::uint64_t maxHeaderBytes = 100'000'000;
constexpr const char* cutShort = "the download or copy was probably cut short";

struct Descriptor {
    int fd;
    ~Descriptor()
    {
        if (fd >= 0) {
            close(fd);
        }
    }
};

std::string inQuotes(const std::string& name)
{
    return '"' + name.substr(0, 200) + '"';
}

/// The JSON value where it is a whole number from 0 to 2^63 - 1.
bool readSize(const json& value, std::uint64_t& size)
{
    if (!value.is_number_unsigned()) {
        return false;
    }
    size = value.get<std::uint64_t>();
    return size <= std::uint64_t(std::numeric_limits<std::int64_t>::max());
}

}  // namespace

int elementBytes(std::string_view dtype)
{
    static const std::map<std::string_view, int> sizes{
        {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1},
        {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
        {"U32", 4},  {"F32", 4}, {"I64", 8}, {"U64", 8},     {"F64", 8}};
    const auto at = sizes.find(dtype);
    return at == sizes.end() ? 0 : at->second;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : m_path(path)
{
    const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status { };
    if (file.fd < 0 || fstat(file.fd, &status) != 0) {
        throw Error(path.string() + " cannot be read: " + std::strerror(errno) + ".");
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(path.string() + " is not a file; a safetensors file is expected there.");
    }
    m_size = std::uint64_t(status.st_size);
    if (m_size < 8) {
        fail("has " + std::to_string(m_size) + " bytes where a header of at least 8 is expected; " +
             cutShort);
    }
    void* const start = mmap(nullptr, m_size, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (start == MAP_FAILED) {
        throw Error(path.string() + " cannot be mapped to memory: " + std::strerror(errno) + ".");
    }
    m_mapping = {static_cast<const std::byte*>(start), [size = m_size](const std::byte* bytes) {
                     munmap(const_cast<std::byte*>(bytes), size);
                 }};
    readHeader();
}

void SafetensorsFile::fail(const std::string& what) const
{
    throw Error(m_path.string() + " " + what + ".");
}

void SafetensorsFile::readHeader()
{
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) {
        length = length << 8 | std::uint64_t(m_mapping.get()[i]);
    }
    if (length > maxHeaderBytes) {
        fail("claims a header of " + std::to_string(length) + " bytes where at most " +
             std::to_string(maxHeaderBytes) +
             " are allowed; it is damaged or not a safetensors file");
    }
    if (length > m_size - 8) {
        fail("has " + std::to_string(m_size) + " bytes where its header alone needs " +
             std::to_string(length + 8) + "; " + cutShort);
    }
    m_header = {reinterpret_cast<const char*>(m_mapping.get() + 8), std::size_t(length)};

    std::set<std::string> seen;
    std::string twice;
    json root;
    try {
        root = json::parse(m_header, [&](int depth, json::parse_event_t event, json& key) {
            if (event == json::parse_event_t::key && depth == 1 &&
                !seen.insert(key.get<std::string>()).second) {
                twice = key.get<std::string>();
            }
            return true;
        });
    } catch (const json::exception&) {
        fail("has a header that is not valid JSON; it is damaged or not a safetensors file");
    }
    if (!root.is_object()) {
        fail("has a header that is no JSON object; it is damaged or not a safetensors file");
    }
    if (!twice.empty()) {
        fail("lists tensor " + inQuotes(twice) +
             " twice; it is damaged or was not written by safetensors");
    }

    const std::uint64_t dataStart = 8 + length;
    for (const auto& [name, entry] : root.items()) {
        if (name == "__metadata__") {
            continue;
        }
        const auto wrong = [&](const std::string& what) {
            fail("describes tensor " + inQuotes(name) + " wrongly: " + what +
                 "; it is damaged or was not written by safetensors");
        };
        if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() ||
            !entry.contains("shape") || !entry["shape"].is_array() ||
            !entry.contains("data_offsets") || !entry["data_offsets"].is_array() ||
            entry["data_offsets"].size() != 2) {
            wrong("dtype, shape and two data_offsets are expected");
        }
        StoredTensor tensor;
        tensor.dtype = entry["dtype"].get<std::string>();
        std::uint64_t bytes = std::uint64_t(elementBytes(tensor.dtype));
        if (bytes == 0) {
            wrong("its dtype " + inQuotes(tensor.dtype) + " is unknown");
        }
        for (const json& side : entry["shape"]) {
            std::uint64_t n = 0;
            if (!readSize(side, n) || tensor.shape.size() >= 64 ||
                __builtin_mul_overflow(bytes, n, &bytes)) {
                wrong("its shape is " + entry["shape"].dump().substr(0, 100));
            }
            tensor.shape.push_back(std::int64_t(n));
        }
        std::uint64_t begin = 0, end = 0;
        if (!readSize(entry["data_offsets"][0], begin) ||
            !readSize(entry["data_offsets"][1], end) || end < begin) {
            wrong("its data_offsets are " + entry["data_offsets"].dump().substr(0, 100));
        }
        if (end - begin != bytes) {
            wrong("it has " + std::to_string(end - begin) +
                  " bytes where its shape and dtype need " + std::to_string(bytes));
        }
        if (end > m_size - dataStart) {
            fail("has " + std::to_string(m_size) + " bytes where tensor " + inQuotes(name) +
                 " ends at byte " + std::to_string(end) + " after a header of " +
                 std::to_string(dataStart) + "; " + cutShort);
        }
        tensor.offset = dataStart + begin;
        tensor.bytes = bytes;
        m_tensors.emplace(name, std::move(tensor));
    }
    checkRanges(dataStart);
}

void SafetensorsFile::checkRanges(std::uint64_t dataStart) const
{
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const auto& [name, tensor] : m_tensors) {
        ranges.emplace_back(tensor.offset, tensor.offset + tensor.bytes);
    }
    std::sort(ranges.begin(), ranges.end());
    std::uint64_t at = dataStart;
    for (const auto& [begin, end] : ranges) {
        if (begin != at) {
            fail((begin < at ? "has tensors that overlap at byte "
                             : "has a gap between tensors at byte ") +
                 std::to_string(std::min(begin, at)) +
                 "; it is damaged or was not written by safetensors");
        }
        at = end;
    }
    if (at != m_size) {
        fail("has " + std::to_string(m_size) + " bytes where its tensors end at " +
             std::to_string(at) + "; something was appended to it");
    }
}

}  // namespace inference
