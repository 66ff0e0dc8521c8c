// 20,000 seeded texts with every tokenizer, against Hugging Face's ids
// (tests/reference/make_fuzz.py).
#include "inference/error.h"
#include "inference/sha256.h"
#include "inference/tokenizer.h"
#include "support/fuzz_text.h"
#include "support/qwen_tokenizer.h"
#include "support/temporary_folder.h"
#include "support/test.h"

using namespace inference;
using nlohmann::json;

namespace {

const std::filesystem::path data = KVL_TEST_DATA;
constexpr auto recognised = Tokenizer::ControlTokens::Recognised;
constexpr auto asText = Tokenizer::ControlTokens::AsText;

json readJson(const std::filesystem::path& path)
{
    std::ifstream file(path);
    return json::parse(file);
}

const json& golden()
{
    static const json all = readJson(data / "tokenizer_fuzz.json");
    return all;
}

const std::vector<std::string>& texts()
{
    static const std::vector<std::string> all = [] {
        const test::FuzzTexts text(data / "fuzz_text.json");
        std::vector<std::string> made;
        made.reserve(test::FuzzTexts::count);
        for (int i = 0; i < test::FuzzTexts::count; ++i) {
            made.push_back(text(i));
        }
        return made;
    }();
    return all;
}

std::string joined(const std::vector<TokenId>& ids)
{
    std::string text;
    for (const TokenId id : ids) {
        text += (text.empty() ? "" : " ") + std::to_string(id);
    }
    return text;
}

/// `row(i)` of each block of texts has the digest in the list.
template <typename Row>
void checkBlocks(const json& digests, const std::string& what, Row&& row)
{
    constexpr int block = test::FuzzTexts::block;
    CHECK_EQUAL(int(digests.size()) * block, test::FuzzTexts::count);
    int wrong = 0, first = -1;
    for (int at = 0; at < test::FuzzTexts::count; at += block) {
        std::string rows;
        for (int i = at; i < at + block; ++i) {
            rows += (i > at ? "\n" : "") + row(i);
        }
        if (sha256Hex(rows).substr(0, 16) != digests[std::size_t(at / block)]) {
            first = first < 0 ? at : first;
            ++wrong;
        }
    }
    if (wrong > 0) {
        test::fail(__FILE__, __LINE__,
                   what + ": " + std::to_string(wrong) +
                       " blocks differ, the first one begins with " + "text " +
                       std::to_string(first));
    }
}

void checkTokenizer(const Tokenizer& tokenizer, const std::string& name, bool textToo = true)
{
    const json& expected = golden()["tokenizers"][name];
    checkBlocks(expected["recognised"], name + ", control tokens recognised", [&](int i) {
        return joined(tokenizer.encode(texts()[std::size_t(i)], recognised));
    });
    if (textToo) {
        checkBlocks(expected["text"], name + ", control tokens as text", [&](int i) {
            return joined(tokenizer.encode(texts()[std::size_t(i)], asText));
        });
    }
    if (golden()["samples"].contains(name)) {
        for (const auto& [number, ids] : golden()["samples"][name].items()) {
            CHECK_EQUAL(joined(tokenizer.encode(texts()[std::stoul(number)], recognised)),
                        ids.get<std::string>());
        }
    }
}

}  // namespace

TEST(theTextsAreThoseOfTheReference)
{
    checkBlocks(golden()["texts"], "texts", [](int i) { return texts()[std::size_t(i)]; });
}

TEST(theFullVocabularyReadsEveryTextAsHuggingFace)
{
    checkTokenizer(*loadTokenizer(test::qwenTokenizer()), "qwen");
}

