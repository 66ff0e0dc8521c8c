#pragma once

#include <cstdint>

/// Our own kernels as the library kvl_cuda gives them: raw pointers, sizes and a stream, no torch
/// header. inference does not link the library; device.cpp loads it where there is a GPU.
namespace inference::cuda {

enum class Dtype : std::int32_t { F32, Bf16 };

/// Rows of `width` values, one behind the other.
struct RmsNorm {
    const void* x = nullptr;
    const void* residual = nullptr;  // added to x first; may be null
    const void* weight = nullptr;    // [width]
    void* sum = nullptr;             // x + residual, rounded; not written where residual is null
    void* normed = nullptr;
    std::int64_t rows = 0;
    std::int32_t width = 0;
    float eps = 0;
    Dtype dtype = Dtype::F32;
};

struct Kernels {
    std::int32_t version = 0;
    /// Starts the work on the current stream of `device`; returns 0 or a cudaError_t.
    int (*rmsNorm)(const RmsNorm&, int device) = nullptr;
};

inline constexpr std::int32_t kernelsVersion = 1;
/// The one symbol of the library: `const Kernels* kvlCudaKernels()`.
inline constexpr const char* kernelsSymbol = "kvlCudaKernels";

}  // namespace inference::cuda
