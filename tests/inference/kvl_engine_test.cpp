// What of the engine only this folder can see: how a request is computed.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's
#include <ATen/Parallel.h>

#include "inference/error.h"
#include "inference/kvl_engine.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <c10/core/CPUAllocator.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <cmath>
#include <fstream>
#include <new>

using namespace inference;

namespace {

Request question()
{
    Request request;
    request.messages.push_back({Role::User, "What is this?", {test::seededImage(300, 280, 7)}});
    request.maxNewTokens = 8;
    return request;
}

/// Counts libtorch's allocations while it lives and does something at the nth: every step of a
/// request makes some, so this reaches any place in it, and the same again.
class AtAllocation : public c10::Allocator {
public:
    explicit AtAllocation(std::int64_t nth = -1, std::function<void()> what = {})
        : m_nth(nth)
        , m_what(std::move(what))
    {
        c10::SetCPUAllocator(this, 1);
    }
    ~AtAllocation() override { c10::SetCPUAllocator(m_usual, 1); }
    AtAllocation(const AtAllocation&) = delete;
    AtAllocation& operator=(const AtAllocation&) = delete;

    c10::DataPtr allocate(std::size_t bytes) override
    {
        if (m_count++ == m_nth) {
            m_what();
        }
        return m_usual->allocate(bytes);
    }
    c10::DeleterFnPtr raw_deleter() const override { return m_usual->raw_deleter(); }
    void copy_data(void* to, const void* from, std::size_t bytes) const override
    {
        m_usual->copy_data(to, from, bytes);
    }
    std::int64_t count() const { return m_count; }

private:
    c10::Allocator* m_usual = c10::GetCPUAllocator();
    std::atomic<std::int64_t> m_count = 0;
    std::int64_t m_nth;
    std::function<void()> m_what;
};

constexpr int places = 20;  // of a request at which the tests interrupt it

/// `work` interrupted at places all over it: what(engine, run) with a fresh engine each time.
void everywhere(const std::function<void(KvlEngine&)>& work, const std::function<void()>& what,
                const std::function<void(KvlEngine&)>& afterwards)
{
    const auto load = [] {
        return std::make_unique<KvlEngine>(LoadOptions{test::tinyCheckpoint(), "cpu", "fp32"},
                                           OnProgress{}, std::stop_token{});
    };
    at::set_num_threads(1);  // small steps; and a count of allocations that repeats
    std::int64_t all = 0;
    {
        const auto engine = load();
        const AtAllocation counter;
        work(*engine);
        all = counter.count();
    }
    CHECK(all > places);
    for (int place = 0; place < places; ++place) {
        const auto engine = load();
        {
            const AtAllocation interrupted(place * all / places, what);
            work(*engine);
        }
        afterwards(*engine);
    }
}

Request longQuestion()
{
    Request request = question();
    for (int i = 0; i < 20; ++i) {
        request.messages.back().text += " Is anything to be seen on the left side of it?";
    }
    return request;
}

ScoreRequest scored()
{
    return {longQuestion(), {{"yes, it is", {}}, {"no", {}}, {"yes, but not on the left", {}}}};
}

}  // namespace

TEST(aPromptInPartsGivesTheTokensOfThePromptAtOnce)
{
    KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const Answer whole = engine.compute(question(), {.cold = true}, {}, {});
    for (const int rows : {100, 1}) {
        const Answer parts =
            engine.compute(question(), {.prefillRows = rows, .cold = true}, {}, {});
        CHECK_EQUAL(parts.cachedTokens, 0);
        CHECK_EQUAL(parts.newIds, whole.newIds);
    }
}

TEST(aColdRequestUsesNothingThatWasKept)
{
    KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    engine.generate(question(), {}, {});
    const Answer warm = engine.generate(question(), {}, {});
    CHECK(warm.cachedTokens > 0);
    CHECK_EQUAL(warm.seconds.vision, 0.0);
    const Answer cold = engine.compute(question(), {.cold = true}, {}, {});
    CHECK_EQUAL(cold.cachedTokens, 0);
    CHECK(cold.seconds.vision > 0);
    CHECK_EQUAL(cold.newIds, warm.newIds);
}

TEST(theLogitsSeenAreThoseThatTheTokensAreChosenFrom)
{
    KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    std::vector<TokenId> largest;
    const auto look = [&](const at::Tensor& logits) {
        CHECK_EQUAL(logits.numel(), std::int64_t(engine.info().vocabulary));
        largest.push_back(TokenId(logits.argmax().item<std::int64_t>()));
    };
    const Answer answer = engine.compute(question(), {.onLogits = look}, {}, {});
    CHECK_EQUAL(largest, answer.newIds);
}

