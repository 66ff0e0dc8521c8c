#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace inference {

/// Bytes of a device.
struct DeviceMemory {
    std::string device;  // "cpu", "cuda:0"
    std::int64_t free = 0, total = 0;
};

/// Main memory as this process may use it: what the system can give without swapping, and not more
/// than its control groups and its address space allow. Pages of files count as free: the system
/// takes them back. `root` is where /proc and /sys are.
DeviceMemory mainMemory(const std::filesystem::path& root = "/");

/// "1.2 GB"; powers of ten, as disks and checkpoints are counted.
std::string byteText(std::int64_t bytes);

}  // namespace inference
