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

/// x [n, in] W^T + b; an empty b is none. With bf16 the factors come rounded, and are kept so.
class Product : public torch::autograd::Function<Product> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                              const at::Tensor& weight, const at::Tensor& bias, bool bf16)
    {
        const bool biased = bias.numel() > 0;
        context->saved_data["bias"] = biased;
        if (!bf16) {
            context->save_for_backward({x, weight});
            return multiplyRowsUnfollowed(x, weight, biased ? bias : at::Tensor());
        }
        const at::Tensor rows = half(x), columns = half(weight);
        context->save_for_backward({rows, columns});
        const at::Tensor y = at::mm(rows, columns.t()).to(at::kFloat);
        return biased ? y.add_(bias) : y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients)
    {
        const variable_list saved = context->get_saved_variables();
        const at::Tensor &x = saved[0], &weight = saved[1];
        const bool bf16 = x.scalar_type() == at::kBFloat16;
        const at::Tensor gradient = bf16 ? half(gradients[0]) : gradients[0].contiguous();
        const auto product = [&](const at::Tensor& a, const at::Tensor& b) {  // a b
            return bf16 ? at::mm(a, b).to(at::kFloat) : multiplyRowsUnfollowed(a, b.t(), {});
        };
        at::Tensor ofX, ofWeight, ofBias;
        if (context->needs_input_grad(0)) {
            ofX = product(gradient, weight);
        }
        if (context->needs_input_grad(1)) {
            ofWeight = product(gradient.t(), x);
        }
        if (context->saved_data["bias"].toBool()) {
            ofBias = gradients[0].sum(0);
        }
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
