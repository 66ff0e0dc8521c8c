#pragma once

#include "inference/engine.h"
#include "inference/kv_cache.h"
#include "inference/language.h"

#include <ATen/core/Tensor.h>

#include <span>
#include <stop_token>
#include <vector>

namespace inference {

/// Scores given tokens behind a prompt, each continuation in one pass over what it does not share
/// with the one before. The cache holds the prompt and stays as it is: it is cut back, not copied.
class Scorer {
public:
    /// `state` [1, hidden] is LanguageModel::states() of the last token in the cache. Both must
    /// outlive the scorer.
    Scorer(const LanguageModel& language, KvCache& cache, at::Tensor state);
    ~Scorer();
    Scorer(const Scorer&) = delete;
    Scorer& operator=(const Scorer&) = delete;

    /// One value an id. ids: one at least. Throws Cancelled.
    std::vector<float> operator()(std::span<const TokenId> ids, const std::stop_token& stop);

private:
    const LanguageModel& m_language;
    KvCache& m_cache;
    int m_promptLength;
    // of the last continuation:
    std::vector<TokenId> m_ids;
    at::Tensor m_states;  // [n, hidden], row i is in front of m_ids[i]
    std::vector<float> m_logprobs;
};

/// Row i of states [n, hidden] is in front of ids[i] -> log-probability of each. In parts of rows,
/// because a row of logits is as wide as the vocabulary. Throws Cancelled.
std::vector<float> logprobsOf(const LanguageModel& language, const at::Tensor& states,
                              std::span<const TokenId> ids, const std::stop_token& stop);

}  // namespace inference
