#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's
#include <ATen/core/grad_mode.h>

#include "inference/train/dense_head.h"
#include "support/test.h"

#include <cmath>

using namespace inference;
using namespace inference::train;

namespace {

constexpr std::int64_t width = 8, side = 4;  // 4 x 4 tokens of 2 x 2 patches
constexpr int classes = 11;

struct Head {
    std::vector<Parameter> parameters;
    DenseHead head{width, side, 1, at::TensorOptions(at::kFloat), parameters};

    /// Then every value is as likely as every other.
    void clear()
    {
        for (Parameter& one : parameters) {
            const at::NoGradGuard noGrad;
            one.value.zero_();
        }
    }
    at::Tensor gradient(std::size_t index) { return parameters[index].value.grad(); }
};

/// An object of 10 % around a centre.
mini::Object object(mini::Thing thing, double x, double y, int colour = -1)
{
    return {thing, {x - 5, y - 5, x + 5, y + 5}, colour};
}

}  // namespace

TEST(aHeadThatKnowsNothingLosesTheLogarithmsOfTheChoices)
{
    Head head;
    head.clear();
    const at::Tensor tokens = at::ones({2 * side * side, width});
    const std::vector<std::vector<mini::Object>> pictures{
        {object(mini::Thing::Bump, 20, 30, 2), object(mini::Thing::Opening, 70, 80)}, {}};
    const double found = head.head.loss(tokens, pictures).item<double>();
    // 64 patches of 2 pictures; 2 objects with 7 + 1 colours and places of 100 values
    const double expected = 2 * 64 * std::log(classes) + 2 * (std::log(8) + std::log(100));
    CHECK(std::abs(found - expected) < 1e-3);
}

TEST(anObjectBelongsToThePatchOfItsCentre)
{
    Head head;
    head.clear();
    at::Tensor tokens = at::zeros({side * side, width});
    // x 60 % of 8 patches is column 4, y 40 % row 3: token row 1 column 2, its lower left patch
    const std::int64_t token = 1 * side + 2, patch = 1 * 2 + 0;
    tokens[token] = 1;
    const std::vector<std::vector<mini::Object>> pictures{{object(mini::Thing::Bump, 60, 40)}};
    head.head.loss(tokens, pictures).backward();
    const at::Tensor ofClasses = head.gradient(0);
    // softmax minus one at what is there: nothing in three patches, a bump in the fourth
    for (std::int64_t slot = 0; slot < 4; ++slot) {
        for (std::int64_t kind = 0; kind < classes; ++kind) {
            const bool there = kind == (slot == patch ? std::int64_t(mini::Thing::Bump) + 1 : 0);
            const double expected = 1.0 / classes - (there ? 1 : 0);
            const double found = ofClasses[slot * classes + kind][0].item<double>();
            CHECK(std::abs(found - expected) < 1e-5);
        }
    }
    // of the places, only those of that patch are told, and x is most at 60
    const at::Tensor x = head.gradient(2).select(1, 0).view({4, 7, 100}).select(1, 0);
    CHECK_EQUAL(x[patch].argmin().item<std::int64_t>(), std::int64_t(60));
    CHECK_EQUAL(x.abs().sum(1).count_nonzero().item<std::int64_t>(), std::int64_t(1));
}

TEST(aPlaceBetweenTwoPercentsIsBoth)
{
    Head head;
    head.clear();
    at::Tensor tokens = at::ones({side * side, width});
    const std::vector<std::vector<mini::Object>> pictures{{object(mini::Thing::Bump, 31.5, 40)}};
    head.head.loss(tokens, pictures).backward();
    const at::Tensor x = head.gradient(2).select(1, 0).view({4, 7, 100}).select(1, 0).sum(0);
    CHECK(std::abs(x[31].item<double>() - x[32].item<double>()) < 1e-6);
    CHECK(x[31].item<double>() < x[30].item<double>());
}

TEST(itsWeightsAreNoPartOfTheModel)
{
    Head head;
    CHECK_EQUAL(head.parameters.size(), std::size_t(3));
    for (const Parameter& one : head.parameters) {
        CHECK(one.passing && one.master.defined() && one.value.requires_grad());
    }
}

KVL_TEST_MAIN
