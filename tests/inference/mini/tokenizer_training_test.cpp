#include "inference/mini/tokenizer_training.h"

#include "inference/mini/sample.h"
#include "inference/prompt.h"
#include "inference/tokenizer.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <fstream>
#include <iterator>
#include <set>

using namespace inference;

namespace {

using Control = Tokenizer::ControlTokens;

std::string read(const std::filesystem::path& file)
{
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

mini::TokenizerOptions few()
{
    mini::TokenizerOptions options;
    options.pictures = 250;
    return options;
}

/// Trained once for all tests.
struct Trained {
    Trained()
    {
        mini::trainTokenizer(folder.path(), few());
        tokenizer = loadTokenizer(folder.path());
    }
    test::TemporaryFolder folder;
    std::unique_ptr<Tokenizer> tokenizer;
};
const Trained& trained()
{
    static const Trained one;
    return one;
}

std::string spelled(const std::vector<TokenId>& ids)
{
    std::string text;
    for (const TokenId id : ids) {
        text += std::string(trained().tokenizer->bytes(id)) + "|";
    }
    return text;
}

}  // namespace

TEST(theSameSeedGivesTheSameFiles)
{
    test::TemporaryFolder again;
    mini::trainTokenizer(again.path(), few());
    for (const char* name : {"tokenizer.model", "added_tokens.json", "tokenizer_config.json"}) {
        CHECK(!read(again.path() / name).empty());
        CHECK(read(again.path() / name) == read(trained().folder.path() / name));
    }
}

TEST(itIsSmallAndHasTheControlTokensOfTheFamily)
{
    const Tokenizer& tokenizer = *trained().tokenizer;
    CHECK(tokenizer.size() >= 900 && tokenizer.size() <= 2000);
    std::set<TokenId> ids;
    for (const char* token :
         {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<img>", "</img>",
          "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"}) {
        const auto id = tokenizer.control(token);
        CHECK(id.has_value());
        CHECK_EQUAL(tokenizer.isSpecial(*id),
                    std::string(token).find("think") == std::string::npos);
        ids.insert(*id);
    }
    CHECK_EQUAL(ids.size(), 14U);
    CHECK_EQUAL(*ids.rbegin(), TokenId(tokenizer.size() - 1));
    CHECK(!tokenizer.beginning());
}

TEST(everyTwoDigitNumberIsOnePiece)
{
    const Tokenizer& tokenizer = *trained().tokenizer;
    for (char tens = '0'; tens <= '9'; ++tens) {
        for (char ones = '0'; ones <= '9'; ++ones) {
            const std::string number{tens, ones};
            CHECK_EQUAL(tokenizer.encode(number).size(), 1U);
            CHECK_EQUAL(tokenizer.encode(" " + number).size(), 1U);
        }
    }
    CHECK_EQUAL(spelled(tokenizer.encode("at 31 44 size 12,")),
                std::string("at| 31| 44| size| 12|,|"));
}

TEST(aCoordinateOfABoxIsItsPercentAndADigit)
{
    CHECK_EQUAL(spelled(trained().tokenizer->encode("[[310, 440, 1000, 70]]")),
                std::string("[[|31|0|,| 44|0|,| 10|00|,| 70|]]|"));
}

TEST(generatedTextHasFewPiecesAndComesBackWhole)
{
    const Tokenizer& tokenizer = *trained().tokenizer;
    std::size_t characters = 0, pieces = 0;
    for (std::uint64_t i = 5000; i < 5060; ++i) {
        for (const mini::Record& record : mini::generate(99, i).records) {
            for (const std::string& text : {record.question, mini::reply(record)}) {
                const auto ids = tokenizer.encode(text, Control::Recognised);
                std::string back;
                for (const TokenId id : ids) {
                    back += tokenizer.bytes(id);
                }
                CHECK_EQUAL(back, text);
                characters += text.size();
                pieces += ids.size();
            }
        }
    }
    CHECK(characters > 2.6 * double(pieces));
}

TEST(whateverIsTypedComesBackWhole)
{
    const Tokenizer& tokenizer = *trained().tokenizer;
    for (const std::string text : {"Größe  der Läsion?\n\n\tca. 12,5 mm",
                                   "书生·万象 \xf0\x9f\xa9\xba", "<box> typed", " x ", "00100"}) {
        std::string back;
        for (const TokenId id : tokenizer.encode(text)) {
            CHECK(!tokenizer.isSpecial(id));
            back += tokenizer.bytes(id);
        }
        CHECK_EQUAL(back, text);
    }
}

TEST(aPromptOfTheFamilyCanBeBuiltFromIt)
{
    Request request;
    request.messages = {
        {Role::User, "How many bright spots are there?", {mini::generate(1, 1).image}}};
    TilingOptions tiling;
    tiling.tileSize = 224;
    tiling.tokensPerTile = 64;
    request.maxTiles = 1;
    const Prompt prompt = buildPrompt(request, *trained().tokenizer, tiling);
    // <|im_start|>system\n..., the picture's 64 tokens, the question
    CHECK(prompt.ids.size() > 64 && prompt.ids.size() < 130);
}

KVL_TEST_MAIN
