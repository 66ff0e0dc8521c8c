#pragma once

#include "inference/cuda/kernels.h"

#include <cuda_runtime_api.h>

/// Within libkvl_cuda.so: the .cu files launch on a given stream, library.cpp asks libtorch for it.
namespace inference::cuda {

/// x, residual, sum, normed are [rows, width], weight [width], all on the stream's device.
cudaError_t launchRmsNorm(const RmsNorm& work, cudaStream_t stream);

}  // namespace inference::cuda
