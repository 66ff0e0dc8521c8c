#include "inference/text_stream.h"

#include "inference/error.h"
#include "inference/unicode.h"
#include "inference/utf8.h"
#include "support/test.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

using namespace inference;

namespace {

/// Ids 0..255 are bytes; the special tokens and <think> come behind them.
class ByteTokenizer : public Tokenizer {
public:
    enum Id : TokenId { EndOfTurn = 256, Ref, RefEnd, BoxStart, BoxEnd, ThinkStart, ThinkEnd };

    ByteTokenizer()
    {
        for (int byte = 0; byte < 256; ++byte) {
            m_bytes += char(byte);
        }
    }
    std::vector<TokenId> encode(std::string_view, ControlTokens) const override { return {}; }
    std::optional<TokenId> control(std::string_view) const override { return std::nullopt; }
    std::string_view bytes(TokenId id) const override
    {
        static constexpr std::string_view names[]{"<|im_end|>", "<ref>",   "</ref>",  "<box>",
                                                  "</box>",     "<think>", "</think>"};
        return id < 256 ? std::string_view(m_bytes).substr(std::size_t(id), 1) : names[id - 256];
    }
    bool isSpecial(TokenId id) const override { return id >= 256 && id < ThinkStart; }
    int size() const override { return 263; }

private:
    std::string m_bytes;
};

std::vector<TokenId> bytesOf(std::string_view text)
{
    std::vector<TokenId> ids;
    for (const char c : text) {
        ids.push_back(static_cast<unsigned char>(c));
    }
    return ids;
}

struct Shown {
    std::map<Channel, std::string> joined;
    std::vector<std::string> pieces;
    AnswerText result;
    bool stopped = false;
    std::size_t taken = 0;  // ids
};

Shown stream(const std::vector<TokenId>& ids, std::vector<std::string> stopStrings = {})
{
    static const ByteTokenizer tokenizer;
    Shown shown;
    const auto onPiece = [&](const Piece& piece) {
        shown.joined[piece.channel] += piece.text;
        shown.pieces.emplace_back(piece.text);
        CHECK(!piece.text.empty());
        CHECK(!firstBadByte(piece.text));
    };
    TextStream text(tokenizer, onPiece, std::move(stopStrings));
    for (const TokenId id : ids) {
        if (!text.stopped()) {
            text.push(id);
            ++shown.taken;
        }
    }
    shown.stopped = text.stopped();
    shown.result = text.finish();
    return shown;
}

Shown stream(std::string_view text, std::vector<std::string> stopStrings = {})
{
    return stream(bytesOf(text), std::move(stopStrings));
}

}  // namespace

TEST(plainTextIsAnswer)
{
    const Shown shown = stream(" \n A nodule. \n");
    CHECK_EQUAL(shown.result.text, "A nodule.");
    CHECK_EQUAL(shown.result.answer, "A nodule.");
    CHECK_EQUAL(shown.result.thinking, "");
    CHECK_EQUAL(shown.joined.at(Channel::Answer), "A nodule.");
    CHECK(!shown.joined.contains(Channel::Thinking));
}

TEST(charactersComeWhole)
{
    const Shown shown = stream("\xe4\xbd\xa0\xf0\x9f\x98\x80z");
    CHECK_EQUAL(shown.pieces, (std::vector<std::string>{"\xe4\xbd\xa0", "\xf0\x9f\x98\x80", "z"}));
}

TEST(badBytesAreReplacedAndAnUnfinishedCharacterEndsTheText)
{
    const Shown shown = stream("a\xff\xe4\xbd");
    CHECK_EQUAL(shown.result.text, "a\xef\xbf\xbd\xef\xbf\xbd");
    CHECK_EQUAL(shown.joined.at(Channel::Answer), shown.result.text);
}

