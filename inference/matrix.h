#pragma once

#include <ATen/core/Tensor.h>

namespace inference {

/// x [n, in] W^T + b for W [out, in]; b [out] or undefined. As at::linear, but float32 on a CPU
/// goes to oneDNN where libtorch would give it to MKL, whose kernels leave half of the width of a
/// CPU unused that Intel has not made: 2.2 times as quick on an EPYC with AVX-512. Other rounding,
/// the same error against float64.
at::Tensor multiplyRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// The same where no gradient is followed, whatever autograd is set to.
at::Tensor multiplyRowsUnfollowed(const at::Tensor& x, const at::Tensor& weight,
                                  const at::Tensor& bias);

/// What computes products that autograd follows: a training sets its own; null: at::linear.
using FollowedProduct = at::Tensor (*)(const at::Tensor& x, const at::Tensor& weight,
                                       const at::Tensor& bias);
void setFollowedProduct(FollowedProduct product);

}  // namespace inference
