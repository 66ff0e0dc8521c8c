// Qwen3: InternVL3.5 of 1B to 38B (model specification 3). A norm on each head's query and key.
#include "inference/config_fields.h"
#include "inference/decoder_layer.h"
#include "inference/decoders.h"
#include "inference/qwen_layer.h"

namespace inference {
namespace {

constexpr QwenLayer kind{.biases = false, .headNorms = true};

void readConfig(const Fields& fields, LanguageConfig& config)
{
    refuseOtherAttention(fields);
    if (fields.boolean("attention_bias", false)) {
        fields.fail("attention_bias", "false",
                    "biases of a Qwen3 are not computed by this version");
    }
    config.headDim = fields.integer("head_dim", 128, 2, 4096);
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

extern const DecoderFamily qwen3;
const DecoderFamily qwen3{.architecture = "Qwen3ForCausalLM",
                          .modelType = "qwen3",
                          .name = "Qwen3",
                          .dynamicRope = false,
                          .readConfig = readConfig,
                          .layerTensors = layerTensors,
                          .loadLayer = loadLayer};

}  // namespace inference