TEST(thinkingIsSplitWhetherTheTagIsOneTokenOrMany)
{
    std::vector<TokenId> tokens{ByteTokenizer::ThinkStart};
    for (const TokenId id : bytesOf("\nribs < lungs\n")) {
        tokens.push_back(id);
    }
    tokens.push_back(ByteTokenizer::ThinkEnd);
    for (const TokenId id : bytesOf("\n\nA film. <b>")) {
        tokens.push_back(id);
    }
    for (const Shown& shown :
         {stream(tokens), stream("<think>\nribs < lungs\n</think>\n\nA film. <b>")}) {
        CHECK_EQUAL(shown.result.text, "<think>\nribs < lungs\n</think>\n\nA film. <b>");
        CHECK_EQUAL(shown.result.thinking, "ribs < lungs");
        CHECK_EQUAL(shown.result.answer, "A film. <b>");
        CHECK_EQUAL(shown.joined.at(Channel::Thinking), "ribs < lungs");
        CHECK_EQUAL(shown.joined.at(Channel::Answer), "A film. <b>");
    }
}

TEST(thinkingThatIsNeverClosedLeavesNoAnswer)
{
    const Shown shown = stream("<think>first, the ribs </thi");
    CHECK_EQUAL(shown.result.thinking, "first, the ribs </thi");
    CHECK_EQUAL(shown.result.answer, "");
    CHECK_EQUAL(shown.joined.at(Channel::Thinking), "first, the ribs </thi");
    CHECK(!shown.joined.contains(Channel::Answer));
}

// The rule of VLMEvalKit (model specification 6.8).
TEST(withSeveralEndsTheLastOneCounts)
{
    const AnswerText twice = stream("<think>a</think>\n<think>b</think>c").result;
    CHECK_EQUAL(twice.answer, "c");
    CHECK_EQUAL(twice.thinking, "a\nb");
    const AnswerText unopened = stream("a</think>b").result;
    CHECK_EQUAL(unopened.answer, "b");
    CHECK_EQUAL(unopened.thinking, "a");
    const AnswerText reopened = stream("<think>a</think>b<think>c").result;
    CHECK_EQUAL(reopened.answer, "b");
    CHECK_EQUAL(reopened.thinking, "a\n\nc");
}

TEST(specialTokensAreNotShownButGroundingIsKeptForBoxes)
{
    std::vector<TokenId> ids{ByteTokenizer::Ref};
    const auto add = [&](std::string_view text) {
        for (const TokenId id : bytesOf(text)) {
            ids.push_back(id);
        }
    };
    add("lung");
    ids.insert(ids.end(), {ByteTokenizer::RefEnd, ByteTokenizer::BoxStart});
    add("[[1, 2, 3, 4]]");
    ids.insert(ids.end(), {ByteTokenizer::BoxEnd, ByteTokenizer::EndOfTurn});
    const Shown shown = stream(ids);
    CHECK_EQUAL(shown.result.text, "lung[[1, 2, 3, 4]]");
    CHECK_EQUAL(shown.joined.at(Channel::Answer), "lung[[1, 2, 3, 4]]");
    CHECK_EQUAL(shown.result.grounded, "<ref>lung</ref><box>[[1, 2, 3, 4]]</box>");
}

TEST(boxesOfTheThinkingAreNotGrounded)
{
    CHECK_EQUAL(stream("<think>a[[1,2,3,4]]</think>b[[5,6,7,8]]").result.grounded, "b[[5,6,7,8]]");
}

TEST(textEndsAtALiteralEndOfTurn)
{
    const Shown shown = stream("yes <|im_end|>no");
    CHECK_EQUAL(shown.result.text, "yes");
    CHECK_EQUAL(shown.joined.at(Channel::Answer), "yes");
}

TEST(whiteSpaceOfPythonIsStripped)
{
    CHECK_EQUAL(stream("\x1c\xe3\x80\x80 a\xe2\x80\xa8\xc2\xa0").result.text, "a");
    CHECK_EQUAL(stream(" \n").result.text, "");
    CHECK(stream(" \n").pieces.empty());
    CHECK_EQUAL(stream("").result.text, "");
}

