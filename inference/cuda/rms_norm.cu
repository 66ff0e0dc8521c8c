#include "inference/cuda/launch.h"

#include <cuda_bf16.h>

namespace inference::cuda {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / 32;

__device__ float toFloat(float value)
{
    return value;
}
__device__ float toFloat(__nv_bfloat16 value)
{
    return __bfloat162float(value);
}

template <typename T>
__device__ T rounded(float value);
template <>
__device__ float rounded<float>(float value)
{
    return value;
}
template <>
__device__ __nv_bfloat16 rounded<__nv_bfloat16>(float value)
{
    return __float2bfloat16_rn(value);
}

/// The block's sum, the same in every thread.
__device__ float blockSum(float value)
{
    __shared__ float parts[warps];
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (threadIdx.x % 32 == 0) {
        parts[threadIdx.x / 32] = value;
    }
    __syncthreads();
    value = parts[threadIdx.x % warps];
    for (int step = warps / 2; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    return value;
}

/// One block a row. The roundings are the ATen twin's: the sum to T, the normed value to T, and
/// its product with the weight to T again.
template <typename T>
__global__ void __launch_bounds__(threads)
    rmsNormRows(const T* x, const T* residual, const T* weight, T* sum, T* normed, int width,
                float eps)
{
    const long long row = static_cast<long long>(blockIdx.x) * width;
    float squares = 0;
    for (int i = threadIdx.x; i < width; i += threads) {
        float value = toFloat(x[row + i]);
        if (residual) {
            const T whole = rounded<T>(value + toFloat(residual[row + i]));
            sum[row + i] = whole;
            value = toFloat(whole);
        }
        squares += value * value;
    }
    const float scale = rsqrtf(blockSum(squares) / static_cast<float>(width) + eps);
    const T* const from = residual ? sum : x;  // each thread reads back what it wrote itself
    for (int i = threadIdx.x; i < width; i += threads) {
        const T value = rounded<T>(toFloat(from[row + i]) * scale);
        normed[row + i] = rounded<T>(toFloat(value) * toFloat(weight[i]));
    }
}

template <typename T>
void launch(const RmsNorm& work, cudaStream_t stream)
{
    rmsNormRows<T><<<static_cast<unsigned>(work.rows), threads, 0, stream>>>(
        static_cast<const T*>(work.x), static_cast<const T*>(work.residual),
        static_cast<const T*>(work.weight), static_cast<T*>(work.sum), static_cast<T*>(work.normed),
        work.width, work.eps);
}

}  // namespace

cudaError_t launchRmsNorm(const RmsNorm& work, cudaStream_t stream)
{
    if (work.rows > 0x7fffffff) {
        return cudaErrorInvalidValue;
    }
    if (work.dtype == Dtype::F32) {
        launch<float>(work, stream);
    } else {
        launch<__nv_bfloat16>(work, stream);
    }
    return cudaGetLastError();
}

}  // namespace inference::cuda