TEST(beyondItsPositionsAModelReadsAPromptInOnePartAndFromACold)
{
    const test::TemporaryFolder folder;
    std::filesystem::copy(test::tinyCheckpoint(), folder.path());
    auto config = nlohmann::json::parse(std::ifstream(folder.path() / "config.json"));
    config["llm_config"]["max_position_embeddings"] = 500;
    config["llm_config"]["rope_scaling"] = {{"type", "dynamic"}, {"factor", 4.0}};
    std::ofstream(folder.path() / "config.json") << config;
    const auto load = [&] {
        return std::make_unique<KvlEngine>(LoadOptions{folder.path(), "cpu", "fp32"}, OnProgress{},
                                           std::stop_token{});
    };
    Request longer = longQuestion(), shorter = question();
    longer.topLogprobs = shorter.topLogprobs = 0;
    const Answer expected = load()->generate(longer, {}, {});
    CHECK(expected.promptIds.size() > 600);
    const auto same = [](const Answer& a, const Answer& b) {
        CHECK_EQUAL(a.newIds, b.newIds);
        for (std::size_t i = 0; i < a.newIds.size(); ++i) {
            CHECK(std::abs(a.logprobs[i].chosen.logprob - b.logprobs[i].chosen.logprob) < 1e-4F);
        }
    };
    same(load()->compute(longer, {.prefillRows = 50}, {}, {}), expected);
    const auto engine = load();
    const Answer first = engine->generate(shorter, {}, {});
    CHECK(first.promptIds.size() < 490);
    const Answer warm = engine->generate(longer, {}, {});
    CHECK_EQUAL(warm.cachedTokens, 0);
    same(warm, expected);
    const Answer again = engine->generate(shorter, {}, {});  // not from the longer one's keys
    CHECK_EQUAL(again.cachedTokens, 0);
    same(again, first);
}

TEST(aSeedGivesTheSameTokensInEveryRunAndWithAnyNumberOfThreads)
{
    const int usual = at::get_num_threads();
    Request request = longQuestion();
    request.maxNewTokens = 40;
    request.sampling = {.temperature = 1.5, .topP = 0.95, .repetitionPenalty = 1.1, .seed = 6};
    std::vector<TokenId> first;
    for (const int threads : {usual, 1, 2, 3}) {
        at::set_num_threads(threads);
        KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
        const Answer answer = engine.generate(request, {}, {});
        first = first.empty() ? answer.newIds : first;
        CHECK_EQUAL(answer.newIds, first);
        CHECK_EQUAL(engine.generate(request, {}, {}).newIds, first);
    }
    at::set_num_threads(usual);
    request.sampling.seed = 7;
    KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    CHECK(engine.generate(request, {}, {}).newIds != first);
}

