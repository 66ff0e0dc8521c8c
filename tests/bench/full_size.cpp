// The smallest published model at its full size, with random weights, on this machine's CPU.
#include "bench/bench.h"

#include "inference/config.h"
#include "inference/engine.h"
#include "inference/memory.h"
#include "inference/memory_plan.h"
#include "inference/random_checkpoint.h"
#include "inference/seeded_image.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace bench {
namespace {

namespace fs = std::filesystem;

/// Removed at the end and, where a run before was killed, at the beginning.
class Folder {
public:
    explicit Folder(fs::path path)
        : m_path(std::move(path))
    {
        fs::remove_all(m_path);
    }
    ~Folder()
    {
        std::error_code error;
        fs::remove_all(m_path, error);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const fs::path& path() const { return m_path; }

private:
    fs::path m_path;
};

inference::ModelConfig configOf(const fs::path& model)
{
    const fs::path path = model / "config.json";
    std::ifstream file(path, std::ios::binary);
    return inference::parseConfig(std::string(std::istreambuf_iterator<char>(file), {}), path);
}

/// What memory_plan.h counts for a request beside the weights.
std::int64_t workOf(const inference::ModelConfig& config, const inference::Answer& answer,
                    int elementBytes)
{
    const auto prompt = std::int64_t(answer.promptIds.size());
    return inference::workBytes(config, elementBytes, true, answer.images.at(0).tiles,
                                int(prompt)) +
        (prompt + std::int64_t(answer.newIds.size())) * config.language.layers *
        inference::kvBytes(config, elementBytes);
}

void expect(bool isSo, const std::string& sentence)
{
    if (!isSo) {
        throw std::runtime_error(sentence);
    }
}

/// Throws where the answer is none.
void check(const inference::Answer& answer, const inference::Request& request,
           const inference::ModelConfig& config)
{
    expect(answer.tiles.computed == 1 && answer.images.at(0).tokens == config.tokensPerTile(),
           "the picture is not one tile that was seen");
    expect(int(answer.newIds.size()) == request.maxNewTokens ||
               answer.stop == inference::StopReason::EndOfTurn,
           "the answer has " + std::to_string(answer.newIds.size()) + " tokens where " +
               std::to_string(request.maxNewTokens) + " are expected");
    expect(answer.logprobs.size() == answer.newIds.size(), "a token has no log-probability");
    for (const inference::StepLogprobs& step : answer.logprobs) {
        expect(step.chosen.id >= 0 && step.chosen.id < config.language.vocabulary &&
                   std::isfinite(step.chosen.logprob) && step.chosen.logprob <= 0,
               "a log-probability is no number up to 0");
    }
}

}  // namespace

/// Loads and answers about a picture of one tile. Throws where the answer is none, or where more
/// memory was resident at any time than the weights in the computed dtype and a tenth, and what a
/// memory plan counts for the request.
int answer(const std::string& model, const std::string& dtype)
{
    const auto engine = inference::loadEngine({model, "cpu", dtype});
    const std::int64_t loadPeak = statusBytes("VmHWM");
    inference::Request request;
    request.messages.push_back(
        {inference::Role::User, "What is it?", {inference::seededImage(448, 448)}});
    request.maxNewTokens = 8;
    request.topLogprobs = 0;
    const inference::Answer answer = engine->generate(request, {}, {});

    const inference::ModelConfig config = configOf(model);
    const int elementBytes = engine->info().dtype == "bf16" ? 2 : 4;
    const std::int64_t weights = engine->info().parameters * elementBytes;
    const std::int64_t work = workOf(config, answer, elementBytes);
    const std::int64_t peak = statusBytes("VmHWM"), most = weights + weights / 10 + work;
    std::printf(
        R"({"bench": "answer", "parameters": %lld, "stored": "%s", "dtype": "%s", "weight_bytes": %lld, "work_bytes": %lld, "peak_rss_loaded": %lld, "peak_rss": %lld, "peak_to_weights": %.3f, "most_allowed": %lld, "tiles": %d, "prompt_tokens": %zu, "new_tokens": %zu, "load_seconds": %.2f, "vision_seconds": %.2f, "prefill_seconds": %.2f, "decode_seconds": %.2f})"
        "\n",
        static_cast<long long>(engine->info().parameters), engine->info().storedDtype.c_str(),
        engine->info().dtype.c_str(), static_cast<long long>(weights), static_cast<long long>(work),
        static_cast<long long>(loadPeak), static_cast<long long>(peak),
        double(peak) / double(weights), static_cast<long long>(most), answer.images.at(0).tiles,
        answer.promptIds.size(), answer.newIds.size(), engine->info().loadSeconds,
        answer.seconds.vision, answer.seconds.prefill, answer.seconds.decode);
    std::fflush(stdout);
    check(answer, request, config);
    expect(peak <= most,
           std::to_string(peak) + " bytes were resident where at most " + std::to_string(most) +
               " are expected");
    return 0;
}

/// Makes InternVL3.5-1B's shape in bf16 beside this program, 2.1 GB, answers in each dtype in a
/// process of its own, and removes it. 77 where this machine has not the disk or the memory.
int fullSize(const std::vector<std::string>& dtypes)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    std::puts("not with a sanitizer, whose own memory would count");
    return 77;
#endif
    const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
    constexpr std::uintmax_t disk = 3'000'000'000;
    if (fs::space(bin).available < disk) {
        std::puts("not with less than 3 GB of free disk");
        return 77;
    }
    const Folder model(bin / "full-size");
    const double start = now();
    inference::writeCheckpoint(model.path(),
                               {.shape = "0.6b",
                                .dtype = "BF16",
                                .tokenizer = fs::path(KVL_TEST_DATA) / "tokenizer-small"});
    std::printf(R"({"bench": "make", "seconds": %.2f, "peak_rss": %lld})"
                "\n",
                now() - start, static_cast<long long>(statusBytes("VmHWM")));
    std::fflush(stdout);
    bool all = true;
    for (const std::string& dtype : dtypes) {
        const inference::MemoryPlan plan =
            inference::planMemory({.checkpoint = model.path(), .device = "cpu", .dtype = dtype});
        if (!plan.fits()) {
            std::printf("%s: %s\n", dtype.c_str(), plan.problem.c_str());
            all = false;
            continue;
        }
        std::printf("%s", again("answer '" + model.path().string() + "' " + dtype).c_str());
        std::fflush(stdout);
    }
    return all ? 0 : 77;
}

}  // namespace bench
