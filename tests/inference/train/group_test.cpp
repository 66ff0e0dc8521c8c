#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/checkpoint.h"
#include "inference/error.h"
#include "inference/safetensors.h"
#include "inference/train/processes.h"
#include "inference/train/training.h"
#include "inference/train/training_log.h"
#include "support/few_conversations.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <algorithm>
#include <cmath>
#include <cstring>

// Two processes on the CPU against one, by the library. This program is both: the second process
// trains along in whatever its first word names.
using namespace inference;
using namespace inference::train;
namespace fs = std::filesystem;

namespace {

struct Variant {
    const char* name;
    TrainingOptions options;
};

TrainingOptions eightSteps(const fs::path& model)
{
    TrainingOptions options;
    options.model = model;
    options.steps = 8;
    options.learningRate = 1e-3;
    options.device = "cpu";
    return options;
}

/// Of ten conversations every third has a picture, so that often one process alone has a gradient
/// of the tower.
std::vector<Variant> variants(const fs::path& model)
{
    std::vector<Variant> all;
    const auto add = [&](const char* name, int batch, int accumulate) -> TrainingOptions& {
        all.push_back({name, eightSteps(model)});
        all.back().options.batch = batch;
        all.back().options.accumulate = accumulate;
        return all.back().options;
    };
    add("each process one conversation", 1, 2);
    add("packed, unlike shares", 5, 1);
    add("accumulated", 2, 2).recompute = true;
    TrainingOptions& frozen = add("frozen", 4, 1);
    frozen.freezeVision = frozen.freezeLanguage = true;
    TrainingOptions& lora = add("low rank", 4, 1);
    lora.loraRank = 2;
    lora.loraDropout = 0;
    TrainingOptions& skipping = add("left out", 4, 1);
    skipping.maxLength = 29;  // between those without and with a picture
    skipping.skipLonger = true;
    return all;
}

/// Each training meets at a place of its own.
GroupPlace placeOf(GroupPlace place, std::size_t variant)
{
    place.rendezvous += "-" + std::to_string(variant);
    return place;
}

/// What the second process does. Its model is the first word, the folder of all results the second.
int trainAlong(const GroupPlace& place, const fs::path& model, const fs::path& out)
{
    std::vector<Variant> all = variants(model);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].options.place = placeOf(place, i);
        all[i].options.out = out / "nobody writes here";
        TrainingEvents events;
        events.onSkipped = [](const std::string& what) {
            std::fprintf(stderr, "%s\n", what.c_str());
        };
        runTraining(test::FewConversations(), all[i].options, events, {});
    }
    return 0;
}

fs::path weightsIn(const fs::path& out)
{
    const fs::path adapter = out / "adapter_model.safetensors";
    return fs::exists(adapter) ? adapter : out / "model.safetensors";
}

/// The root of the mean square of it, over all values in two files with the same tensors.
double meanDifference(const fs::path& first, const fs::path& second)
{
    const SafetensorsFile a(first), b(second);
    CHECK_EQUAL(a.tensors().size(), b.tensors().size());
    double squares = 0, values = 0;
    for (const auto& [name, tensor] : a.tensors()) {
        CHECK_EQUAL(tensor.dtype, std::string("F32"));
        const std::size_t count = tensor.bytes / sizeof(float);
        std::vector<float> x(count), y(count);
        std::memcpy(x.data(), a.data(tensor), tensor.bytes);
        std::memcpy(y.data(), b.data(b.tensors().at(name)), tensor.bytes);
        for (std::size_t i = 0; i < count; ++i) {
            squares += std::pow(double(x[i]) - double(y[i]), 2);
        }
        values += double(count);
    }
    return std::sqrt(squares / values);
}

double relative(double value, double expected)
{
    return std::abs(value - expected) / std::max(1e-12, std::abs(expected));
}

}  // namespace

TEST(twoProcessesFollowTheCurveOfOneToTheSameWeights)
{
    const test::TemporaryFolder model, out;
    test::writeQuickCheckpoint(model.path());
    Processes others(2, {"group_test", model.path().string(), out.path().string()});
    std::vector<Variant> all = variants(model.path());
    std::size_t leftOut = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        TrainingOptions& options = all[i].options;
        const fs::path one = out.path() / "one" / all[i].name,
                       two = out.path() / "two" / all[i].name;
        std::size_t leftOutOfOne = 0, leftOutOfTwo = 0;
        TrainingEvents events;
        events.onSkipped = [&](const std::string&) { ++leftOutOfOne; };
        options.out = one;
        runTraining(test::FewConversations(), options, events, {});
        options.out = two;
        options.place = placeOf(others.place(), i);
        events.onSkipped = [&](const std::string&) { ++leftOutOfTwo; };
        events.onWaiting = [&] { others.check(); };
        runTraining(test::FewConversations(), options, events, {});
        const std::vector<StepReport> a = readLog(one / "log.jsonl"),
                                      b = readLog(two / "log.jsonl");
        CHECK_EQUAL(a.size(), std::size_t(8));
        CHECK_EQUAL(b.size(), a.size());
        double loss = 0, length = 0;
        for (std::size_t step = 0; step < a.size(); ++step) {
            loss = std::max(loss, relative(b[step].loss, a[step].loss));
            length = std::max(length, relative(b[step].gradientLength, a[step].gradientLength));
            CHECK_EQUAL(b[step].tokens, a[step].tokens);
            CHECK_EQUAL(b[step].targets, a[step].targets);
        }
        const double weights = meanDifference(weightsIn(one), weightsIn(two));
        std::printf("       %-30s losses %.1e, lengths of gradients %.1e, weights %.1e\n",
                    all[i].name, loss, length, weights);
        CHECK(loss < 1e-5);
        CHECK(length < 1e-4);
        CHECK(weights < 1e-6);                   // one step alone moves them by up to 1e-3
        leftOut += leftOutOfOne - leftOutOfTwo;  // the rest is the other's
    }
    others.finish();
    others.check();
    const std::vector<std::string> lines = others.takeLines();
    CHECK_EQUAL(std::size_t(std::count_if(
                    lines.begin(), lines.end(),
                    [](const std::string& line) { return line.starts_with("few:"); })),
                leftOut);
    CHECK(leftOut > 0);
    CHECK(!fs::exists(out.path() / "nobody writes here"));
}

TEST(aStepHasAShareForEachProcess)
{
    const test::TemporaryFolder model;
    test::writeQuickCheckpoint(model.path());
    TrainingOptions options = eightSteps(model.path());
    options.out = model.path() / "out";
    options.place = {0, 2, model.path() / "rendezvous"};
    CHECK_THROWS(Error, runTraining(test::FewConversations(), options, {}, {}),
                 "A step has 1 conversations where 2 processes want a share");
}

TEST(listsOfDevicesAreGpusEachOnce)
{
    CHECK_EQUAL(trainingDevices("cpu"), std::vector<std::string>{"cpu"});
    CHECK_THROWS(Error, trainingDevices("cpu,cpu"), "a list has GPUs, each once");
    CHECK_THROWS(Error, trainingDevices("cuda:0,gpu"), "The device");
}

int main(int argc, char** argv)
{
    if (const auto place = inheritedPlace(); place && argc == 3) {
        return trainAlong(*place, argv[1], argv[2]);
    }
    return test::runAll(argc, argv);
}
