#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/adapter.h"
#include "inference/checkpoint.h"
#include "inference/error.h"
#include "inference/safetensors.h"
#include "inference/train/training.h"
#include "inference/train/training_log.h"
#include "inference/train/training_state.h"
#include "support/few_conversations.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

using namespace inference;
using namespace inference::train;
namespace fs = std::filesystem;

namespace {

using Few = test::FewConversations;

Request conversation(std::int64_t index)
{
    return Few().at(index).conversations.front();
}

const fs::path& model()
{
    static const test::TemporaryFolder folder;
    static const bool written = [] {
        test::writeQuickCheckpoint(folder.path());
        return true;
    }();
    (void)written;
    return folder.path();
}

TrainingOptions sixSteps(const fs::path& out)
{
    TrainingOptions options;
    options.model = model();
    options.out = out;
    options.steps = 6;
    options.learningRate = 1e-3;
    options.batch = 2;
    options.accumulate = 2;
    options.recompute = true;
    options.device = "cpu";
    return options;
}

std::string bytes(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<double> losses(const fs::path& out)
{
    std::vector<double> all;
    for (const StepReport& one : readLog(out / "log.jsonl")) {
        all.push_back(one.loss);
    }
    return all;
}

void checkSameEnd(const fs::path& straight, const fs::path& resumed)
{
    CHECK_EQUAL(losses(straight).size(), std::size_t(6));
    CHECK_EQUAL(losses(resumed), losses(straight));
    for (const fs::path& file :
         {fs::path("model.safetensors"), fs::path(checkpointName(6)) / "training.safetensors"}) {
        CHECK(!bytes(straight / file).empty());
        CHECK(bytes(straight / file) == bytes(resumed / file));
    }
}

}  // namespace

TEST(aTrainingThatIsStoppedGoesOnOnTheSameCurveToTheSameBytes)
{
    const test::TemporaryFolder straight, stopped;
    CHECK(!runTraining(Few(), sixSteps(straight.path()), {}, {}).stopped);
    std::stop_source stop;
    TrainingEvents events;
    events.onStep = [&](const StepReport& report) {
        if (report.step == 3) {
            stop.request_stop();
        }
    };
    TrainingOptions options = sixSteps(stopped.path());
    const TrainingResult result = runTraining(Few(), options, events, stop.get_token());
    CHECK(result.stopped);
    CHECK_EQUAL(result.step, std::int64_t(3));
    CHECK_EQUAL(result.resume, newestCheckpoint(stopped.path()));
    CHECK(!fs::exists(stopped.path() / "model.safetensors"));
    options.resume = result.resume;
    CHECK(!runTraining(Few(), options, {}, {}).stopped);
    checkSameEnd(straight.path(), stopped.path());
    CHECK(losses(straight.path()).back() < losses(straight.path()).front());
}

TEST(aTrainingThatIsKilledGoesOnFromItsLastCheckpoint)
{
    const test::TemporaryFolder straight, killed;
    TrainingOptions options = sixSteps(killed.path());
    options.saveEvery = 3;
    // before this process has used threads of its own: a child has none of them
    const pid_t child = fork();
    if (child == 0) {
        TrainingEvents events;
        events.onStep = [](const StepReport& report) {
            if (report.step == 5) {
                raise(SIGKILL);
            }
        };
        runTraining(Few(), options, events, {});
        _exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_EQUAL(losses(killed.path()).size(), std::size_t(5));
    options.resume = newestCheckpoint(killed.path());
    CHECK_EQUAL(options.resume.filename(), fs::path("checkpoint-000003"));
    runTraining(Few(), options, {}, {});
    runTraining(Few(), sixSteps(straight.path()), {}, {});
    checkSameEnd(straight.path(), killed.path());
}

TEST(theResultIsACheckpointThatAnswersAsItWasTaught)
{
    const test::TemporaryFolder out;
    TrainingOptions options = sixSteps(out.path());
    options.steps = 60;
    options.learningRate = 5e-3;
    options.batch = 10;
    options.accumulate = 1;
    runTraining(Few(), options, {}, {});
    CHECK(losses(out.path()).back() < 0.05);
    const auto engine = loadEngine({out.path(), "cpu", "fp32"});
    for (const std::int64_t index : {2, 3}) {
        Request request = conversation(index);
        request.messages.pop_back();
        const Answer answer = engine->generate(request, {}, {});
        CHECK_EQUAL(answer.text, "It is " + std::to_string(7 * index));
    }
}

TEST(aTrainingThatEndsEarlyWritesTheModelOfThenAndCanGoOn)
{
    const test::TemporaryFolder whole, part;
    runTraining(Few(), sixSteps(whole.path()), {}, {});
    TrainingOptions options = sixSteps(part.path());
    options.until = 4;
    const TrainingResult early = runTraining(Few(), options, {}, {});
    CHECK(!early.stopped);
    CHECK_EQUAL(early.step, std::int64_t(4));
    const Checkpoint there(part.path());  // a model
    options.until = 0;
    options.resume = early.resume;
    CHECK_EQUAL(runTraining(Few(), options, {}, {}).step, std::int64_t(6));
    CHECK_EQUAL(losses(part.path()), losses(whole.path()));
}

TEST(aResultCanBeWrittenInAnotherDtype)
{
    const test::TemporaryFolder stored, half;
    TrainingOptions options = sixSteps(stored.path());
    runTraining(Few(), options, {}, {});
    options.out = half.path();
    options.saveDtype = "bf16";
    runTraining(Few(), options, {}, {});
    const Checkpoint full(stored.path()), rounded(half.path());
    const std::string name = "mlp1.1.weight";
    CHECK(rounded.tensor(name).scalar_type() == at::kBFloat16);
    CHECK(at::equal(full.tensor(name).to(at::kBFloat16), rounded.tensor(name)));
    std::ifstream file(half.path() / "config.json");
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}).find("\"bfloat16\"") !=
          std::string::npos);
}

