// tests/data/model.json: what tests/reference/make_model.py recorded from PyTorch and transformers.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/kv_cache.h"
#include "inference/kvl_engine.h"
#include "inference/language.h"
#include "inference/preprocess.h"
#include "inference/sha256.h"
#include "inference/tiles.h"
#include "inference/vision.h"
#include "inference/weights.h"
#include "support/loaded_model.h"
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

constexpr double tolerance = 1e-4;  // of the largest value, fp32
const std::filesystem::path tokenizerFolder =
    std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small";

const json& golden()
{
    static const json all =
        json::parse(std::ifstream(std::filesystem::path(KVL_TEST_DATA) / "model.json"));
    return all;
}

/// The checkpoint the numbers are of, written anew.
const std::filesystem::path& checkpointFolder()
{
    static const test::TemporaryFolder folder;
    static const bool written = [] {
        test::writeCheckpoint(folder.path(),
                              {.shape = "tiny",
                               .seed = golden()["seed"].get<std::uint64_t>(),
                               .tokenizer = tokenizerFolder});
        return true;
    }();
    (void)written;
    return folder.path();
}

const test::LoadedModel& model()
{
    static const test::LoadedModel one(checkpointFolder());
    return one;
}

std::vector<TokenId> promptIds(const json& one)
{
    std::vector<TokenId> ids;
    for (const json& run : one["prompt_ids"]) {
        ids.insert(ids.end(), run[1].get<std::size_t>(), run[0].get<TokenId>());
    }
    return ids;
}

std::vector<Image> tilesOf(const json& one)
{
    const json& image = one["images"][0];
    return cutTiles(test::seededImage(image[0], image[1], image[2].get<std::uint32_t>()), {});
}

/// The recorded values are those at i * n / count of the flattened tensor.
void checkSamples(const at::Tensor& tensor, const json& expected, const char* what)
{
    const at::Tensor flat = tensor.contiguous().flatten();
    const std::int64_t n = flat.numel(), count = std::int64_t(expected.size());
    double largest = 0, error = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const double value = expected[std::size_t(i)].get<double>();
        largest = std::max(largest, std::abs(value));
        error = std::max(error, std::abs(value - flat[i * n / count].item<double>()));
    }
    CHECK(largest > 0);
    std::printf("       %s: error %.2g of the largest value\n", what, error / largest);
    if (!(error <= tolerance * largest)) {
        test::fail(__FILE__, __LINE__,
                   std::string(what) + " differ by " + test::show(error / largest) +
                       " of the largest value");
    }
}

void checkCase(const json& one)
{
    const std::vector<TokenId> ids = promptIds(one);
    const std::vector<std::int64_t> wide(ids.begin(), ids.end());
    at::Tensor x = model().language.embed(at::tensor(wide, at::kLong));
    if (!one["images"].empty()) {
        const std::vector<Image> tiles = tilesOf(one);
        CHECK_EQUAL(int(tiles.size()), one["tiles"].get<int>());
        Sha256 sum;
        for (const Image& tile : tiles) {
            addPixels(sum, tile);
        }
        CHECK_EQUAL(sum.hex(), one["tiles_sha256"].get<std::string>());
        const at::Tensor pixels = toTensor(tiles);
        checkSamples(pixels, one["pixels"], "pixels");
        const at::Tensor features = model().vision.encode(pixels, {});
        checkSamples(features, one["vit"], "features of the vision tower");
        const at::Tensor tokens = model().vision.project(features, {});
        checkSamples(tokens, one["projector"], "image tokens");
        CHECK(at::allclose(tokens, model().vision(pixels, {}), 1e-4, 1e-5));
        const TokenId imageToken = 1284;  // <IMG_CONTEXT> of the small tokenizer
        const auto first = std::find(ids.begin(), ids.end(), imageToken) - ids.begin();
        CHECK_EQUAL(std::int64_t(std::count(ids.begin(), ids.end(), imageToken)), tokens.size(0));
        x.narrow(0, first, tokens.size(0)).copy_(tokens);
    }
    KvCache cache = model().language.makeCache();
    const at::Tensor logits =
        model().language(x, cache, {}, [&](int layer, const at::Tensor& hidden) {
            checkSamples(hidden, one["hidden"][std::size_t(layer)], "hidden states of a layer");
        });
    checkSamples(logits, one["logits"], "logits");
    CHECK_EQUAL(cache.length(), int(ids.size()));
}

