#include "inference/linear.h"

#include "inference/gemv.h"
#include "inference/gradient.h"
#include "inference/matrix.h"
#include "inference/stop.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

namespace inference {
namespace {

constexpr std::int64_t cpuPart = 3'000'000'000;  // multiplications; 2 slow cores do 20 G/s
constexpr std::int64_t leastRows = 16;           // fewer would read the weights too often
constexpr std::int64_t deviceRows = 4096;

/// Weights as they are: bf16 or fp32.
class DenseLinear : public Linear {
public:
    DenseLinear(at::Tensor weight, at::Tensor bias)
        : Linear(weight.size(1), weight.size(0))
        , m_weight(std::move(weight))
        , m_bias(std::move(bias))
    {
    }

    at::Tensor operator()(const at::Tensor& x) const override
    {
        const bool oneRow = x.device().is_cpu() && x.numel() == in() && canMultiply() &&
            !isFollowed(x, m_weight, m_bias);
        if (oneRow && x.scalar_type() == at::kFloat) {
            return oneRowOf<float>(x);
        }
        if (oneRow && x.scalar_type() == at::kBFloat16) {
            return oneRowOf<std::uint16_t>(x);
        }
        return multiplyRows(x, m_weight, m_bias);
    }

private:
    template <typename T>
    at::Tensor oneRowOf(const at::Tensor& x) const
    {
        std::vector<std::int64_t> shape = x.sizes().vec();
        shape.back() = out();
        at::Tensor y = at::empty(shape, x.options());
        const at::Tensor row = x.contiguous();
        multiply(static_cast<const T*>(m_weight.const_data_ptr()),
                 m_bias.defined() ? static_cast<const T*>(m_bias.const_data_ptr()) : nullptr,
                 static_cast<const T*>(row.const_data_ptr()), static_cast<T*>(y.data_ptr()), out(),
                 in());
        return y;
    }

    at::Tensor m_weight, m_bias;
};

std::unique_ptr<Linear> makeDense(at::Tensor weight, at::Tensor bias)
{
    return std::make_unique<DenseLinear>(std::move(weight), std::move(bias));
}

}  // namespace

std::span<const Quantization> quantizations()
{
    static constexpr std::array<Quantization, 1> all{
        {{"none", "Weights as stored or converted to the computing dtype", &makeDense}}};
    return all;
}

at::Tensor byRows(const at::Tensor& x, std::int64_t perRow, const std::stop_token& stop,
                  const std::function<at::Tensor(const at::Tensor&)>& work)
{
    const std::int64_t n = x.size(0);
    const std::int64_t part = x.device().is_cpu()
        ? std::max(leastRows, cpuPart / std::max<std::int64_t>(1, perRow))
        : deviceRows;
    throwIfStopped(stop);
    if (n <= part) {
        return work(x);
    }
    at::Tensor all;
    std::vector<at::Tensor> followed;  // autograd would copy `all` for each part
    for (std::int64_t row = 0; row < n; row += part) {
        throwIfStopped(stop);
        const std::int64_t rows = std::min(part, n - row);
        const at::Tensor some = work(x.narrow(0, row, rows));
        if (some.requires_grad()) {
            followed.push_back(some);
            continue;
        }
        if (!all.defined()) {
            all = at::empty({n, some.size(1)}, some.options());
        }
        all.narrow(0, row, rows).copy_(some);
    }
    return followed.empty() ? all : at::cat(followed, 0);
}

at::Tensor apply(const Linear& linear, const at::Tensor& x, const std::stop_token& stop)
{
    return byRows(x, linear.in() * linear.out(), stop,
                  [&](const at::Tensor& rows) { return linear(rows); });
}

}  // namespace inference
