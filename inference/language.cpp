#include "inference/language.h"

#include "inference/attention.h"
#include "inference/cuda/rms_norm.h"
#include "inference/decoders.h"
#include "inference/stop.h"
#include "inference/weights.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace inference {
namespace {

/// Dimension j turns with j + headDim / 2. x [n, heads, headDim].
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin)
{
    const std::int64_t half = x.size(-1) / 2;
    const at::Tensor turned = at::cat({x.narrow(-1, half, half).neg(), x.narrow(-1, 0, half)}, -1);
    return x * cos + turned * sin;
}

/// How far a position turns each pair of dimensions, [headDim / 2], float32. Beyond maxPositions a
/// scaled model (InternVL3) stretches all of it, the more the longer the sequence is: "dynamic" of
/// transformers' modeling_rope_utils.py, rounded to float32 at the same places.
at::Tensor frequencies(const LanguageConfig& config, std::int64_t length)
{
    const at::Tensor exponents = at::arange(0, config.headDim, 2, at::kFloat) / config.headDim;
    if (config.ropeFactor == 1 || length <= config.maxPositions) {
        return 1.0 / at::pow(config.ropeTheta, exponents);
    }
    const double width = config.headDim;
    const at::Tensor longer =
        at::scalar_tensor(length, at::kLong) * config.ropeFactor / config.maxPositions -
        (config.ropeFactor - 1);
    return 1.0 / at::pow(config.ropeTheta * at::pow(longer, width / (width - 2)), exponents);
}

}  // namespace

LanguageModel::LanguageModel(Weights& weights)
    : m_config(weights.config().language)
    , m_options(weights.options())
    , m_placement(weights.placement())
{
    const DecoderFamily& family = decoderFamily(m_config);
    m_embeddings = weights.tensor(std::string(family.embeddings));
    for (int i = 0; i < m_config.layers; ++i) {
        m_layers.push_back(
            family.loadLayer(weights, std::string(family.layers) + std::to_string(i) + "."));
    }
    m_norm = weights.tensor(std::string(family.norm));
    m_head = m_config.tiedHead ? quantizations().front().makeLinear(m_embeddings, {})
                               : weights.linear(std::string(family.head), false);
    m_frequencies = frequencies(m_config, m_config.maxPositions).to(m_options.device());
}

KvCache LanguageModel::makeCache() const
{
    return {{m_config.layers, m_config.kvHeads, m_config.headDim, m_placement.layers}, m_options};
}

at::Tensor LanguageModel::embed(const at::Tensor& ids) const
{
    return at::embedding(m_embeddings, ids.to(m_options.device()));
}

LanguageModel::Rotation LanguageModel::rotation(const at::Tensor& positions,
                                                std::int64_t length) const
{
    const at::Tensor turns = m_config.ropeFactor == 1 || length <= m_config.maxPositions
        ? m_frequencies
        : frequencies(m_config, length).to(m_frequencies.device());
    const at::Tensor angles = at::outer(positions, turns).repeat({1, 2}).unsqueeze(1);
    const at::ScalarType dtype = m_options.dtype().toScalarType();
    return {angles.cos().to(dtype), angles.sin().to(dtype)};
}

std::array<at::Tensor, 3> LanguageModel::project(const Layer& layer, const at::Tensor& x,
                                                 const std::stop_token& stop) const
{
    const std::int64_t n = x.size(0), width = m_config.headDim;
    if (!layer.queryKeyValue) {
        const auto heads = [&](const Linear& linear) {
            return apply(linear, x, stop).view({n, -1, width});
        };
        return {heads(*layer.query), heads(*layer.key), heads(*layer.value)};
    }
    const std::int64_t group = m_config.heads / m_config.kvHeads;
    const at::Tensor all =
        apply(*layer.queryKeyValue, x, stop).view({n, m_config.kvHeads, group + 2, width});
    return {all.narrow(2, 0, group).reshape({n, m_config.heads, width}), all.select(2, group),
            all.select(2, group + 1)};
}

