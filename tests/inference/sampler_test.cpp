#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/error.h"
#include "inference/sampler.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

using namespace inference;
using nlohmann::json;

namespace {

/// The scores of tests/reference/make_model.py; `ties`: multiples of 1/8.
at::Tensor goldenScores(bool ties)
{
    std::vector<float> scores;
    const std::uint64_t key = test::weightKey("sampler", 1);
    for (std::uint64_t i = 0; i < 600; ++i) {
        const float weight = 1 + test::weightValue(key, i) * 0.25F;
        const float score = (weight - 1) * 4 * 6;
        scores.push_back(ties ? std::nearbyint(score * 8) / 8 : score);
    }
    return at::tensor(scores, at::kFloat);
}

}  // namespace

TEST(whatIsLeftIsWhatTransformersLeaves)
{
    const json all =
        json::parse(std::ifstream(std::filesystem::path(KVL_TEST_DATA) / "model.json"))["sampler"];
    CHECK_EQUAL(all.size(), std::size_t(7));
    for (const json& one : all) {
        const Candidates left = candidates(
            goldenScores(one["ties"]),
            {.temperature = one["temperature"], .topK = one["top_k"], .topP = one["top_p"]});
        const auto* ids = left.ids.const_data_ptr<std::int64_t>();
        CHECK_EQUAL(std::vector<std::int64_t>(ids, ids + left.ids.numel()),
                    one["kept"].get<std::vector<std::int64_t>>());
        const at::Tensor probabilities = left.scores.softmax(0);
        for (std::size_t i = 0; i < one["probabilities"].size(); ++i) {
            CHECK(std::abs(probabilities[std::int64_t(i)].item<double>() -
                           one["probabilities"][i].get<double>()) < 1e-6);
        }
    }
}

TEST(betweenEqualsTheLowerIdWins)
{
    Sampler greedy({});
    at::Tensor logits = at::zeros({151936});
    logits[77] = 1;
    logits[76] = 1;
    logits[150000] = 1;
    CHECK_EQUAL(greedy(logits), 76);
    CHECK_EQUAL(greedy(logits.to(at::kBFloat16)), 76);
    // 1.001 and 1.002 are both 1 in bf16, and the lower id comes first
    logits[77] = 1.002;
    logits[76] = 1.001;
    CHECK_EQUAL(greedy(logits), 77);
    CHECK_EQUAL(greedy(logits.to(at::kBFloat16)), 76);
}

TEST(drawsFollowTheProbabilities)
{
    const at::Tensor logits =
        at::tensor({std::log(0.7F), std::log(0.2F), std::log(0.1F)}, at::kFloat);
    Sampler sampler({.temperature = 1, .topK = 0, .seed = 3});
    int counts[3] = {};
    for (int i = 0; i < 4000; ++i) {
        ++counts[sampler(logits)];
    }
    CHECK(std::abs(counts[0] - 2800) < 150);  // five standard deviations
    CHECK(std::abs(counts[1] - 800) < 130);
}

TEST(aSeedRepeatsItsDraws)
{
    const at::Tensor logits = goldenScores(false);
    Sampler a({.temperature = 2, .topK = 0, .seed = 9}),
        b({.temperature = 2, .topK = 0, .seed = 9}), c({.temperature = 2, .topK = 0, .seed = 10});
    int same = 0;
    for (int i = 0; i < 50; ++i) {
        const TokenId id = a(logits);
        CHECK_EQUAL(b(logits), id);
        same += c(logits) == id;
    }
    CHECK(same < 25);
}

TEST(valuesThatAreNotNumbersAreAnError)
{
    at::Tensor logits = at::zeros({10});
    logits[9] = std::numeric_limits<float>::quiet_NaN();
    Sampler greedy({}), drawn({.temperature = 1});
    CHECK_THROWS(Error, greedy(logits), "not numbers");
    CHECK_THROWS(Error, drawn(logits), "not numbers");
}

KVL_TEST_MAIN
