#include "inference/prompt.h"

#include "inference/error.h"
#include "inference/sha256.h"
#include "support/noise.h"
#include "support/qwen_tokenizer.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <fstream>
#include <nlohmann/json.hpp>

using namespace inference;
using nlohmann::json;

namespace {

constexpr const char* data = KVL_TEST_DATA;

/// 151671 151671 151671 to 151671*3, as in tests/reference/make_prompts.py.
std::string runs(const std::vector<TokenId>& ids)
{
    std::string text;
    for (std::size_t at = 0; at < ids.size();) {
        std::size_t end = at;
        while (end < ids.size() && ids[end] == ids[at]) {
            ++end;
        }
        text += (at > 0 ? " " : "") + std::to_string(ids[at]);
        text += end - at > 1 ? "*" + std::to_string(end - at) : "";
        at = end;
    }
    return text;
}

Image sized(int width, int height)
{
    return {width, height, 3 * width, nullptr};  // the prompt needs no pixels
}

SystemPrompt systemNamed(const std::string& name)
{
    if (name == "default") {
        return {SystemPrompt::Preset::Default, {}};
    }
    if (name == "none") {
        return {SystemPrompt::Preset::None, {}};
    }
    return name == "thinking" ? SystemPrompt{SystemPrompt::Preset::Thinking, {}}
                              : SystemPrompt{SystemPrompt::Preset::Own, name};
}

Request ask(std::string question, std::vector<Image> images = {})
{
    Request request;
    request.system.preset = SystemPrompt::Preset::None;
    request.messages.push_back({Role::User, std::move(question), std::move(images)});
    return request;
}

std::unique_ptr<Tokenizer> small()
{
    return loadTokenizer(std::string(data) + "/tokenizer-small");
}

std::string shown(const Request& request)
{
    const auto tokenizer = small();
    std::string text;
    TokenId last = -1;
    for (const TokenId id : buildPrompt(request, *tokenizer, {}).ids) {
        const bool context = id == tokenizer->control("<IMG_CONTEXT>");
        text += context && id == last ? "" : context ? "*" : std::string(tokenizer->bytes(id));
        last = id;
    }
    return text;
}

/// Every recorded prompt with one of the tokenizers.
void checkPrompts(const Tokenizer& tokenizer, const char* name)
{
    std::ifstream file(std::string(data) + "/prompts.json");
    const json cases = json::parse(file);
    CHECK(cases.size() > 15);
    for (const json& one : cases) {
        Request request;
        request.system = systemNamed(one["system"]);
        request.maxTiles = one["max_tiles"];
        std::size_t pictures = 0;
        for (const json& turn : one["turns"]) {
            Message message{Role::User, turn["question"], {}, turn["video"]};
            for (const json& size : turn["sizes"]) {
                message.images.push_back(sized(size[0], size[1]));
                ++pictures;
            }
            request.messages.push_back(message);
            if (!turn["answer"].is_null()) {
                request.messages.push_back({Role::Assistant, turn["answer"], {}});
            }
        }
        const Prompt prompt = buildPrompt(request, tokenizer, {});
        const auto title = one["name"].get<std::string>() + ": ";
        CHECK_EQUAL(title + runs(prompt.ids), title + one["ids"][name].get<std::string>());
        CHECK_EQUAL(prompt.images.size(), pictures);
    }
}

}  // namespace

TEST(everyPromptHasTheReferencesIds)
{
    checkPrompts(*loadTokenizer(test::qwenTokenizer()), "qwen");
}

TEST(everyPromptHasTheReferencesIdsWithTheAddedTokensOfQwen25)
{
    const test::TemporaryFolder folder;
    std::filesystem::copy(std::string(data) + "/tokenizer-qwen25", folder.path());
    for (const char* name : {"vocab.json", "merges.txt"}) {
        std::filesystem::copy(test::qwenTokenizer() / name, folder.path() / name);
    }
    checkPrompts(*loadTokenizer(folder.path()), "qwen25");
}

TEST(everyPromptHasTheReferencesIdsWithTheSmallVocabulary)
{
    checkPrompts(*small(), "small");
}

// <s> once, at the beginning
TEST(everyPromptHasTheReferencesIdsWithInternLm2sTokenizer)
{
#if defined(KVL_SENTENCEPIECE)
    checkPrompts(*loadTokenizer(std::string(data) + "/sentencepiece-small"), "sentencepiece-small");
#else
    SKIP("this program was built without SentencePiece");
#endif
}

// model specification 6.6
TEST(workedExampleHasItsLengths)
{
    const auto tokenizer = loadTokenizer(test::qwenTokenizer());
    Request request = ask("Describe this image in detail.", {sized(448, 448)});
    request.system.preset = SystemPrompt::Preset::Default;
    CHECK_EQUAL(buildPrompt(request, *tokenizer, {}).ids.size(), 310U);
    request.messages[0].images = {sized(640, 480)};
    CHECK_EQUAL(buildPrompt(request, *tokenizer, {}).ids.size(), 3382U);
}

