#pragma once

#include "inference/linear.h"
#include "inference/safetensors.h"

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace inference {

/// The LoRA part of a linear: y += scale * up(down(x)).
struct LowRank {
    at::Tensor down;  // [rank, in], PEFT's lora_A
    at::Tensor up;    // [out, rank], lora_B
    double scale = 1;
    double dropout = 0;  // share of x that `down` does not see, in training
};

/// `base` with a low-rank part beside it, not merged.
std::unique_ptr<Linear> addLowRank(std::unique_ptr<Linear> base, LowRank part);

/// A LoRA adapter as PEFT and ms-swift write it: adapter_config.json, adapter_model.safetensors.
class Adapter {
public:
    /// Throws Error where files are missing or damaged, or it is not plain LoRA.
    explicit Adapter(const std::filesystem::path& folder);

    const std::filesystem::path& folder() const { return m_folder; }
    /// sha256 over the bytes of both files, the config first, hex: other weights, another hash.
    std::string hash() const;
    /// The linears it changes, "language_model.model.layers.0.self_attn.q_proj", sorted.
    std::vector<std::string> linears() const;
    bool changes(const std::string& linear) const { return m_parts.contains(linear); }
    /// As stored, in memory of its own. Throws Error where it does not fit a linear of that size.
    LowRank part(const std::string& linear, std::int64_t in, std::int64_t out) const;

private:
    struct Place {
        const StoredTensor* down = nullptr;
        const StoredTensor* up = nullptr;
    };

    at::Tensor read(const StoredTensor& tensor) const;

    std::filesystem::path m_folder;
    SafetensorsFile m_file;
    std::map<std::string, Place> m_parts;
    double m_alpha = 0;
    bool m_rootScale = false;  // alpha / sqrt(rank)
};

}  // namespace inference
