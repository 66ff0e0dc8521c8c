// tests/data/generation.json: what tests/reference/make_generation.py recorded from transformers.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/error.h"
#include "inference/kvl_engine.h"
#include "inference/log_probabilities.h"
#include "inference/scoring.h"
#include "inference/weights.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

using namespace inference;
using nlohmann::json;

namespace {

constexpr double tolerance = 1e-4;
constexpr TokenId endOfTurn = 1258;  // of the small tokenizer

json dataOf(const char* name)
{
    return json::parse(std::ifstream(std::filesystem::path(KVL_TEST_DATA) / name));
}

const json& golden()
{
    static const json all = dataOf("generation.json");
    return all;
}

std::unique_ptr<KvlEngine> load(const std::string& dtype = "fp32")
{
    return std::make_unique<KvlEngine>(LoadOptions{test::tinyCheckpoint(), "cpu", dtype},
                                       OnProgress{}, std::stop_token{});
}

/// The question of a case of make_model.py.
Request questionOf(const std::string& name)
{
    static const json cases = dataOf("model.json")["cases"];
    for (const json& one : cases) {
        if (one["name"] != name) {
            continue;
        }
        Request request;
        request.system.preset =
            one["system"] == "none" ? SystemPrompt::Preset::None : SystemPrompt::Preset::Default;
        Message question{Role::User, one["question"], {}};
        for (const json& image : one["images"]) {
            question.images.push_back(
                test::seededImage(image[0], image[1], image[2].get<std::uint32_t>()));
        }
        request.messages.push_back(question);
        return request;
    }
    throw std::runtime_error("no case " + name);
}

void checkScores(const json& expected)
{
    ScoreRequest request{questionOf(expected["name"]), {}, true};
    for (const json& one : expected["continuations"]) {
        Continuation continuation{one["text"], {}};
        if (continuation.text.empty()) {
            continuation.ids = one["ids"].get<std::vector<TokenId>>();
        }
        request.continuations.push_back(continuation);
    }
    const Scores scores = load()->score(request, {});
    CHECK_EQUAL(scores.continuations.size(), expected["continuations"].size());
    double error = 0;
    for (std::size_t i = 0; i < scores.continuations.size(); ++i) {
        const json& one = expected["continuations"][i];
        const Score& score = scores.continuations[i];
        auto ids = one["ids"].get<std::vector<TokenId>>();
        ids.push_back(endOfTurn);
        CHECK_EQUAL(score.tokens.size(), ids.size());
        double sum = 0;
        for (std::size_t k = 0; k < ids.size(); ++k) {
            CHECK_EQUAL(score.tokens[k].id, ids[k]);
            const double value = one["logprobs"][k].get<double>();
            error = std::max(error, std::abs(double(score.tokens[k].logprob) - value));
            sum += value;
        }
        CHECK(std::abs(score.sum - sum) < tolerance * double(ids.size()));
        CHECK(std::abs(score.mean - score.sum / double(ids.size())) < 1e-12);
    }
    std::printf("       log-probabilities: error %.2g\n", error);
    CHECK(error <= tolerance);
}

/// Greedy answers with and without a repetition penalty, and the logits they were chosen from.
void checkAnswers(const json& expected)
{
    const auto engine = load();
    for (const json& one : expected["penalties"]) {
        Request request = questionOf(expected["name"]);
        request.sampling.repetitionPenalty = one["penalty"];
        request.maxNewTokens = int(one["new_ids"].size());
        request.topLogprobs = 3;
        const Answer answer = engine->generate(request, {}, {});
        CHECK_EQUAL(answer.newIds, one["new_ids"].get<std::vector<TokenId>>());
        CHECK_EQUAL(answer.logprobs.size(), answer.newIds.size());
        for (std::size_t i = 0; i < answer.newIds.size(); ++i) {
            const StepLogprobs& step = answer.logprobs[i];
            CHECK_EQUAL(step.chosen.id, answer.newIds[i]);
            CHECK(std::abs(double(step.chosen.logprob) - one["logprobs"][i].get<double>()) <=
                  tolerance);
            CHECK_EQUAL(step.top.size(), std::size_t(3));
            for (std::size_t k = 0; k < 3; ++k) {
                CHECK(std::abs(double(step.top[k].logprob) - one["top"][i][k][1].get<double>()) <=
                      tolerance);
            }
            CHECK_EQUAL(step.top[0].id, one["top"][i][0][0].get<TokenId>());
        }
    }
}

Continuation text(const std::string& text)
{
    return {text, {}};
}

double largestDifference(const Score& a, const Score& b)
{
    CHECK_EQUAL(a.tokens.size(), b.tokens.size());
    double largest = 0;
    for (std::size_t i = 0; i < a.tokens.size(); ++i) {
        CHECK_EQUAL(a.tokens[i].id, b.tokens[i].id);
        largest = std::max(largest, std::abs(double(a.tokens[i].logprob - b.tokens[i].logprob)));
    }
    return largest;
}

}  // namespace

