#pragma once

#include "inference/checkpoint.h"
#include "inference/language.h"
#include "inference/sha256.h"
#include "inference/vision.h"
#include "inference/weights.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace test {

/// The parts of a model on the CPU in fp32, for tests that look into them.
struct LoadedModel {
    explicit LoadedModel(const std::filesystem::path& folder)
        : checkpoint(folder)
        , weights(checkpoint, at::kCPU, at::kFloat, {}, {})
        , vision(weights)
        , language(weights)
    {
    }
    inference::Checkpoint checkpoint;
    inference::Weights weights;
    inference::VisionTower vision;
    inference::LanguageModel language;
};

inline std::string sha256OfFile(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return inference::sha256Hex(std::string(std::istreambuf_iterator<char>(in), {}));
}

}  // namespace test
