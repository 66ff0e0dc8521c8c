#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's
#include <ATen/Parallel.h>

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

json dataOf(const char* name)
{
    return json::parse(std::ifstream(std::filesystem::path(KVL_TEST_DATA) / name));
}

constexpr float infinity = std::numeric_limits<float>::infinity();

/// logits_of() of tests/reference/make_generation.py.
at::Tensor recordedLogits(const std::string& name)
{
    static const json cases = dataOf("model.json")["cases"];
    const auto of = [](const std::string& wanted) {
        for (const json& one : cases) {
            if (one["name"] == wanted) {
                return at::tensor(one["logits"].get<std::vector<float>>(), at::kFloat);
            }
        }
        return at::Tensor();
    };
    if (const at::Tensor recorded = of(name); recorded.defined()) {
        return recorded;
    }
    at::Tensor scores = of("text only");
    const at::Tensor places = at::arange(scores.size(0));
    if (name == "ties") {
        scores = scores.round();
    } else if (name == "mostly ruled out") {
        scores.masked_fill_(places.remainder(10) != 0, -infinity);
    } else if (name == "one left") {
        scores.masked_fill_(places != 123, -infinity);
    } else if (name == "extreme") {
        scores = scores * 1e35;
    } else if (name == "all equal") {
        scores = at::zeros({40});
    }
    return scores;
}

std::vector<std::int64_t> idsOf(const Candidates& left)
{
    const auto* ids = left.ids.const_data_ptr<std::int64_t>();
    return {ids, ids + left.ids.numel()};
}

}  // namespace

TEST(whatIsLeftOfRecordedLogitsIsWhatTransformersOwnProcessorsLeave)
{
    const json all = dataOf("generation.json")["choices"];
    CHECK_EQUAL(all.size(), std::size_t(21));
    for (const json& one : all) {
        at::Tensor logits = recordedLogits(one["logits"]);
        const auto before = one["before"].get<std::vector<TokenId>>();
        if (!before.empty()) {
            logits = penalise(logits, before, one["penalty"]);
        }
        const Candidates left = candidates(logits,
                                           {.temperature = one["temperature"],
                                            .topK = one["top_k"],
                                            .topP = one["top_p"],
                                            .minP = one["min_p"]});
        if (one["kept"].is_number()) {  // which of several equals is not said
            CHECK_EQUAL(left.ids.numel(), one["kept"].get<std::int64_t>());
        } else {
            CHECK_EQUAL(idsOf(left), one["kept"].get<std::vector<std::int64_t>>());
        }
        const at::Tensor probabilities = std::get<0>(left.scores.softmax(0).sort(0, true));
        for (std::size_t i = 0; i < one["probabilities"].size(); ++i) {
            CHECK(std::abs(probabilities[std::int64_t(i)].item<double>() -
                           one["probabilities"][i].get<double>()) < 1e-6);
        }
    }
}

TEST(betweenEqualsTopPDropsTheLowerIdsFirst)
{
    const Candidates left =
        candidates(at::zeros({10}), {.temperature = 1, .topK = 0, .topP = 0.35});
    CHECK_EQUAL(idsOf(left), (std::vector<std::int64_t>{6, 7, 8, 9}));
}

TEST(thePenaltySeesOnlyWhatWasChosenAndEachIdOnce)
{
    // 0 has 3, then 1 has 2.9, then 2 has 2.8: by twos the ids come in turn
    const at::Tensor logits = at::tensor({3.0F, 2.9F, 2.8F, -1.0F}, at::kFloat);
    Sampler sampler({.repetitionPenalty = 2});
    CHECK_EQUAL(sampler(logits), 0);
    CHECK_EQUAL(sampler(logits), 1);
    CHECK_EQUAL(sampler(logits), 2);
    CHECK_EQUAL(sampler(logits), 0);  // all by two, so the first again, not by four
    CHECK_EQUAL(sampler(logits), 0);
    CHECK(at::equal(penalise(logits, {3, 3, 0}, 2), at::tensor({1.5F, 2.9F, 2.8F, -2.0F})));
    CHECK_EQUAL(logits[0].item<float>(), 3.0F);  // the model's own are left alone
}

TEST(drawsDoNotDependOnTheNumberOfThreads)
{
    const at::Tensor logits = recordedLogits("text only").repeat({100});
    const int threads = at::get_num_threads();
    std::vector<TokenId> first;
    for (const int count : {1, 2, 3}) {
        at::set_num_threads(count);
        Sampler sampler({.temperature = 1.5, .topK = 0, .topP = 0.98, .seed = 4});
        std::vector<TokenId> drawn;
        for (int i = 0; i < 20; ++i) {
            drawn.push_back(sampler(logits));
        }
        first = first.empty() ? drawn : first;
        CHECK_EQUAL(drawn, first);
    }
    at::set_num_threads(threads);
}

TEST(whatTheModelRulesOutIsNeverDrawn)
{
    const at::Tensor logits = recordedLogits("mostly ruled out");
    Sampler sampler({.temperature = 100, .topK = 0, .seed = 2});
    for (int i = 0; i < 500; ++i) {
        CHECK_EQUAL(sampler(logits) % 10, 0);
    }
}

TEST(whatIsLeftIsWhatTransformersLeaves)
{
    const json all =
        json::parse(std::ifstream(std::filesystem::path(KVL_TEST_DATA) / "model.json"))["sampler"];
    CHECK_EQUAL(all.size(), std::size_t(7));
    for (const json& one : all) {
        const Candidates left = candidates(
            goldenScores(one["ties"]),
            {.temperature = one["temperature"], .topK = one["top_k"], .topP = one["top_p"]});
        CHECK_EQUAL(idsOf(left), one["kept"].get<std::vector<std::int64_t>>());
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
    CHECK_THROWS(Error, greedy(at::full({10}, infinity)), "not numbers");
    CHECK_THROWS(Error, drawn(at::full({10}, infinity)), "not numbers");
    CHECK_THROWS(Error, greedy(at::full({10}, -infinity)), "not numbers");
    CHECK_THROWS(Error, drawn(at::full({10}, -infinity)), "not numbers");
}

TEST(optionsThatNoLogitsSurviveAreNamed)
{
    const at::Tensor logits = at::tensor({3.0F, -2.0F}, at::kFloat);
    Sampler cold({.temperature = 1e-40}), frozen({.temperature = 1e-60});
    CHECK_THROWS(Error, cold(logits), "temperature is 1e-40");
    CHECK_THROWS(Error, frozen(logits), "temperature is 1e-60");
    Sampler rewarded({.repetitionPenalty = 1e-40});
    CHECK_EQUAL(rewarded(logits), 0);
    CHECK_THROWS(Error, rewarded(logits), "repetition penalty is 1e-40");
}

KVL_TEST_MAIN
