#include "inference/cuda/rms_norm.h"

#include "inference/cuda/kernels.h"
#include "inference/device.h"
#include "inference/error.h"
#include "inference/gradient.h"

#include <ATen/ATen.h>

namespace inference {
namespace {

/// Whether our kernel computes it: rows one behind the other, bf16 or fp32.
bool fitsKernel(const at::Tensor& x, const at::Tensor& weight)
{
    const at::ScalarType type = x.scalar_type();
    return x.is_cuda() && x.is_contiguous() && (type == at::kBFloat16 || type == at::kFloat) &&
        x.numel() > 0 && !isFollowed(x, weight) && cudaKernels() != nullptr;
}

NormedSum runKernel(const at::Tensor& x, const at::Tensor* residual, const at::Tensor& weight,
                    double eps)
{
    NormedSum result{residual ? at::empty_like(x) : x, at::empty_like(x)};
    cuda::RmsNorm work;
    work.x = x.const_data_ptr();
    work.residual = residual ? residual->const_data_ptr() : nullptr;
    work.weight = weight.const_data_ptr();
    work.sum = residual ? result.sum.data_ptr() : nullptr;
    work.normed = result.normed.data_ptr();
    work.width = std::int32_t(x.size(-1));
    work.rows = x.numel() / work.width;
    work.eps = float(eps);
    work.dtype = x.scalar_type() == at::kFloat ? cuda::Dtype::F32 : cuda::Dtype::Bf16;
    if (const int status = cudaKernels()->rmsNorm(work, x.device().index())) {
        throw Error("The RMSNorm kernel could not be started (CUDA error " +
                    std::to_string(status) +
                    "); libkvl_cuda.so was probably built for other GPUs.");
    }
    return result;
}

}  // namespace

at::Tensor rmsNormTwin(const at::Tensor& x, const at::Tensor& weight, double eps)
{
    const at::Tensor wide = x.to(at::kFloat);
    const at::Tensor scale = wide.square().mean(-1, true).add_(eps).rsqrt_();
    return (wide * scale).to(x.scalar_type()).mul_(weight);
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps)
{
    if (fitsKernel(x, weight)) {
        return runKernel(x, nullptr, weight, eps).normed;
    }
    return rmsNormTwin(x, weight, eps);
}

NormedSum addRmsNorm(const at::Tensor& x, const at::Tensor& residual, const at::Tensor& weight,
                     double eps)
{
    if (fitsKernel(x, weight) && !isFollowed(residual) && residual.is_contiguous()) {
        return runKernel(x, &residual, weight, eps);
    }
    at::Tensor sum = x + residual;
    at::Tensor normed = rmsNormTwin(sum, weight, eps);
    return {std::move(sum), std::move(normed)};
}

}  // namespace inference
