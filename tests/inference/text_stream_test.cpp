#include "inference/text_stream.h"

#include "inference/utf8.h"
#include "support/test.h"

#include <map>

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
};

Shown stream(const std::vector<TokenId>& ids)
{
    static const ByteTokenizer tokenizer;
    Shown shown;
    TextStream text(tokenizer, [&](const Piece& piece) {
        shown.joined[piece.channel] += piece.text;
        shown.pieces.emplace_back(piece.text);
        CHECK(!piece.text.empty());
        CHECK(!firstBadByte(piece.text));
    });
    for (const TokenId id : ids) {
        text.push(id);
    }
    shown.result = text.finish();
    return shown;
}

Shown stream(std::string_view text)
{
    return stream(bytesOf(text));
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

TEST(anEmptyCallbackIsAllowed)
{
    const ByteTokenizer tokenizer;
    TextStream text(tokenizer, {});
    text.push('a');
    CHECK_EQUAL(text.finish().answer, "a");
}

KVL_TEST_MAIN
