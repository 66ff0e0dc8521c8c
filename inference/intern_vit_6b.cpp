// InternViT-6B: InternVL2.5 and 3 from 26B, InternVL3.5-38B (model specification 1.2). RMSNorm,
// also over the full width of query and key before the heads are split; no bias on qkv.
#include "inference/tower_layer.h"
#include "inference/towers.h"
#include "inference/weights.h"

namespace inference {
namespace {

std::vector<TensorShape> layerTensors(const VisionConfig& config)
{
    const std::int64_t c = config.hiddenSize, width = config.intermediateSize;
    return {
        {"attn.qkv.weight", {3 * c, c}},
        {"attn.q_norm.weight", {c}},
        {"attn.k_norm.weight", {c}},
        {"attn.proj.weight", {c, c}},
        {"attn.proj.bias", {c}},
        {"mlp.fc1.weight", {width, c}},
        {"mlp.fc1.bias", {width}},
        {"mlp.fc2.weight", {c, width}},
        {"mlp.fc2.bias", {c}},
        {"norm1.weight", {c}},
        {"norm2.weight", {c}},
        {"ls1", {c}},
        {"ls2", {c}},
    };
}

TowerLayer loadLayer(Weights& weights, const std::string& prefix)
{
    TowerLayer layer;
    layer.norm1 = {weights.tensor(prefix + "norm1.weight"), {}};
    layer.norm2 = {weights.tensor(prefix + "norm2.weight"), {}};
    layer.queryNorm = weights.tensor(prefix + "attn.q_norm.weight");
    layer.keyNorm = weights.tensor(prefix + "attn.k_norm.weight");
    layer.scale1 = weights.tensor(prefix + "ls1");
    layer.scale2 = weights.tensor(prefix + "ls2");
    layer.qkv = weights.linear(prefix + "attn.qkv", false);
    layer.proj = weights.linear(prefix + "attn.proj", true);
    layer.fc1 = weights.linear(prefix + "mlp.fc1", true);
    layer.fc2 = weights.linear(prefix + "mlp.fc2", true);
    return layer;
}

}  // namespace

extern const TowerFamily internVit6b;
const TowerFamily internVit6b{.name = "InternViT-6B",
                              .normType = "rms_norm",
                              .qkvBias = false,
                              .qkNormalization = true,
                              .layerTensors = layerTensors,
                              .loadLayer = loadLayer};

}  // namespace inference
