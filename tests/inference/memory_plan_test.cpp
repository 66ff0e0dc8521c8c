// Machines that are not here: what a plan says of KVL's own size (model specification 4.1), and
// what an engine says when a limit is given.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's
#include <c10/core/InferenceMode.h>
#include <torch/library.h>

#include "inference/config.h"
#include "inference/error.h"
#include "inference/kv_cache.h"
#include "inference/language.h"
#include "inference/memory_plan.h"
#include "inference/weights.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

using namespace inference;

namespace {

/// libtorch has no shapes for attention in parts of C++ alone.
at::Tensor shapeOfAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const std::optional<at::Tensor>&, double, bool, std::optional<double>,
                            bool)
{
    TORCH_INTERNAL_ASSERT(q.is_meta() && k.is_meta() && v.is_meta());
    return at::empty_like(q);
}

TORCH_LIBRARY_IMPL(aten, Meta, shapes)
{
    shapes.impl("scaled_dot_product_attention", &shapeOfAttention);
}

constexpr std::int64_t gigabyte = 1'000'000'000;

/// KVL's: InternVL3.5-14B.
const ModelConfig& kvl()
{
    static const ModelConfig config = [] {
        std::ifstream file(test::tinyCheckpoint() / "config.json");
        ModelConfig one = parseConfig(std::string(std::istreambuf_iterator<char>(file), {}),
                                      test::tinyCheckpoint() / "config.json");
        one.vision.hiddenSize = 1024, one.vision.intermediateSize = 4096;
        one.vision.layers = 24, one.vision.heads = 16;
        one.language.hiddenSize = 5120, one.language.intermediateSize = 17408;
        one.language.layers = 40, one.language.heads = 40, one.language.kvHeads = 8;
        one.language.headDim = 128, one.language.vocabulary = 151936;
        one.language.maxPositions = 40960;
        return one;
    }();
    return config;
}

std::vector<DeviceMemory> machine(std::vector<double> gpus, double cpu)
{
    std::vector<DeviceMemory> all;
    for (std::size_t i = 0; i < gpus.size(); ++i) {
        const auto bytes = std::int64_t(gpus[i] * gigabyte);
        all.push_back({"cuda:" + std::to_string(i), bytes, bytes});
    }
    all.push_back({"cpu", std::int64_t(cpu * gigabyte), std::int64_t(cpu * gigabyte)});
    return all;
}

std::string autoMap(const std::vector<DeviceMemory>& of)
{
    return chooseMap(kvl(), 2, parseDevices("auto"), of).text();
}

MemoryPlan plan(const std::string& devices, const std::vector<DeviceMemory>& of, int bytes = 2)
{
    return planMemory(kvl(), {bytes, bytes == 2},
                      chooseMap(kvl(), bytes, parseDevices(devices), of), of);
}

Request ask(std::vector<Image> images = {})
{
    Request request;
    request.messages.push_back({Role::User, "What is it?", std::move(images)});
    request.maxNewTokens = 16;
    return request;
}

LoadOptions options(const std::string& device, std::int64_t limit = 0)
{
    LoadOptions load{test::tinyCheckpoint(), device, "fp32"};
    load.memoryLimit = limit;
    return load;
}

}  // namespace

