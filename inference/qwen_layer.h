#pragma once

#include "inference/config.h"

#include <string>
#include <vector>

namespace inference {

class Fields;
class Weights;
struct DecoderLayer;

/// What Qwen2 and Qwen3 have in common.
struct QwenLayer {
    bool biases = false;     // of query, key and value
    bool headNorms = false;  // q_norm and k_norm over each head
};

/// Windows and layers of other kinds are refused. Throws Error.
void refuseOtherAttention(const Fields& fields);
std::vector<TensorShape> qwenLayerTensors(const LanguageConfig& config, QwenLayer kind);
DecoderLayer loadQwenLayer(Weights& weights, const std::string& prefix, QwenLayer kind);

}  // namespace inference
