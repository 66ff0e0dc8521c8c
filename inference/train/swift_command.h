#pragma once

#include "inference/train/training.h"

#include <filesystem>
#include <string>

namespace inference::train {

/// The data as it was named.
struct SwiftData {
    std::filesystem::path file, imageRoot;
    std::string system;  // a text, or empty
    int maxTiles = 12;
};

/// A shell script that goes on with the same data and settings on a cluster: `swift sft` of
/// ms-swift 3 with DeepSpeed ZeRO-3, whose settings it writes beside the result. `processes` GPUs
/// share `accumulate` batches a step; throws Error where they cannot.
std::string swiftScript(const TrainingOptions& options, const SwiftData& data, int processes);

}  // namespace inference::train
