#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <functional>

namespace inference {

/// Whether autograd follows what is computed from these tensors: in training, never in inference.
/// Then kernels of our own, which it cannot follow, stay out of the way.
template <typename... Tensors>
bool isFollowed(const Tensors&... tensors)
{
    return at::GradMode::is_enabled() && (... || (tensors.defined() && tensors.requires_grad()));
}

/// A layer as a function of the states [n, hidden] in front of it.
using Layerwork = std::function<at::Tensor(const at::Tensor& states)>;
/// Computes a layer; training may keep its input only and compute the rest again for the gradient.
using RunLayer = std::function<at::Tensor(const at::Tensor& states, const Layerwork& layer)>;

}  // namespace inference
