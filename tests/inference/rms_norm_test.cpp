// With KVL_TEST_DEVICE=cuda:0 (label gpu) the kernel, otherwise the ATen twin.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/cuda/rms_norm.h"
#include "inference/device.h"
#include "support/test.h"

#include <cstdlib>

using namespace inference;

namespace {

at::Device device()
{
    const char* const name = std::getenv("KVL_TEST_DEVICE");
    static const at::Device chosen = chooseDevice(name ? name : "cpu");
    if (chosen.is_cuda() && !cudaKernels()) {
        SKIP("needs libkvl_cuda.so");
    }
    return chosen;
}

at::Tensor wave(at::IntArrayRef shape, double step)
{
    std::int64_t n = 1;
    for (const std::int64_t side : shape) {
        n *= side;
    }
    return (at::arange(n, at::kDouble) * step).sin().view(shape) * 3;
}

}  // namespace

TEST(everyRowIsItsDefinition)
{
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        for (const auto& [rows, width] :
             {std::pair(1, 128), std::pair(5, 5120), std::pair(33, 96), std::pair(2, 17)}) {
            const at::Tensor x = wave({rows, width}, 0.7).to(device(), dtype);
            const at::Tensor weight = wave({width}, 0.11).to(device(), dtype);
            const at::Tensor wide = x.to(at::kDouble);
            const at::Tensor exact =
                wide / (wide.square().mean(-1, true) + 1e-6).sqrt() * weight.to(at::kDouble);
            // bf16: two roundings, before and after the weight
            const double relative = dtype == at::kFloat ? 1e-5 : 0x1p-7;
            CHECK(at::allclose(rmsNorm(x, weight, 1e-6).to(at::kDouble), exact, relative, 1e-6));
        }
    }
}

TEST(theSumIsRoundedBeforeItIsNormed)
{
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        const at::Tensor x = wave({4, 256}, 0.7).to(device(), dtype),
                         residual = wave({4, 256}, 0.31).to(device(), dtype);
        const at::Tensor weight = wave({256}, 0.11).to(device(), dtype);
        const NormedSum both = addRmsNorm(x, residual, weight, 1e-6);
        CHECK(at::equal(both.sum, x + residual));
        const at::Tensor twin = rmsNormTwin(x + residual, weight, 1e-6);
        const double relative = dtype == at::kFloat ? 1e-5 : 0x1p-7;
        CHECK(at::allclose(both.normed, twin, relative, 1e-6));
    }
}

TEST(rowsOfHeadsAreNormedEach)
{
    const at::Tensor x = wave({3, 4, 32}, 0.7).to(device(), at::kFloat);
    const at::Tensor weight = wave({32}, 0.11).to(device(), at::kFloat);
    const at::Tensor all = rmsNorm(x, weight, 1e-6);
    CHECK(at::allclose(all[2][1], rmsNormTwin(x[2][1].unsqueeze(0), weight, 1e-6)[0], 1e-5, 1e-6));
}

KVL_TEST_MAIN
