#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/checkpoint.h"
#include "inference/error.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <nlohmann/json.hpp>

#include <cstring>
#include <fstream>
#include <iterator>

using namespace inference;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

const fs::path tokenizerFolder = fs::path(KVL_TEST_DATA) / "tokenizer-small";
const std::string single = "model.safetensors";
const std::string indexFile = "model.safetensors.index.json";
const std::string firstShard = "model-00001-of-00002.safetensors";

class Folder : public test::TemporaryFolder {
public:
    explicit Folder(int shards = 1, const std::string& dtype = "F32")
    {
        test::writeCheckpoint(path(),
                              {.dtype = dtype, .shards = shards, .tokenizer = tokenizerFolder});
    }
    std::string read(const std::string& name) const
    {
        std::ifstream in(path() / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const std::string& name, const std::string& text) const
    {
        std::ofstream(path() / name, std::ios::binary) << text;
    }
};

std::string length(std::uint64_t n)
{
    std::string bytes;
    for (int i = 0; i < 8; ++i, n >>= 8) {
        bytes += char(n & 0xff);
    }
    return bytes;
}

std::string safetensors(const std::string& header, std::size_t dataBytes)
{
    return length(header.size()) + header + std::string(dataBytes, '\0');
}

/// Opens a file of this header and so many bytes of data.
void openFile(const std::string& header, std::size_t dataBytes)
{
    const test::TemporaryFolder folder;
    std::ofstream(folder.path() / "a.safetensors", std::ios::binary)
        << safetensors(header, dataBytes);
    SafetensorsFile(folder.path() / "a.safetensors");
}

/// The single-file checkpoint with its header changed.
void rewriteHeader(const Folder& folder, const std::function<void(ordered_json&)>& change)
{
    const std::string file = folder.read(single);
    std::uint64_t size = 0;
    for (int i = 7; i >= 0; --i) {
        size = size << 8 | std::uint8_t(file[std::size_t(i)]);
    }
    ordered_json header = ordered_json::parse(file.substr(8, size));
    change(header);
    const std::string text = header.dump();
    folder.write(single, length(text.size()) + text + file.substr(8 + size));
}

const char* const q = "language_model.model.layers.1.self_attn.q_proj.weight";

}  // namespace

TEST(tensorsAreTheMappedFileAndOutliveTheCheckpoint)
{
    const Folder folder(2);
    at::Tensor tensor;
    {
        const Checkpoint checkpoint(folder.path());
        tensor = checkpoint.tensor(q);
        CHECK(checkpoint.contains(q));
        CHECK(tensor.const_data_ptr() == checkpoint.tensor(q).const_data_ptr());
    }
    CHECK_EQUAL(tensor.sizes().vec(), (std::vector<std::int64_t>{128, 64}));
    const std::uint64_t key = test::weightKey(q, 1);
    for (const std::int64_t i : {0, 1, 8191}) {
        CHECK_EQUAL(tensor.flatten()[i].item<float>(),
                    test::weightValue(key, std::uint64_t(i)) / 4);  // 2^-2, width 64
    }
}

TEST(infoIsReadWithoutTheWeights)
{
    const Folder folder(2, "BF16");
    const ModelInfo info = inspectCheckpoint(folder.path());
    CHECK_EQUAL(info.storedDtype, "BF16");
    CHECK_EQUAL(info.weightBytes, 2 * info.parameters);
    CHECK_EQUAL(info.name, "random");
    CHECK_EQUAL(info.visionLayers, 2);
    CHECK_EQUAL(info.languageLayers, 3);
    CHECK_EQUAL(info.contextLength, 8192);
    CHECK_EQUAL(info.vocabulary, 1536);
    CHECK_EQUAL(info.family, "Qwen3");
    CHECK_EQUAL(info.tower, "InternViT-300M");
    CHECK_EQUAL(info.layout, "InternVLChat");
    CHECK_EQUAL(info.chatTemplate, "internvl2_5");
    CHECK_EQUAL(info.tokenizer, "vocab.json + merges.txt");
    CHECK_EQUAL(info.tokens, 1291);
    CHECK(info.warnings.empty());
    CHECK(info.device.empty());
    CHECK(looksLikeCheckpoint(folder.path()));
    CHECK(!looksLikeCheckpoint(folder.path() / "none"));
    CHECK(!looksLikeCheckpoint(tokenizerFolder));
}

