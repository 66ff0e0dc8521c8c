// tests/data/training.json: what tests/reference/make_training.py recorded from PyTorch.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/error.h"
#include "inference/matrix.h"
#include "inference/train/learner.h"
#include "inference/train/optimizer.h"
#include "inference/train/products.h"
#include "inference/train/schedule.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

using namespace inference;
using namespace inference::train;
using nlohmann::json;

namespace {

constexpr double tolerance = 1e-4;  // of the largest value, fp32

const json& golden()
{
    static const json all =
        json::parse(std::ifstream(std::filesystem::path(KVL_TEST_DATA) / "training.json"));
    return all;
}

const Checkpoint& checkpoint()
{
    static const test::TemporaryFolder folder;
    static const Checkpoint one = [] {
        test::writeCheckpoint(
            folder.path(),
            {.shape = "tiny",
             .seed = golden()["seed"].get<std::uint64_t>(),
             .tokenizer = std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small"});
        json config = json::parse(std::ifstream(folder.path() / "config.json"));
        config["force_image_size"] = golden()["side"];
        std::ofstream(folder.path() / "config.json") << config << std::flush;
        return Checkpoint(folder.path());
    }();
    return one;
}

std::unique_ptr<Learner> makeLearner(bool recompute = false, Frozen frozen = {})
{
    Learner::Options options;
    options.recompute = recompute;
    options.frozen = frozen;
    return std::make_unique<Learner>(checkpoint(), options, OnProgress(), std::stop_token());
}

Request requestOf(const json& row)
{
    Request request;
    request.system.preset = SystemPrompt::Preset::None;
    for (const json& turn : row["turns"]) {
        request.messages.push_back({Role::User, turn[0], {}});
        request.messages.push_back({Role::Assistant, turn[1], {}});
    }
    if (const json& image = row["image"]; !image.is_null()) {
        request.messages.front().images.push_back(
            test::seededImage(image[0], image[1], image[2].get<std::uint32_t>()));
    }
    return request;
}

Example only(std::vector<Example> examples)
{
    CHECK_EQUAL(examples.size(), std::size_t(1));
    return std::move(examples.front());
}

std::vector<Example> examples(const Learner& learner)
{
    std::vector<Example> all;
    for (const json& row : golden()["rows"]) {
        all.push_back(only(learner.prepare({{requestOf(row)}, {}})));
    }
    return all;
}

/// One with a picture and one without: for tests that need no golden.
std::vector<Example> pair(const Learner& learner)
{
    const json& rows = golden()["rows"];
    return {only(learner.prepare({{requestOf(rows[1])}, {}})),
            only(learner.prepare({{requestOf(rows[2])}, {}}))};
}

template <typename T>
std::vector<T> fromRuns(const json& runs)
{
    std::vector<T> all;
    for (const json& run : runs) {
        all.insert(all.end(), run[1].get<std::size_t>(), T(run[0].get<int>()));
    }
    return all;
}

double targets(const std::vector<Example>& all)
{
    std::int64_t count = 0;
    for (const Example& one : all) {
        count += one.targets();
    }
    return double(count);
}

void checkGradients(Learner& learner)
{
    std::map<std::string, const Parameter*> byName;
    for (const Parameter& one : learner.parameters()) {
        byName[one.name] = &one;
    }
    double worst = 0;
    std::string where;
    CHECK_EQUAL(golden()["gradients"].size(), byName.size());
    for (const auto& [name, expected] : golden()["gradients"].items()) {
        const at::Tensor& gradient = byName.at(name)->gradient;
        CHECK(gradient.defined());
        const at::Tensor flat = gradient.contiguous().flatten();
        const double largest = expected["largest"], length = expected["length"];
        double error = std::abs(flat.norm().item<double>() - length) / length;
        for (std::size_t i = 0; i < expected["places"].size(); ++i) {
            const double value = expected["values"][i];
            const double found = flat[expected["places"][i].get<std::int64_t>()].item<double>();
            error = std::max(error, std::abs(found - value) / largest);
        }
        if (error > worst) {
            worst = error;
            where = name;
        }
    }
    std::printf("       gradients: error %.2g of the largest value at most, %s\n", worst,
                where.c_str());
    if (!(worst <= tolerance)) {
        test::fail(__FILE__, __LINE__, where + " differs by " + test::show(worst));
    }
}

bool isEqual(const at::Tensor& a, const at::Tensor& b)
{
    return a.defined() == b.defined() && (!a.defined() || at::equal(a, b));
}

}  // namespace

TEST(conversationsBecomeTheReferencesTokensAndTargets)
{
    const auto learner = makeLearner();
    const std::vector<Example> all = examples(*learner);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK_EQUAL(all[i].ids, fromRuns<TokenId>(golden()["rows"][i]["ids"]));
        CHECK_EQUAL(all[i].learnt, fromRuns<bool>(golden()["rows"][i]["learnt"]));
    }
    CHECK_EQUAL(targets(all), golden()["targets"].get<double>());
}

TEST(lossesOfPackedConversationsAreThoseOfTheReferenceAlone)
{
    const auto learner = makeLearner();
    const std::vector<Example> all = examples(*learner);
    double sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double expected = golden()["sums"][i];
        const double found = learner->loss({&all[i], 1}).item<double>();
        CHECK(std::abs(found - expected) <= tolerance * expected);
        sum += expected;
    }
    CHECK(std::abs(learner->loss(all).item<double>() - sum) <= tolerance * sum);
}

