#include "inference/attention.h"

#include "inference/stop.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

namespace inference {
namespace {

constexpr std::int64_t cpuPart = 2'000'000'000;  // multiplications in a part
constexpr std::int64_t mostRows = 256;           // bounds the mask

/// Row i of `rows`, at position first + i, sees columns 0..first + i. 0 or -infinity.
at::Tensor causalMask(std::int64_t rows, std::int64_t first, const at::TensorOptions& options)
{
    const at::Tensor hidden =
        at::full({rows, first + rows}, -std::numeric_limits<float>::infinity(), options);
    return hidden.triu_(first + 1);
}

/// Query heads that share a key head become rows of it, so keys and values are used where they lie
/// instead of being repeated.
at::Tensor attendPart(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values)
{
    const std::int64_t n = q.size(0), heads = q.size(1), width = q.size(2);
    const std::int64_t kvHeads = keys.size(0), t = keys.size(1), group = heads / kvHeads;
    const at::Tensor rows = q.view({n, kvHeads, group, width})
                                .permute({1, 2, 0, 3})
                                .reshape({1, kvHeads, group * n, width});
    std::optional<at::Tensor> mask;
    if (n > 1) {
        mask = causalMask(n, t - n, q.options()).repeat({group, 1});
    }
    const at::Tensor out =
        at::scaled_dot_product_attention(rows, keys.unsqueeze(0), values.unsqueeze(0), mask);
    return out.view({kvHeads, group, n, width}).permute({2, 0, 1, 3}).reshape({n, heads * width});
}

/// On a GPU one call for a whole prompt or for one token; its kernels know groups and causality.
at::Tensor attendOnDevice(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values)
{
    const std::int64_t n = q.size(0);
    const at::Tensor out =
        at::scaled_dot_product_attention(q.transpose(0, 1).unsqueeze(0), keys.unsqueeze(0),
                                         values.unsqueeze(0), {}, 0.0, n > 1, std::nullopt, true);
    return out.squeeze(0).transpose(0, 1).reshape({n, q.size(1) * q.size(2)});
}

}  // namespace

at::Tensor attendAll(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v)
{
    return at::scaled_dot_product_attention(q, k, v);
}

at::Tensor attendCausal(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values,
                        const std::stop_token& stop)
{
    throwIfStopped(stop);
    const std::int64_t n = q.size(0), t = keys.size(1), before = t - n;
    const bool onCpu = q.device().is_cpu();
    if (!onCpu && (n == 1 || before == 0)) {
        return attendOnDevice(q, keys, values);
    }
    const std::int64_t perRow = 2 * q.size(1) * q.size(2) * t;
    const std::int64_t part =
        onCpu ? std::clamp<std::int64_t>(cpuPart / perRow, 16, mostRows) : mostRows;
    if (n <= part) {
        return attendPart(q, keys, values);
    }
    at::Tensor all = at::empty({n, q.size(1) * q.size(2)}, q.options());
    for (std::int64_t row = 0; row < n; row += part) {
        throwIfStopped(stop);
        const std::int64_t rows = std::min(part, n - row);
        const std::int64_t seen = before + row + rows;
        all.narrow(0, row, rows)
            .copy_(attendPart(q.narrow(0, row, rows), keys.narrow(1, 0, seen),
                              values.narrow(1, 0, seen)));
    }
    return all;
}

at::Tensor attendPacked(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const std::vector<std::int64_t>& lengths)
{
    const std::int64_t group = q.size(1) / k.size(1);
    // one split: the gradient of a narrow() for each sequence is as long as all of them together
    const std::vector<at::Tensor> queries = q.split_with_sizes(lengths),
                                  keys = k.split_with_sizes(lengths),
                                  values = v.split_with_sizes(lengths);
    std::vector<at::Tensor> parts;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        // the kernels that keep no matrix of scores want as many key heads as query heads
        const auto part = [](const at::Tensor& x, std::int64_t times) {
            const at::Tensor heads = x.transpose(0, 1);
            return (times == 1 ? heads : heads.repeat_interleave(times, 0)).unsqueeze(0);
        };
        parts.push_back(at::scaled_dot_product_attention(part(queries[i], 1), part(keys[i], group),
                                                         part(values[i], group), {}, 0.0, true)
                            .squeeze(0)
                            .transpose(0, 1)
                            .flatten(1));
    }
    return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
}

}  // namespace inference