TEST(textAloneGivesTheReferencesTeacherForcedValues)
{
    checkScores(golden()["scores"][0]);
}

TEST(aPictureOfOneTileGivesTheReferencesTeacherForcedValues)
{
    checkScores(golden()["scores"][1]);
}

TEST(aPictureOfThirteenTilesGivesTheReferencesTeacherForcedValues)
{
    checkScores(golden()["scores"][2]);
}

TEST(textAloneGivesTheAnswersAndLogprobsOfGenerateUnderAPenalty)
{
    checkAnswers(golden()["repetition"][0]);
}

TEST(aPictureOfOneTileGivesTheAnswersAndLogprobsOfGenerateUnderAPenalty)
{
    checkAnswers(golden()["repetition"][1]);
}

TEST(aPictureOfThirteenTilesGivesTheAnswersAndLogprobsOfGenerateUnderAPenalty)
{
    checkAnswers(golden()["repetition"][2]);
}

TEST(anAnswersOwnLogprobsAreItsScore)
{
    const auto engine = load();
    Request request = questionOf("one tile");
    request.maxNewTokens = 40;
    request.topLogprobs = 0;
    request.sampling = {.temperature = 1.3, .topP = 0.9, .minP = 0.01, .repetitionPenalty = 1.2};
    const Answer answer = engine->generate(request, {}, {});
    const Scores scores = engine->score({request, {{"", answer.newIds}}}, {});
    CHECK_EQUAL(scores.promptIds, answer.promptIds);
    CHECK_EQUAL(scores.cachedTokens, int(answer.promptIds.size()) - 1);
    CHECK_EQUAL(scores.seconds.vision, 0.0);
    for (std::size_t i = 0; i < answer.newIds.size(); ++i) {
        CHECK(answer.logprobs[i].top.empty());
        CHECK(std::abs(double(scores.continuations[0].tokens[i].logprob -
                              answer.logprobs[i].chosen.logprob)) <= tolerance);
    }
}

TEST(whatIsScoredBesideAContinuationDoesNotChangeIt)
{
    const auto engine = load();
    const Request request = questionOf("one tile");
    const std::vector<Continuation> all{text("The answer is yes"),
                                        text("The answer is no"),
                                        text("The answer"),
                                        text("The answer is yes"),
                                        text("no"),
                                        text("The answer is yes, I see")};
    const Scores together = engine->score({request, all}, {});
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Scores alone = load()->score({request, {all[i]}}, {});
        CHECK_EQUAL(alone.cachedTokens, 0);
        CHECK(largestDifference(together.continuations[i], alone.continuations[0]) < 1e-4);
    }
}

TEST(aScoreLeavesThePromptAndNothingElseBehind)
{
    const auto engine = load();
    Request request = questionOf("one tile");
    request.maxNewTokens = 12;
    const Scores first = engine->score({request, {text("yes"), text("something longer")}}, {});
    CHECK_EQUAL(first.cachedTokens, 0);
    CHECK_EQUAL(first.pictures.computed, 1);
    const Answer answer = engine->generate(request, {}, {});
    CHECK_EQUAL(answer.cachedTokens, int(answer.promptIds.size()) - 1);
    CHECK_EQUAL(answer.newIds, load()->generate(request, {}, {}).newIds);
    const Scores again = engine->score({request, {text("yes"), text("something longer")}}, {});
    CHECK_EQUAL(again.cachedTokens, int(answer.promptIds.size()) - 1);
    CHECK(largestDifference(first.continuations[1], again.continuations[1]) < 1e-4);
}

