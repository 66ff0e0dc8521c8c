#pragma once

#include "inference/config.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inference {

class Fields;
class Weights;
struct DecoderLayer;

/// A family of language models: one file and one row here. All are pre-norm decoders with rotary
/// positions, grouped keys and a gated SiLU; LanguageModel computes them, the row says how the
/// config is read, what the tensors are called and how a layer is put together.
struct DecoderFamily {
    std::string_view architecture;  // in llm_config.architectures
    std::string_view modelType;     // llm_config.model_type, where there are no architectures
    std::string_view name;          // "Qwen3"
    // names of tensors; N is put behind `layers`
    std::string_view embeddings = "language_model.model.embed_tokens.weight";
    std::string_view layers = "language_model.model.layers.";
    std::string_view norm = "language_model.model.norm.weight";
    std::string_view head = "language_model.lm_head";
    bool dynamicRope = true;  // there are published checkpoints that stretch rotary positions
    /// What the family reads otherwise than others, and what it refuses. The sizes that all have
    /// in common are in `config` already. Throws Error.
    void (*readConfig)(const Fields& fields, LanguageConfig& config);
    /// The tensors of a layer, names behind "…layers.N.".
    std::vector<TensorShape> (*layerTensors)(const LanguageConfig& config);
    /// `prefix` is "…layers.N.".
    DecoderLayer (*loadLayer)(Weights& weights, const std::string& prefix);
};

std::span<const DecoderFamily* const> decoderFamilies();

/// The family of an accepted config.
const DecoderFamily& decoderFamily(const LanguageConfig& config);

}  // namespace inference
