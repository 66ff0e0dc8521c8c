#include "inference/train/products.h"

#include "inference/matrix.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace inference::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor half(const at::Tensor& x)
{
    return x.to(at::kBFloat16);
}

/// a [n, k] b^T, b [m, k], float32.
at::Tensor multiplied(const at::Tensor& a, const at::Tensor& b, bool bf16)
{
    return bf16 ? at::mm(half(a), half(b).t()).to(at::kFloat) : multiplyRowsUnfollowed(a, b, {});
}

/// x [n, in] W^T + b; an empty b is none.
class Product : public torch::autograd::Function<Product> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const at::Tensor& weight, const at::Tensor& bias, bool bf16)
    {
        context->save_for_backward({x, weight});
        context->saved_data["bf16"] = bf16;
        const bool biased = bias.numel() > 0;
        context->saved_data["bias"] = biased;
        if (!bf16) {
            return multiplyRowsUnfollowed(x, weight, biased ? bias : at::Tensor());
        }
        const at::Tensor y = multiplied(x, weight, true);
        return biased ? y.add_(bias) : y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients)
    {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &x = saved[0], &weight = saved[1];
        const bool bf16 = context->saved_data["bf16"].toBool();
        const at::Tensor gradient = gradients[0].contiguous();
        const at::Tensor ofX =
            context->needs_input_grad(0) ? multiplied(gradient, weight.t(), bf16) : at::Tensor();
        const at::Tensor ofWeight =
            context->needs_input_grad(1) ? multiplied(gradient.t(), x.t(), bf16) : at::Tensor();
        const at::Tensor ofBias =
            context->saved_data["bias"].toBool() ? gradient.sum(0) : at::Tensor();
        return {ofX, ofWeight, ofBias, at::Tensor()};
    }
};

template <bool bf16>
at::Tensor product(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias)
{
    if (!x.device().is_cpu() || x.scalar_type() != at::kFloat || x.dim() != 2) {
        return at::linear(x, weight, bias);
    }
    return Product::apply(x, weight, bias.defined() ? bias : at::empty({0}, x.options()), bf16);
}

}  // namespace

Products::Products(bool bf16)
{
    setFollowedProduct(bf16 ? &product<true> : &product<false>);
}

Products::~Products()
{
    setFollowedProduct(nullptr);
}

}  // namespace inference::train
