#include "bench/bench.h"

#include "inference/engine.h"
#include "inference/seeded_image.h"
#include "inference/sha256.h"
#include "inference/tiles.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

/// Measurements, one JSON object a line. compare.py puts them beside the peers' and prints ratios.
namespace {

using bench::best;
using bench::now;
using inference::seededImage;

std::string hashOf(const std::vector<inference::Image>& tiles)
{
    inference::Sha256 hash;
    for (const inference::Image& tile : tiles) {
        addPixels(hash, tile);
    }
    return hash.hex();
}

int preprocess()
{
    const inference::Image image = seededImage(4000, 3000);
    std::vector<inference::Image> tiles;
    const double seconds = best(5, [&] { tiles = inference::cutTiles(image); });
    std::printf(
        R"({"bench": "preprocess", "picture": "4000x3000", "tiles": %zu, "seconds": %.5f, "sha256": "%s"})"
        "\n",
        tiles.size(), seconds, hashOf(tiles).c_str());
    return 0;
}

#if defined(__x86_64__)
__attribute__((target("avx2")))
#endif
std::uint64_t
sumOf(const std::uint64_t* values, std::size_t count)
{
    // eight independent sums of four: what a core can have under way, in registers
    using Four = std::uint64_t __attribute__((vector_size(32)));
    Four sums[8] = {};
    const auto* const fours = reinterpret_cast<const Four*>(values);
    for (std::size_t i = 0; i + 8 <= count / 4; i += 8) {
        for (std::size_t k = 0; k < 8; ++k) {
            sums[k] += fours[i + k];
        }
    }
    std::uint64_t total = 0;
    for (const Four& sum : sums) {
        total += sum[0] + sum[1] + sum[2] + sum[3];
    }
    return total;
}

/// Sequential reads with every core, the limit of a decoder whose weights do not fit the caches.
/// Bytes a second over 2 GiB in large pages, the best of ten passes.
double readBandwidth()
{
    const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
    const std::size_t size = std::size_t(2) << 30;
    const std::size_t each = size / sizeof(std::uint64_t) / threads / 32 * 32;
    void* const memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::runtime_error("2 GiB of memory are needed to measure the read bandwidth");
    }
    madvise(memory, size, MADV_HUGEPAGE);
    std::memset(memory, 1, size);
    const auto* const values = static_cast<const std::uint64_t*>(memory);
    std::vector<std::uint64_t> sums(threads);
    const double seconds = best(10, [&] {
        std::vector<std::thread> workers;
        for (unsigned t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] { sums[t] = sumOf(values + t * each, each); });
        }
        for (std::thread& worker : workers) {
            worker.join();
        }
    });
    munmap(memory, size);
    if (std::accumulate(sums.begin(), sums.end(), std::uint64_t(0)) == 0) {
        throw std::runtime_error("the sums are wrong");  // keeps them alive
    }
    return double(each) * threads * sizeof(std::uint64_t) / seconds;
}

int bandwidth()
{
    std::printf(R"({"bench": "bandwidth", "bytes_per_second": %.4g})"
                "\n",
                readBandwidth());
    return 0;
}

/// A picture and a text that no earlier request had, so that nothing of it is kept.
inference::Request freshRequest(int words, int side)
{
    static int count = 0;
    ++count;
    inference::Request request;
    request.system = {inference::SystemPrompt::Preset::Own, std::to_string(count)};
    std::string text = "List what stands out.";
    for (int i = 0; i < words; ++i) {
        text += " a";
    }
    request.messages.push_back({inference::Role::User, text, {}});
    if (side > 0) {
        request.messages.back().images.push_back(seededImage(side, side, std::uint32_t(count)));
    }
    request.maxNewTokens = 1;
    return request;
}

/// Reads `prefill N`, `decode N` and `see SIDE` line by line and answers each with one line, so
/// that compare.py can take turns with the peer. All of them name the tokens or tiles and seconds.
int serve(const std::string& model, const std::string& dtype)
{
    inference::LoadOptions load;
    load.checkpoint = model;
    load.device = "cpu";
    load.dtype = dtype;
    const auto engine = inference::loadEngine(load);
    std::printf(R"({"ready": "%s"})"
                "\n",
                engine->info().dtype.c_str());
    std::fflush(stdout);
    std::string what;
    for (int n = 0; std::cin >> what >> n;) {
        inference::Request request = freshRequest(what == "prefill" ? n : 0, what == "see" ? n : 0);
        request.maxNewTokens = what == "decode" ? n : 1;
        const inference::Answer answer = engine->generate(request, {}, {});
        double seconds = answer.seconds.prefill;
        int count = int(answer.promptIds.size()) - answer.cachedTokens;
        if (what == "decode") {
            seconds = answer.seconds.decode;
            count = int(answer.newIds.size()) - 1;
        } else if (what == "see") {
            seconds = answer.seconds.vision;
            count = answer.images.at(0).tiles;
        }
        std::printf(R"({"bench": "%s", "count": %d, "seconds": %.6f})"
                    "\n",
                    what.c_str(), count, seconds);
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    const std::string what = argc > 1 ? argv[1] : "";
    try {
        if (what == "preprocess") {
            return preprocess();
        }
        if (what == "bandwidth") {
            return bandwidth();
        }
        if (what == "serve" && argc > 2) {
            return serve(argv[2], argc > 3 ? argv[3] : "fp32");
        }
        if (what == "full-size") {
            const std::vector<std::string> dtypes(argv + 2, argv + argc);
            return bench::fullSize(dtypes.empty() ? std::vector<std::string>{"bf16", "fp32"}
                                                  : dtypes);
        }
        if (what == "tokenize" && argc > 3) {
            return bench::tokenize(argv[2], argv[3]);
        }
        for (const auto& [name, run] : bench::loads()) {
            if (what == name && argc > 2) {
                return run(argv[2], argc > 3 ? argv[3] : "fp32");
            }
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench: %s\n", error.what());
        return 1;
    }
    std::fputs(
        "bench preprocess | bandwidth | tokenize FOLDER TEXTS | serve MODEL [DTYPE] | load MODEL "
        "[DTYPE] | "
        "load-once MODEL [DTYPE] | share MODEL [DTYPE] | answer MODEL [DTYPE] | full-size "
        "[DTYPE]...\n",
        stderr);
    return 2;
}
