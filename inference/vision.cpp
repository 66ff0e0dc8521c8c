#include "inference/vision.h"

#include "inference/attention.h"
#include "inference/cuda/rms_norm.h"
#include "inference/stop.h"
#include "inference/towers.h"
#include "inference/weights.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace inference {
namespace {

constexpr double projectorEps = 1e-5;         // torch's default; the ViT's is in the config
constexpr std::int64_t tilesAtOnce = 16;      // on a GPU; bounds memory
constexpr std::int64_t patchesAtOnce = 1024;  // fill all threads of a CPU: one tile of 448 pixels

/// The grid of the checkpoint, resized where tiles have another size (model specification 2.3);
/// torch's bicubic, a = -0.75, without antialiasing.
at::Tensor resizePositions(const at::Tensor& stored, std::int64_t side)
{
    const auto storedSide = std::int64_t(std::llround(std::sqrt(double(stored.size(1) - 1))));
    if (storedSide == side) {
        return stored;
    }
    const std::int64_t width = stored.size(2);
    at::Tensor grid = stored.narrow(1, 1, storedSide * storedSide).to(at::kFloat);
    grid = grid.view({1, storedSide, storedSide, width}).permute({0, 3, 1, 2}).contiguous();
    grid = at::upsample_bicubic2d(grid, {side, side}, false);
    grid = grid.permute({0, 2, 3, 1}).reshape({1, side * side, width}).to(stored.scalar_type());
    return at::cat({stored.narrow(1, 0, 1), grid}, 1);
}

}  // namespace

VisionTower::VisionTower(Weights& weights)
    : m_config(weights.config())
    , m_options(weights.options())
{
    const std::string embeddings = "vision_model.embeddings.";
    m_classToken = weights.tensor(embeddings + "class_embedding");
    m_positions = weights.tensor(embeddings + "position_embedding");
    if (!isFollowed(m_positions)) {
        m_positions = resizePositions(m_positions, m_config.patchesPerSide());
    }
    m_patchWeight = weights.tensor(embeddings + "patch_embedding.weight");
    m_patchBias = weights.tensor(embeddings + "patch_embedding.bias");
    const TowerFamily& family = towerFamily(m_config.vision);
    for (int i = 0; i < m_config.vision.layers; ++i) {
        m_layers.push_back(
            family.loadLayer(weights, "vision_model.encoder.layers." + std::to_string(i) + "."));
    }
    m_projectorNorm = {weights.tensor("mlp1.0.weight"), weights.tensor("mlp1.0.bias")};
    m_projector1 = weights.linear("mlp1.1", true);
    m_projector3 = weights.linear("mlp1.3", true);
}

at::Tensor VisionTower::normalise(const at::Tensor& x, const Norm& norm, double eps) const
{
    return norm.bias.defined() ? at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, eps)
                               : rmsNorm(x, norm.weight, eps);
}

/// [n, 3, s, s] -> [n, patches + 1, c], class token first.
at::Tensor VisionTower::embedPatches(const at::Tensor& tiles) const
{
    const at::Tensor pixels = tiles.to(m_options.device(), m_options.dtype().toScalarType());
    const int stride = m_config.vision.patchSize;
    const at::Tensor patches = at::conv2d(pixels, m_patchWeight, m_patchBias, {stride, stride});
    const std::int64_t n = tiles.size(0), width = m_config.vision.hiddenSize;
    return at::cat({m_classToken.expand({n, 1, width}), patches.flatten(2).transpose(1, 2)}, 1) +
        resizePositions(m_positions, m_config.patchesPerSide());
}

/// x [n * positions, c], normed -> the same shape, before proj.
at::Tensor VisionTower::attend(const Layer& layer, const at::Tensor& x, std::int64_t tiles,
                               const std::stop_token& stop) const
{
    const std::int64_t heads = m_config.vision.heads, width = m_config.vision.hiddenSize;
    const std::int64_t positions = x.size(0) / tiles;
    const std::vector<at::Tensor> qkv = apply(*layer.qkv, x, stop).chunk(3, 1);
    const auto part = [&](std::size_t index, const at::Tensor& norm) {
        at::Tensor rows = qkv[index];
        if (norm.defined()) {
            rows = rmsNorm(rows.contiguous(), norm, m_config.vision.layerNormEps);
        }
        return rows.view({tiles, positions, heads, width / heads}).transpose(1, 2);
    };
    throwIfStopped(stop);
    return attendAll(part(0, layer.queryNorm), part(1, layer.keyNorm), part(2, {}))
        .transpose(1, 2)
        .reshape({tiles * positions, width});
}

/// x [n * positions, c] -> the same, behind the layer.
at::Tensor VisionTower::run(const Layer& layer, const at::Tensor& x, std::int64_t tiles,
                            const std::stop_token& stop) const
{
    const std::int64_t ffn = 2 * x.size(1) * m_config.vision.intermediateSize;
    const at::Tensor attended =
        attend(layer, normalise(x, layer.norm1, m_config.vision.layerNormEps), tiles, stop);
    const at::Tensor h = x + apply(*layer.proj, attended, stop) * layer.scale1;
    const at::Tensor branch = byRows(h, ffn, stop, [&](const at::Tensor& rows) {
        const at::Tensor normed = normalise(rows, layer.norm2, m_config.vision.layerNormEps);
        return (*layer.fc2)(at::gelu((*layer.fc1)(normed)));
    });
    return h + branch * layer.scale2;
}

at::Tensor VisionTower::encode(const at::Tensor& tiles, const std::stop_token& stop,
                               const RunLayer& runLayer) const
{
    throwIfStopped(stop);
    const std::int64_t n = tiles.size(0), width = m_config.vision.hiddenSize;
    at::Tensor h = embedPatches(tiles).reshape({-1, width});
    for (const Layer& layer : m_layers) {
        const Layerwork work = [this, &layer, n, stop](const at::Tensor& states) {
            return run(layer, states, n, stop);
        };
        h = runLayer ? runLayer(h, work) : work(h);
    }
    return h.view({n, -1, width}).narrow(1, 1, h.size(0) / n - 1);
}

at::Tensor VisionTower::project(const at::Tensor& features, const std::stop_token& stop) const
{
    const std::int64_t side = m_config.patchesPerSide(), width = features.size(2);
    // the 2 x 2 patches of a token side by side: channel = (row % 2, column % 2, channel)
    const at::Tensor tokens = features.reshape({features.size(0), side / 2, 2, side / 2, 2, width})
                                  .permute({0, 1, 3, 2, 4, 5})
                                  .reshape({-1, 4 * width});
    at::Tensor x = normalise(tokens, m_projectorNorm, projectorEps);
    x = at::gelu(apply(*m_projector1, x, stop));
    return apply(*m_projector3, x, stop);
}

at::Tensor VisionTower::operator()(const at::Tensor& tiles, const std::stop_token& stop,
                                   const RunLayer& runLayer) const
{
    const std::int64_t patches =
        std::int64_t(m_config.patchesPerSide()) * m_config.patchesPerSide();
    const std::int64_t atOnce = m_options.device().is_cpu()
        ? std::max<std::int64_t>(1, patchesAtOnce / patches)
        : tilesAtOnce;
    std::vector<at::Tensor> tokens;
    for (std::int64_t tile = 0; tile < tiles.size(0); tile += atOnce) {
        const at::Tensor some = tiles.narrow(0, tile, std::min(atOnce, tiles.size(0) - tile));
        tokens.push_back(project(encode(some, stop, runLayer), stop));
    }
    return tokens.size() == 1 ? tokens.front() : at::cat(tokens, 0);
}

}  // namespace inference
