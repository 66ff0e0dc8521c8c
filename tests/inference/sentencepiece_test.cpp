#include "inference/error.h"
#include "inference/tokenizer.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace inference;
using nlohmann::json;

namespace {

const std::filesystem::path data = KVL_TEST_DATA;
constexpr auto recognised = Tokenizer::ControlTokens::Recognised;
constexpr auto asText = Tokenizer::ControlTokens::AsText;

std::unique_ptr<Tokenizer> load(const std::string& name)
{
#if !defined(KVL_SENTENCEPIECE)
    SKIP("this program was built without SentencePiece");
#endif
    return loadTokenizer(data / name);
}

/// Calls `check` with the model's tokenizer and each line of the file that is about it.
template <typename Check>
void forLinesOf(const char* name, Check&& check)
{
    for (const char* model : {"sentencepiece-small", "sentencepiece-unigram"}) {
        const auto tokenizer = load(model);
        std::ifstream file(data / name);
        int lines = 0;
        for (std::string text; std::getline(file, text);) {
            if (const json line = json::parse(text); line[0] == model) {
                check(*tokenizer, line);
                ++lines;
            }
        }
        CHECK(lines > 20);
    }
}

void copy(const char* name, const test::TemporaryFolder& to)
{
    std::filesystem::copy(data / name, to.path(), std::filesystem::copy_options::recursive);
}

void write(const test::TemporaryFolder& to, const char* name, const std::string& content)
{
    std::ofstream(to.path() / name, std::ios::binary) << content;
}

}  // namespace

TEST(idsAreThoseOfInternLm2sTokenizer)
{
    forLinesOf("sentencepiece_golden.jsonl", [](const Tokenizer& tokenizer, const json& line) {
        const auto text = line[1].get<std::string>();
        CHECK_EQUAL(tokenizer.encode(text, recognised), line[2].get<std::vector<TokenId>>());
        // typed placeholders must not become control tokens, which Hugging Face's do
        if (text.find("[UNUSED_TOKEN") == std::string::npos) {
            CHECK_EQUAL(tokenizer.encode(text, asText), line[3].get<std::vector<TokenId>>());
        }
    });
}

TEST(textIsThatOfInternLm2sTokenizer)
{
    forLinesOf("sentencepiece_decoding.jsonl", [](const Tokenizer& tokenizer, const json& line) {
        const auto ids = line[1].get<std::vector<TokenId>>();
        CHECK_EQUAL(tokenizer.decode(ids, true), line[2].get<std::string>());
        CHECK_EQUAL(tokenizer.decode(ids, false), line[3].get<std::string>());
    });
}

TEST(addedTokensAreFoundByNameAndKnowWhetherTheyAreShown)
{
    const auto bpe = load("sentencepiece-small"), unigram = load("sentencepiece-unigram");
    CHECK_EQUAL(bpe->size(), 409);
    CHECK(bpe->control("<|im_end|>") == TokenId(3));  // at the place of a placeholder piece
    CHECK(bpe->control("<IMG_CONTEXT>") == TokenId(402));
    CHECK(bpe->control("</s>") == TokenId(2));
    CHECK(!bpe->control("a"));
    CHECK(bpe->isSpecial(402) && bpe->isSpecial(1) && !bpe->isSpecial(300));
    CHECK_EQUAL(bpe->bytes(3), "<|im_end|>");
    CHECK(bpe->bytes(409).empty() && bpe->bytes(-1).empty());
    CHECK(unigram->control("<think>") && !unigram->isSpecial(*unigram->control("<think>")));
    CHECK(unigram->isSpecial(*unigram->control("<|im_end|>")));
}

TEST(aPromptBeginsWithBosWhereTheConfigurationSaysSo)
{
    CHECK(load("sentencepiece-small")->beginning() == TokenId(1));
    CHECK(!load("sentencepiece-unigram")->beginning());
    const test::TemporaryFolder folder;
    copy("sentencepiece-small", folder);
    write(folder, "tokenizer_config.json", R"({"tokenizer_class": "InternLM2TokenizerFast"})");
    CHECK(loadTokenizer(folder.path())->beginning() == TokenId(1));  // the class's own default
    std::filesystem::remove(folder.path() / "tokenizer_config.json");
    CHECK(loadTokenizer(folder.path())->beginning() == TokenId(1));
}

TEST(typedPlaceholdersAndControlTokensStayText)
{
    const auto tokenizer = load("sentencepiece-small");
    for (const std::string& typed :
         {std::string("<|im_end|>"), std::string("[UNUSED_TOKEN_145]"), std::string("<s>a</s>"),
          std::string("x [UNUSED_TOKEN_146]\n<IMG_CONTEXT>")}) {
        const std::vector<TokenId> ids = tokenizer->encode(typed, asText);
        for (const TokenId id : ids) {
            CHECK(id > 4 && id < 400);
        }
        CHECK_EQUAL(tokenizer->decode(ids, true), typed);
    }
}

TEST(invalidUtf8IsRefusedWithThePlace)
{
    const auto tokenizer = load("sentencepiece-small");
    CHECK_THROWS(Error, tokenizer->encode("abc\xff"), "byte 3 of 4");
    CHECK_THROWS(Error, tokenizer->encode("\xed\xa0\x80", recognised), "byte 0 of 3");
}

TEST(cleaningUpIsHuggingFaces)
{
    CHECK_EQUAL(cleanedUp("It is n't here . Is it ? ' Yes ' , I 've !"),
                "It isn't here. Is it?'Yes ', I've!");
    CHECK_EQUAL(cleanedUp("a  . b"), "a . b");
    CHECK_EQUAL(cleanedUp(" n ' t"), "n't");  // one replacement leads to the next
    CHECK_EQUAL(uncleanedBytes("over n"), 2U);
    CHECK_EQUAL(uncleanedBytes("book"), 0U);
    CHECK_EQUAL(uncleanedBytes("a '"), 2U);
    CHECK_EQUAL(uncleanedBytes("see "), 1U);
}

TEST(modelsThatCannotBeUsedAreNamed)
{
#if defined(KVL_SENTENCEPIECE)
    const test::TemporaryFolder folder;
    write(folder, "tokenizer.model", "not a model");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "tokenizer.model is not a SentencePiece");
    std::filesystem::remove_all(folder.path());
    copy("sentencepiece-small", folder);
    write(folder, "tokenizer_config.json", R"({"tokenizer_class": "Phi3Tokenizer"})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "tokenizer class Phi3Tokenizer");
    write(folder, "tokenizer_config.json", R"({"add_bos_token": "yes"})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "tokenizer_config.json");
#else
    CHECK_THROWS(Error, loadTokenizer(data / "sentencepiece-small"), "without SentencePiece");
#endif
}

KVL_TEST_MAIN
