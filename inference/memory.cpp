#include "inference/memory.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sys/resource.h>

namespace inference {
namespace {

namespace fs = std::filesystem;

/// Lines "name value" or "name: value kB".
std::map<std::string, std::int64_t> valuesIn(const fs::path& path)
{
    std::map<std::string, std::int64_t> values;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        char name[64], unit[8] = "";
        long long value = 0;
        if (std::sscanf(line.c_str(), "%63[^: ]%*[: ]%lld %7s", name, &value, unit) >= 2) {
            values[name] = value * (std::string(unit) == "kB" ? 1024 : 1);
        }
    }
    return values;
}

std::optional<std::int64_t> numberIn(const fs::path& path)
{
    std::ifstream file(path);
    std::int64_t value = 0;
    return file >> value ? std::optional(value) : std::nullopt;  // "max" is no number
}

/// What a control group leaves; files it has read can be given back.
void limitByGroup(DeviceMemory& memory, const fs::path& group, const char* limitFile,
                  const char* usageFile, const char* prefix)
{
    const auto limit = numberIn(group / limitFile);
    const auto usage = numberIn(group / usageFile);
    if (!limit || !usage || *limit >= memory.total) {
        return;
    }
    const auto values = valuesIn(group / "memory.stat");
    std::int64_t files = 0;
    for (const char* kind : {"inactive_file", "active_file"}) {
        const auto at = values.find(std::string(prefix) + kind);
        files += at == values.end() ? 0 : at->second;
    }
    memory.total = *limit;
    memory.free = std::min(
        memory.free, std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, *usage - files)));
}

/// The group of this process and those around it, version 1 or 2.
void limitByGroups(DeviceMemory& memory, const fs::path& root)
{
    std::ifstream file(root / "proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string kind = line.substr(first + 1, second - first - 1);
        const bool isNew = kind.empty();
        if (!isNew && kind != "memory") {
            continue;
        }
        const fs::path mount = root / (isNew ? "sys/fs/cgroup" : "sys/fs/cgroup/memory");
        fs::path inside = fs::path(line.substr(second + 1)).relative_path();
        while (true) {
            // in a container the path is the host's and the mount is the group itself
            if (isNew) {
                limitByGroup(memory, mount / inside, "memory.max", "memory.current", "");
            } else {
                limitByGroup(memory, mount / inside, "memory.limit_in_bytes",
                             "memory.usage_in_bytes", "total_");
            }
            if (inside.empty()) {
                break;
            }
            inside = inside.parent_path();
        }
    }
}

}  // namespace

DeviceMemory mainMemory(const fs::path& root)
{
    auto info = valuesIn(root / "proc/meminfo");
    DeviceMemory memory{"cpu", info["MemAvailable"], info["MemTotal"]};
    limitByGroups(memory, root);
    rlimit space{};
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        const auto limit = std::int64_t(space.rlim_cur);
        const std::int64_t used = valuesIn(root / "proc/self/status")["VmSize"];
        memory.total = std::min(memory.total, limit);
        memory.free = std::clamp<std::int64_t>(limit - used, 0, memory.free);
    }
    return memory;
}

std::string byteText(std::int64_t bytes)
{
    char text[32];
    if (bytes < 1'000'000'000) {
        std::snprintf(text, sizeof text, "%.0f MB", double(bytes) / 1e6);
    } else {
        std::snprintf(text, sizeof text, "%.1f GB", double(bytes) / 1e9);
    }
    return text;
}

}  // namespace inference
