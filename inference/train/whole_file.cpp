#include "inference/train/whole_file.h"

#include "inference/error.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace inference::train {
namespace {

namespace fs = std::filesystem;

void syncFolder(const fs::path& folder)
{
    const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

}  // namespace

WholeFile::WholeFile(fs::path path)
    : m_path(std::move(path))
    , m_beside(m_path.string() + ".partial")
    , m_fd(open(m_beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666))
{
    if (m_fd < 0) {
        fail();
    }
}

WholeFile::~WholeFile()
{
    if (m_fd >= 0) {
        close(m_fd);
        unlink(m_beside.c_str());
    }
}

void WholeFile::fail() const
{
    throw Error(m_path.string() + " could not be written: " + std::strerror(errno) + ".");
}

void WholeFile::write(std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const ssize_t written =
            ::write(m_fd, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            fail();
        }
        bytes = bytes.subspan(std::size_t(written));
    }
}

void WholeFile::write(std::string_view text)
{
    write(std::as_bytes(std::span(text.data(), text.size())));
}

void WholeFile::commit()
{
    if (fsync(m_fd) != 0 || rename(m_beside.c_str(), m_path.c_str()) != 0) {
        fail();
    }
    close(m_fd);
    m_fd = -1;
    syncFolder(m_path.parent_path());
}

void writeWhole(const fs::path& path, std::string_view text)
{
    WholeFile file(path);
    file.write(text);
    file.commit();
}

void renameFolder(const fs::path& beside, const fs::path& place)
{
    syncFolder(beside);
    std::error_code error;
    fs::rename(beside, place, error);
    if (error) {
        throw Error(place.string() + " could not be made of " + beside.string() + ": " +
                    error.message() + ".");
    }
    syncFolder(place.parent_path());
}

}  // namespace inference::train