TEST(aModelIsWrittenInTheDtypeItWasStoredInAndMastersAreKept)
{
    const test::TemporaryFolder half, straight, resumed;
    test::writeQuickCheckpoint(half.path(), "BF16");
    for (const char* dtype : {"fp32", "bf16"}) {
        TrainingOptions options = sixSteps(straight.path());
        options.model = half.path();
        options.dtype = dtype;
        options.steps = 2;
        runTraining(Few(), options, {}, {});
        CHECK_EQUAL(inspectCheckpoint(straight.path()).storedDtype, std::string("BF16"));
        options.out = resumed.path();
        options.saveEvery = 1;
        runTraining(Few(), options, {}, {});
        fs::remove_all(resumed.path() / checkpointName(2));
        options.resume = newestCheckpoint(resumed.path());
        CHECK_EQUAL(options.resume.filename(), fs::path("checkpoint-000001"));
        runTraining(Few(), options, {}, {});
        CHECK(bytes(straight.path() / "model.safetensors") ==
              bytes(resumed.path() / "model.safetensors"));
        fs::remove_all(resumed.path() / checkpointName(2));
    }
}

TEST(frozenPartsKeepTheirBytes)
{
    const test::TemporaryFolder out;
    TrainingOptions options = sixSteps(out.path());
    options.steps = 2;
    options.warmup = 0;
    options.freezeVision = options.freezeLanguage = true;
    runTraining(Few(), options, {}, {});
    std::set<std::string> changed;
    const SafetensorsFile after(out.path() / "model.safetensors");
    for (const char* shard :
         {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}) {
        const SafetensorsFile before(model() / shard);
        for (const auto& [name, tensor] : before.tensors()) {
            if (std::memcmp(before.data(tensor), after.data(after.tensors().at(name)),
                            tensor.bytes) != 0) {
                changed.insert(name);
            }
        }
    }
    CHECK_EQUAL(changed,
                (std::set<std::string>{"mlp1.0.bias", "mlp1.0.weight", "mlp1.1.bias",
                                       "mlp1.1.weight", "mlp1.3.bias", "mlp1.3.weight"}));
}

