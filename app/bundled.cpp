#include "app/bundled.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace app {
namespace {

namespace fs = std::filesystem;

fs::path resources()
{
    if (const char* const named = std::getenv("KVL_RESOURCES"); named && *named) {
        return fs::absolute(named);
    }
    std::error_code error;
    const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
    if (fs::equivalent(folder, KVL_BUILT_IN, error)) {
        return KVL_SOURCE_RESOURCES;
    }
    return (folder / KVL_SHARE_FROM_PROGRAM).lexically_normal();
}

}  // namespace

Bundled findBundled()
{
    const fs::path folder = resources();
    const auto with = [&](const char* inside, std::initializer_list<const char*> files) {
        return std::any_of(files.begin(), files.end(),
                           [&](const char* file) {
                               std::error_code error;
                               return fs::is_regular_file(folder / inside / file, error);
                           })
            ? folder / inside
            : fs::path();
    };
    return {with("models/kvl-mini", {"model.safetensors", "model.safetensors.index.json"}),
            with("demo", {"demo.json"})};
}

}  // namespace app
