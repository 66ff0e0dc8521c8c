#pragma once

#include "inference/engine.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <vector>

namespace inference {

/// What sampling may still choose from: ids ascending, scores [n] in float32 on the CPU.
struct Candidates {
    at::Tensor ids;     // int64
    at::Tensor scores;  // after the temperature; none is infinite
};

/// Each of `ids` counts once: a score below 0 is multiplied by the penalty, another divided.
/// logits [vocabulary], any dtype and device -> float32 on the CPU.
at::Tensor penalise(const at::Tensor& logits, const std::vector<TokenId>& ids, double penalty);

/// Temperature, then top-k (ties with the k-th stay), top-p, min-p: the order of transformers, and
/// like there at least one token stays (model specification 8.2, 8.3). Which of several equals
/// top-p drops is open there; here the lower ids. logits [vocabulary], any dtype and device. Throws
/// Error where nothing can be chosen or a value is not a number.
Candidates candidates(const at::Tensor& logits, const SamplingOptions& options);

/// Chooses one token after the other. Greedy at temperature 0, the lower id between equals;
/// otherwise drawn with libtorch's CPU generator: the same seed gives the same tokens in the same
/// build, not the same as Python's. The repetition penalty comes first and sees the tokens chosen
/// before, not those of the prompt, because generate() is given embeddings (8.4).
class Sampler {
public:
    /// Throws Error where an option has no meaning.
    explicit Sampler(const SamplingOptions& options);
    /// logits [vocabulary], any dtype and device. Throws Error where one is not a number.
    TokenId operator()(const at::Tensor& logits);

private:
    SamplingOptions m_options;
    at::Generator m_generator;
    std::vector<TokenId> m_chosen;
};

}  // namespace inference