TEST(anAdapterAnswersAsTheModelItIsMergedTo)
{
    const test::TemporaryFolder kept, merged;
    TrainingOptions options = sixSteps(kept.path());
    options.steps = 40;
    options.learningRate = 2e-2;
    options.batch = 10;
    options.accumulate = 1;
    options.loraRank = 4;
    options.loraDropout = 0;
    runTraining(Few(), options, {}, {});
    CHECK(losses(kept.path()).back() < 0.5 * losses(kept.path()).front());
    options.out = merged.path();
    options.merge = true;
    runTraining(Few(), options, {}, {});
    CHECK_EQUAL(losses(merged.path()), losses(kept.path()));

    const Adapter adapter(kept.path());
    CHECK_EQUAL(adapter.linears().size(), std::size_t(3 * 7));
    CHECK(adapter.changes("language_model.model.layers.2.mlp.down_proj"));
    const auto bare = loadEngine({model(), "cpu", "fp32"});
    LoadOptions load{model(), "cpu", "fp32"};
    load.adapter = kept.path();
    const auto beside = loadEngine(load), inside = loadEngine({merged.path(), "cpu", "fp32"});
    Request request = conversation(3);
    request.messages.pop_back();
    request.maxNewTokens = 12;
    const Answer expected = inside->generate(request, {}, {});
    CHECK_EQUAL(beside->generate(request, {}, {}).newIds, expected.newIds);
    CHECK(bare->generate(request, {}, {}).newIds != expected.newIds);
}

TEST(anAdapterWithDropoutGoesOnOnTheSameCurve)
{
    const test::TemporaryFolder straight, resumed;
    TrainingOptions options = sixSteps(straight.path());
    options.loraRank = 2;
    options.loraDropout = 0.3;
    runTraining(Few(), options, {}, {});
    options.out = resumed.path();
    options.saveEvery = 3;
    runTraining(Few(), options, {}, {});
    fs::remove_all(resumed.path() / checkpointName(6));
    options.resume = newestCheckpoint(resumed.path());
    runTraining(Few(), options, {}, {});
    CHECK_EQUAL(losses(resumed.path()), losses(straight.path()));
    CHECK(bytes(straight.path() / "adapter_model.safetensors") ==
          bytes(resumed.path() / "adapter_model.safetensors"));
    // what is computed again drops the same values: the curve without it is the same
    options.recompute = false;
    options.resume.clear();
    runTraining(Few(), options, {}, {});
    const std::vector<double> again = losses(straight.path()), keptLayers = losses(resumed.path());
    CHECK_EQUAL(keptLayers.size(), again.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
        CHECK(std::abs(keptLayers[i] - again[i]) < 1e-4);
    }
}

TEST(anAdapterThatDoesNotFitIsRefused)
{
    const test::TemporaryFolder out, other;
    TrainingOptions options = sixSteps(out.path());
    options.steps = 1;
    options.loraRank = 2;
    options.loraTargets = {"q_proj"};
    runTraining(Few(), options, {}, {});
    test::writeCheckpoint(
        other.path(),
        {.shape = "small", .seed = 1, .tokenizer = fs::path(KVL_TEST_DATA) / "tokenizer-small"});
    LoadOptions load{other.path(), "cpu", "fp32"};
    load.adapter = out.path();
    CHECK_THROWS(Error, loadEngine(load), "the adapter was trained on another model");
    load.adapter = other.path();
    CHECK_THROWS(Error, loadEngine(load), "the folder of an adapter");
    const std::string config = bytes(out.path() / "adapter_config.json");
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = config;
        text.replace(text.find(from), from.size(), to);
        std::ofstream(out.path() / "adapter_config.json") << text << std::flush;
        return Adapter(out.path()).linears();
    };
    CHECK_THROWS(Error, changed("\"use_dora\": false", "\"use_dora\": true"), "use_dora");
    CHECK_THROWS(Error, changed("\"LORA\"", "\"IA3\""), "where \"LORA\" is expected");
    CHECK_THROWS(Error, changed("\"modules_to_save\": null", "\"modules_to_save\": [\"mlp1\"]"),
                 "modules_to_save");
    options.loraTargets = {"wqkv"};
    CHECK_THROWS(Error, runTraining(Few(), options, {}, {}), "No linear of the model");
}

