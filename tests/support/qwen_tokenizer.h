#pragma once

#include "support/shared_data.h"
#include "support/test.h"

#include <filesystem>

namespace test {

/// The folder of Qwen3's tokenizer files; skips the test where there are no shared data.
inline std::filesystem::path qwenTokenizer()
{
    const auto shared = sharedData();
    if (!shared) {
        SKIP(missingSharedData);
    }
    return *shared / "tokenizer-qwen";
}

}  // namespace test