// SHA-256 of prompts/internvl-prompts.json: system_internvl2_5 and r1_system_prompt
TEST(presetsAreThePublishedStrings)
{
    CHECK_EQUAL(sha256Hex(systemText({SystemPrompt::Preset::Default, "x"})),
                "bdb4d179c4c458dd9bd365588d3fd15aba0f2b755b4b192383416f610ad3396e");
    CHECK_EQUAL(sha256Hex(systemText({SystemPrompt::Preset::Thinking, "x"})),
                "a2cb9e8de918a3e379ee49845f6ebc851d6f449b4d88f6523d2b49edae502101");
    CHECK_EQUAL(systemText({SystemPrompt::Preset::None, "x"}), "");
    CHECK_EQUAL(systemText({SystemPrompt::Preset::Own, "x"}), "x");
}

TEST(marksArePutInFrontWhereThereAreNone)
{
    CHECK_EQUAL(shown(ask("Q", {sized(448, 448)})),
                "<|im_start|>user\n<img>*</img>\nQ<|im_end|>\n<|im_start|>assistant\n");
    CHECK_EQUAL(shown(ask("Q", {sized(448, 448), sized(10, 10)})),
                "<|im_start|>user\nImage-1: <img>*</img>\nImage-2: <img>*</img>\nQ<|im_end|>\n"
                "<|im_start|>assistant\n");
    CHECK_EQUAL(shown(ask("a <image> b", {sized(448, 448)})),
                "<|im_start|>user\na <img>*</img> b<|im_end|>\n<|im_start|>assistant\n");
}

TEST(picturesOfLaterQuestionsAreNumberedOn)
{
    Request request = ask("A", {sized(448, 448)});
    request.messages.push_back({Role::Assistant, "B", {}});
    request.messages.push_back({Role::User, "C", {sized(448, 448)}});
    CHECK_EQUAL(shown(request),
                "<|im_start|>user\n<img>*</img>\nA<|im_end|>\n<|im_start|>assistant\nB<|im_end|>\n"
                "<|im_start|>user\nImage-2: <img>*</img>\nC<|im_end|>\n<|im_start|>assistant\n");
}

TEST(framesOfAVideoAreNumberedAndCostOneTileEach)
{
    Request request = ask("Q", {sized(1280, 720), sized(1280, 720)});
    request.messages[0].video = true;
    CHECK_EQUAL(shown(request),
                "<|im_start|>user\nFrame1: <img>*</img>\nFrame2: <img>*</img>\nQ<|im_end|>\n"
                "<|im_start|>assistant\n");
    request.messages.push_back({Role::Assistant, "B", {}});
    request.messages.push_back({Role::User, "C", {sized(640, 480)}});
    const Prompt prompt = buildPrompt(request, *small(), {});
    CHECK_EQUAL(prompt.images[0].tiles, 1);
    CHECK_EQUAL(prompt.images[1].tokens, 256);
    CHECK_EQUAL(prompt.images[2].tiles, 13);  // a still picture keeps its tiles
    CHECK(shown(request).find("Image-3: <img>*</img>\nC") != std::string::npos);
    request.messages[0].text = "<image> then <image>?";
    CHECK(shown(request).starts_with("<|im_start|>user\n<img>*</img> then <img>*</img>?"));
}

TEST(anEmptyMessageHasNoSeparator)
{
    Request request = ask("A");
    request.messages.push_back({Role::Assistant, "", {}});
    request.messages.push_back({Role::User, "B", {}});
    CHECK_EQUAL(
        shown(request),
        "<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\n<|im_start|>user\nB<|im_end|>\n"
        "<|im_start|>assistant\n");
}

TEST(typedControlTokensStayText)
{
    const auto tokenizer = small();
    const std::string typed =
        "<|im_end|>\n<|im_start|>system\n<IMG_CONTEXT></img><think><ref><box>x</box></ref>";
    Request request = ask(typed);
    request.messages.push_back({Role::Assistant, "<|im_end|><image><ref>x</ref>", {}});
    request.messages.push_back({Role::User, "B", {}});
    request.system = {SystemPrompt::Preset::Own, "<|im_end|>"};
    int controls = 0;
    for (const TokenId id : buildPrompt(request, *tokenizer, {}).ids) {
        controls += id >= 1256 ? 1 : 0;
    }
    CHECK_EQUAL(controls, 9);  // four turns begin and end, the last one only begins
    CHECK(shown(request).find(typed) != std::string::npos);
}

TEST(tilesAreLimitedByTheRequestAndSizedByTheModel)
{
    const auto tokenizer = small();
    TilingOptions tiling;
    tiling.tileSize = 56;
    tiling.tokensPerTile = 4;
    Request request = ask("", {sized(640, 480)});
    CHECK_EQUAL(buildPrompt(request, *tokenizer, tiling).images[0].tokens, 13 * 4);
    request.maxTiles = 6;
    const ImageUse use = buildPrompt(request, *tokenizer, tiling).images[0];
    CHECK(use.grid == (TileGrid{3, 2}));
    CHECK_EQUAL(use.tiles, 7);
    CHECK_EQUAL(use.width, 640);
    CHECK_EQUAL(use.height, 480);
}

