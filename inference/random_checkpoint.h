#pragma once

#include "inference/layout.h"

#include <cstdint>
#include <filesystem>
#include <string>

/// Checkpoints of random weights in the published layout. The weights come from an integer
/// generator that tests/reference/checkpoint.py repeats byte for byte, so recorded results of the
/// Python reference hold for the files written here.
namespace inference {

struct CheckpointOptions {
    std::string shape = "tiny";  // see shapeNames()
    std::uint64_t seed = 1;
    std::string dtype = "F32";        // or "BF16"
    int shards = 2;                   // 1: model.safetensors without an index
    std::int64_t shardBytes = 0;      // not 0: as few as hold at most so many bytes of weights
    std::filesystem::path tokenizer;  // folder whose tokenizer files are copied; empty: none
    Layout layout = Layout::Chat;     // what the tensors are called
    bool tied = false;                // the head is the embeddings
    bool toTrain = false;  // small weights that a training begins with, not ones that differ widely
};

/// "tiny" (0.5 MB; "tiny-qwen2", "tiny-internlm2"), "mini" (kvl-mini), "small", "0.6b"
/// (InternVL3.5-1B), "14b" (KVL).
std::string shapeNames();

/// Writes the files to `folder`, which is made where it is missing; tensor by tensor, so a shape
/// may be larger than memory. Throws Error.
void writeCheckpoint(const std::filesystem::path& folder, const CheckpointOptions& options);

/// Value i of a tensor before scaling: in (-1, 1), 24 bits.
float weightValue(std::uint64_t key, std::uint64_t i);
std::uint64_t weightKey(const std::string& name, std::uint64_t seed);

}  // namespace inference