TEST(manyRowsOfLogitsComeInPartsAndAgreeWithAllAtOnce)
{
    const Checkpoint checkpoint(test::tinyCheckpoint());
    Weights weights(checkpoint, at::kCPU, at::kFloat, {}, {});
    const LanguageModel language(weights);
    const at::Tensor ids = at::arange(100).remainder(97).to(at::kLong);
    KvCache cache = language.makeCache();
    const at::Tensor states = language.states(language.embed(ids), cache, {});
    std::vector<TokenId> next(100);
    for (int i = 0; i < 100; ++i) {
        next[std::size_t(i)] = i * 11 % 1280;
    }
    const std::vector<float> parts = logprobsOf(language, states, next, {});
    const at::Tensor whole = logProbabilities(language.logits(states));
    CHECK_EQUAL(parts.size(), next.size());
    for (std::size_t i = 0; i < next.size(); ++i) {
        CHECK(std::abs(parts[i] - whole[std::int64_t(i)][next[i]].item<float>()) < 1e-5F);
    }
}

TEST(thinkingTagsAreTokensAndOtherControlTokensAreText)
{
    const auto engine = load();
    const Request request = questionOf("text only");
    const Scores scores =
        engine->score({request, {text("<think>a</think>b"), text("<|im_end|>"), text("a b")}}, {});
    CHECK_EQUAL(scores.continuations[0].tokens.size(), std::size_t(4));
    CHECK(scores.continuations[1].tokens.size() > 3);
    for (const TokenLogprob& token : scores.continuations[1].tokens) {
        CHECK(token.id != endOfTurn);
    }
    const Scores ended = engine->score({request, {text("a b")}, true}, {});
    CHECK_EQUAL(ended.continuations[0].tokens.size(), scores.continuations[2].tokens.size() + 1);
    CHECK_EQUAL(ended.continuations[0].tokens.back().id, endOfTurn);
}

TEST(whatCannotBeScoredIsRefusedInASentence)
{
    const auto engine = load();
    const Request request = questionOf("text only");
    CHECK_THROWS(Error, engine->score({request, {}}, {}), "nothing to score");
    CHECK_THROWS(Error, engine->score({request, {text("a"), text("")}}, {}),
                 "Continuation 2 is empty");
    CHECK_THROWS(Error, engine->score({request, {text("a\xff")}}, {}), "Continuation 1: ");
    CHECK_THROWS(Error, engine->score({request, {{"", {5, 1 << 20}}}}, {}), "the token 1048576");
    CHECK_THROWS(Error, engine->score({request, {{"", {-1}}}}, {}), "the token -1");
    CHECK_THROWS(Error, engine->score({request, {{"", std::vector<TokenId>(9000, 5)}}}, {}),
                 "too many");
    Request noQuestion;
    CHECK_THROWS(Error, engine->score({noQuestion, {text("a")}}, {}), "question");
}

TEST(aStoppedScoreThrowsAndTheNextIsAsFromACold)
{
    const auto engine = load();
    const ScoreRequest request{questionOf("one tile"), {text("yes"), text("no, it is not")}};
    std::stop_source stop;
    stop.request_stop();
    CHECK_THROWS(Cancelled, engine->score(request, stop.get_token()), "cancelled");
    const Scores next = engine->score(request, {});
    const Scores cold = load()->score(request, {});
    CHECK(largestDifference(next.continuations[1], cold.continuations[1]) < 1e-4);
}

TEST(theLikeliestComeFirstAndTheLowerIdBetweenEquals)
{
    at::Tensor logits = at::zeros({6});
    logits[4] = 2;
    logits[1] = 1;
    logits[3] = 1;
    const StepLogprobs step = stepLogprobs(logits.to(at::kBFloat16), 5, 4);
    CHECK_EQUAL(step.chosen.id, 5);
    const double all = std::log(std::exp(2) + 2 * std::exp(1) + 3);
    CHECK(std::abs(double(step.chosen.logprob) + all) < 1e-6);
    const std::vector<TokenId> expected{4, 1, 3, 0};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK_EQUAL(step.top[i].id, expected[i]);
    }
    CHECK(std::abs(double(step.top[0].logprob) - 2 + all) < 1e-6);
    CHECK_EQUAL(stepLogprobs(logits, 0, 100).top.size(), std::size_t(6));
}

TEST(logprobsCostNothingWhereTheyAreNotAskedFor)
{
    Request request = questionOf("text only");
    request.maxNewTokens = 4;
    CHECK(load()->generate(request, {}, {}).logprobs.empty());
    request.topLogprobs = -1;
    CHECK_THROWS(Error, load()->generate(request, {}, {}), "log-probabilities is -1");
}

KVL_TEST_MAIN
