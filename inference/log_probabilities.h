#pragma once

#include "inference/engine.h"

#include <ATen/core/Tensor.h>

namespace inference {

/// What TokenLogprob promises. logits [..., vocabulary], any dtype and device -> the same shape in
/// float32.
at::Tensor logProbabilities(const at::Tensor& logits);

/// logits [vocabulary]; `top` likeliest beside the chosen one.
StepLogprobs stepLogprobs(const at::Tensor& logits, TokenId chosen, int top);

/// Throws Error: values are not numbers.
[[noreturn]] void throwNotNumbers();

}  // namespace inference
