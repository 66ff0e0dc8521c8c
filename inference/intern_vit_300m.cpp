// InternViT-300M: InternVL2.5 and 3 up to 14B, InternVL3.5 up to 14B (model specification 1.1, 2).
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
        {"attn.qkv.bias", {3 * c}},
        {"attn.proj.weight", {c, c}},
        {"attn.proj.bias", {c}},
        {"mlp.fc1.weight", {width, c}},
        {"mlp.fc1.bias", {width}},
        {"mlp.fc2.weight", {c, width}},
        {"mlp.fc2.bias", {c}},
        {"norm1.weight", {c}},
        {"norm1.bias", {c}},
        {"norm2.weight", {c}},
        {"norm2.bias", {c}},
        {"ls1", {c}},
        {"ls2", {c}},
    };
}

TowerLayer loadLayer(Weights& weights, const std::string& prefix)
{
    const auto norm = [&](const std::string& name) {
        return TowerNorm{weights.tensor(prefix + name + ".weight"),
                         weights.tensor(prefix + name + ".bias")};
    };
    TowerLayer layer;
    layer.norm1 = norm("norm1");
    layer.norm2 = norm("norm2");
    layer.scale1 = weights.tensor(prefix + "ls1");
    layer.scale2 = weights.tensor(prefix + "ls2");
    layer.qkv = weights.linear(prefix + "attn.qkv", true);
    layer.proj = weights.linear(prefix + "attn.proj", true);
    layer.fc1 = weights.linear(prefix + "mlp.fc1", true);
    layer.fc2 = weights.linear(prefix + "mlp.fc2", true);
    return layer;
}

}  // namespace

extern const TowerFamily internVit300m;
const TowerFamily internVit300m{.name = "InternViT-300M",
                                .normType = "layer_norm",
                                .qkvBias = true,
                                .qkNormalization = false,
                                .layerTensors = layerTensors,
                                .loadLayer = loadLayer};

}  // namespace inference