TEST(whatCannotBeTrainedIsRefused)
{
    const test::TemporaryFolder out;
    TrainingOptions options = sixSteps(out.path());
    options.maxLength = 5;
    CHECK_THROWS(Error, runTraining(Few(), options, {}, {}), "tokens where at most 5 are allowed");
    options = sixSteps(out.path());
    options.freezeVision = options.freezeProjector = options.freezeLanguage = true;
    CHECK_THROWS(Error, runTraining(Few(), options, {}, {}), "nothing is left to train");
    options = sixSteps(out.path());
    options.steps = 1;
    options.resume = runTraining(Few(), options, {}, {}).resume;
    options.seed = 8;
    CHECK_THROWS(Error, runTraining(Few(), options, {}, {}), "was trained with seed 0 where now 8");
    options = sixSteps(out.path());
    options.learningRate = 1e30;
    CHECK_THROWS(Error, runTraining(Few(), options, {}, {}),
                 "the learning rate is probably too high");
}

TEST(aTrainingGoesOnWithTheDataItBeganWithOnly)
{
    const test::TemporaryFolder out;
    TrainingOptions options = sixSteps(out.path());
    options.until = 1;
    options.data = {{"mini-seed", "1"}, {"scenes", "all"}};
    options.resume = runTraining(Few(), options, {}, {}).resume;
    options.until = 2;
    options.data["mini-seed"] = "2";
    CHECK_THROWS(Error, runTraining(Few(), options, {}, {}),
                 "was trained with mini-seed \"1\" where now \"2\" is asked for");
    // as checkpoints were written before the data was among the settings
    const fs::path file = options.resume / "training.json";
    nlohmann::json saved = nlohmann::json::parse(bytes(file));
    CHECK_EQUAL(saved["settings"].erase("data"), std::size_t(1));
    std::ofstream(file) << saved;
    CHECK_EQUAL(runTraining(Few(), options, {}, {}).step, std::int64_t(2));
}

TEST(longerConversationsAreLeftOutOnRequestAndNamed)
{
    const test::TemporaryFolder out;
    TrainingOptions options = sixSteps(out.path());
    options.steps = 5;       // twenty places: each conversation twice
    options.maxLength = 29;  // between those without and with a picture
    options.skipLonger = true;
    std::vector<std::string> skipped;
    TrainingEvents events;
    events.onSkipped = [&](const std::string& what) { skipped.push_back(what); };
    runTraining(Few(), options, events, {});
    CHECK_EQUAL(skipped.size(), std::size_t(8));
    CHECK(skipped.front().starts_with("few:"));
}

TEST(theCurveIsAnSvgWithBothLines)
{
    std::vector<StepReport> steps(3000);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        steps[i].step = std::int64_t(i) + 1;
        steps[i].loss = 3;
        steps[i].learningRate = 1e-5;
    }
    const std::string svg = curveSvg(steps);
    CHECK(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    CHECK(svg.find("polyline") != svg.rfind("polyline"));
    CHECK(svg.size() < 60000);
    CHECK(curveSvg({}).ends_with("</svg>\n"));
}

KVL_TEST_MAIN
