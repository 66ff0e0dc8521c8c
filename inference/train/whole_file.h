#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace inference::train {

/// A file that appears whole or not at all: written beside its place, brought to the disk, renamed.
class WholeFile {
public:
    /// Throws Error where it cannot be made.
    explicit WholeFile(std::filesystem::path path);
    /// Removes what was written unless commit() came before.
    ~WholeFile();
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;

    /// Throws Error, for example where the disk is full.
    void write(std::span<const std::byte> bytes);
    void write(std::string_view text);
    void commit();

private:
    [[noreturn]] void fail() const;

    std::filesystem::path m_path, m_beside;
    int m_fd = -1;
};

void writeWhole(const std::filesystem::path& path, std::string_view text);

/// The folder `beside` becomes `place`, with what is in it on the disk before. Throws Error.
void renameFolder(const std::filesystem::path& beside, const std::filesystem::path& place);

}  // namespace inference::train
