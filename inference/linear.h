#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>

namespace inference {

/// y = x W^T + b.
class Linear {
public:
    Linear(std::int64_t in, std::int64_t out)
        : m_in(in)
        , m_out(out)
    {
    }
    virtual ~Linear() = default;
    /// [n, in] -> [n, out], in the dtype of x.
    virtual at::Tensor operator()(const at::Tensor& x) const = 0;
    std::int64_t in() const { return m_in; }
    std::int64_t out() const { return m_out; }

private:
    std::int64_t m_in, m_out;
};

/// A way to keep the weights of a Linear.
struct Quantization {
    std::string_view name, summary;
    /// weight [out, in] on its device in the computing dtype; bias [out] or undefined.
    std::unique_ptr<Linear> (*makeLinear)(at::Tensor weight, at::Tensor bias);
};

/// The first keeps the weights as they are.
std::span<const Quantization> quantizations();

/// `work` on rows of x, in parts that take a CPU at most about 100 ms each, so that a stop request
/// is answered in time; on other devices in parts that bound memory. `perRow` is the number of
/// multiplications a row costs. [n, a] -> [n, b]. Throws Cancelled.
at::Tensor byRows(const at::Tensor& x, std::int64_t perRow, const std::stop_token& stop,
                  const std::function<at::Tensor(const at::Tensor&)>& work);

/// `linear(x)` in such parts.
at::Tensor apply(const Linear& linear, const at::Tensor& x, const std::stop_token& stop);

}  // namespace inference
