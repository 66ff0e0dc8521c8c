#include <ATen/ATen.h>  // before test.h, whose CHECK takes the place of c10's

#include "inference/attention.h"
#include "inference/error.h"
#include "inference/kv_cache.h"
#include "inference/language.h"
#include "inference/weights.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

using namespace inference;

namespace {

struct Tiny {
    Tiny()
        : checkpoint((test::writeCheckpoint(
                          folder.path(),
                          {.tokenizer = std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small"}),
                      folder.path()))
        , weights(checkpoint, at::kCPU, at::kFloat, {}, {})
        , language(weights)
    {
    }
    test::TemporaryFolder folder;
    Checkpoint checkpoint;
    Weights weights;
    LanguageModel language;
};

const Tiny& tiny()
{
    static const Tiny one;
    return one;
}

at::Tensor someIds(std::int64_t n)
{
    return (at::arange(n, at::kLong) * 37 + 11) % 1256;
}

}  // namespace

TEST(rowsStayWhereTheyAreWhenTheCacheGrows)
{
    KvCache cache({.layers = 2, .kvHeads = 3, .headDim = 4}, at::kFloat);
    const at::Tensor all = at::arange(3 * 700 * 4, at::kFloat).view({3, 700, 4});
    for (const auto& [from, n] : {std::pair(0, 5), std::pair(5, 300), std::pair(305, 395)}) {
        for (int layer = 0; layer < 2; ++layer) {
            const at::Tensor part = all.narrow(1, from, n) + layer;
            const auto [keys, values] = cache.append(layer, part, -part);
            CHECK(at::equal(keys, all.narrow(1, 0, from + n) + layer));
            CHECK(at::equal(values, -(all.narrow(1, 0, from + n) + layer)));
        }
        cache.advance(n);
    }
    CHECK_EQUAL(cache.length(), 700);
    CHECK(cache.capacity() >= 700);
}

TEST(whatWasNotAdvancedIsForgotten)
{
    KvCache cache({.layers = 1, .kvHeads = 1, .headDim = 2}, at::kFloat);
    cache.append(0, at::ones({1, 3, 2}), at::ones({1, 3, 2}));
    cache.advance(3);
    cache.append(0, at::zeros({1, 2, 2}), at::zeros({1, 2, 2}));  // given up
    const auto [keys, values] =
        cache.append(0, at::full({1, 1, 2}, 5.0F), at::full({1, 1, 2}, 5.0F));
    CHECK_EQUAL(keys.size(1), std::int64_t(4));
    CHECK_EQUAL(keys[0][3][0].item<float>(), 5.0F);
    cache.advance(1);
    cache.truncate(2);
    CHECK_EQUAL(cache.length(), 2);
}

TEST(oneTokenAtATimeEqualsAllAtOnce)
{
    const at::Tensor x = tiny().language.embed(someIds(600));
    KvCache whole = tiny().language.makeCache(), parts = tiny().language.makeCache();
    const at::Tensor expected = tiny().language(x, whole, {});
    at::Tensor logits = tiny().language(x.narrow(0, 0, 290), parts, {});
    logits = tiny().language(x.narrow(0, 290, 300), parts, {});  // more than one part of the mask
    for (std::int64_t i = 590; i < 600; ++i) {
        logits = tiny().language(x.narrow(0, i, 1), parts, {});
    }
    CHECK_EQUAL(parts.length(), 600);
    CHECK(((logits - expected).abs().max() / expected.abs().max()).item<double>() < 1e-5);
}

TEST(causalAttentionIsItsDefinition)
{
    const std::int64_t n = 300, before = 50, heads = 6, kvHeads = 2, width = 16;
    at::Tensor q = (at::arange(n * heads * width, at::kFloat) * 0.37).sin().view({n, heads, width});
    at::Tensor k = (at::arange(kvHeads * (n + before) * width, at::kFloat) * 0.73)
                       .cos()
                       .view({kvHeads, n + before, width});
    at::Tensor v = (at::arange(kvHeads * (n + before) * width, at::kFloat) * 0.11)
                       .sin()
                       .view({kvHeads, n + before, width});
    const at::Tensor found = attendCausal(q, k, v, {}).view({n, heads, width});
    for (const std::int64_t row : {0, 17, 255, 256, 299}) {
        for (std::int64_t head = 0; head < heads; ++head) {
            const at::Tensor keys = k[head / 3].narrow(0, 0, before + row + 1).to(at::kDouble);
            const at::Tensor values = v[head / 3].narrow(0, 0, before + row + 1).to(at::kDouble);
            const at::Tensor weights =
                (at::mv(keys, q[row][head].to(at::kDouble)) / 4.0).softmax(0);
            CHECK(at::allclose(found[row][head].to(at::kDouble), at::mv(values.t(), weights), 1e-4,
                               1e-5));
        }
    }
}

TEST(aStoppedPrefillLeavesTheCacheAsItWas)
{
    KvCache cache = tiny().language.makeCache();
    const at::Tensor x = tiny().language.embed(someIds(40));
    tiny().language(x.narrow(0, 0, 30), cache, {});
    std::stop_source stop;
    const auto stopAfterALayer = [&](int, const at::Tensor&) { stop.request_stop(); };
    CHECK_THROWS(Cancelled,
                 tiny().language(x.narrow(0, 30, 10), cache, stop.get_token(), stopAfterALayer),
                 "cancelled");
    CHECK_EQUAL(cache.length(), 30);
    const at::Tensor again = tiny().language(x.narrow(0, 30, 10), cache, {});
    KvCache cold = tiny().language.makeCache();
    CHECK(at::allclose(again, tiny().language(x, cold, {}), 1e-4, 1e-4));
}

KVL_TEST_MAIN
