#include "inference/qwen_layer.h"

#include "inference/config_fields.h"
#include "inference/decoder_layer.h"
#include "inference/weights.h"

namespace inference {

void refuseOtherAttention(const Fields& fields)
{
    const std::string other = "attention within a window is not computed by this version";
    if (fields.boolean("use_sliding_window", false)) {
        fields.fail("use_sliding_window", "false", other);
    }
    if (const nlohmann::json* types = fields.find("layer_types")) {
        for (const nlohmann::json& type : *types) {
            if (type != "full_attention") {
                fields.fail("layer_types", "\"full_attention\" in every place", other);
            }
        }
    }
}

std::vector<TensorShape> qwenLayerTensors(const LanguageConfig& config, QwenLayer kind)
{
    const std::int64_t hidden = config.hiddenSize, width = config.intermediateSize;
    const std::int64_t queries = std::int64_t(config.heads) * config.headDim;
    const std::int64_t keys = std::int64_t(config.kvHeads) * config.headDim;
    std::vector<TensorShape> all{{"input_layernorm.weight", {hidden}}};
    for (const auto& [name, rows] :
         {std::pair<std::string, std::int64_t>("self_attn.q_proj", queries),
          {"self_attn.k_proj", keys},
          {"self_attn.v_proj", keys}}) {
        all.push_back({name + ".weight", {rows, hidden}});
        if (kind.biases) {
            all.push_back({name + ".bias", {rows}});
        }
    }
    all.push_back({"self_attn.o_proj.weight", {hidden, queries}});
    if (kind.headNorms) {
        all.push_back({"self_attn.q_norm.weight", {config.headDim}});
        all.push_back({"self_attn.k_norm.weight", {config.headDim}});
    }
    all.push_back({"post_attention_layernorm.weight", {hidden}});
    all.push_back({"mlp.gate_proj.weight", {width, hidden}});
    all.push_back({"mlp.up_proj.weight", {width, hidden}});
    all.push_back({"mlp.down_proj.weight", {hidden, width}});
    return all;
}

DecoderLayer loadQwenLayer(Weights& weights, const std::string& prefix, QwenLayer kind)
{
    DecoderLayer layer;
    layer.inputNorm = weights.tensor(prefix + "input_layernorm.weight");
    layer.query = weights.linear(prefix + "self_attn.q_proj", kind.biases);
    layer.key = weights.linear(prefix + "self_attn.k_proj", kind.biases);
    layer.value = weights.linear(prefix + "self_attn.v_proj", kind.biases);
    layer.output = weights.linear(prefix + "self_attn.o_proj", false);
    if (kind.headNorms) {
        layer.queryNorm = weights.tensor(prefix + "self_attn.q_norm.weight");
        layer.keyNorm = weights.tensor(prefix + "self_attn.k_norm.weight");
    }
    layer.postNorm = weights.tensor(prefix + "post_attention_layernorm.weight");
    layer.gate = weights.linear(prefix + "mlp.gate_proj", false);
    layer.up = weights.linear(prefix + "mlp.up_proj", false);
    layer.down = weights.linear(prefix + "mlp.down_proj", false);
    return layer;
}

}  // namespace inference