TEST(gradientsAreThoseOfTheReference)
{
    const auto learner = makeLearner();
    const std::vector<Example> all = examples(*learner);
    (learner->loss(all) / targets(all)).backward();
    collectGradients(learner->parameters());
    checkGradients(*learner);
}

TEST(gradientsOfTheProductsOfATrainingAreThoseOfTheReference)
{
    const Products products(false);
    const auto learner = makeLearner();
    const std::vector<Example> all = examples(*learner);
    (learner->loss(all) / targets(all)).backward();
    collectGradients(learner->parameters());
    checkGradients(*learner);
}

TEST(productsOfRoundedFactorsDifferByTheRoundingOfBf16)
{
    at::manual_seed(1);
    const at::Tensor x = at::randn({70, 40}), weight = at::randn({50, 40}), bias = at::randn({50});
    const at::Tensor direction = at::randn({70, 50});
    const auto gradients = [&] {
        std::vector<at::Tensor> leaves;
        for (const at::Tensor& one : {x, weight, bias}) {
            leaves.push_back(one.clone().set_requires_grad(true));
        }
        const at::Tensor y = multiplyRows(leaves[0], leaves[1], leaves[2]);
        y.backward(direction);
        return std::vector<at::Tensor>{y.detach(), leaves[0].grad(), leaves[1].grad(),
                                       leaves[2].grad()};
    };
    const std::vector<at::Tensor> exact = gradients();
    const Products products(true);
    const std::vector<at::Tensor> rounded = gradients();
    for (std::size_t i = 0; i < exact.size(); ++i) {
        // each factor is off by 2^-9 at most, both sums of 40 to 70 random terms by a share of that
        const double error = ((exact[i] - rounded[i]).norm() / exact[i].norm()).item<double>();
        CHECK(error < std::ldexp(1.0, -8));
        CHECK(i == 3 || error > std::ldexp(1.0, -12));  // not the bias: nothing is rounded
        CHECK(rounded[i].scalar_type() == at::kFloat);
    }
}

TEST(conversationsAboutOnePictureLearnWhatEachLearnsAlone)
{
    Request first = requestOf(golden()["rows"][2]), second = first;
    second.messages[0].text = "Why?";
    second.messages[1].text = "Because.";
    std::vector<at::Tensor> gradients;
    double losses[2] = {0, 0};
    for (const bool together : {false, true}) {
        const auto learner = makeLearner();
        std::vector<Example> all;
        if (together) {
            all = learner->prepare({{first, second}, {}});
            CHECK_EQUAL(all.size(), std::size_t(2));
            CHECK(!all[0].tiles.empty() && all[1].tiles.empty() && all[1].sharesTiles);
        } else {
            all = {only(learner->prepare({{first}, {}})), only(learner->prepare({{second}, {}}))};
        }
        const at::Tensor loss = learner->loss(all);
        losses[int(together)] = loss.item<double>();
        loss.backward();
        collectGradients(learner->parameters());
        for (std::size_t i = 0; i < learner->parameters().size(); ++i) {
            const at::Tensor& gradient = learner->parameters()[i].gradient;
            if (together) {
                CHECK(at::allclose(gradient, gradients[i], 1e-3, 1e-3));
            } else {
                gradients.push_back(gradient);
            }
        }
    }
    CHECK(std::abs(losses[0] - losses[1]) <= 1e-4 * losses[0]);
}