TEST(aTagBeginningIsGivenOutAsSoonAsItIsNone)
{
    const Shown shown = stream("a<thinly");
    CHECK_EQUAL(shown.pieces, (std::vector<std::string>{"a", "<thinl", "y"}));
}

TEST(theTextEndsBeforeAStopStringAndNothingOfItIsShown)
{
    const Shown shown = stream("one, two, END three", {"END"});
    CHECK(shown.stopped);
    CHECK_EQUAL(shown.taken, std::string_view("one, two, END").size());
    CHECK_EQUAL(shown.result.text, "one, two,");
    CHECK_EQUAL(shown.result.answer, "one, two,");
    CHECK_EQUAL(shown.result.grounded, "one, two,");
    CHECK_EQUAL(shown.joined.at(Channel::Answer), "one, two,");
}

TEST(aBeginningOfAStopStringIsShownOnceItIsNone)
{
    const Shown shown = stream("EN. E. aab", {"END", "aaab"});
    CHECK(!shown.stopped);
    CHECK_EQUAL(shown.result.text, "EN. E. aab");
    CHECK_EQUAL(shown.joined.at(Channel::Answer), "EN. E. aab");
    CHECK_EQUAL(stream("EN", {"END"}).joined.at(Channel::Answer), "EN");
    CHECK_EQUAL(stream("aaaab", {"aaab"}).result.text, "a");  // begins again inside of itself
}

TEST(theFirstStopStringInTheTextCounts)
{
    CHECK_EQUAL(stream("abcd", {"cd", "b"}).result.text, "a");
    CHECK_EQUAL(stream("abcd", {"abcde", "bc"}).result.text, "a");
    CHECK_EQUAL(stream("x", {"x"}).result.text, "");
    CHECK(stream("x", {"x"}).pieces.empty());
}

TEST(stopStringsAreFoundInThinkingAndInWholeCharacters)
{
    const Shown thinking = stream("<think>first the ribs</think>A film.", {"ribs"});
    CHECK_EQUAL(thinking.result.thinking, "first the");
    CHECK_EQUAL(thinking.result.answer, "");
    CHECK_EQUAL(thinking.joined.at(Channel::Thinking), "first the");
    CHECK_EQUAL(stream("<think>a</think>b", {"</think>"}).result.text, "<think>a");
    const Shown chinese = stream("\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xbd\xa1", {"\xe5\xa5\xbd"});
    CHECK_EQUAL(chinese.joined.at(Channel::Answer), "\xe4\xbd\xa0");
}

TEST(boxesBeforeAStopStringAreKeptAndThoseBehindItAreNot)
{
    std::vector<TokenId> ids;
    for (int i = 0; i < 2; ++i) {
        for (const TokenId id : bytesOf("a")) {
            ids.push_back(id);
        }
        ids.push_back(ByteTokenizer::BoxStart);
        for (const TokenId id : bytesOf("[[1,2,3,4]]")) {
            ids.push_back(id);
        }
        ids.push_back(ByteTokenizer::BoxEnd);
        for (const TokenId id : bytesOf(" END ")) {
            ids.push_back(id);
        }
    }
    CHECK_EQUAL(stream(ids, {"END"}).result.grounded, "a<box>[[1,2,3,4]]</box>");
    // the tag stands inside of the stop string
    CHECK_EQUAL(stream(ids, {"a[["}).result.grounded, "");
}

TEST(everyCutOfTheStreamHidesEveryBeginningOfAStopString)
{
    const std::string text = "<think>ab</think>cabab abc", word = "abc";
    const Shown whole = stream(text, {word});
    CHECK_EQUAL(whole.result.text, "<think>ab</think>cabab");
    std::string shown;
    for (const std::string& piece : whole.pieces) {
        shown += piece;
        CHECK(("abcabab" + std::string()).starts_with(shown));
    }
    CHECK_EQUAL(shown, "abcabab");
}

