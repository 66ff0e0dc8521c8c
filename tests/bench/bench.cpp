#include "inference/engine.h"
#include "inference/sha256.h"
#include "inference/tiles.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <numeric>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

/// Measurements, one JSON object a line. compare.py puts them beside the peers' and prints ratios.
namespace {

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// The best of some runs: what the machine can do, least disturbed by its neighbours.
template <typename Run>
double best(int runs, Run&& run)
{
    double least = 1e30;
    for (int i = 0; i < runs; ++i) {
        const double start = now();
        run();
        least = std::min(least, now() - start);
    }
    return least;
}

/// The seeded pixels of the model specification's check values (5.5).
inference::Image seededImage(int width, int height)
{
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::size_t(3) * std::size_t(width) *
                                                             std::size_t(height));
    std::uint32_t state = 12345;
    for (std::uint8_t& sample : *bytes) {
        state = state * 1664525u + 1013904223u;
        sample = static_cast<std::uint8_t>(state >> 24);
    }
    return {width, height, 3 * width, std::shared_ptr<const std::uint8_t>(bytes, bytes->data())};
}

std::string hashOf(const std::vector<inference::Image>& tiles)
{
    inference::Sha256 hash;
    for (const inference::Image& tile : tiles) {
        for (int y = 0; y < tile.height; ++y) {
            hash.add(tile.row(y), std::size_t(3) * std::size_t(tile.width));
        }
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

/// Sequential reads with every core, the limit of a decoder whose weights do not fit the caches.
double readBandwidth()
{
    const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
    const std::size_t each = (std::size_t(1) << 30) / sizeof(std::uint64_t) / threads;
    std::vector<std::vector<std::uint64_t>> data(threads, std::vector<std::uint64_t>(each, 1));
    std::vector<std::uint64_t> sums(threads);
    const double seconds = best(8, [&] {
        std::vector<std::thread> workers;
        for (unsigned t = 0; t < threads; ++t) {
            workers.emplace_back([&, t] {
                std::uint64_t sum[8] = {};
                const std::uint64_t* values = data[t].data();
                for (std::size_t i = 0; i + 8 <= each; i += 8) {
                    for (int k = 0; k < 8; ++k) {
                        sum[k] += values[i + std::size_t(k)];
                    }
                }
                sums[t] = std::accumulate(sum, sum + 8, std::uint64_t(0));
            });
        }
        for (std::thread& worker : workers) {
            worker.join();
        }
    });
    if (std::accumulate(sums.begin(), sums.end(), std::uint64_t(0)) == 0) {
        std::abort();  // keeps the sums alive
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

int decode(const std::string& model, const std::string& dtype, int tokens)
{
    inference::LoadOptions load;
    load.checkpoint = model;
    load.device = "cpu";
    load.dtype = dtype;
    const double start = now();
    const auto engine = inference::loadEngine(load);
    const double loadSeconds = now() - start;
    inference::Request request;
    request.messages.push_back(
        {inference::Role::User, "List what stands out in a chest radiograph.", {}});
    request.maxNewTokens = tokens;
    double seconds = 1e30;
    double prefill = 1e30;
    std::size_t count = 0;
    for (int run = 0; run < 3; ++run) {
        const inference::Answer answer =
            engine->generate(request, [](const inference::Piece&) {}, {});
        count = answer.newIds.size();
        seconds = std::min(seconds, answer.seconds.decode);
        if (run == 0) {
            prefill = answer.seconds.prefill;
        }
    }
    const double perSecond = double(count - 1) / seconds;
    // a decoded token reads every weight but the embedding table and the tower; compare.py knows
    // the shapes
    std::printf(
        R"({"bench": "decode", "device": "%s", "dtype": "%s", "tokens": %zu, "tokens_per_second": %.3f, "prefill_seconds": %.3f, "load_seconds": %.3f})"
        "\n",
        engine->info().device.c_str(), engine->info().dtype.c_str(), count, perSecond, prefill,
        loadSeconds);
    return 0;
}

/// Load against reading the same bytes, and the process's peak of resident memory.
int load(const std::string& model, const std::string& dtype)
{
    inference::LoadOptions options;
    options.checkpoint = model;
    options.device = "cpu";
    options.dtype = dtype;
    const double start = now();
    const auto engine = inference::loadEngine(options);
    const double seconds = now() - start;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        R"({"bench": "load", "dtype": "%s", "weight_bytes": %lld, "seconds": %.3f, "peak_rss_bytes": %lld})"
        "\n",
        engine->info().dtype.c_str(), static_cast<long long>(engine->info().weightBytes), seconds,
        static_cast<long long>(usage.ru_maxrss) * 1024);
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
        if (what == "decode" && argc > 2) {
            return decode(argv[2], argc > 3 ? argv[3] : "fp32", argc > 4 ? std::atoi(argv[4]) : 64);
        }
        if (what == "load" && argc > 2) {
            return load(argv[2], argc > 3 ? argv[3] : "fp32");
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench: %s\n", error.what());
        return 1;
    }
    std::fputs(
        "bench preprocess | bandwidth | decode MODEL [DTYPE [TOKENS]] | load MODEL [DTYPE]\n",
        stderr);
    return 2;
}