/// The whole engine: text and picture in, ids out.
void checkTokens(const json& one)
{
    static const std::unique_ptr<Engine> engine = loadEngine({checkpointFolder(), "cpu", "fp32"});
    Request request;
    request.system.preset =
        one["system"] == "none" ? SystemPrompt::Preset::None : SystemPrompt::Preset::Default;
    Message question{Role::User, one["question"], {}};
    for (const json& image : one["images"]) {
        question.images.push_back(
            test::seededImage(image[0], image[1], image[2].get<std::uint32_t>()));
    }
    request.messages.push_back(question);
    request.maxNewTokens = int(one["new_ids"].size());
    const Answer answer = engine->generate(request, {}, {});
    CHECK_EQUAL(answer.promptIds, promptIds(one));
    CHECK_EQUAL(answer.newIds, one["new_ids"].get<std::vector<TokenId>>());
    CHECK_EQUAL(answer.newIds.size(), std::size_t(64));
}

}  // namespace

TEST(theCheckpointWriterWritesTheBytesOfTheReference)
{
    for (const auto& [name, sum] : golden()["sha256"].items()) {
        CHECK_EQUAL(test::sha256OfFile(checkpointFolder() / name), sum.get<std::string>());
    }
    const test::TemporaryFolder single;
    test::writeCheckpoint(single.path(),
                          {.shape = "tiny",
                           .seed = golden()["seed"].get<std::uint64_t>(),
                           .dtype = "BF16",
                           .shards = 1,
                           .tokenizer = tokenizerFolder});
    for (const auto& [name, sum] : golden()["sha256_bf16_single"].items()) {
        CHECK_EQUAL(test::sha256OfFile(single.path() / name), sum.get<std::string>());
    }
}

TEST(textAloneGivesTheReferencesLogits)
{
    checkCase(golden()["cases"][0]);
}

TEST(aPictureOfOneTileGivesTheReferencesLogits)
{
    checkCase(golden()["cases"][1]);
}

TEST(aPictureOfThirteenTilesGivesTheReferencesLogits)
{
    checkCase(golden()["cases"][2]);
}

TEST(aTileOfAnotherSizeGetsTheReferencesResizedPositions)
{
    const test::TemporaryFolder folder;
    std::filesystem::copy(checkpointFolder(), folder.path());
    json config = json::parse(std::ifstream(folder.path() / "config.json"));
    config["force_image_size"] = 224;
    std::ofstream(folder.path() / "config.json") << config;
    const Checkpoint checkpoint(folder.path());
    CHECK_EQUAL(checkpoint.info().tokensPerTile, 64);
    Weights weights(checkpoint, at::kCPU, at::kFloat, {}, {});
    const VisionTower vision(weights);
    const json& expected = golden()["small_tile"];
    const json& image = expected["image"];
    const at::Tensor pixels =
        toTensor({test::seededImage(image[0], image[1], image[2].get<std::uint32_t>())});
    const at::Tensor features = vision.encode(pixels, {});
    checkSamples(features, expected["vit"], "features of the vision tower");
    checkSamples(vision.project(features, {}), expected["projector"], "image tokens");
}

TEST(textAloneGivesTheReferences64Tokens)
{
    checkTokens(golden()["cases"][0]);
}

TEST(aPictureOfOneTileGivesTheReferences64Tokens)
{
    checkTokens(golden()["cases"][1]);
}

TEST(aPictureOfThirteenTilesGivesTheReferences64Tokens)
{
    checkTokens(golden()["cases"][2]);
}

KVL_TEST_MAIN
