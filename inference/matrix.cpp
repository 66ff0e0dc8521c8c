#include "inference/matrix.h"

#include "inference/gradient.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace inference {
namespace {

using OneDnnLinear = at::Tensor(const at::Tensor& x, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias, c10::string_view activation,
                                c10::List<std::optional<at::Scalar>> scalars,
                                std::optional<c10::string_view> algorithm);

bool mklIsSlow()
{
#if defined(__x86_64__)
    return !__builtin_cpu_is("intel");
#else
    return false;
#endif
}

/// libtorch's own name for it, used by its compiler; absent where it is built without oneDNN.
const std::optional<c10::OperatorHandle>& oneDnnLinear()
{
    static const std::optional<c10::OperatorHandle> found = [] {
        std::optional<c10::OperatorHandle> one;
        if (mklIsSlow()) {
            one = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
        }
        return one;
    }();
    return found;
}

FollowedProduct& followedProduct()
{
    static FollowedProduct product = nullptr;
    return product;
}

}  // namespace

at::Tensor multiplyRowsUnfollowed(const at::Tensor& x, const at::Tensor& weight,
                                  const at::Tensor& bias)
{
    constexpr std::int64_t fewestRows = 32;  // below, preparing the call costs more than it saves
    if (x.device().is_cpu() && x.scalar_type() == at::kFloat &&
        x.numel() >= fewestRows * weight.size(1) && oneDnnLinear()) {
        return oneDnnLinear()->typed<OneDnnLinear>().call(
            x, weight, bias.defined() ? std::optional(bias) : std::nullopt, "none",
            c10::List<std::optional<at::Scalar>>(), "");
    }
    return at::linear(x, weight, bias);
}

at::Tensor multiplyRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias)
{
    if (!isFollowed(x, weight, bias)) {
        return multiplyRowsUnfollowed(x, weight, bias);
    }
    const FollowedProduct product = followedProduct();
    return product != nullptr ? product(x, weight, bias) : at::linear(x, weight, bias);
}

void setFollowedProduct(FollowedProduct product)
{
    followedProduct() = product;
}

}  // namespace inference
