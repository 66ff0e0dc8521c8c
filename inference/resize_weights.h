#pragma once

#include "inference/resize.h"

#include <cstdint>
#include <vector>

/// Inside of resize.cpp and resize_avx2.cpp.
namespace inference::resizing {

inline constexpr int precisionBits = 22;
inline constexpr int rounding = 1 << (precisionBits - 1);

/// What each output sample of an axis is made of: `count` input samples from `first` on, their
/// weights in 22-bit fixed point.
struct Weights {
    struct Span {
        int first = 0, count = 0;
        std::size_t offset = 0;  // into `values`
    };
    std::vector<Span> spans;
    std::vector<std::int32_t> values;
};

/// The same for 16-bit multiply-and-add: inputs are taken in pairs that begin at an even place,
/// each weight is split into high * 4096 + low. A word holds the two weights of a pair.
struct PairedWeights {
    struct Span {
        int first = 0, count = 0;  // in pairs
        std::size_t offset = 0;    // into `words`
    };
    struct Word {
        std::uint32_t low = 0, high = 0;
    };
    static constexpr int splitBits = 12;
    std::vector<Span> spans;
    std::vector<Word> words;
};

#if defined(__x86_64__)
inline constexpr int blockRows = 16;

/// Sixteen rows of RGB, turned so that vectors run down the rows: per pair of pixels and channel
/// 16 rows * 2 samples.
void packRows(const std::uint8_t* const* rows, int width, std::uint8_t* packed);
inline std::size_t packedBytes(int width)
{
    return std::size_t(width + 1) / 2 * 3 * blockRows * 2;
}

/// Horizontal pass over packed rows; writes the first `count` rows of the output.
void mixColumns(const std::uint8_t* packed, const PairedWeights& weights, std::uint8_t* const* rows,
                int count);

/// Vertical pass for output row `row`, `bytes` bytes of it.
void mixRows(const Image& image, const PairedWeights& weights, int row, std::uint8_t* out,
             std::size_t bytes);
#endif

}  // namespace inference::resizing
