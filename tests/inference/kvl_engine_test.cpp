// What of the engine only this folder can see: how a request is computed.
#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/kvl_engine.h"
#include "support/seeded_image.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

using namespace inference;

namespace {

const std::filesystem::path& checkpointFolder()
{
    static const test::TemporaryFolder folder;
    static const bool written =
        (test::writeCheckpoint(
             folder.path(),
             {.tokenizer = std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small"}),
         true);
    (void)written;
    return folder.path();
}

Request question()
{
    Request request;
    request.messages.push_back({Role::User, "What is this?", {test::seededImage(300, 280, 7)}});
    request.maxNewTokens = 8;
    return request;
}

}  // namespace

TEST(aPromptInPartsGivesTheTokensOfThePromptAtOnce)
{
    KvlEngine engine({checkpointFolder(), "cpu", "fp32"}, {}, {});
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
    KvlEngine engine({checkpointFolder(), "cpu", "fp32"}, {}, {});
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
    KvlEngine engine({checkpointFolder(), "cpu", "fp32"}, {}, {});
    std::vector<TokenId> largest;
    const auto look = [&](const at::Tensor& logits) {
        CHECK_EQUAL(logits.numel(), std::int64_t(engine.info().vocabulary));
        largest.push_back(TokenId(logits.argmax().item<std::int64_t>()));
    };
    const Answer answer = engine.compute(question(), {.onLogits = look}, {}, {});
    CHECK_EQUAL(largest, answer.newIds);
}

KVL_TEST_MAIN
