// Nothing is computed twice, and what is kept changes no token: every answer of an engine that has
// seen other requests is compared with a cold one's, in fp32.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/error.h"
#include "inference/kvl_engine.h"
#include "inference/sha256.h"
#include "inference/vision_cache.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <chrono>
#include <random>
#include <thread>

using namespace inference;

namespace {

std::unique_ptr<KvlEngine> load(std::int64_t visionCacheBytes = 64 << 20)
{
    LoadOptions options{test::tinyCheckpoint(), "cpu", "fp32"};
    options.visionCacheBytes = visionCacheBytes;
    return std::make_unique<KvlEngine>(options, OnProgress(), std::stop_token());
}

std::vector<TokenId> coldTokens(const Request& request)
{
    static const std::unique_ptr<KvlEngine> engine = load(0);
    const Answer answer = engine->compute(request, {.cold = true}, {}, {});
    CHECK_EQUAL(answer.cachedTokens, 0);
    CHECK_EQUAL(answer.tiles.reused + answer.tiles.kept, 0);
    return answer.newIds;
}

/// Two tiles and a thumbnail.
Image wide()
{
    return test::seededImage(600, 300);
}

Request ask(const std::string& question, std::vector<Image> images = {})
{
    Request request;
    request.system.preset = SystemPrompt::Preset::None;
    request.messages.push_back({Role::User, question, std::move(images)});
    request.maxNewTokens = 12;
    request.maxTiles = 2;
    return request;
}

Request followUp(Request request, const Answer& answer, const std::string& question)
{
    request.messages.push_back({Role::Assistant, answer.text, {}});
    request.messages.push_back({Role::User, question, {}});
    return request;
}

/// computed, reused, kept
std::vector<int> counts(const VisionCounts& of)
{
    return {of.computed, of.reused, of.kept};
}

at::Tensor tokensOf(std::int64_t rows, float value)
{
    return at::full({rows, 4}, value, at::kFloat);  // 16 bytes a row
}

}  // namespace

TEST(theLeastRecentlyUsedLeaveFirst)
{
    VisionCache cache(16 * 10);
    cache.add("a", tokensOf(4, 1));
    cache.add("b", tokensOf(4, 2));
    CHECK(cache.find("a").defined());  // so b is the older now
    cache.add("c", tokensOf(4, 3));
    CHECK(!cache.find("b").defined());
    CHECK_EQUAL(cache.find("a")[0][0].item<float>(), 1.0F);
    CHECK_EQUAL(cache.find("c")[0][0].item<float>(), 3.0F);
    CHECK_EQUAL(cache.bytes(), std::int64_t(16 * 8));
    cache.add("d", tokensOf(10, 4));  // as much as there may be
    CHECK_EQUAL(cache.size(), std::size_t(1));
    CHECK_EQUAL(cache.bytes(), std::int64_t(16 * 10));
    cache.add("e", tokensOf(11, 5));  // more than that: not kept, and nothing leaves for it
    CHECK(!cache.find("e").defined());
    CHECK(cache.find("d").defined());
    cache.clear();
    CHECK_EQUAL(cache.bytes(), std::int64_t(0));
    CHECK(!cache.find("d").defined());
}

TEST(theHashIsOfThePixelsAndNotOfWhatLiesBetweenRows)
{
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(
        std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 77, 7, 8, 9, 10, 11, 12, 88});
    const Image padded{2, 2, 7, {bytes, bytes->data()}};
    CHECK_EQUAL(pixelHash(padded, {}), sha256Hex("\1\2\3\4\5\6\7\10\11\12\13\14"));
    const ImageUse use{2, 2, {1, 1}, 1, 256};
    ImageUse turned = use, tiled = use;
    turned.width = 1, turned.height = 4;
    tiled.grid = {2, 1}, tiled.tiles = 3;
    const std::string hash = pixelHash(padded, {});
    CHECK(pictureKey(hash, use) != pictureKey(hash, turned));
    CHECK(pictureKey(hash, use) != pictureKey(hash, tiled));
    CHECK_EQUAL(pictureKey(hash, use), pictureKey(pixelHash(padded, {}), use));
    std::stop_source stop;
    stop.request_stop();
    CHECK_THROWS(Cancelled, pixelHash(padded, stop.get_token()), "cancelled");
}

