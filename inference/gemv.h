#pragma once

#include <cstdint>

namespace inference {

/// y = W x + b for one row of x: the whole cost of decoding on a CPU is reading W once, and
/// libtorch's matrix product reads it at about half the speed of memory (README, measured).
/// W is [rows, columns], row-major; b may be null. Sums in float32. Threads as libtorch's.
void multiply(const float* weight, const float* bias, const float* x, float* y, std::int64_t rows,
              std::int64_t columns);

/// The same for bfloat16, given as its bits; the result is rounded to nearest even.
void multiply(const std::uint16_t* weight, const std::uint16_t* bias, const std::uint16_t* x,
              std::uint16_t* y, std::int64_t rows, std::int64_t columns);

/// False where the CPU has neither AVX2 with FMA nor AVX-512; multiply() must not be called there.
bool canMultiply();

}  // namespace inference
