#include "inference/cuda/launch.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

/// libkvl_cuda.so: our kernels on libtorch's current stream. Loaded by device.cpp after
/// libtorch_cuda.so, never linked.
namespace {

using namespace inference::cuda;

int rmsNorm(const RmsNorm& work, int device)
{
    const auto index = static_cast<c10::DeviceIndex>(device);
    const c10::cuda::CUDAGuard guard(index);
    return launchRmsNorm(work, c10::cuda::getCurrentCUDAStream(index).stream());
}

constexpr Kernels table{kernelsVersion, rmsNorm};

}  // namespace

extern "C" __attribute__((visibility("default"))) const inference::cuda::Kernels* kvlCudaKernels()
{
    return &table;
}
