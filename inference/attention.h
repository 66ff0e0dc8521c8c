#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <stop_token>
#include <vector>

namespace inference {

/// Every position sees every other. q, k, v [n, heads, positions, headDim] -> the same shape.
/// Scale headDim^-0.5.
at::Tensor attendAll(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

/// The last n positions of t see themselves and what is before them. q [n, heads, headDim]; keys
/// and values [kvHeads, t, headDim], views are fine; query head h uses key head
/// h / (heads / kvHeads). -> [n, heads * headDim]. On a CPU in parts of about 100 ms. Throws
/// Cancelled.
at::Tensor attendCausal(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                        const std::stop_token& stop);

/// Sequences one behind the other, of these lengths, each position sees its own sequence up to
/// itself. q [n, heads, headDim], k and v [n, kvHeads, headDim] -> [n, heads * headDim]. Autograd
/// can follow it.
at::Tensor attendPacked(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const std::vector<std::int64_t>& lengths);

}  // namespace inference
