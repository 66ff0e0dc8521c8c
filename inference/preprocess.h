#pragma once

#include "inference/image.h"

#include <ATen/core/Tensor.h>

#include <vector>

namespace inference {

/// Tiles of equal side s -> [n, 3, s, s], normalised with ImageNet's mean and deviation in float32
/// as torchvision does (model specification 5.6). The caller rounds to the computing dtype.
/// Throws Error where a tile is not s x s.
at::Tensor toTensor(const std::vector<Image>& tiles);

}  // namespace inference