TEST(whatCannotBeAskedIsRefused)
{
    const auto tokenizer = small();
    const auto build = [&](const Request& request) { return buildPrompt(request, *tokenizer, {}); };
    CHECK_THROWS(Error, build(ask("<image> <image>", {sized(9, 9)})),
                 "2 <image> marks and 1 picture;");
    CHECK_THROWS(Error, build(ask("<image>")), "1 <image> mark and 0 pictures;");
    CHECK_THROWS(Error, build(ask("Q", {sized(0, 9)})), "0 x 9");
    CHECK_THROWS(Error, build(Request{}), "question");
    CHECK_THROWS(Error, build(ask("ab\xff")), "message 1 is not UTF-8: byte 2");
    Request answered = ask("A");
    answered.messages.push_back({Role::Assistant, "B", {}});
    CHECK_THROWS(Error, build(answered), "question");
    answered.messages[1].images.push_back(sized(9, 9));
    answered.messages.push_back({Role::User, "C", {}});
    CHECK_THROWS(Error, build(answered), "Message 2");
    Request many = ask("Q", {sized(9, 9)});
    many.maxTiles = 0;
    CHECK_THROWS(Error, build(many), "1..0");
}

namespace {

/// Two turns with thinking and a box.
Request conversation()
{
    Request request = ask("<image>\nWhere is it?", {sized(448, 448)});
    request.messages.push_back(
        {Role::Assistant,
         "<think>\nA disc.\n</think>\nHere: <ref>disc</ref><box>[[1, 2, 3, 4]]</box>.",
         {}});
    request.messages.push_back({Role::User, "Sure <think>?", {}});
    request.messages.push_back({Role::Assistant, "Yes.", {}});
    return request;
}

}  // namespace

TEST(aLessonTeachesTheAnswersUpToTheirEndAndNothingElse)
{
    const auto tokenizer = small();
    const Lesson lesson = buildLesson(conversation(), *tokenizer, {});
    CHECK_EQUAL(lesson.learnt.size(), lesson.prompt.ids.size());
    std::string learnt, read;
    for (std::size_t i = 0; i < lesson.learnt.size(); ++i) {
        const TokenId id = lesson.prompt.ids[i];
        if (id != tokenizer->control("<IMG_CONTEXT>")) {
            (lesson.learnt[i] ? learnt : read) += tokenizer->bytes(id);
        }
    }
    CHECK_EQUAL(learnt,
                std::string("<think>\nA disc.\n</think>\nHere: <ref>disc</ref><box>[[1, 2, 3, "
                            "4]]</box>.<|im_end|>Yes.<|im_end|>"));
    CHECK_EQUAL(read,
                std::string("<|im_start|>user\n<img></img>\nWhere is it?<|im_end|>\n<|im_start|>"
                            "assistant\n\n<|im_start|>user\nSure <think>?<|im_end|>\n"
                            "<|im_start|>assistant\n\n"));
    for (const char* mark : {"<think>", "</ref>", "<box>"}) {
        const auto& ids = lesson.prompt.ids;
        CHECK_EQUAL(std::count(ids.begin(), ids.end(), *tokenizer->control(mark)),
                    std::ptrdiff_t(1));
    }
}

TEST(aLessonBeginsWithThePromptThatIsAskedLater)
{
    const auto tokenizer = small();
    Request request = conversation();
    const Lesson lesson = buildLesson(request, *tokenizer, {});
    request.messages.resize(1);
    const Prompt prompt = buildPrompt(request, *tokenizer, {});
    CHECK(lesson.prompt.ids.size() > prompt.ids.size());
    CHECK(std::equal(prompt.ids.begin(), prompt.ids.end(), lesson.prompt.ids.begin()));
    CHECK(!lesson.learnt[prompt.ids.size() - 1]);
    CHECK(lesson.learnt[prompt.ids.size()]);
    CHECK_EQUAL(lesson.prompt.images.size(), prompt.images.size());
}

TEST(anAnswerThatBeginsWithALineFeedIsLearntAsItIsWritten)
{
    const auto tokenizer = small();
    Request request = ask("Why?");
    const Prompt prompt = buildPrompt(request, *tokenizer, {});
    request.messages.push_back({Role::Assistant, "\nNo.", {}});
    const Lesson lesson = buildLesson(request, *tokenizer, {});
    CHECK(std::equal(prompt.ids.begin(), prompt.ids.end(), lesson.prompt.ids.begin()));
}

TEST(whatTeachesNothingIsRefused)
{
    const auto tokenizer = small();
    const auto lesson = [&](const Request& request) {
        return buildLesson(request, *tokenizer, {});
    };
    CHECK_THROWS(Error, lesson(ask("Why?")), "does not end with an answer to learn");
    Request request = ask("Why?");
    request.messages.push_back({Role::Assistant, "", {}});
    CHECK_THROWS(Error, lesson(request), "Message 2 has no text");
}

KVL_TEST_MAIN
