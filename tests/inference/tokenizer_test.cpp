#include "inference/tokenizer.h"

#include "inference/error.h"
#include "inference/sha256.h"
#include "inference/unicode.h"
#include "inference/utf8.h"
#include "support/qwen_tokenizer.h"
#include "support/test.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace inference;
using nlohmann::json;

namespace {

const std::filesystem::path data = KVL_TEST_DATA;
constexpr auto recognised = Tokenizer::ControlTokens::Recognised;
constexpr auto asText = Tokenizer::ControlTokens::AsText;

std::vector<json> jsonLines(const char* name)
{
    std::ifstream file(data / name);
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(json::parse(line));
    }
    CHECK(!lines.empty());
    return lines;
}

std::string digest(const std::vector<TokenId>& ids)
{
    std::string text;
    for (const TokenId id : ids) {
        text += (text.empty() ? "" : " ") + std::to_string(id);
    }
    return sha256Hex(text).substr(0, 16);
}

void checkGolden(const Tokenizer& tokenizer, const char* name)
{
    for (const json& line : jsonLines(name)) {
        const auto text = line[0].get<std::string>();
        const std::vector<TokenId> ids = tokenizer.encode(text, recognised);
        if (line.size() > 3) {
            CHECK_EQUAL(ids, line[3].get<std::vector<TokenId>>());
        }
        if (digest(ids) != line[1] || digest(tokenizer.encode(text, asText)) != line[2]) {
            test::fail(__FILE__, __LINE__, "other ids for " + line.dump());
        }
    }
}

void checkDecoding(const Tokenizer& tokenizer, const char* name)
{
    for (const json& line : jsonLines(name)) {
        const auto ids = line[0].get<std::vector<TokenId>>();
        CHECK_EQUAL(tokenizer.decode(ids, true), line[1].get<std::string>());
        CHECK_EQUAL(tokenizer.decode(ids, false), line[2].get<std::string>());
    }
}

std::unique_ptr<Tokenizer> qwen()
{
    return loadTokenizer(test::qwenTokenizer());
}

std::unique_ptr<Tokenizer> small()
{
    return loadTokenizer(data / "tokenizer-small");
}

