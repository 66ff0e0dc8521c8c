#pragma once

#include "inference/config.h"
#include "inference/decoder_layer.h"
#include "inference/device.h"
#include "inference/gradient.h"
#include "inference/kv_cache.h"
#include "inference/linear.h"

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <stop_token>
#include <vector>

namespace inference {

class Weights;

/// A decoder of any family (decoders.h; model specification 3).
class LanguageModel {
public:
    /// Sees the hidden states [n, hidden] behind each layer, counted from 0.
    using OnLayer = std::function<void(int layer, const at::Tensor& hidden)>;

    explicit LanguageModel(Weights& weights);

    /// ids [t], int64, on the CPU -> [t, hidden].
    at::Tensor embed(const at::Tensor& ids) const;
    /// x [n, hidden] are the n tokens behind those in the cache; they are in it afterwards.
    /// -> states [n, hidden] behind the last layer, for logits(). Throws Cancelled within about
    /// 100 ms of a stop request; the cache then holds what it held.
    at::Tensor states(const at::Tensor& x, KvCache& cache, const std::stop_token& stop,
                      const OnLayer& onLayer = {}) const;
    /// Sequences one behind the other, of these lengths, each from position 0 and blind to the
    /// others, without a cache; autograd can follow. `run` computes the layers. -> states.
    at::Tensor states(const at::Tensor& x, const std::vector<std::int64_t>& lengths,
                      const RunLayer& run = {}) const;
    /// states [n, hidden] -> [n, vocabulary] of what follows each; 0.6 MB a row in float32, so
    /// many rows come in parts.
    at::Tensor logits(const at::Tensor& states) const;
    /// Both, for the last of the n tokens: -> logits [vocabulary].
    at::Tensor operator()(const at::Tensor& x, KvCache& cache, const std::stop_token& stop,
                          const OnLayer& onLayer = {}) const;
    /// An empty cache of the right shape.
    KvCache makeCache() const;

private:
    using Layer = DecoderLayer;
    /// Angles of n positions, [n, 1, headDim], in the computing dtype.
    struct Rotation {
        at::Tensor cos, sin;
    };

    /// q [n, heads, headDim], k and v [n, kvHeads, headDim], rotated -> [n, heads * headDim].
    using Attention =
        std::function<at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v)>;

    /// Of positions [n], float32, in a sequence of `length` tokens so far.
    Rotation rotation(const at::Tensor& positions, std::int64_t length) const;
    /// [n, heads, headDim] each, before norms and rotation.
    std::array<at::Tensor, 3> project(const Layer& layer, const at::Tensor& x,
                                      const std::stop_token& stop) const;
    at::Tensor attend(const Layer& layer, const at::Tensor& x, const Rotation& rotation,
                      const Attention& attention, const std::stop_token& stop) const;
    at::Tensor run(const Layer& layer, const at::Tensor& h, const Rotation& rotation,
                   const Attention& attention, const std::stop_token& stop) const;
    at::Tensor feedForward(const Layer& layer, const at::Tensor& x,
                           const std::stop_token& stop) const;

    /// What layer `index` reads, on its device. Copies at a border only.
    at::Tensor across(int index, const at::Tensor& x) const;

    LanguageConfig m_config;
    at::TensorOptions m_options;  // of the first device
    Placement m_placement;
    at::Tensor m_embeddings, m_norm;
    at::Tensor m_frequencies;  // [headDim / 2], float32, for up to maxPositions tokens
    std::vector<Layer> m_layers;
    std::unique_ptr<Linear> m_head;
};

}  // namespace inference