TEST(stopStringsWithoutMeaningAreRefused)
{
    CHECK_THROWS(Error, stream("a", {""}), "stop string is empty");
    CHECK_THROWS(Error, stream("a", {"b", "\xff"}), "not UTF-8");
}

TEST(thinkingNestedOrClosedTwiceIsSplitAtTheLastEnd)
{
    const AnswerText nested = stream("<think>a<think>b</think>c</think>d").result;
    CHECK_EQUAL(nested.thinking, "abc");
    CHECK_EQUAL(nested.answer, "d");
    const AnswerText once = stream("<think>a<think>b</think>c").result;
    CHECK_EQUAL(once.thinking, "ab");
    CHECK_EQUAL(once.answer, "c");
    const AnswerText stray = stream("</think>a").result;
    CHECK_EQUAL(stray.thinking, "");
    CHECK_EQUAL(stray.answer, "a");
    const AnswerText twice = stream("<think><think>a").result;
    CHECK_EQUAL(twice.thinking, "a");
    CHECK_EQUAL(twice.answer, "");
    const AnswerText empty = stream("<think>\n</think>\n").result;
    CHECK_EQUAL(empty.thinking, "");
    CHECK_EQUAL(empty.answer, "");
}

TEST(everySplitIsTheReferences)
{
    std::ifstream file(KVL_TEST_DATA "/thinking.json");
    const nlohmann::json rows = nlohmann::json::parse(file);
    CHECK(rows.size() == 400);
    int streamed = 0;
    for (const auto& row : rows) {
        const auto text = row[0].get<std::string>();
        Shown shown = stream(text);
        CHECK_EQUAL(text + " -> " + shown.result.thinking,
                    text + " -> " + row[1].get<std::string>());
        CHECK_EQUAL(text + " -> " + shown.result.answer, text + " -> " + row[2].get<std::string>());
        // with the tags in order and once, the pieces make the same
        if (const auto open = text.find("<think>"), close = text.find("</think>"); open == 0 &&
            close != std::string::npos && close == text.rfind("</think>") &&
            open == text.rfind("<think>")) {
            CHECK_EQUAL(shown.joined[Channel::Thinking], row[1].get<std::string>());
            CHECK_EQUAL(shown.joined[Channel::Answer], row[2].get<std::string>());
            ++streamed;
        }
    }
    CHECK(streamed > 3);
}

/// Spaces before punctuation are taken away, as InternLM2's decode() does.
class CleaningTokenizer : public ByteTokenizer {
public:
    bool cleansUp() const override { return true; }
    std::string textOf(std::string_view bytes) const override
    {
        return withoutBadBytes(bytes, BadPart::Byte);
    }
};

TEST(textIsCleanedUpWhereTheTokenizerDoesItAndThePiecesToo)
{
    const CleaningTokenizer tokenizer;
    for (const std::string& text :
         {std::string("It is n't here . Is it ? ' Yes ' , I 've !"), std::string(" n ' t x"),
          std::string("never seen , over "), std::string("We 're 's 'm n ' t ."),
          std::string("a  ."), std::string("\xe4\xbd a \xe4 ,")}) {
        std::string shown;
        TextStream stream(tokenizer, [&](const Piece& piece) { shown += piece.text; });
        for (const TokenId id : bytesOf(text)) {
            stream.push(id);
        }
        const std::string expected = cleanedUp(withoutBadBytes(text, BadPart::Byte));
        CHECK_EQUAL(stream.finish().text, std::string(stripped(expected)));
        CHECK_EQUAL(shown, std::string(stripped(expected)));
    }
    TextStream stopped(tokenizer, {}, {"here."});
    for (const TokenId id : bytesOf("It is here . Yes")) {
        stopped.push(id);
    }
    CHECK(stopped.stopped());
    CHECK_EQUAL(stopped.finish().text, "It is");
}

TEST(anEmptyCallbackIsAllowed)
{
    const ByteTokenizer tokenizer;
    TextStream text(tokenizer, {});
    text.push('a');
    CHECK_EQUAL(text.finish().answer, "a");
}

KVL_TEST_MAIN