/// x [n, hidden], normed -> [n, hidden] behind o_proj.
at::Tensor LanguageModel::attend(const Layer& layer, const at::Tensor& x, const Rotation& angles,
                                 const Attention& attention, const std::stop_token& stop) const
{
    auto [q, k, v] = project(layer, x, stop);
    if (layer.queryNorm.defined()) {
        q = rmsNorm(q, layer.queryNorm, m_config.rmsNormEps);
        k = rmsNorm(k, layer.keyNorm, m_config.rmsNormEps);
    }
    q = rotate(q, angles.cos, angles.sin);
    k = rotate(k, angles.cos, angles.sin);
    return apply(*layer.output, attention(q, k, v), stop);
}

at::Tensor LanguageModel::feedForward(const Layer& layer, const at::Tensor& x,
                                      const std::stop_token& stop) const
{
    return byRows(x, layer.gate->in() * layer.gate->out(), stop, [&](const at::Tensor& rows) {
        at::Tensor gated = (*layer.gate)(rows);
        at::silu_(gated);
        throwIfStopped(stop);
        gated.mul_((*layer.up)(rows));
        throwIfStopped(stop);
        return (*layer.down)(gated);
    });
}

/// h [n, hidden] -> the same, behind the layer.
at::Tensor LanguageModel::run(const Layer& layer, const at::Tensor& h, const Rotation& angles,
                              const Attention& attention, const std::stop_token& stop) const
{
    const at::Tensor normed = rmsNorm(h, layer.inputNorm, m_config.rmsNormEps);
    const at::Tensor attended = attend(layer, normed, angles, attention, stop);
    const NormedSum sum = addRmsNorm(attended, h, layer.postNorm, m_config.rmsNormEps);
    return sum.sum + feedForward(layer, sum.normed, stop);
}

at::Tensor LanguageModel::across(int index, const at::Tensor& x) const
{
    return m_placement.bordersBefore(index) ? x.to(m_placement.of(index), false, true) : x;
}

at::Tensor LanguageModel::states(const at::Tensor& x, KvCache& cache, const std::stop_token& stop,
                                 const OnLayer& onLayer) const
{
    const std::int64_t n = x.size(0);
    const std::int64_t length = cache.length() + n;
    Rotation angles = rotation(at::arange(cache.length(), length, m_frequencies.options()), length);
    at::Tensor h = x;
    for (int i = 0; i < m_config.layers; ++i) {
        const auto cached = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
            const auto [keys, values] = cache.append(i, k.transpose(0, 1), v.transpose(0, 1));
            return attendCausal(q, keys, values, stop);
        };
        h = across(i, h);
        angles = {across(i, angles.cos), across(i, angles.sin)};
        h = run(m_layers[std::size_t(i)], h, angles, cached, stop);
        if (onLayer) {
            onLayer(i, h);
        }
    }
    h = h.to(m_options.device());
    throwIfStopped(stop);
    cache.advance(int(n));
    return h;
}

at::Tensor LanguageModel::states(const at::Tensor& x, const std::vector<std::int64_t>& lengths,
                                 const RunLayer& runLayer) const
{
    std::vector<at::Tensor> positions;
    for (const std::int64_t length : lengths) {
        positions.push_back(at::arange(length, m_frequencies.options()));
    }
    // of sequences beyond maxPositions the longest decides, as in a padded batch
    const Rotation angles =
        rotation(at::cat(positions), *std::max_element(lengths.begin(), lengths.end()));
    at::Tensor h = x;
    for (const Layer& layer : m_layers) {
        // kept until the gradient is computed, perhaps, so by value
        const Layerwork work = [this, &layer, angles, lengths](const at::Tensor& states) {
            const auto packed = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
                return attendPacked(q, k, v, lengths);
            };
            return run(layer, states, angles, packed, {});
        };
        h = runLayer ? runLayer(h, work) : work(h);
    }
    return h;
}

at::Tensor LanguageModel::logits(const at::Tensor& states) const
{
    return (*m_head)(rmsNorm(states, m_norm, m_config.rmsNormEps));
}

at::Tensor LanguageModel::operator()(const at::Tensor& x, KvCache& cache,
                                     const std::stop_token& stop, const OnLayer& onLayer) const
{
    const at::Tensor all = states(x, cache, stop, onLayer);
    return logits(all.narrow(0, all.size(0) - 1, 1)).squeeze(0);
}

}  // namespace inference
