// InternLM2 and InternLM2.5: InternVL2.5 of 2B, 8B and 26B (model specification 1.3, 4.1). One
// projection makes query, key and value, interleaved by key head.
#include "inference/config_fields.h"
#include "inference/decoder_layer.h"
#include "inference/decoders.h"
#include "inference/weights.h"

namespace inference {
namespace {

void readConfig(const Fields& fields, LanguageConfig& config)
{
    // the class's own default is true; every published checkpoint says false
    if (fields.boolean("bias", true)) {
        fields.fail("bias", "false (nothing means true)",
                    "an InternLM2 with biases is not computed by this version");
    }
    if (config.hiddenSize % config.heads != 0) {
        fields.fail("num_attention_heads",
                    "a divisor of hidden_size " + std::to_string(config.hiddenSize));
    }
    config.headDim = config.hiddenSize / config.heads;
}

std::vector<TensorShape> layerTensors(const LanguageConfig& config)
{
    const std::int64_t hidden = config.hiddenSize, width = config.intermediateSize;
    const std::int64_t heads = config.heads + 2 * config.kvHeads;
    return {
        {"attention_norm.weight", {hidden}},
        {"attention.wqkv.weight", {heads * config.headDim, hidden}},
        {"attention.wo.weight", {hidden, std::int64_t(config.heads) * config.headDim}},
        {"ffn_norm.weight", {hidden}},
        {"feed_forward.w1.weight", {width, hidden}},
        {"feed_forward.w3.weight", {width, hidden}},
        {"feed_forward.w2.weight", {hidden, width}},
    };
}

DecoderLayer loadLayer(Weights& weights, const std::string& prefix)
{
    DecoderLayer layer;
    layer.inputNorm = weights.tensor(prefix + "attention_norm.weight");
    layer.queryKeyValue = weights.linear(prefix + "attention.wqkv", false);
    layer.output = weights.linear(prefix + "attention.wo", false);
    layer.postNorm = weights.tensor(prefix + "ffn_norm.weight");
    layer.gate = weights.linear(prefix + "feed_forward.w1", false);
    layer.up = weights.linear(prefix + "feed_forward.w3", false);
    layer.down = weights.linear(prefix + "feed_forward.w2", false);
    return layer;
}

}  // namespace

extern const DecoderFamily internlm2;
const DecoderFamily internlm2{.architecture = "InternLM2ForCausalLM",
                              .modelType = "internlm2",
                              .name = "InternLM2",
                              .embeddings = "language_model.model.tok_embeddings.weight",
                              .head = "language_model.output",
                              .readConfig = readConfig,
                              .layerTensors = layerTensors,
                              .loadLayer = loadLayer};

}  // namespace inference
