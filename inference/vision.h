#pragma once

#include "inference/config.h"
#include "inference/gradient.h"
#include "inference/linear.h"
#include "inference/tower_layer.h"

#include <ATen/core/Tensor.h>

#include <stop_token>
#include <vector>

namespace inference {

class Weights;

/// An InternViT (towers.h) and the projector behind it (model specification 2).
class VisionTower {
public:
    explicit VisionTower(Weights& weights);

    /// Tiles [n, 3, s, s], normalised, any dtype and device -> image tokens [n * tokensPerTile,
    /// width of the language model]. Throws Cancelled within about 100 ms of a stop request.
    /// Autograd can follow; `run` computes the layers.
    at::Tensor operator()(const at::Tensor& tiles, const std::stop_token& stop,
                          const RunLayer& run = {}) const;

    /// The ViT alone: features [n, patches, hidden] of the last layer, class token dropped.
    at::Tensor encode(const at::Tensor& tiles, const std::stop_token& stop,
                      const RunLayer& run = {}) const;
    /// Pixel shuffle and mlp1: features [n, patches, hidden] -> [n * tokensPerTile, width].
    at::Tensor project(const at::Tensor& features, const std::stop_token& stop) const;

private:
    using Norm = TowerNorm;
    using Layer = TowerLayer;

    at::Tensor embedPatches(const at::Tensor& tiles) const;
    at::Tensor attend(const Layer& layer, const at::Tensor& x, std::int64_t tiles,
                      const std::stop_token& stop) const;
    at::Tensor run(const Layer& layer, const at::Tensor& h, std::int64_t tiles,
                   const std::stop_token& stop) const;
    at::Tensor normalise(const at::Tensor& x, const Norm& norm, double eps) const;

    ModelConfig m_config;
    at::TensorOptions m_options;
    at::Tensor m_classToken, m_positions;  // [1, 1, c], [1, patches + 1, c]
    at::Tensor m_patchWeight, m_patchBias;
    std::vector<Layer> m_layers;
    Norm m_projectorNorm;
    std::unique_ptr<Linear> m_projector1, m_projector3;
};

}  // namespace inference