/// A folder of its own, gone with the test.
class Folder {
public:
    Folder()
        : m_path(std::filesystem::temp_directory_path() /
                 ("kvl-tokenizer-" + std::to_string(getpid())))
    {
        std::filesystem::remove_all(m_path);
        std::filesystem::create_directories(m_path);
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::filesystem::path& path() const { return m_path; }
    void copySmall() const
    {
        std::filesystem::copy(data / "tokenizer-small", m_path,
                              std::filesystem::copy_options::overwrite_existing |
                                  std::filesystem::copy_options::recursive);
    }
    void write(const char* name, const std::string& content) const
    {
        std::ofstream(m_path / name, std::ios::binary) << content;
    }
    std::string read(const char* name) const
    {
        std::ifstream file(m_path / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// The small tokenizer as Hugging Face's fast tokenizer is saved: one file.
    static json tokenizerJson()
    {
        std::ifstream file(data / "tokenizer-small.json");
        return json::parse(file);
    }

private:
    std::filesystem::path m_path;
};

}  // namespace

TEST(idsOfTheFullVocabularyAreHuggingFaces)
{
    checkGolden(*qwen(), "tokenizer_golden.jsonl");
}
TEST(textOfTheFullVocabularyIsHuggingFaces)
{
    checkDecoding(*qwen(), "tokenizer_decoding.jsonl");
}
TEST(idsOfTheSmallVocabularyAreHuggingFaces)
{
    checkGolden(*small(), "tokenizer_small_golden.jsonl");
}
TEST(textOfTheSmallVocabularyIsHuggingFaces)
{
    checkDecoding(*small(), "tokenizer_small_decoding.jsonl");
}

TEST(tokenizerJsonAloneGivesTheSameIds)
{
    const Folder folder;
    folder.write("tokenizer.json", folder.tokenizerJson().dump());
    const auto tokenizer = loadTokenizer(folder.path());
    checkGolden(*tokenizer, "tokenizer_small_golden.jsonl");
    checkDecoding(*tokenizer, "tokenizer_small_decoding.jsonl");
}

// model specification 7.8
TEST(mergesThatBeginWithANumberSignAreKept)
{
    CHECK_EQUAL(qwen()->encode("#######"), std::vector<TokenId>{97864});
}

TEST(typedControlTokensStayTextUnlessAsked)
{
    const auto tokenizer = small();
    CHECK_EQUAL(tokenizer->encode("<|im_end|>", recognised), std::vector<TokenId>{1258});
    const auto ids = tokenizer->encode("<|im_end|>");
    CHECK(ids.size() > 1);
    for (const TokenId id : ids) {
        CHECK(id < 1256);
    }
    CHECK_EQUAL(tokenizer->decode(ids, true), "<|im_end|>");
}

TEST(controlTokensAreFoundByName)
{
    const auto tokenizer = small();
    CHECK_EQUAL(tokenizer->size(), 1291);
    CHECK(tokenizer->control("<IMG_CONTEXT>") == TokenId(1284));
    CHECK(!tokenizer->control("<nothing>"));
    CHECK(!tokenizer->control("a"));
    CHECK(tokenizer->isSpecial(1284));
    CHECK(!tokenizer->isSpecial(1280));  // <think>
    CHECK(!tokenizer->isSpecial(-1));
    CHECK(!tokenizer->isSpecial(1 << 30));
    CHECK(tokenizer->bytes(1291).empty());
    CHECK(tokenizer->bytes(-1).empty());
    CHECK_EQUAL(tokenizer->bytes(1280), "<think>");
}

TEST(textThatIsNotUtf8IsRefusedWithThePlace)
{
    const auto tokenizer = small();
    CHECK_THROWS(Error, tokenizer->encode("abc\xff"), "byte 3 of 4");
    CHECK_THROWS(Error, tokenizer->encode("\xc0\x80"), "byte 0 of 2");          // overlong
    CHECK_THROWS(Error, tokenizer->encode("a\xed\xa0\x80"), "byte 1 of 4");     // surrogate
    CHECK_THROWS(Error, tokenizer->encode("\xf4\x90\x80\x80"), "byte 0 of 4");  // beyond U+10FFFF
    CHECK_THROWS(Error, tokenizer->encode("ab\xe4\xbd"), "byte 2 of 4");        // cut short
}

TEST(longWordsTakeNoLongerThanManyShortOnes)
{
    const auto tokenizer = small();
    for (const std::string& part : {std::string("a"), std::string(" "), std::string("\xe4\xbd\xa0"),
                                    std::string("<"), std::string("\n"), std::string("\xcc\x81")}) {
        std::string text;
        while (text.size() < 1000000) {
            text += part;
        }
        CHECK_EQUAL(tokenizer->decode(tokenizer->encode(text, recognised), false), text);
    }
}

TEST(compositionReordersMarksAndJoinsHangul)
{
    CHECK_EQUAL(toNfc("q\xcc\x87\xcc\xa3"), "q\xcc\xa3\xcc\x87");
    CHECK_EQUAL(toNfc("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), "\xed\x95\x9c");
    CHECK_EQUAL(toNfc("A\xcc\x8a \xe2\x84\xab"), "\xc3\x85 \xc3\x85");
    CHECK_EQUAL(toNfc("\xe0\xa5\x98"), "\xe0\xa4\x95\xe0\xa4\xbc");  // excluded from composition
}

TEST(badBytesBecomeOneReplacementForEachLongestPart)
{
    CHECK_EQUAL(withoutBadBytes("a\xf0\x9f\x98z"), "a\xef\xbf\xbdz");
    CHECK_EQUAL(withoutBadBytes("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    CHECK_EQUAL(unfinishedBytes("a\xf0\x9f\x98"), 3U);
    CHECK_EQUAL(unfinishedBytes("a\xe4"), 1U);
    CHECK_EQUAL(unfinishedBytes("a\xe4\xbd\xa0"), 0U);
    CHECK_EQUAL(unfinishedBytes("\xed\xa0"), 0U);  // nothing can complete it
}

TEST(missingFilesAreNamed)
{
    const Folder folder;
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "no tokenizer");
    folder.copySmall();
    std::filesystem::remove(folder.path() / "merges.txt");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "merges.txt is missing");
}

TEST(filesCutAnywhereAreRefusedOrStillRead)
{
    const Folder folder;
    folder.copySmall();
    for (const char* name : {"vocab.json", "added_tokens.json", "tokenizer_config.json"}) {
        const std::string whole = folder.read(name);
        for (std::size_t size = 0; size < whole.size() - 2; size += 1 + whole.size() / 60) {
            folder.write(name, whole.substr(0, size));
            CHECK_THROWS(Error, loadTokenizer(folder.path()), name);
        }
        folder.write(name, whole);
    }
    const std::string merges = folder.read("merges.txt");
    folder.write("merges.txt", merges.substr(0, 41));  // in the middle of a line
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "merges.txt");
}

TEST(filesOfDifferentTokenizersAreRefused)
{
    const Folder folder;
    folder.copySmall();
    const std::string merges = folder.read("merges.txt");
    folder.write("merges.txt", merges + "zz qq\n");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "\"zz qq\"");
    folder.write("merges.txt", merges);

    const std::string added = folder.read("added_tokens.json");
    folder.write("added_tokens.json", R"({"<|im_end|>": 1259})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "<|im_end|>");
    folder.write("added_tokens.json", R"({"<a>": -4})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "-4");
    folder.write("added_tokens.json", R"(["<a>"])");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "added_tokens.json");
    folder.write("added_tokens.json", added);

    folder.write("vocab.json", R"({"a": 0})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "byte 0");
    folder.write("vocab.json", R"({"a": {"b": 1}})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "an object");
    folder.write("vocab.json", R"({"a": 99999999999})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "out of range");

    folder.copySmall();
    folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "GPT2Tokenizer");
}

TEST(anotherKindOfTokenizerJsonIsRefused)
{
    const Folder folder;
    const json good = folder.tokenizerJson();
    const auto refusedWith = [&](const char* place, const json& value, const char* part) {
        json changed = good;
        changed[json::json_pointer(place)] = value;
        folder.write("tokenizer.json", changed.dump());
        CHECK_THROWS(Error, loadTokenizer(folder.path()), part);
    };
    refusedWith("/model/type", "Unigram", "Unigram");
    refusedWith("/model/byte_fallback", true, "SentencePiece");
    refusedWith("/normalizer/type", "Lowercase", "Lowercase");
    refusedWith("/pre_tokenizer/pretokenizers/0/pattern/Regex", "\\p{N}{1,3}", "\\p{N}{1,3}");
    refusedWith("/pre_tokenizer", nullptr, "pre-tokenizer");
    refusedWith("/model/merges/0", "a", "Merge 1");
    refusedWith("/model/vocab", 5, "tokenizer.json");
    refusedWith("/added_tokens/2/single_word", true, "with single_word");
    folder.write("tokenizer.json", good.dump().substr(0, 5000));
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "not valid JSON");
}

TEST(withoutTokenizerConfigNamesSayWhichTokensAreSpecial)
{
    const Folder folder;
    folder.copySmall();
    std::filesystem::remove(folder.path() / "tokenizer_config.json");
    const auto tokenizer = loadTokenizer(folder.path()), whole = small();
    for (TokenId id = 0; id < whole->size(); ++id) {
        CHECK_EQUAL(tokenizer->isSpecial(id), whole->isSpecial(id));
    }
}

TEST(addedTokensThatTakeSpacesInAreRefused)
{
    const Folder folder;
    folder.copySmall();
    json config = json::parse(folder.read("tokenizer_config.json"));
    config["added_tokens_decoder"]["1258"]["rstrip"] = true;
    folder.write("tokenizer_config.json", config.dump());
    CHECK_THROWS(Error, loadTokenizer(folder.path()), "\"<|im_end|>\" with rstrip");
}

KVL_TEST_MAIN