TEST(thePlanCountsThePublishedParametersAndKeys)
{
    const MemoryPlan one = plan("cpu", machine({}, 64));
    CHECK_EQUAL(one.weights(), std::int64_t(15'119'523'840) * 2);
    // 2 (keys, values) x 40 layers x 8 heads x 128 x 2 bytes
    CHECK_EQUAL(one.devices[0].kvPerThousand, std::int64_t(163'840'000));
    CHECK_EQUAL(one.devices[0].kvFull, std::int64_t(163'840) * 40960);
    CHECK(one.fits());
    CHECK(one.mapped);
    CHECK_EQUAL(one.contextFits, 40960);
    CHECK_EQUAL(one.tilesFit, 13);
    CHECK_EQUAL(plan("cpu", machine({}, 64), 4).weights(), std::int64_t(15'119'523'840) * 4);
}

TEST(whatDoesNotFitIsSaidWithWhatWould)
{
    const MemoryPlan half = plan("cpu", machine({}, 48), 4);
    CHECK(!half.fits());
    CHECK(half.problem.find("60.5 GB for weights") != std::string::npos);
    CHECK(half.problem.find("48.0 GB are free") != std::string::npos);
    CHECK(half.problem.find("in bf16 it fits") != std::string::npos);
    CHECK(plan("cpu", machine({}, 24)).problem.find("a smaller model or more memory") !=
          std::string::npos);
    const MemoryPlan gpu = plan("cuda:0", machine({24}, 64));
    CHECK(gpu.problem.find("on cuda:0") != std::string::npos);
    CHECK(gpu.problem.find("the device auto") != std::string::npos);
    // a little room: a shorter context and fewer tiles, but not refused
    const MemoryPlan tight = plan("cpu", machine({}, 31.5));
    CHECK(tight.fits());
    CHECK(tight.contextFits > 1000 && tight.contextFits < 8000);
    CHECK(tight.tilesFit < 13);
}

TEST(autoTakesOneGpuWhereItFitsAndSpreadsOtherwise)
{
    CHECK_EQUAL(autoMap(machine({}, 64)), "cpu");
    CHECK_EQUAL(autoMap(machine({80}, 64)), "cuda:0");
    CHECK_EQUAL(autoMap(machine({80, 80}, 64)), "cuda:0");
    CHECK_EQUAL(autoMap(machine({24, 80}, 64)), "cuda:1");
    // the first holds tower, embedding and head as well and gets fewer layers
    const DeviceMap two = chooseMap(kvl(), 2, parseDevices("auto"), machine({24, 24}, 64));
    CHECK_EQUAL(two.devices, (std::vector<std::string>{"cuda:0", "cuda:1"}));
    CHECK(two.count(0) > 5 && two.count(0) < two.count(1));
    CHECK_EQUAL(two.count(0) + two.count(1), 40);
    CHECK_EQUAL(two.layers.back(), 0);
    CHECK(planMemory(kvl(), {2, true}, two, machine({24, 24}, 64)).fits());
}

TEST(aGpuThatIsTooSmallLeavesLayersToTheCpu)
{
    const std::vector<DeviceMemory> small = machine({16}, 64);
    const DeviceMap map = chooseMap(kvl(), 2, parseDevices("auto"), small);
    CHECK_EQUAL(map.devices, (std::vector<std::string>{"cuda:0", "cpu"}));
    CHECK(map.count(0) > 5 && map.count(1) > 15);
    CHECK(planMemory(kvl(), {2, true}, map, small).fits());
    CHECK_EQUAL(autoMap(machine({4}, 64)), "cpu");  // not even the tower and the embedding
    // and two of them with the CPU behind both
    const DeviceMap three = chooseMap(kvl(), 2, parseDevices("auto"), machine({12, 12}, 64));
    CHECK_EQUAL(three.devices, (std::vector<std::string>{"cuda:0", "cuda:1", "cpu"}));
    CHECK(planMemory(kvl(), {2, true}, three, machine({12, 12}, 64)).fits());
}

TEST(aListIsSpreadByMemoryAndNumbersAreKept)
{
    const DeviceMap two = chooseMap(kvl(), 2, parseDevices("cpu:0,cpu:1"), machine({}, 80));
    CHECK_EQUAL(two.count(0) + two.count(1), 40);
    CHECK(two.count(0) > 10 && two.count(0) < 20);
    CHECK_EQUAL(chooseMap(kvl(), 2, parseDevices("cpu:0=7,cpu:1"), machine({}, 80)).text(),
                "cpu:0=7,cpu:1=33");
    CHECK_THROWS(Error, chooseMap(kvl(), 2, parseDevices("cpu:0=7,cpu:1=8"), machine({}, 80)),
                 "have 15 layers where the model has 40");
    CHECK_THROWS(Error, chooseMap(kvl(), 2, parseDevices("cpu:0=47,cpu:1"), machine({}, 80)),
                 "have 47 layers");
}

TEST(layersMoveToTheCpuAsFarAsTheyHaveTo)
{
    const std::vector<DeviceMemory> one = machine({40}, 64), two = machine({24, 24}, 64);
    const MemoryPlan whole = plan("cuda:0", one);
    // 330 million parameters a layer (model specification 4.1)
    CHECK_EQUAL(whole.layerWeights, std::int64_t(330'311'936) * 2);
    CHECK_EQUAL(movedToCpu(whole, "cuda:0", 1, one), "cuda:0=39,cpu");
    CHECK_EQUAL(movedToCpu(whole, "cuda:0", 2 * gigabyte, one), "cuda:0=36,cpu");
    const std::string map = movedToCpu(whole, "cuda:0", 2 * gigabyte, one);
    CHECK_EQUAL(chooseMap(kvl(), 2, parseDevices(map), one).text(), "cuda:0=36,cpu=4");
    CHECK_EQUAL(movedToCpu(whole, "cuda:0", 27 * gigabyte, one), "");
    CHECK_EQUAL(movedToCpu(whole, "cuda:0", 2 * gigabyte, machine({40}, 2)), "");
    CHECK_EQUAL(movedToCpu(plan("cuda:0=10,cuda:1=30", two), "cuda:1", gigabyte, two),
                "cuda:0=10,cuda:1=28,cpu");
    CHECK_EQUAL(movedToCpu(plan("cuda:0=10,cpu", one), "cuda:0", gigabyte, one), "cuda:0=8,cpu");
    CHECK_EQUAL(movedToCpu(plan("cpu", one), "cpu", gigabyte, one), "");
}

TEST(twoDevicesGiveTheTokensAndLogitsOfOne)
{
    const Checkpoint checkpoint(test::tinyCheckpoint());
    Weights whole(checkpoint, at::kCPU, at::kFloat, {}, {});
    const LanguageModel one(whole);
    const at::Tensor ids = (at::arange(50, at::kLong) * 37 + 11) % 1256;
    KvCache cache = one.makeCache();
    const at::Tensor expected = one(one.embed(ids), cache, {});
    for (const std::vector<int>& counts : {std::vector<int>{2, 1}, {1, 2}, {0, 3}, {3, 0}}) {
        const Placement placement(mapOf({"cpu:0", "cpu:1"}, counts));
        Weights parts(checkpoint, placement, at::kFloat, {}, {});
        const LanguageModel two(parts);
        KvCache own = two.makeCache();
        CHECK(at::equal(two(two.embed(ids), own, {}), expected));
    }
    const Request request = ask({test::seededImage(300, 300)});
    const auto single = loadEngine(options("cpu")), divided = loadEngine(options("cpu:0,cpu:1"));
    CHECK(divided->info().device.starts_with("cpu:0="));
    CHECK_EQUAL(divided->generate(request, {}, {}).newIds,
                single->generate(request, {}, {}).newIds);
}

/// A meta device computes shapes only and refuses to mix with another: whatever of a layer were
/// left on the wrong device would be an error.
TEST(aLayerHasAllItNeedsOnItsDevice)
{
    const c10::InferenceMode inference;
    const Checkpoint checkpoint(test::tinyCheckpoint());
    Placement placement(mapOf({"cpu:0", "cpu:1"}, {1, 2}));
    CHECK_EQUAL(placement.groups, (std::vector<int>{1, 1, 0}));
    placement.layers = {at::kMeta, at::kMeta, at::kCPU};
    Weights weights(checkpoint, placement, at::kFloat, {}, {});
    const LanguageModel model(weights);
    KvCache cache = model.makeCache();
    std::vector<at::DeviceType> seen;
    const auto look = [&](int, const at::Tensor& hidden) {
        seen.push_back(hidden.device().type());
    };
    const at::Tensor x = model.embed(at::arange(5, at::kLong));
    CHECK(x.device().is_cpu());
    // nothing comes back from there: the border behind the second layer is where it ends
    CHECK_THROWS(c10::Error, model(x, cache, {}, look), "meta");
    CHECK_EQUAL(seen, (std::vector<at::DeviceType>{at::kMeta, at::kMeta}));
}

TEST(aModelThatCannotFitIsRefusedBeforeAByteIsRead)
{
    int calls = 0;
    CHECK_THROWS(
        OutOfMemory,
        loadEngine(options("cpu", 65'000'000), [&](std::int64_t, std::int64_t) { ++calls; }),
        "The model does not fit: in fp32 it needs on cpu");
    CHECK_EQUAL(calls, 0);
    LoadOptions anyway = options("cpu", 65'000'000);
    anyway.beyondMemory = true;  // its weights are used where they are mapped
    loadEngine(anyway)->info();
}

TEST(aQuestionThatIsTooLargeIsRefusedWithWhatFits)
{
    const Request large = ask({test::seededImage(640, 480)});
    std::string said;
    std::int64_t limit = 70'000'000;
    std::unique_ptr<Engine> engine;
    LoadOptions load = options("cpu", limit);
    load.beyondMemory = true;
    load.memoryLimit = 25'000'000;
    engine = loadEngine(load);
    try {
        engine->generate(large, {}, {});
        CHECK(false);
    } catch (const OutOfMemory& error) {
        said = error.what();
    }
    CHECK(said.find("not enough memory for this question: it needs") != std::string::npos);
    const std::size_t at = said.find("at most ");
    CHECK(at != std::string::npos);
    Request smaller = large;
    smaller.maxTiles = std::stoi(said.substr(at + 8));
    CHECK(smaller.maxTiles >= 1 && smaller.maxTiles < 12);
    CHECK_EQUAL(engine->generate(smaller, {}, {}).newIds,
                loadEngine(options("cpu"))->generate(smaller, {}, {}).newIds);
    smaller.maxTiles += 1;
    CHECK_THROWS(OutOfMemory, engine->generate(smaller, {}, {}), "not enough memory");
}

TEST(aLimitOfTheAddressSpaceIsSeenBeforeItIsHit)
{
#if defined(__SANITIZE_ADDRESS__)
    SKIP("the sanitizer reserves more address space than there is");
#endif
    const auto engine = loadEngine(options("cpu"));
    const Request large = ask({test::seededImage(640, 480)});
    const std::vector<TokenId> expected = engine->generate(large, {}, {}).newIds;
    const DeviceMemory memory = mainMemory();
    rlimit before{};
    getrlimit(RLIMIT_AS, &before);
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    rlimit tight = before;
    tight.rlim_cur = pages * rlim_t(sysconf(_SC_PAGESIZE)) + 10'000'000;
    const Request other = ask({test::seededImage(630, 480)});
    setrlimit(RLIMIT_AS, &tight);
    std::string said;
    try {
        engine->generate(other, {}, {});
    } catch (const OutOfMemory& error) {
        said = error.what();
    }
    setrlimit(RLIMIT_AS, &before);
    CHECK(memory.free > 100'000'000);
    CHECK(said.find("not enough memory for this question") != std::string::npos);
    CHECK_EQUAL(engine->generate(large, {}, {}).newIds, expected);  // and it goes on
}

KVL_TEST_MAIN
