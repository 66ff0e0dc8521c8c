#pragma once

#include "inference/linear.h"

#include <ATen/core/Tensor.h>

#include <memory>

namespace inference {

/// A LayerNorm; without a bias an RMSNorm.
struct TowerNorm {
    at::Tensor weight, bias;
};

/// A layer of an InternViT.
struct TowerLayer {
    TowerNorm norm1, norm2;
    at::Tensor queryNorm, keyNorm;  // RMSNorm over all heads at once; undefined where there is none
    at::Tensor scale1, scale2;
    std::unique_ptr<Linear> qkv, proj, fc1, fc2;
};

}  // namespace inference
