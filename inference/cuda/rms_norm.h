#pragma once

#include <ATen/core/Tensor.h>

namespace inference {

struct NormedSum {
    at::Tensor sum, normed;
};

/// Over the last dimension: x / sqrt(mean(x^2) + eps) in float32, rounded to the dtype of x, then
/// times weight (the order of Qwen3, model specification 3). Our kernel on a GPU where it is
/// loaded, the ATen twin otherwise.
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// sum = x + residual, normed = rmsNorm(sum), in one pass over memory on a GPU.
NormedSum addRmsNorm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight,
                     double eps);

/// The same with ATen operations: the CPU's way, and what the kernel is tested against.
at::Tensor rmsNormTwin(const at::Tensor& x, const at::Tensor& weight, double eps);

}  // namespace inference
