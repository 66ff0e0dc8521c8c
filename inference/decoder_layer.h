#pragma once

#include "inference/linear.h"

#include <ATen/core/Tensor.h>

#include <memory>

namespace inference {

/// A layer of a decoder. Either query, key and value are apart, or queryKeyValue holds them
/// interleaved: for each key head the rows of its query heads, of the key, of the value.
struct DecoderLayer {
    at::Tensor inputNorm, postNorm;
    at::Tensor queryNorm, keyNorm;  // [headDim]; undefined where the family has none
    std::unique_ptr<Linear> query, key, value, queryKeyValue;
    std::unique_ptr<Linear> output, gate, up, down;
};

}  // namespace inference
