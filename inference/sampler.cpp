#include "inference/sampler.h"

#include "inference/error.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

namespace inference {
namespace {

at::Tensor onCpu(const at::Tensor& logits)
{
    return logits.to(at::kCPU, at::kFloat).contiguous();
}

[[noreturn]] void failNotANumber()
{
    throw Error("The model computed values that are not numbers; the weights are damaged or the "
                "dtype does not suit them, "
                "fp32 may help.");
}

/// Candidates whose place in `keep` is true.
Candidates select(const Candidates& from, const at::Tensor& keep)
{
    const at::Tensor places = keep.nonzero().squeeze(1);
    return {from.ids.index_select(0, places), from.scores.index_select(0, places)};
}

}  // namespace

Candidates candidates(const at::Tensor& logits, const SamplingOptions& options)
{
    Candidates left;
    left.scores = onCpu(logits);
    if (options.temperature != 1) {
        left.scores = left.scores / options.temperature;
    }
    const std::int64_t n = left.scores.size(0);
    left.ids = at::arange(n, at::kLong);
    if (options.topK > 0 && options.topK < n) {
        const at::Tensor least = std::get<0>(at::topk(left.scores, options.topK)).min();
        left = select(left, left.scores >= least);
    }
    if (options.topP < 1) {
        const auto [ascending, order] = left.scores.sort(/*stable=*/true, 0, /*descending=*/false);
        at::Tensor keep = ascending.softmax(0).cumsum(0) > 1 - double(options.topP);
        keep.select(0, -1).fill_(true);
        left = select(left, at::zeros_like(keep).scatter(0, order, keep));
    }
    return left;
}

Sampler::Sampler(const SamplingOptions& options)
    : m_options(options)
    , m_generator(at::detail::createCPUGenerator(options.seed))
{
    if (!(options.temperature >= 0) || std::isinf(options.temperature)) {
        throw Error("The temperature is " + std::to_string(options.temperature) +
                    " where 0 or more is expected; 0 always takes the likeliest token.");
    }
    if (!(options.topP >= 0 && options.topP <= 1)) {
        throw Error("top_p is " + std::to_string(options.topP) +
                    " where 0 to 1 is expected; 1 leaves every token in.");
    }
    if (options.topK < 0) {
        throw Error("top_k is " + std::to_string(options.topK) +
                    " where 0 or more is expected; 0 leaves every token in.");
    }
}

TokenId Sampler::operator()(const at::Tensor& logits)
{
    const at::Tensor scores = onCpu(logits);
    const float* const first = scores.const_data_ptr<float>();
    const float* const last = first + scores.size(0);
    // not max_element: between equals the first must win, and a NaN must not hide
    const float* best = first;
    for (const float* one = first; one != last; ++one) {
        if (std::isnan(*one)) {
            failNotANumber();
        }
        best = *one > *best ? one : best;
    }
    if (m_options.temperature == 0) {
        return TokenId(best - first);
    }
    const Candidates left = candidates(scores, m_options);
    const at::Tensor drawn = at::multinomial(left.scores.softmax(0), 1, false, m_generator);
    return TokenId(left.ids[drawn.item<std::int64_t>()].item<std::int64_t>());
}

}  // namespace inference
