#include "inference/scoring.h"

#include "inference/log_probabilities.h"
#include "inference/stop.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace inference {
namespace {

// rows of logits at once: about 100 ms of a 0.6B model's head, 10 and 40 MB in float32
constexpr std::int64_t cpuRows = 16, deviceRows = 64;

at::Tensor toTensor(std::span<const TokenId> ids)
{
    return at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end()), at::kLong);
}

}  // namespace

std::vector<float> logprobsOf(const LanguageModel& language, const at::Tensor& states,
                              std::span<const TokenId> ids, const std::stop_token& stop)
{
    const std::int64_t n = states.size(0);
    const std::int64_t part = states.device().is_cpu() ? cpuRows : deviceRows;
    const at::Tensor places = toTensor(ids).unsqueeze(1);
    std::vector<float> all;
    for (std::int64_t row = 0; row < n; row += part) {
        throwIfStopped(stop);
        const std::int64_t rows = std::min(part, n - row);
        const at::Tensor wide = logProbabilities(language.logits(states.narrow(0, row, rows)));
        const at::Tensor some =
            wide.gather(1, places.narrow(0, row, rows).to(wide.device())).to(at::kCPU).contiguous();
        const float* const first = some.const_data_ptr<float>();
        if (std::any_of(first, first + rows, [](float one) { return std::isnan(one); })) {
            throwNotNumbers();
        }
        all.insert(all.end(), first, first + rows);
    }
    return all;
}

Scorer::Scorer(const LanguageModel& language, KvCache& cache, at::Tensor state)
    : m_language(language)
    , m_cache(cache)
    , m_promptLength(cache.length())
    , m_states(std::move(state))
{
}

Scorer::~Scorer()
{
    m_cache.truncate(m_promptLength);
}

std::vector<float> Scorer::operator()(std::span<const TokenId> ids, const std::stop_token& stop)
{
    const auto shared = std::size_t(
        std::mismatch(ids.begin(), ids.end(), m_ids.begin(), m_ids.end()).first - ids.begin());
    // the last id of a continuation is never read, so it is not in the cache
    const std::size_t kept = std::min({shared, ids.size() - 1, std::size_t(m_states.size(0)) - 1});
    m_cache.truncate(m_promptLength + int(kept));
    at::Tensor states = m_states.narrow(0, 0, std::int64_t(kept) + 1);
    m_states = states;  // whatever ends this early
    m_ids.resize(std::min(m_ids.size(), kept));
    std::vector<float> logprobs(m_logprobs.begin(),
                                m_logprobs.begin() + std::ptrdiff_t(m_ids.size()));
    if (kept + 1 < ids.size()) {
        const at::Tensor x = m_language.embed(toTensor(ids.subspan(kept, ids.size() - 1 - kept)));
        states = at::cat({states, m_language.states(x, m_cache, stop)}, 0);
    }
    const auto known = std::int64_t(logprobs.size());
    const std::vector<float> rest =
        logprobsOf(m_language, states.narrow(0, known, states.size(0) - known),
                   ids.subspan(logprobs.size()), stop);
    logprobs.insert(logprobs.end(), rest.begin(), rest.end());
    m_ids.assign(ids.begin(), ids.end());
    m_states = states;
    m_logprobs = logprobs;
    return logprobs;
}

}  // namespace inference
