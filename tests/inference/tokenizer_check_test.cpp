// The tokenizer's part of model specification 13, and a checkpoint that claims to be KVL.
#include "inference/tokenizer_check.h"

#include "inference/checkpoint.h"
#include "inference/error.h"
#include "support/published_config.h"
#include "support/qwen_tokenizer.h"
#include "support/shared_data.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <fstream>
#include <functional>

using namespace inference;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const fs::path small = fs::path(KVL_TEST_DATA) / "tokenizer-small";

/// A folder with a tokenizer's files, lines of merges.txt left out where `lose` says so.
struct Folder : test::TemporaryFolder {
    explicit Folder(const fs::path& tokenizer,
                    const std::function<bool(const std::string&)>& lose = {})
    {
        for (const auto& file : fs::directory_iterator(tokenizer)) {
            const fs::path to = path() / file.path().filename();
            if (!lose || to.filename() != "merges.txt") {
                fs::copy_file(file.path(), to);
                continue;
            }
            std::ifstream in(file.path());
            std::ofstream out(to);
            for (std::string line; std::getline(in, line);) {
                out << (lose(line) ? "" : line + '\n');
            }
        }
    }
};

ModelInfo checked(const fs::path& folder)
{
    ModelInfo info;
    info.folder = folder;
    checkTokenizer(*loadTokenizer(folder), parseConfig(test::published().dump(), "config.json"),
                   info);
    return info;
}

/// config.json as published and one file of weights with a header alone: the data is a hole.
void claimToBeKvl(const fs::path& folder, const std::function<void(json&)>& change)
{
    const std::string text = test::published().dump();
    std::ofstream(folder / "config.json") << text;
    json header;
    std::int64_t at = 0;
    for (const TensorShape& one : expectedTensors(parseConfig(text, "config.json"))) {
        std::int64_t bytes = 2;
        for (const std::int64_t side : one.shape) {
            bytes *= side;
        }
        header[one.name] = {
            {"dtype", "BF16"}, {"shape", one.shape}, {"data_offsets", {at, at + bytes}}};
        at += bytes;
    }
    change(header);
    const std::string head = header.dump();
    std::string file;
    for (std::uint64_t size = head.size(), i = 0; i < 8; ++i, size >>= 8) {
        file += char(size & 0xff);
    }
    file += head;
    std::ofstream(folder / "model.safetensors", std::ios::binary) << file;
    fs::resize_file(folder / "model.safetensors", file.size() + std::uint64_t(at));
}

}  // namespace

TEST(fewerTokensAndMergesThanQwensAreAWarning)
{
    const Folder folder(small);
    const std::vector<std::string> warnings = checked(folder.path()).warnings;
    const std::string where = folder.path().string();
    CHECK_EQUAL(warnings,
                (std::vector<std::string>{
                    where +
                        ": vocab.json has 1256 tokens where Qwen's own has 151643; the "
                        "tokenizer is another one or was cut short.",
                    where +
                        ": merges.txt has 1000 merges where Qwen's own has 151387; the "
                        "tokenizer is another one or was cut short."}));
    // a small model with a small vocabulary claims nothing
    json config = test::published();
    config["llm_config"]["vocab_size"] = 1536;
    ModelInfo info;
    info.folder = folder.path();
    checkTokenizer(*loadTokenizer(folder.path()), parseConfig(config.dump(), "config.json"), info);
    CHECK(info.warnings.empty());
}

TEST(qwensOwnTokenizerHasTheCountsOfTheSpecification)
{
    if (!test::sharedData()) {
        SKIP(test::missingSharedData);
    }
    CHECK((loadTokenizer(test::qwenTokenizer())->counts() == Tokenizer::Counts{151643, 151387}));
    const ModelInfo info = checked(test::qwenTokenizer());
    CHECK(info.warnings.empty());
    CHECK_EQUAL(info.tokens, 151678);
    int merge = 0;
    const Folder folder(test::qwenTokenizer(),
                        [&](const std::string&) { return ++merge == 151388; });  // the last
    const std::vector<std::string> warnings = checked(folder.path()).warnings;
    CHECK_EQUAL(warnings.size(), std::size_t(1));
    CHECK(warnings.front().find("merges.txt has 151386 merges where Qwen's own has 151387") !=
          std::string::npos);
}

TEST(lostMergesOfNumberSignsAreAnError)
{
    if (!test::sharedData()) {
        SKIP(test::missingSharedData);
    }
    const Folder folder(test::qwenTokenizer(), [](const std::string& line) {
        return line.starts_with("#") && !line.starts_with("#version");
    });
    // as many as InternVL2-1B's file has (7.8)
    CHECK_THROWS(Error, checked(folder.path()),
                 "merges.txt lacks the merges of #, seven of them make 7 tokens where 1 is "
                 "expected, and has 151291 merges where Qwen's has 151387");
}

TEST(aCheckpointOfKvlsShapeHasNothingUnusual)
{
    if (!test::sharedData()) {
        SKIP(test::missingSharedData);
    }
    const Folder folder(test::qwenTokenizer());
    claimToBeKvl(folder.path(), [](json&) {});
    const ModelInfo info = inspectCheckpoint(folder.path());
    CHECK_EQUAL(info.parameters, std::int64_t(15'119'523'840));  // model specification 1.1
    CHECK_EQUAL(info.weightBytes, std::int64_t(30'239'047'680));
    CHECK_EQUAL(info.tokens, 151678);
    CHECK(info.warnings.empty());

    claimToBeKvl(folder.path(), [](json& header) {
        const std::string norm = "language_model.model.layers.7.self_attn.q_norm.weight";
        header[norm + "s"] = header[norm];
        header.erase(norm);
    });
    CHECK_THROWS(Error, inspectCheckpoint(folder.path()),
                 "tensor language_model.model.layers.7.self_attn.q_norm.weight is missing, 789 "
                 "tensors are expected");
    claimToBeKvl(folder.path(), [](json& header) {
        header["vision_model.embeddings.position_embedding"]["shape"] = {1, 1024, 1025};
    });
    CHECK_THROWS(Error, inspectCheckpoint(folder.path()),
                 "position_embedding has shape [1, 1024, 1025] where config.json asks for [1, "
                 "1025, 1024]");
}

TEST(aTokenizerWithoutTheTokensOfPromptsIsRefused)
{
    for (const std::string token :
         {"<IMG_CONTEXT>", "<img>", "</img>", "<|im_start|>", "<|im_end|>"}) {
        const Folder folder(small);
        json added = json::parse(std::ifstream(small / "added_tokens.json"));
        added.erase(token);
        std::ofstream(folder.path() / "added_tokens.json") << added;
        fs::remove(folder.path() / "tokenizer_config.json");  // which lists them, too
        CHECK_THROWS(Error, checked(folder.path()), "the tokenizer has no token " + token);
    }
}

TEST(moreTokensThanTheModelHasRowsAreRefused)
{
    json config = test::published();
    config["llm_config"]["vocab_size"] = 1290;
    ModelInfo info;
    CHECK_THROWS(
        Error,
        checkTokenizer(*loadTokenizer(small), parseConfig(config.dump(), "config.json"), info),
        "the tokenizer has 1291 tokens where config.json allows 1290");
}

KVL_TEST_MAIN
