#pragma once

#include "inference/gradient.h"

namespace inference::train {

/// layer(states), of which only `states` is kept: the backward pass computes the layer again.
/// Random numbers are the same both times. For RunLayer.
at::Tensor recomputed(const at::Tensor& states, const Layerwork& layer);

}  // namespace inference::train