TEST(aFollowUpNeitherSeesNorReadsThePictureAgain)
{
    const auto engine = load();
    const Request first = ask("What is it?", {wide()});
    const Answer one = engine->generate(first, {}, {});
    CHECK_EQUAL(counts(one.tiles), (std::vector<int>{3, 0, 0}));
    CHECK_EQUAL(counts(one.pictures), (std::vector<int>{1, 0, 0}));
    const Request second = followUp(first, one, "And at the left?");
    const Answer two = engine->generate(second, {}, {});
    CHECK_EQUAL(counts(two.tiles), (std::vector<int>{0, 0, 3}));
    CHECK_EQUAL(counts(two.pictures), (std::vector<int>{0, 0, 1}));
    CHECK(two.cachedTokens >= int(one.promptIds.size()));
    CHECK_EQUAL(two.seconds.vision, 0.0);
    CHECK_EQUAL(two.newIds, coldTokens(second));
}

TEST(anEditedEarlierQuestionKeepsWhatIsBeforeIt)
{
    const auto engine = load();
    const Request first = ask("<image>\nWhat is it?", {test::seededImage(300, 300)});
    const Answer one = engine->generate(first, {}, {});
    const Request second = followUp(first, one, "And at the left?");
    engine->generate(second, {}, {});
    Request edited = second;
    edited.messages[0].text = "<image>\nWhere is it?";
    const Answer three = engine->generate(edited, {}, {});
    CHECK(three.cachedTokens > 256);  // the picture stands before what was edited
    CHECK(three.cachedTokens < int(one.promptIds.size()));
    CHECK_EQUAL(counts(three.tiles), (std::vector<int>{0, 0, 1}));
    CHECK_EQUAL(three.newIds, coldTokens(edited));
    edited.messages[0].text = "Look: <image>\nWhere is it?";
    const Answer four = engine->generate(edited, {}, {});
    CHECK(four.cachedTokens < 10);  // now it stands behind it: read again, not seen again
    CHECK_EQUAL(counts(four.tiles), (std::vector<int>{0, 1, 0}));
    CHECK_EQUAL(four.seconds.vision, 0.0);
    CHECK_EQUAL(four.newIds, coldTokens(edited));
}

TEST(anotherSystemMessageReadsThePictureAgainButDoesNotSeeIt)
{
    const auto engine = load();
    Request request = ask("What is it?", {wide()});
    engine->generate(request, {}, {});
    request.system = {SystemPrompt::Preset::Own, "Be brief."};
    const Answer two = engine->generate(request, {}, {});
    CHECK(two.cachedTokens < 4);
    CHECK_EQUAL(counts(two.tiles), (std::vector<int>{0, 3, 0}));
    CHECK_EQUAL(two.newIds, coldTokens(request));
}

TEST(otherTilesOfTheSamePictureAreSeenAndTheFirstOnesAreStillKnown)
{
    const auto engine = load();
    Request request = ask("What is it?", {wide()});
    engine->generate(request, {}, {});
    request.maxTiles = 1;
    const Answer two = engine->generate(request, {}, {});
    CHECK_EQUAL(counts(two.tiles), (std::vector<int>{1, 0, 0}));
    CHECK_EQUAL(two.newIds, coldTokens(request));
    request.maxTiles = 2;
    const Answer three = engine->generate(request, {}, {});
    CHECK_EQUAL(counts(three.tiles), (std::vector<int>{0, 3, 0}));
    CHECK_EQUAL(three.newIds, coldTokens(request));
}

TEST(aSwappedPictureIsSeenAndItsNeighbourIsNot)
{
    const auto engine = load();
    const Image a = test::seededImage(300, 300, 1), b = test::seededImage(300, 300, 2),
                c = test::seededImage(300, 300, 3);
    engine->generate(ask("Compare.", {a, b}), {}, {});
    const Request second = ask("Compare.", {a, c});
    const Answer two = engine->generate(second, {}, {});
    CHECK(two.cachedTokens > 256 && two.cachedTokens < 512);
    CHECK_EQUAL(counts(two.pictures), (std::vector<int>{1, 0, 1}));
    CHECK_EQUAL(two.newIds, coldTokens(second));
    const Request third = ask("Compare.", {c, a});  // places exchanged
    const Answer three = engine->generate(third, {}, {});
    CHECK(three.cachedTokens < 20);
    CHECK_EQUAL(counts(three.pictures), (std::vector<int>{0, 2, 0}));
    CHECK_EQUAL(three.newIds, coldTokens(third));
}

TEST(aNewConversationDoesNotSeeAKnownPictureAgain)
{
    const auto engine = load();
    engine->generate(ask("What is it?", {wide()}), {}, {});
    engine->generate(ask("Write a line about the sea."), {}, {});
    // from another buffer, as a program that opens the file again has it
    const Request third = ask("Is it the same?", {wide()});
    const Answer three = engine->generate(third, {}, {});
    CHECK_EQUAL(counts(three.tiles), (std::vector<int>{0, 3, 0}));
    CHECK_EQUAL(three.newIds, coldTokens(third));
}

