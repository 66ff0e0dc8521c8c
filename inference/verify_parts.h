#pragma once

#include "inference/kvl_engine.h"
#include "inference/verify.h"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace inference {

struct Finding {
    std::string expected, found;
    bool passed = false;
};

/// A check of verify(); throws Error, which fails it, or Cancelled.
struct VerifyPart {
    std::string group, name;
    std::function<Finding(const std::stop_token& stop)> run;
};

/// The tokenizer in the folder.
std::vector<VerifyPart> tokenizerChecks(const std::filesystem::path& folder);
/// Grids, the resize, the values a sample becomes.
std::vector<VerifyPart> pictureChecks();
/// The fixed random checkpoint, on this device and in this dtype.
std::vector<VerifyPart> referenceChecks(const std::string& device, const std::string& dtype);
/// The loaded checkpoint against itself; `engine` gives it when a check runs.
std::vector<VerifyPart> engineChecks(const std::function<KvlEngine&()>& engine);

}  // namespace inference