TEST(aStopAnywhereLeavesTheNextAnswerAsFromACold)
{
    KvlEngine cold({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const Answer expected = cold.generate(longQuestion(), {}, {});
    std::stop_source stop;
    int stopped = 0, keptParts = 0;
    everywhere(
        [&](KvlEngine& engine) {
            stop = {};
            const Answer answer =
                engine.compute(longQuestion(), {.prefillRows = 100}, {}, stop.get_token());
            CHECK_EQUAL(answer.stop == StopReason::Cancelled, stop.stop_requested());
            stopped += stop.stop_requested();
        },
        [&] { stop.request_stop(); },
        [&](KvlEngine& engine) {
            const Answer next = engine.generate(longQuestion(), {}, {});
            CHECK_EQUAL(next.newIds, expected.newIds);
            // what was read before the stop is not read again
            const int rest = int(next.promptIds.size()) - 1 - next.cachedTokens;
            keptParts += next.cachedTokens > 0 && rest > 0 && next.cachedTokens % 100 == 0;
        });
    CHECK_EQUAL(stopped, places);
    CHECK(keptParts > 1);
}

TEST(aStoppedScoreLeavesTheNextAsFromACold)
{
    KvlEngine cold({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const Scores expected = cold.score(scored(), {});
    std::stop_source stop;
    int stopped = 0;
    everywhere(
        [&](KvlEngine& engine) {
            stop = {};
            try {
                engine.score(scored(), stop.get_token());
            } catch (const Cancelled&) {
                ++stopped;
            }
        },
        [&] { stop.request_stop(); },
        [&](KvlEngine& engine) {
            const Scores next = engine.score(scored(), {});
            for (std::size_t i = 0; i < 3; ++i) {
                CHECK(std::abs(next.continuations[i].sum - expected.continuations[i].sum) < 1e-3);
            }
        });
    CHECK(stopped > places * 3 / 4);  // not at the very end
}

TEST(memoryThatRunsOutAnywhereIsSaidAndTheNextAnswerIsAsFromACold)
{
    KvlEngine cold({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const Answer expected = cold.generate(longQuestion(), {}, {});
    int failed = 0;
    everywhere(
        [&](KvlEngine& engine) {
            try {
                engine.generate(longQuestion(), {}, {});
            } catch (const OutOfMemory&) {
                ++failed;
            }
        },
        [] { throw std::bad_alloc(); },
        [&](KvlEngine& engine) {
            const Answer next = engine.generate(longQuestion(), {}, {});
            CHECK_EQUAL(next.cachedTokens, 0);
            CHECK_EQUAL(next.newIds, expected.newIds);
        });
    CHECK_EQUAL(failed, places);
}

TEST(whatAFailedFollowUpTouchedIsNotTrusted)
{
    KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const Answer first = engine.generate(longQuestion(), {}, {});
    Request followUp = longQuestion();
    followUp.messages.push_back({Role::Assistant, first.text, {}});
    followUp.messages.push_back({Role::User, "And on the right?", {}});
    KvlEngine cold({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const Answer expected = cold.generate(followUp, {}, {});
    const auto refuse = [](const Piece&) { throw std::runtime_error("the window is gone"); };
    CHECK_THROWS(std::runtime_error, engine.generate(followUp, refuse, {}), "window is gone");
    CHECK_EQUAL(engine.generate(followUp, {}, {}).newIds, expected.newIds);
    const auto throws = [](const at::Tensor&) { throw std::bad_alloc(); };
    CHECK_THROWS(OutOfMemory, engine.compute(followUp, {.onLogits = throws}, {}, {}),
                 "not enough memory");
    CHECK_EQUAL(engine.generate(followUp, {}, {}).newIds, expected.newIds);
}

/// What is asked instead has to be less than what failed, and a number.
TEST(memoryThatRunsOutInTheMiddleIsAnsweredWithAPlan)
{
    KvlEngine engine({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const auto said = [&](const Request& request, const std::function<void()>& runOut) {
        try {
            engine.compute(request, {.onLogits = [&](const at::Tensor&) { runOut(); }}, {}, {});
        } catch (const OutOfMemory& error) {
            return std::string(error.what());
        }
        return std::string("nothing");
    };
    const auto fake = [] {
        TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate 2.00 GiB");
    };
    // libtorch's own allocator refuses
    [[maybe_unused]] const auto real = [] { at::empty({std::int64_t(1) << 50}, at::kFloat); };

    Request picture;
    picture.messages.push_back({Role::User, "What is it?", {test::seededImage(640, 480, 3)}});
    picture.maxNewTokens = 8;
    std::vector<std::function<void()>> ways{fake};
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator ends the program where there is no memory
    ways.emplace_back(real);
#endif
    for (const std::function<void()>& runOut : ways) {
        const std::string text = said(picture, runOut);
        CHECK(text.find("it ran out in the middle, where about ") != std::string::npos);
        CHECK(text.find(" are needed on cpu and ") != std::string::npos);
        const std::size_t at = text.find("at most ");
        CHECK(at != std::string::npos);
        const int tiles = std::stoi(text.substr(at + 8));
        CHECK(tiles >= 1 && tiles < 12);
        CHECK(text.ends_with(" tiles a picture fit."));
        Request fewer = picture;
        fewer.maxTiles = tiles;
        CHECK_EQUAL(engine.generate(fewer, {}, {}).newIds.size(), std::size_t(8));
    }

    Request text;
    text.messages.push_back({Role::User, "What is it?", {}});
    text.maxNewTokens = 4000;
    const std::string fewer = said(text, fake);
    CHECK(fewer.ends_with(" new tokens fit."));
    text.messages.back().text = longQuestion().messages.back().text;
    text.maxNewTokens = 1;
    const std::string shorter = said(text, fake);
    CHECK(shorter.find("a conversation of ") != std::string::npos);

    KvlEngine scorer({test::tinyCheckpoint(), "cpu", "fp32"}, {}, {});
    const AtAllocation failing(200, [] { throw std::bad_alloc(); });
    CHECK_THROWS(OutOfMemory, scorer.score(scored(), {}), "it ran out in the middle");
}

KVL_TEST_MAIN
