// A trained model is written under the names it was read by.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/checkpoint.h"
#include "inference/safetensors.h"
#include "inference/sha256.h"
#include "inference/train/training.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <fstream>
#include <iterator>
#include <map>

using namespace inference;
using namespace inference::train;
namespace fs = std::filesystem;

namespace {

Request question()
{
    Request request;
    request.maxTiles = 1;
    request.messages.push_back({Role::User, "What is it?", {test::seededImage(60, 40)}});
    request.maxNewTokens = 8;
    return request;
}

/// The same conversation again and again, with a picture of one tile.
class One : public Conversations {
public:
    std::int64_t size() const override { return 4; }
    Item at(std::int64_t) const override
    {
        Request request = question();
        request.messages.push_back({Role::Assistant, "It is 7", {}});
        return {{std::move(request)}, {}};
    }
    std::string where(std::int64_t index) const override { return std::to_string(index); }
};

struct Trained {
    test::TemporaryFolder model, out;

    explicit Trained(Layout layout, int loraRank = 0)
    {
        test::writeCheckpoint(
            model.path(),
            {.tokenizer = fs::path(KVL_TEST_DATA) / "tokenizer-small", .layout = layout});
        TrainingOptions options;
        options.model = model.path();
        options.out = out.path();
        options.steps = 3;
        options.warmup = 0;
        options.learningRate = 1e-2;
        options.loraRank = loraRank;
        options.loraDropout = 0;
        options.device = "cpu";
        options.dtype = "fp32";
        runTraining(One(), options, {}, {});
    }
    std::vector<TokenId> answer() const
    {
        return loadEngine({out.path(), "cpu", "fp32"})->generate(question(), {}, {}).newIds;
    }
};

/// Names and shapes of all tensors in a folder.
std::map<std::string, std::vector<std::int64_t>> tensorsIn(const fs::path& folder)
{
    std::map<std::string, std::vector<std::int64_t>> all;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() == ".safetensors") {
            const SafetensorsFile file(entry.path());
            for (const auto& [name, tensor] : file.tensors()) {
                all[name] = tensor.shape;
            }
        }
    }
    return all;
}

/// As the InternVLChat layout has it.
at::Tensor whole(const Checkpoint& checkpoint, const std::string& name)
{
    std::vector<at::Tensor> parts;
    for (const std::string& stored : checkpoint.names(name)) {
        parts.push_back(checkpoint.tensor(stored));
    }
    return at::cat(parts);
}

}  // namespace

TEST(anHfNativeModelIsTrainedAsTheSameInTheOtherLayoutAndWrittenUnderItsOwnNames)
{
    const Trained chat(Layout::Chat);
    const Checkpoint expected(chat.out.path());
    const std::vector<TokenId> answer = chat.answer();
    CHECK(answer !=
          loadEngine({chat.model.path(), "cpu", "fp32"})->generate(question(), {}, {}).newIds);
    for (const Layout layout : {Layout::Hf, Layout::HfWithoutModel}) {
        const Trained hf(layout);
        CHECK(tensorsIn(hf.out.path()) == tensorsIn(hf.model.path()));
        const Checkpoint trained(hf.out.path());
        CHECK_EQUAL(trained.info().layout, std::string("HF-native"));
        for (const TensorShape& one : expectedTensors(trained.config())) {
            CHECK(at::equal(whole(trained, one.name), whole(expected, one.name)));
        }
        CHECK_EQUAL(hf.answer(), answer);
    }
}

TEST(aLoadedModelNamesItsAdapterByTheHashOfBothFiles)
{
    const Trained chat(Layout::Chat, 2);
    std::string bytes;
    for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
        std::ifstream file(chat.out.path() / name, std::ios::binary);
        bytes.append(std::istreambuf_iterator<char>(file), {});
    }
    LoadOptions load{chat.model.path(), "cpu", "fp32"};
    CHECK(loadEngine(load)->info().adapterHash.empty());
    load.adapter = chat.out.path();
    const auto engine = loadEngine(load);
    CHECK_EQUAL(engine->info().adapter, chat.out.path().string());
    CHECK_EQUAL(engine->info().adapterHash, sha256Hex(bytes));
}

TEST(anAdapterOfAnHfNativeModelAnswersBesideIt)
{
    const Trained chat(Layout::Chat, 4), hf(Layout::Hf, 4);
    CHECK(tensorsIn(hf.out.path()) == tensorsIn(chat.out.path()));
    const auto answer = [](const Trained& of) {
        LoadOptions load{of.model.path(), "cpu", "fp32"};
        load.adapter = of.out.path();
        return loadEngine(load)->generate(question(), {}, {}).newIds;
    };
    CHECK_EQUAL(answer(hf), answer(chat));
    CHECK(answer(hf) !=
          loadEngine({hf.model.path(), "cpu", "fp32"})->generate(question(), {}, {}).newIds);
}

KVL_TEST_MAIN
