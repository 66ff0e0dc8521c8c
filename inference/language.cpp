#include "inference/language.h"

#include "inference/attention.h"
#include "inference/cuda/rms_norm.h"
#include "inference/stop.h"
#include "inference/weights.h"

#include <ATen/ATen.h>

namespace inference {
namespace {

/// Dimension j turns with j + headDim / 2. x [n, heads, headDim].
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin)
{
    const std::int64_t half = x.size(-1) / 2;
    const at::Tensor turned = at::cat({x.narrow(-1, half, half).neg(), x.narrow(-1, 0, half)}, -1);
    return x * cos + turned * sin;
}

}  // namespace

LanguageModel::LanguageModel(Weights& weights)
    : m_config(weights.config().language)
    , m_options(weights.options())
{
    const std::string model = "language_model.model.";
    m_embeddings = weights.tensor(model + "embed_tokens.weight");
    for (int i = 0; i < m_config.layers; ++i) {
        const std::string name = model + "layers." + std::to_string(i) + ".";
        Layer layer;
        layer.inputNorm = weights.tensor(name + "input_layernorm.weight");
        layer.postNorm = weights.tensor(name + "post_attention_layernorm.weight");
        layer.queryNorm = weights.tensor(name + "self_attn.q_norm.weight");
        layer.keyNorm = weights.tensor(name + "self_attn.k_norm.weight");
        layer.query = weights.linear(name + "self_attn.q_proj", false);
        layer.key = weights.linear(name + "self_attn.k_proj", false);
        layer.value = weights.linear(name + "self_attn.v_proj", false);
        layer.output = weights.linear(name + "self_attn.o_proj", false);
        layer.gate = weights.linear(name + "mlp.gate_proj", false);
        layer.up = weights.linear(name + "mlp.up_proj", false);
        layer.down = weights.linear(name + "mlp.down_proj", false);
        m_layers.push_back(std::move(layer));
    }
    m_norm = weights.tensor(model + "norm.weight");
    m_head = m_config.tiedHead ? quantizations().front().makeLinear(m_embeddings, {})
                               : weights.linear("language_model.lm_head", false);

    const at::Tensor exponents = at::arange(0, m_config.headDim, 2, at::kFloat) / m_config.headDim;
    m_frequencies = (1.0 / at::pow(m_config.ropeTheta, exponents)).to(m_options.device());
}

KvCache LanguageModel::makeCache() const
{
    return {{m_config.layers, m_config.kvHeads, m_config.headDim}, m_options};
}

at::Tensor LanguageModel::embed(const at::Tensor& ids) const
{
    return at::embedding(m_embeddings, ids.to(m_options.device()));
}

LanguageModel::Rotation LanguageModel::rotation(const at::Tensor& positions) const
{
    const at::Tensor angles = at::outer(positions, m_frequencies).repeat({1, 2}).unsqueeze(1);
    const at::ScalarType dtype = m_options.dtype().toScalarType();
    return {angles.cos().to(dtype), angles.sin().to(dtype)};
}

/// x [n, hidden], normed -> [n, hidden] behind o_proj.
at::Tensor LanguageModel::attend(const Layer& layer, const at::Tensor& x, const Rotation& angles,
                                 const Attention& attention, const std::stop_token& stop) const
{
    const auto heads = [&](const Linear& linear) {
        return apply(linear, x, stop).view({x.size(0), -1, m_config.headDim});
    };
    const at::Tensor q = rotate(rmsNorm(heads(*layer.query), layer.queryNorm, m_config.rmsNormEps),
                                angles.cos, angles.sin);
    const at::Tensor k = rotate(rmsNorm(heads(*layer.key), layer.keyNorm, m_config.rmsNormEps),
                                angles.cos, angles.sin);
    const at::Tensor v = heads(*layer.value);
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

at::Tensor LanguageModel::states(const at::Tensor& x, KvCache& cache, const std::stop_token& stop,
                                 const OnLayer& onLayer) const
{
    const std::int64_t n = x.size(0);
    const Rotation angles =
        rotation(at::arange(cache.length(), cache.length() + n, m_frequencies.options()));
    at::Tensor h = x;
    for (int i = 0; i < m_config.layers; ++i) {
        const auto cached = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
            const auto [keys, values] = cache.append(i, k.transpose(0, 1), v.transpose(0, 1));
            return attendCausal(q, keys, values, stop);
        };
        h = run(m_layers[std::size_t(i)], h, angles, cached, stop);
        if (onLayer) {
            onLayer(i, h);
        }
    }
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
    const Rotation angles = rotation(at::cat(positions));
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