TEST(theSamePictureTwiceIsSeenOnce)
{
    const auto engine = load();
    const Request request =
        ask("Compare.", {test::seededImage(300, 300), test::seededImage(300, 300)});
    const Answer answer = engine->generate(request, {}, {});
    CHECK_EQUAL(counts(answer.pictures), (std::vector<int>{1, 1, 0}));
    CHECK_EQUAL(answer.newIds, coldTokens(request));
}

TEST(overTheBudgetTheOldestPictureIsSeenAgain)
{
    // a tile is 256 tokens of 64 floats in this model: room for two
    const auto engine = load(2 * 256 * 64 * 4);
    const auto picture = [](std::uint32_t seed) {
        return ask("What is it?", {test::seededImage(300, 300, seed)});
    };
    for (const std::uint32_t seed : {1U, 2U, 3U}) {
        CHECK_EQUAL(engine->generate(picture(seed), {}, {}).pictures.computed, 1);
    }
    CHECK_EQUAL(engine->generate(picture(2), {}, {}).pictures.computed, 0);
    CHECK_EQUAL(engine->generate(picture(1), {}, {}).pictures.computed, 1);
}

TEST(whatACancelledRequestHasSeenIsKeptAndItsAnswerLeavesNoTrace)
{
    const auto engine = load();
    const Request first = ask("What is it?", {wide()});
    std::stop_source stop;
    const auto stopAtOnce = [&](const Piece&) { stop.request_stop(); };
    const Answer cut = engine->generate(first, stopAtOnce, stop.get_token());
    CHECK(cut.stop == StopReason::Cancelled);
    const Answer again = engine->generate(first, {}, {});
    CHECK_EQUAL(counts(again.tiles), (std::vector<int>{0, 0, 3}));
    CHECK_EQUAL(again.newIds, coldTokens(first));

    // while the prompt is read, sooner or later
    Request other = followUp(first, again, "And at the left, what else is to be seen there?");
    other.system = {SystemPrompt::Preset::Own, "Be brief."};
    const std::vector<TokenId> expected = coldTokens(first);
    for (const int milliseconds : {2, 10, 30, 60}) {
        std::stop_source middle;
        std::jthread stopper([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
            middle.request_stop();
        });
        CHECK_EQUAL(engine->generate(other, {}, middle.get_token()).tiles.computed, 0);
        stopper.join();
        CHECK_EQUAL(engine->generate(first, {}, {}).newIds, expected);
    }
    CHECK_EQUAL(engine->generate(other, {}, {}).newIds, coldTokens(other));
}

/// Requests as a user makes them, one changed from the other at random; none depends on the last.
TEST(noOrderOfRequestsChangesATokenOfAny)
{
    std::mt19937 random(7);
    const auto oneOf = [&](int n) { return int(random() % unsigned(n)); };
    std::vector<Image> images;
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        images.push_back(test::seededImage(seed == 2 ? 600 : 300, 300, seed));
    }
    const std::vector<std::string> questions{"What is it?", "What is there?", "Where?"};
    const auto engine = load(4 * 256 * 64 * 4);
    Request request = ask(questions[0], {images[0]});
    request.maxNewTokens = 4;
    int kept = 0;
    for (int turn = 0; turn < 40; ++turn) {
        std::stop_source stop;
        const bool cancel = oneOf(4) == 0;
        int left = oneOf(4);
        const Answer answer = engine->generate(
            request,
            [&](const Piece&) {
                if (cancel && left-- == 0) {
                    stop.request_stop();
                }
            },
            stop.get_token());
        kept += answer.cachedTokens;
        if (answer.stop != StopReason::Cancelled) {
            CHECK_EQUAL(answer.newIds, coldTokens(request));
        }
        switch (oneOf(6)) {
        case 0:
            request.messages.front().text = questions[std::size_t(oneOf(3))];
            break;
        case 1:
            request.maxTiles = 1 + oneOf(2);
            break;
        case 2:
            request.system.preset =
                oneOf(2) ? SystemPrompt::Preset::None : SystemPrompt::Preset::Default;
            break;
        case 3:
            request.messages.front().images.front() = images[std::size_t(oneOf(3))];
            break;
        default:
            if (request.messages.size() < 7) {
                request = followUp(request, answer, questions[std::size_t(oneOf(3))]);
            } else {
                request.messages.resize(1);
            }
        }
    }
    CHECK(kept > 40 * 100);  // and much was kept
}

KVL_TEST_MAIN