TEST(layersComputedAgainGiveTheSameGradients)
{
    const auto kept = makeLearner(), again = makeLearner(true);
    const std::vector<Example> all = examples(*kept);
    for (Learner* learner : {kept.get(), again.get()}) {
        (learner->loss(all) / targets(all)).backward();
        collectGradients(learner->parameters());
    }
    checkGradients(*again);
    for (std::size_t i = 0; i < kept->parameters().size(); ++i) {
        CHECK(at::allclose(kept->parameters()[i].gradient, again->parameters()[i].gradient, 1e-4,
                           1e-5));
    }
}

TEST(frozenPartsGetNoGradientAndTheOthersTheSame)
{
    const auto all = makeLearner();
    const std::vector<Example> some = pair(*all);
    all->loss(some).backward();
    collectGradients(all->parameters());
    for (const Frozen frozen :
         {Frozen{true, false, false}, Frozen{false, true, false}, Frozen{false, false, true},
          Frozen{true, true, false}, Frozen{true, false, true}}) {
        for (const bool recompute : {false, true}) {
            const auto learner = makeLearner(recompute, frozen);
            learner->loss(some).backward();
            collectGradients(learner->parameters());
            for (std::size_t i = 0; i < all->parameters().size(); ++i) {
                const Parameter& one = learner->parameters()[i];
                CHECK_EQUAL(one.gradient.defined(), !frozen.contains(one.name));
                CHECK(!one.gradient.defined() ||
                      at::allclose(one.gradient, all->parameters()[i].gradient, 1e-3, 1e-3));
            }
        }
    }
}

TEST(weightDecaySparesWhatTheReferenceSpares)
{
    const auto learner = makeLearner();
    std::vector<std::string> spared;
    for (const Parameter& one : learner->parameters()) {
        if (!one.decays) {
            spared.push_back(one.name);
        }
    }
    std::sort(spared.begin(), spared.end());
    CHECK_EQUAL(spared, golden()["no_decay"].get<std::vector<std::string>>());
}

TEST(twentyStepsGiveTheReferencesLosses)
{
    const json& options = golden()["options"];
    const Products products(false);
    const auto learner = makeLearner();
    const std::vector<Example> all = examples(*learner);
    AdamW optimizer(learner->parameters(),
                    {.beta1 = options["beta1"],
                     .beta2 = options["beta2"],
                     .epsilon = options["epsilon"],
                     .weightDecay = options["decay"]});
    double worst = 0, worstLength = 0;
    for (std::size_t step = 0; step < golden()["steps"].size(); ++step) {
        const json& expected = golden()["steps"][step];
        double loss = 0;
        for (std::size_t first : {0, 2}) {
            const at::Tensor part = learner->loss({&all[first], 2}) / targets(all);
            part.backward();
            collectGradients(learner->parameters());
            loss += part.item<double>();
        }
        const double length = clipGradients(learner->parameters(), options["longest"]);
        const double rate = options["rate"].get<double>() *
            cosineWithWarmup(std::int64_t(step), options["steps"], options["warmup"]);
        CHECK(std::abs(rate - expected["rate"].get<double>()) < 1e-12);
        worst = std::max(worst, std::abs(loss - expected["loss"].get<double>()));
        worstLength =
            std::max(worstLength, std::abs(length / expected["length"].get<double>() - 1));
        optimizer.step(rate);
        publish(learner->parameters());
    }
    std::printf("       losses differ by %.2g at most, gradient lengths by %.2g\n", worst,
                worstLength);
    CHECK(worst <= 1e-4);
    CHECK(worstLength <= 1e-3);
}

TEST(theSameStepsGiveTheSameBytes)
{
    std::vector<std::unique_ptr<Learner>> learners;
    for (int run = 0; run < 2; ++run) {
        learners.push_back(makeLearner(true));
        Learner& learner = *learners.back();
        const std::vector<Example> all = pair(learner);
        AdamW optimizer(learner.parameters(), {});
        for (int step = 0; step < 3; ++step) {
            (learner.loss(all) / targets(all)).backward();
            collectGradients(learner.parameters());
            clipGradients(learner.parameters(), 1);
            optimizer.step(1e-3);
        }
    }
    for (std::size_t i = 0; i < learners[0]->parameters().size(); ++i) {
        CHECK(isEqual(learners[0]->parameters()[i].master, learners[1]->parameters()[i].master));
    }
}

KVL_TEST_MAIN
