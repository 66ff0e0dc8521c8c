#pragma once

#include "inference/mini/sample.h"
#include "inference/train/parameters.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace inference::train {

/// Says of each patch which object has its centre there, of which colour, and where the object
/// lies. It reads the image tokens as the language model gets them, so tower and projector learn to
/// see, and to write down what they see, before there are words for it. Thrown away afterwards.
class DenseHead {
public:
    /// `width`: of an image token; `tokensPerSide`: of a tile. Its weights are added to
    /// `parameters`.
    DenseHead(std::int64_t width, std::int64_t tokensPerSide, std::uint64_t seed,
              at::TensorOptions options, std::vector<Parameter>& parameters);

    /// tokens [pictures * tokens of a tile, width], the objects of each picture -> cross-entropy
    /// summed over the pictures. Every picture is one tile.
    at::Tensor loss(const at::Tensor& tokens,
                    std::span<const std::vector<mini::Object>> pictures) const;

private:
    std::int64_t m_side;
    at::Tensor m_classes, m_colours, m_places;  // [patches of a token * values, width]
};

}  // namespace inference::train