TEST(tokenizerJsonAloneReadsEveryTextAsTheThreeFilesDo)
{
    const std::filesystem::path qwen = test::qwenTokenizer();
    json file = readJson(data / "tokenizer-small.json");
    file["model"]["vocab"] = readJson(qwen / "vocab.json");
    json& merges = file["model"]["merges"] = json::array();
    std::ifstream stream(qwen / "merges.txt");
    std::string line;
    for (std::getline(stream, line); std::getline(stream, line);) {
        merges.push_back(line);  // "left right", as older versions save it
    }
    const json added = readJson(qwen / "added_tokens.json");
    for (json& token : file["added_tokens"]) {
        token["id"] = added.at(token["content"].get<std::string>());
    }
    const test::TemporaryFolder folder;
    std::ofstream(folder.path() / "tokenizer.json") << file;
    const auto tokenizer = loadTokenizer(folder.path());
    checkTokenizer(*tokenizer, "qwen");
    const auto files = loadTokenizer(qwen);
    CHECK_EQUAL(tokenizer->size(), files->size());
    for (TokenId id = 0; id < files->size(); ++id) {
        CHECK_EQUAL(tokenizer->bytes(id), files->bytes(id));
        CHECK_EQUAL(tokenizer->isSpecial(id), files->isSpecial(id));
    }
}

TEST(theAddedTokensOfQwen25ReadEveryTextAsHuggingFace)
{
    const test::TemporaryFolder folder;
    std::filesystem::copy(data / "tokenizer-qwen25", folder.path());
    for (const char* name : {"vocab.json", "merges.txt"}) {
        std::filesystem::copy(test::qwenTokenizer() / name, folder.path() / name);
    }
    const auto tokenizer = loadTokenizer(folder.path());
    CHECK(tokenizer->control("<IMG_CONTEXT>") == TokenId(151667));
    CHECK_EQUAL(tokenizer->size(), 151674);
    checkTokenizer(*tokenizer, "qwen25");
}

TEST(theSmallVocabularyReadsEveryTextAsHuggingFace)
{
    checkTokenizer(*loadTokenizer(data / "tokenizer-small"), "small");
}

TEST(theFileThatHuggingFaceSavesReadsEveryTextTheSame)
{
    const test::TemporaryFolder folder;
    std::filesystem::copy(data / "tokenizer-small.json", folder.path() / "tokenizer.json");
    checkTokenizer(*loadTokenizer(folder.path()), "small");
}

TEST(sentencePieceReadsEveryTextAsInternLm2)
{
#if defined(KVL_SENTENCEPIECE)
    checkTokenizer(*loadTokenizer(data / "sentencepiece-small"), "sentencepiece-small");
    checkTokenizer(*loadTokenizer(data / "sentencepiece-unigram"), "sentencepiece-unigram");
#else
    SKIP("this program was built without SentencePiece");
#endif
}

// What decode() gives is the text, normalised; nothing is lost and nothing is refused.
TEST(everyTextComesBack)
{
    const auto tokenizer = loadTokenizer(data / "tokenizer-small");
    for (const std::string& text : texts()) {
        const std::string back = tokenizer->decode(tokenizer->encode(text, asText), false);
        CHECK_EQUAL(tokenizer->encode(back, asText), tokenizer->encode(text, asText));
        CHECK_EQUAL(tokenizer->decode(tokenizer->encode(text, recognised), false), back);
    }
}

TEST(everyTextCutInsideACharacterIsRefusedWithThePlace)
{
    const auto tokenizer = loadTokenizer(data / "tokenizer-small");
    int refused = 0;
    for (std::size_t i = 0; i < texts().size(); i += 10) {
        const std::string& text = texts()[i];
        for (std::size_t size = 0; size < text.size() && size < 60; ++size) {
            const std::string cut = text.substr(0, size);
            const std::size_t rest = unfinishedBytes(cut);
            if (rest > 0) {
                ++refused;
                CHECK_THROWS(Error, tokenizer->encode(cut),
                             "byte " + std::to_string(size - rest) + " of " + std::to_string(size));
            }
        }
    }
    CHECK(refused > 1000);
}

KVL_TEST_MAIN
