#include "inference/log_probabilities.h"

#include "inference/error.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

namespace inference {

at::Tensor logProbabilities(const at::Tensor& logits)
{
    return at::log_softmax(logits, -1, at::kFloat);
}

StepLogprobs stepLogprobs(const at::Tensor& logits, TokenId chosen, int top)
{
    const at::Tensor all = logProbabilities(logits).to(at::kCPU).contiguous();
    const float* const values = all.const_data_ptr<float>();
    StepLogprobs step;
    step.chosen = {chosen, values[chosen]};
    std::vector<TokenId> ids(std::size_t(all.numel()));
    std::iota(ids.begin(), ids.end(), TokenId(0));
    const auto end = ids.begin() + std::min<std::ptrdiff_t>(top, std::ptrdiff_t(ids.size()));
    std::partial_sort(ids.begin(), end, ids.end(), [&](TokenId a, TokenId b) {
        return values[a] != values[b] ? values[a] > values[b] : a < b;
    });
    for (auto id = ids.begin(); id != end; ++id) {
        step.top.push_back({*id, values[*id]});
    }
    return step;
}

void throwNotNumbers()
{
    throw Error("The model computed values that are not numbers; the weights are damaged or the "
                "dtype does not suit them, fp32 may help.");
}

}  // namespace inference
