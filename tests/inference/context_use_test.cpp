#include "inference/context_use.h"

#include "inference/tokenizer.h"
#include "support/test.h"

using namespace inference;

namespace {

constexpr int tile = 256;  // tokens

Image sized(int width, int height)
{
    return {width, height, 3 * width, nullptr};  // the prompt needs no pixels
}

const Tokenizer& tokenizer()
{
    static const auto loaded = loadTokenizer(std::string(KVL_TEST_DATA) + "/tokenizer-small");
    return *loaded;
}

/// Two turns; 13 tiles in the first question, 1 in the second.
Request talk()
{
    Request request;
    request.maxNewTokens = 100;
    request.messages = {{Role::User, "What is this?", {sized(640, 480)}},
                        {Role::Assistant, "A film.", {}},
                        {Role::User, "And this?", {sized(448, 448)}}};
    return request;
}

ContextUse useOf(const Request& request, int length = 40960)
{
    return contextUse(buildPrompt(request, tokenizer(), {}), request, {}, length);
}

int tokens(std::string_view text)
{
    return int(tokenizer().encode(text, Tokenizer::ControlTokens::Recognised).size());
}

void refuse(const Request& request, int length, const std::string& part)
{
    const std::string problem = useOf(request, length).problem;
    if (problem.find(part) == std::string::npos) {
        test::fail(__FILE__, __LINE__, "says: " + problem + "\n    expected in it: " + part);
    }
}

}  // namespace

TEST(everyPartIsCountedAndTheyMakeThePrompt)
{
    const Request request = talk();
    const ContextUse use = useOf(request);
    CHECK_EQUAL(use.system,
                tokens("<|im_start|>system\n" + systemText(request.system) + "<|im_end|>\n"));
    CHECK_EQUAL(use.history,
                tokens("<|im_start|>user\n<img></img>\nWhat is this?<|im_end|>\n"
                       "<|im_start|>assistant\nA film.<|im_end|>\n"));
    CHECK_EQUAL(use.question,
                tokens("<|im_start|>user\nImage-2: <img></img>\nAnd this?<|im_end|>\n"
                       "<|im_start|>assistant\n"));
    CHECK_EQUAL(use.pictures.size(), 2U);
    CHECK_EQUAL(use.pictures[0].tokens, 13 * tile);
    CHECK_EQUAL(use.pictures[1].tokens, tile);
    CHECK_EQUAL(use.promptTokens(), int(buildPrompt(request, tokenizer(), {}).ids.size()));
    CHECK_EQUAL(use.newTokens, 100);
    CHECK_EQUAL(use.over(), 0);
}

TEST(picturesCountWhereTheirMarksStand)
{
    Request request = talk();
    // both pictures come with the first question, one mark stands in the second
    request.messages[0].text = "What is <image>?";
    request.messages[0].images.push_back(sized(448, 448));
    request.messages[2] = {Role::User, "And <image>?", {}};
    const ContextUse use = useOf(request);
    CHECK_EQUAL(use.question,
                tokens("<|im_start|>user\nAnd <img></img>?<|im_end|>\n<|im_start|>assistant\n"));
    CHECK_EQUAL(use.pictureTokens(), 14 * tile);
}

TEST(aRequestFitsToTheLastToken)
{
    const Request request = talk();
    const int needed = useOf(request).promptTokens() + 100;
    CHECK_EQUAL(useOf(request, needed).problem, "");
    CHECK_EQUAL(useOf(request, needed - 1).over(), 1);
    refuse(request, needed - 1, "needs " + std::to_string(needed) + " tokens");
    refuse(request, needed - 1, "1 too many; at most 99 new tokens fit.");
    CHECK_EQUAL(useOf(request, needed - 1).newTokensFit, 99);
    CHECK_EQUAL(useOf(request, needed).newTokensFit, 0);  // nothing is to be mended
    Request endless = request;
    endless.maxNewTokens = 2'000'000'000;
    CHECK_EQUAL(useOf(endless, 1).over(), 2'000'000'000 + needed - 100 - 1);
}

TEST(theErrorNamesWhatWouldFit)
{
    const Request request = talk();
    const int text = useOf(request).promptTokens() - 14 * tile;
    refuse(request, text + 14 * tile, "100 too many; at most ");
    // 4:3 becomes 3 x 2 tiles and a thumbnail below 12; and the second picture
    const int seven = text + 8 * tile + 100;
    refuse(request, seven, "at most 11 tiles a picture fit.");
    CHECK_EQUAL(useOf(request, seven).tilesFit, 11);
    CHECK_EQUAL(useOf(request, seven).newTokensFit, 0);
    Request fewer = request;
    fewer.maxTiles = 6;
    CHECK_EQUAL(useOf(fewer, seven).problem, "");
    Request wide = request;
    wide.messages[0].images = {sized(896, 448)};  // 2 x 1 and a thumbnail, or 1
    refuse(wide, text + 2 * tile + 100, "at most 1 tile a picture fits.");

    Request text12;
    text12.maxNewTokens = 10;
    std::string words;
    for (int i = 0; i < 500; ++i) {
        words += "word ";
    }
    text12.messages = {{Role::User, words, {}}, {Role::Assistant, "B", {}}, {Role::User, "C", {}}};
    refuse(text12, 400, "the question fits in a new conversation.");
    CHECK(useOf(text12, 400).fitsInNewTalk);
    text12.messages = {{Role::User, words, {}}};
    refuse(text12, 400, "a shorter text is needed.");
    Request frames;
    frames.messages = {{Role::User, "Q", {50, sized(1280, 720)}, true}};
    refuse(frames, 10000, "fewer pictures or a shorter text are needed.");
}

TEST(anAnswerNeedsRoom)
{
    Request request = talk();
    request.maxNewTokens = 0;
    refuse(request, 40960, "limit of new tokens is 0");
}

KVL_TEST_MAIN
