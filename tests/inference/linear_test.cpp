#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/error.h"
#include "inference/gemv.h"
#include "inference/linear.h"
#include "inference/matrix.h"
#include "support/test.h"

using namespace inference;

namespace {

at::Tensor wave(at::IntArrayRef shape, double step)
{
    std::int64_t n = 1;
    for (const std::int64_t side : shape) {
        n *= side;
    }
    return (at::arange(n, at::kDouble) * step).sin().view(shape);
}

}  // namespace

TEST(oneRowEqualsTheProductInDoublePrecision)
{
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        // lengths that leave something behind the blocks of 64, 32, 16; rows for several threads
        for (const auto& [out, in] : {std::pair(3, 1), std::pair(5, 63), std::pair(7, 64),
                                      std::pair(1000, 131), std::pair(4097, 320)}) {
            const at::Tensor weight = wave({out, in}, 0.7).to(dtype),
                             bias = wave({out}, 0.3).to(dtype), x = wave({1, in}, 0.9).to(dtype);
            const at::Tensor exact =
                at::linear(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble));
            const auto linear = quantizations().front().makeLinear(weight, bias);
            const at::Tensor y = (*linear)(x);
            CHECK(y.scalar_type() == dtype);
            CHECK_EQUAL(y.sizes().vec(), (std::vector<std::int64_t>{1, out}));
            // the float32 sum's rounding, and for bf16 half a step of the result
            const at::Tensor terms = at::linear(
                x.to(at::kDouble).abs(), weight.to(at::kDouble).abs(), bias.to(at::kDouble).abs());
            const at::Tensor allowed =
                terms * 1e-6 + exact.abs() * (dtype == at::kFloat ? 0 : 0x1p-8);
            CHECK(((y.to(at::kDouble) - exact).abs() <= allowed).all().item<bool>());
        }
    }
}

TEST(manyRowsEqualTheProductInDoublePrecision)
{
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
        for (const auto& [n, out, in] :
             {std::tuple(31, 7, 64), std::tuple(32, 5, 63), std::tuple(300, 129, 131)}) {
            for (const bool hasBias : {true, false}) {
                const at::Tensor weight = wave({out, in}, 0.7).to(dtype),
                                 bias = hasBias ? wave({out}, 0.3).to(dtype) : at::Tensor(),
                                 x = wave({n, in}, 0.9).to(dtype);
                const at::Tensor zero = at::zeros({out}, at::kDouble);
                const at::Tensor offset = hasBias ? bias.to(at::kDouble) : zero;
                const at::Tensor exact =
                    at::linear(x.to(at::kDouble), weight.to(at::kDouble), offset);
                const at::Tensor terms =
                    at::linear(x.to(at::kDouble).abs(), weight.to(at::kDouble).abs(), offset.abs());
                const at::Tensor allowed =
                    terms * 1e-6 + exact.abs() * (dtype == at::kFloat ? 0 : 0x1p-8);
                const at::Tensor columns = x.t().contiguous().t();  // the same, another layout
                for (const at::Tensor& rows : {x, columns}) {
                    const at::Tensor y = multiplyRows(rows, weight, bias);
                    CHECK(y.scalar_type() == dtype);
                    CHECK_EQUAL(y.sizes().vec(), (std::vector<std::int64_t>{n, out}));
                    CHECK(((y.to(at::kDouble) - exact).abs() <= allowed).all().item<bool>());
                }
            }
        }
    }
}

TEST(manyRowsCanBeFollowedForGradients)
{
    const at::Tensor weight = wave({5, 63}, 0.7).to(at::kFloat).requires_grad_(),
                     x = wave({40, 63}, 0.9).to(at::kFloat);
    multiplyRows(x, weight, {}).sum().backward();
    CHECK(at::allclose(weight.grad(), x.sum(0).expand({5, 63}), 1e-4, 1e-5));
}

TEST(bf16ResultsAreRoundedToNearestEven)
{
    if (!canMultiply()) {
        SKIP("needs AVX2");
    }
    // 1 + 2^-8 lies between 1 and 1 + 2^-7: to even is down; 1 + 3 * 2^-8 goes up
    const std::uint16_t weight[] = {0x3f80, 0x3b80, 0x3f80, 0x3c40}, x[] = {0x3f80, 0x3f80};
    std::uint16_t y[2] = {};
    multiply(weight, nullptr, x, y, 2, 2);
    CHECK_EQUAL(y[0], std::uint16_t(0x3f80));
    CHECK_EQUAL(y[1], std::uint16_t(0x3f82));
}

TEST(partsOfRowsGiveTheWhole)
{
    const at::Tensor x = wave({100, 8}, 0.2);
    int parts = 0;
    const auto twice = [&](const at::Tensor& rows) {
        ++parts;
        return rows * 2;
    };
    CHECK(at::equal(byRows(x, 1, {}, twice), x * 2));
    CHECK_EQUAL(parts, 1);
    parts = 0;
    CHECK(at::equal(byRows(x, 100'000'000, {}, twice), x * 2));  // 30 rows at a time
    CHECK_EQUAL(parts, 4);
}

TEST(aStopEndsBetweenTwoParts)
{
    std::stop_source stop;
    int parts = 0;
    const auto work = [&](const at::Tensor& rows) {
        ++parts;
        stop.request_stop();
        return rows;
    };
    CHECK_THROWS(Cancelled, byRows(wave({100, 8}, 0.2), 100'000'000, stop.get_token(), work),
                 "cancelled");
    CHECK_EQUAL(parts, 1);
}

KVL_TEST_MAIN