TEST(theModelHashChangesWithConfigHeaderAndWeights)
{
    const Folder folder, same, other, trained;
    CHECK_EQUAL(inspectCheckpoint(folder.path()).modelHash,
                inspectCheckpoint(same.path()).modelHash);
    other.write("config.json", other.read("config.json") + "\n");
    CHECK(inspectCheckpoint(folder.path()).modelHash != inspectCheckpoint(other.path()).modelHash);
    std::string bytes = trained.read(single);
    std::uint64_t headerBytes = 0;
    std::memcpy(&headerBytes, bytes.data(), sizeof headerBytes);
    for (std::size_t at = 8 + std::size_t(headerBytes); at < bytes.size(); at += 64) {
        bytes[at] = char(bytes[at] ^ 1);
    }
    trained.write(single, bytes);
    CHECK(inspectCheckpoint(folder.path()).modelHash !=
          inspectCheckpoint(trained.path()).modelHash);
    rewriteHeader(same, [](ordered_json& header) { header["__metadata__"]["format"] = "np"; });
    CHECK(inspectCheckpoint(folder.path()).modelHash != inspectCheckpoint(same.path()).modelHash);
}

TEST(aFileCutAtAnyLengthIsRefusedInASentence)
{
    const Folder folder;
    const fs::path file = folder.path() / single;
    const std::uintmax_t whole = fs::file_size(file);
    const auto refused = [&](std::uintmax_t bytes) {
        fs::resize_file(file, bytes);
        try {
            inspectCheckpoint(folder.path());
        } catch (const Error& error) {
            const std::string what = error.what();
            CHECK(what.ends_with(".") && what.find(single) != std::string::npos);
            return;
        }
        test::fail(__FILE__, __LINE__,
                   "a file cut to " + std::to_string(bytes) + " bytes was opened");
    };
    refused(whole - 1);
    for (std::uintmax_t bytes = whole - whole % 20011; bytes > 8000; bytes -= 20011) {
        refused(bytes);
    }
    for (std::uintmax_t bytes = 8000; bytes > 0; bytes -= bytes > 40 ? 13 : 1) {
        refused(bytes);
    }
    refused(0);
}

TEST(headersThatLieAreRefused)
{
    const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    openFile(good, 8);
    const auto refused = [](const std::string& header, std::size_t data,
                            const std::string& sentence) {
        CHECK_THROWS(Error, openFile(header, data), sentence);
    };
    refused(good, 9, "something was appended");
    refused(good, 7, "cut short");
    refused("[]", 0, "no JSON object");
    refused("{", 0, "not valid JSON");
    refused(R"({"a":1})", 0, "dtype, shape and two data_offsets");
    refused(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8, "\"F33\" is unknown");
    refused(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "shape is [-2]");
    refused(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8, "shape is [2.0]");
    refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8,
            "its shape is");
    refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8,
            "data_offsets are [8,0]");
    refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8, "two data_offsets");
    refused(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
            "8 bytes where its shape and dtype need 12");
    refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", 8, "gap");
    refused(
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}})",
        8, "overlap");
    refused(
        R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
        4, "\"a\" twice");
    const test::TemporaryFolder folder;
    std::ofstream(folder.path() / "a.safetensors", std::ios::binary)
        << length(100'000'001) << std::string(100, ' ');
    CHECK_THROWS(Error, SafetensorsFile(folder.path() / "a.safetensors"), "at most 100000000");
}

TEST(aMissingShardIsNamed)
{
    const Folder folder(2);
    fs::remove(folder.path() / firstShard);
    CHECK_THROWS(Error, Checkpoint(folder.path()), firstShard + " is missing, one of 2 files");
}

TEST(anIndexThatLiesIsRefused)
{
    const Folder folder(2);
    const ordered_json good = ordered_json::parse(folder.read(indexFile));
    const auto refused = [&](const std::function<void(ordered_json&)>& change,
                             const std::string& sentence) {
        ordered_json bad = good;
        change(bad);
        folder.write(indexFile, bad.dump());
        CHECK_THROWS(Error, Checkpoint(folder.path()), sentence);
    };
    refused([](ordered_json& j) { j.erase("weight_map"); }, "no weight_map");
    refused([](ordered_json& j) { j["weight_map"][q] = 1; }, "no weight_map");
    refused([](ordered_json& j) { j["weight_map"][q] = "../model.safetensors"; }, "same folder");
    refused([](ordered_json& j) { j["weight_map"][q] = "/etc/passwd"; }, "same folder");
    refused([](ordered_json& j) { j["weight_map"][q] = ""; }, "same folder");
    refused([](ordered_json& j) { j["weight_map"][q] = firstShard; }, "does not hold tensor");
    refused([](ordered_json& j) { j["weight_map"].erase(q); }, "does not list");
    refused([](ordered_json& j) { j["weight_map"]["extra"] = firstShard; },
            "does not hold tensor extra");
    folder.write(indexFile, good.dump().substr(0, 300));
    CHECK_THROWS(Error, Checkpoint(folder.path()), "no weight_map");
}

