#include "inference/sampler.h"

#include "inference/error.h"
#include "inference/log_probabilities.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <limits>
#include <sstream>

namespace inference {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

at::Tensor onCpu(const at::Tensor& logits)
{
    return logits.to(at::kCPU, at::kFloat).contiguous();
}

/// The place of the largest, the first between equals. A logit of -infinity is one the model rules
/// out; one that is not a number or +infinity is damage.
std::int64_t largest(const at::Tensor& logits)
{
    const float* const first = logits.const_data_ptr<float>();
    const float* const last = first + logits.size(0);
    const float* best = first;
    bool sound = first != last;
    for (const float* one = first; one != last; ++one) {
        sound = sound && *one < infinity;  // false for NaN, too
        best = *one > *best ? one : best;
    }
    if (!sound || *best == -infinity) {
        throwNotNumbers();
    }
    return best - first;
}

/// Candidates whose place in `keep` is true.
Candidates select(const Candidates& from, const at::Tensor& keep)
{
    const at::Tensor places = keep.nonzero().squeeze(1);
    return {from.ids.index_select(0, places), from.scores.index_select(0, places)};
}

void keepTopP(Candidates& left, double topP)
{
    const auto [ascending, order] = left.scores.sort(/*stable=*/true, 0, /*descending=*/false);
    at::Tensor keep = ascending.softmax(0).cumsum(0) > 1 - topP;
    keep.select(0, -1).fill_(true);
    left = select(left, at::zeros_like(keep).scatter(0, order, keep));
}

void keepMinP(Candidates& left, double minP)
{
    const at::Tensor probabilities = left.scores.softmax(0);
    left = select(left, probabilities >= probabilities.max() * minP);
}

[[noreturn]] void refuse(const char* name, double found, const char* expected)
{
    std::ostringstream text;
    text << name << " is " << found << " where " << expected;
    throw Error(text.str());
}

}  // namespace

at::Tensor penalise(const at::Tensor& logits, const std::vector<TokenId>& ids, double penalty)
{
    const at::Tensor scores = onCpu(logits);
    const std::vector<std::int64_t> wide(ids.begin(), ids.end());
    const at::Tensor places = at::tensor(wide, at::kLong);
    const at::Tensor some = scores.index_select(0, places);
    return scores.scatter(0, places, at::where(some < 0, some * penalty, some / penalty));
}

Candidates candidates(const at::Tensor& logits, const SamplingOptions& options)
{
    Candidates left;
    left.scores = onCpu(logits);
    largest(left.scores);
    if (options.temperature != 1) {
        left.scores = left.scores / options.temperature;
    }
    left.ids = at::arange(left.scores.size(0), at::kLong);
    if (!(left.scores.max().item<float>() < infinity)) {
        refuse("The temperature", options.temperature,
               "the model's values need a larger one; 0 always takes the likeliest token.");
    }
    if (options.topK > 0 && options.topK < left.scores.size(0)) {
        const at::Tensor least = std::get<0>(at::topk(left.scores, options.topK)).min();
        left = select(left, left.scores >= least);
    }
    left = select(left, left.scores > -infinity);
    if (options.topP < 1) {
        keepTopP(left, options.topP);
    }
    if (options.minP > 0) {
        keepMinP(left, options.minP);
    }
    return left;
}

Sampler::Sampler(const SamplingOptions& options)
    : m_options(options)
    , m_generator(at::detail::createCPUGenerator(options.seed))
{
    if (!(options.temperature >= 0) || std::isinf(options.temperature)) {
        refuse("The temperature", options.temperature,
               "0 or more is expected; 0 always takes the likeliest token.");
    }
    if (options.topK < 0) {
        refuse("top_k", options.topK, "0 or more is expected; 0 leaves every token in.");
    }
    if (!(options.topP >= 0 && options.topP <= 1)) {
        refuse("top_p", options.topP, "0 to 1 is expected; 1 leaves every token in.");
    }
    if (!(options.minP >= 0 && options.minP <= 1)) {
        refuse("min_p", options.minP, "0 to 1 is expected; 0 leaves every token in.");
    }
    if (!(options.repetitionPenalty > 0) || std::isinf(options.repetitionPenalty)) {
        refuse("The repetition penalty", options.repetitionPenalty,
               "a number above 0 is expected; 1 is none.");
    }
}

TokenId Sampler::operator()(const at::Tensor& logits)
{
    at::Tensor scores = onCpu(logits);
    std::int64_t id = largest(scores);
    if (m_options.repetitionPenalty != 1 && !m_chosen.empty()) {
        scores = penalise(scores, m_chosen, m_options.repetitionPenalty);
        if (!(scores.max().item<float>() < infinity)) {
            refuse("The repetition penalty", m_options.repetitionPenalty,
                   "the model's values need a larger one; 1 is none.");
        }
        id = largest(scores);
    }
    if (m_options.temperature > 0) {
        const Candidates left = candidates(scores, m_options);
        const at::Tensor drawn = at::multinomial(left.scores.softmax(0), 1, false, m_generator);
        id = left.ids[drawn.item<std::int64_t>()].item<std::int64_t>();
    }
    m_chosen.push_back(TokenId(id));
    return TokenId(id);
}

}  // namespace inference
