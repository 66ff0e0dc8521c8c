#pragma once

#include <filesystem>
#include <optional>

namespace test {

/// The folder of shared test data beside the clone, where there is one. Tests that need it skip
/// with missingSharedData where there is none.
inline std::optional<std::filesystem::path> sharedData()
{
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::weakly_canonical(KVL_SHARED_DIR, error);
    if (error || !std::filesystem::is_directory(folder, error)) {
        return std::nullopt;
    }
    return folder;
}

inline constexpr const char* missingSharedData =
    "needs the shared test data in ../shared, which this clone does not have";

}  // namespace test