TEST(missingUnexpectedMisshapenAndMistypedTensorsAreNamed)
{
    const auto refused = [](const std::function<void(ordered_json&)>& change,
                            const std::string& sentence) {
        const Folder folder;
        rewriteHeader(folder, change);
        CHECK_THROWS(Error, Checkpoint(folder.path()), sentence);
    };
    const auto rename = [](const char* from, const char* to) {
        return [=](ordered_json& header) {
            header[to] = header[from];
            header.erase(from);
        };
    };
    // 4 + 14 a layer of the tower, 6 of mlp1, 3 + 11 a layer of the decoder (model
    // specification 4.1)
    refused(rename(q, "other"),
            std::string("tensor ") + q + " is missing, 74 tensors are expected");
    refused(
        [](ordered_json& h) {
            h["extra"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
        },
        "tensor extra is not part of the model");
    refused(
        [](ordered_json& h) {
            h[q]["shape"] = {64, 128};
        },
        "has shape [64, 128] where config.json asks for [128, 64]");
    refused([](ordered_json& h) { h[q]["dtype"] = "I32"; }, "stored as I32 where BF16 or F32");
}

TEST(shardsOfOtherModelsAreNamed)
{
    const std::string second = "model-00002-of-00002.safetensors";
    const auto refused = [&](const test::CheckpointOptions& options, const std::string& sentence) {
        const Folder folder(2);
        const test::TemporaryFolder other;
        test::writeCheckpoint(other.path(), options);
        fs::copy_file(other.path() / second, folder.path() / second,
                      fs::copy_options::overwrite_existing);
        CHECK_THROWS(Error, Checkpoint(folder.path()), sentence);
    };
    // the same names, other sizes
    refused({.shape = "small", .tokenizer = tokenizerFolder}, "which model.safetensors.index.json");
    // another family
    refused({.shape = "tiny-qwen2", .tokenizer = tokenizerFolder},
            second + " does not hold tensor");
    const Folder folder, small;
    rewriteHeader(folder, [](ordered_json& header) {
        const std::string head = "language_model.lm_head.weight";
        header[head]["shape"] = {768, 128};
    });
    CHECK_THROWS(Error, Checkpoint(folder.path()),
                 "model.safetensors: tensor language_model.lm_head.weight has shape [768, 128] "
                 "where config.json asks for [1536, 64]");
}

TEST(aTruncatedShardIsNamed)
{
    const Folder folder(2);
    const fs::path shard = folder.path() / firstShard;
    fs::resize_file(shard, fs::file_size(shard) - 4096);
    CHECK_THROWS(Error, Checkpoint(folder.path()), firstShard + " has ");
    CHECK_THROWS(Error, Checkpoint(folder.path()), "was probably cut short");
}

TEST(aTiedHeadNeedsNoTensor)
{
    const Folder folder;
    ordered_json config = ordered_json::parse(folder.read("config.json"));
    config["llm_config"]["tie_word_embeddings"] = true;
    folder.write("config.json", config.dump());
    CHECK_EQUAL(Checkpoint(folder.path()).config().language.tiedHead, true);

    // without the tensor, and without the word that it is not needed
    const test::TemporaryFolder tied;
    test::writeCheckpoint(tied.path(), {.tokenizer = tokenizerFolder, .tied = true});
    CHECK_EQUAL(Checkpoint(tied.path()).config().language.tiedHead, true);
    config = ordered_json::parse(std::ifstream(tied.path() / "config.json"));
    config["llm_config"]["tie_word_embeddings"] = false;
    std::ofstream(tied.path() / "config.json") << config;
    CHECK_THROWS(Error, Checkpoint(tied.path()), "language_model.lm_head.weight is missing");
}

TEST(theNamesOfHfRepositoriesAreChecked)
{
    for (const Layout layout : {Layout::Hf, Layout::HfWithoutModel}) {
        const std::string model = layout == Layout::Hf ? "model." : "";
        const std::string key = model + "vision_tower.encoder.layer.1.attention.k_proj.weight";
        Folder folder;
        test::writeCheckpoint(folder.path(),
                              {.shards = 1, .tokenizer = tokenizerFolder, .layout = layout});
        CHECK_EQUAL(inspectCheckpoint(folder.path()).layout, "HF-native");
        rewriteHeader(folder, [&](ordered_json& header) { header[key]["shape"] = {32, 128}; });
        CHECK_THROWS(Error, Checkpoint(folder.path()),
                     "tensor " + key + " has shape [32, 128] where config.json asks for [64, 64]");
        rewriteHeader(folder, [&](ordered_json& header) {
            header["other"] = header[key];
            header.erase(key);
        });
        CHECK_THROWS(Error, Checkpoint(folder.path()), "tensor " + key + " is missing");
    }
}

TEST(aFlashVariantIsKnownByItsRouter)
{
    const Folder folder;
    rewriteHeader(folder, [](ordered_json& header) {
        header["gating.0.weight"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
    });
    CHECK_THROWS(Error, Checkpoint(folder.path()), "router of a -Flash variant");
}

TEST(anUnreadableTokenizerIsRefusedBeforeTheWeightsAreRead)
{
    const auto refused = [](const std::string& file, const std::string& text,
                            const std::string& sentence) {
        const Folder folder;
        folder.write(file, text);
        CHECK_THROWS(Error, inspectCheckpoint(folder.path()), sentence);
        CHECK_THROWS(Error, loadEngine({folder.path(), "cpu", "fp32"}), sentence);
    };
    refused("vocab.json", "{\"a\": 1", "vocab.json");
    const Folder folder;
    for (const char* name : {"vocab.json", "merges.txt"}) {
        fs::remove(folder.path() / name);
    }
    CHECK_THROWS(Error, inspectCheckpoint(folder.path()), "has no tokenizer");
}

TEST(foldersWithOtherWeightsSayWhy)
{
    const Folder folder;
    fs::remove(folder.path() / single);
    CHECK_THROWS(Error, Checkpoint(folder.path()),
                 "neither model.safetensors nor model.safetensors.index.json");
    folder.write("model-q4.gguf", "GGUF");
    CHECK_THROWS(Error, Checkpoint(folder.path()), "model-q4.gguf where model.safetensors");
    CHECK_THROWS(Error, Checkpoint(folder.path()), "GGUF files of llama.cpp");
    fs::remove(folder.path() / "model-q4.gguf");
    for (const char* pickled :
         {"pytorch_model.bin", "consolidated.00.pth", "model.pt", "last.ckpt", "weights.pkl"}) {
        folder.write(pickled, "PK");
        CHECK_THROWS(Error, Checkpoint(folder.path()), std::string(pickled) + " where");
        CHECK_THROWS(Error, Checkpoint(folder.path()), "pickled files can run foreign code");
        CHECK_THROWS(Error, Checkpoint(folder.path() / pickled), "pickled files can run");
        fs::remove(folder.path() / pickled);
    }
    fs::remove(folder.path() / "config.json");
    CHECK_THROWS(Error, Checkpoint(folder.path()), "config.json is missing");
    folder.write("model-q4.gguf", "GGUF");  // such folders have no config.json
    CHECK_THROWS(Error, Checkpoint(folder.path()), "GGUF files of llama.cpp");
    CHECK_THROWS(Error, Checkpoint(folder.path() / "model-q4.gguf"), "GGUF files of llama.cpp");
    CHECK_THROWS(Error, Checkpoint(folder.path() / "none"), "is not a folder");
}

TEST(weightsBesideTheOriginalOnesAreLeftAlone)
{
    const Folder folder;
    folder.write("training_args.bin", "PK");
    Checkpoint(folder.path());
}

TEST(dataThatIsNotAlignedIsCopied)
{
    const Folder folder;
    const std::string file = folder.read(single);
    std::uint64_t size = 0;
    for (int i = 7; i >= 0; --i) {
        size = size << 8 | std::uint8_t(file[std::size_t(i)]);
    }
    const at::Tensor expected = Checkpoint(folder.path()).tensor(q).clone();
    folder.write(single, length(size + 1) + file.substr(8, size) + " " + file.substr(8 + size));
    CHECK(at::equal(Checkpoint(folder.path()).tensor(q), expected));
}

KVL_TEST_MAIN
