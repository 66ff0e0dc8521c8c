#pragma once

#include "inference/engine.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace inference {

/// What sampling may still choose from: ids ascending, scores [n] in float32 on the CPU.
struct Candidates {
    at::Tensor ids;     // int64
    at::Tensor scores;  // after the temperature
};

/// Temperature, then top-k (ties with the k-th stay), then top-p: the order of transformers (model
/// specification 8.2). logits [vocabulary], any dtype and device.
Candidates candidates(const at::Tensor& logits, const SamplingOptions& options);

/// Chooses one token after the other. Greedy at temperature 0, the lower id between equals;
/// otherwise drawn with libtorch's CPU generator: the same seed gives the same tokens in the same
/// build, not the same as Python's.
class Sampler {
public:
    /// Throws Error where an option has no meaning.
    explicit Sampler(const SamplingOptions& options);
    /// logits [vocabulary], any dtype and device. Throws Error where one is not a number.
    TokenId operator()(const at::Tensor& logits);

private:
    SamplingOptions m_options;
    at::Generator m_generator;
};

}  // namespace inference
