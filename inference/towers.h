#pragma once

#include "inference/config.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inference {

class Weights;
struct TowerLayer;

/// A kind of InternViT: one file and one row here. VisionTower computes them; the row says by what
/// in vision_config it is known, what its tensors are called and how a layer is put together.
struct TowerFamily {
    std::string_view name;  // "InternViT-300M"
    // vision_config's fields of the same names, spelled as there
    std::string_view normType;
    bool qkvBias, qkNormalization;
    /// The tensors of a layer, names behind "vision_model.encoder.layers.N.".
    std::vector<TensorShape> (*layerTensors)(const VisionConfig& config);
    /// `prefix` is "vision_model.encoder.layers.N.".
    TowerLayer (*loadLayer)(Weights& weights, const std::string& prefix);
};

std::span<const TowerFamily* const> towerFamilies();

/// The family of an accepted config.
const TowerFamily& towerFamily(const VisionConfig& config);

}  // namespace inference
