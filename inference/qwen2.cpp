// Qwen2 and Qwen2.5: InternVL2.5 and InternVL3 (model specification 1.3). Biases on query, key and
// value; InternVL3 scales the rotary positions of prompts beyond max_position_embeddings.
#include "inference/config_fields.h"
#include "inference/decoder_layer.h"
#include "inference/decoders.h"
#include "inference/qwen_layer.h"

namespace inference {
namespace {

constexpr QwenLayer kind{.biases = true, .headNorms = false};

void readConfig(const Fields& fields, LanguageConfig& config)
{
    refuseOtherAttention(fields);
    if (!fields.boolean("attention_bias", true)) {
        fields.fail("attention_bias", "true",
                    "a Qwen2 without biases is not computed by this version");
    }
    config.headDim = fields.integer("head_dim", config.hiddenSize / config.heads, 2, 4096);
}

std::vector<TensorShape> layerTensors(const LanguageConfig& config)
{
    return qwenLayerTensors(config, kind);
}

DecoderLayer loadLayer(Weights& weights, const std::string& prefix)
{
    return loadQwenLayer(weights, prefix, kind);
}

}  // namespace

extern const DecoderFamily qwen2;
const DecoderFamily qwen2{.architecture = "Qwen2ForCausalLM",
                          .modelType = "qwen2",
                          .name = "Qwen2",
                          .readConfig = readConfig,
                          .layerTensors = layerTensors,
                          .loadLayer = loadLayer};

}  // namespace inference
