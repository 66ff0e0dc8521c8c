#include "app/arguments.h"
#include "app/commands.h"
#include "inference/error.h"
#include "inference/mini/png.h"
#include "inference/mini/rows.h"
#include "inference/mini/sample.h"
#include "inference/mini/tokenizer_training.h"
#include "inference/random_checkpoint.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace app {

const char* const makeMiniDataHelp =
    R"(kvl make-mini-data --out DIR [options]

Draws the pictures that kvl-mini learns from and writes them as images/000000.png, ... with their
questions and answers in conversations.jsonl, one question a line, as InternVL and ms-swift read
them. The same seed gives the same bytes on every machine.

  --out DIR          made where it is missing
  --count N          pictures (1000)
  --first N          number of the first one (0)
  --seed S           whole number (1)
  --questions N      at most, for each picture (5)
  --tile N           force_image_size of the model: how small things may be, 112 or 224 (224)
  --difficulty N     from 0, few large clear things, to 100, the whole range (100)
  --threads N        as many as the machine has cores
  --rate             draw only, write nothing, print how many a second
)";

const char* const makeMiniTokenizerHelp =
    R"(kvl make-mini-tokenizer --out DIR [options]

Trains the tokenizer of kvl-mini, a SentencePiece model, on generated questions and answers and
writes tokenizer.model, added_tokens.json and tokenizer_config.json.

  --out DIR          made where it is missing
  --seed S           whole number (1)
  --pictures N       whose questions and answers are read (3000)
  --pieces N         at most, without the control tokens (1600)
)";

const char* const makeMiniModelHelp =
    R"(kvl make-mini-model --tokenizer DIR --out DIR [options]

Writes a checkpoint of kvl-mini's shape with the weights that its training begins with.

  --tokenizer DIR    from kvl make-mini-tokenizer
  --out DIR          made where it is missing
  --seed S           whole number (1)
)";

namespace {

using inference::mini::Sample;

inference::mini::Options drawingOptions(const Arguments& arguments)
{
    inference::mini::Options options;
    options.questions =
        static_cast<int>(wholeNumber("--questions", arguments.value("--questions", "5"), 1, 100));
    options.difficulty = static_cast<int>(
        wholeNumber("--difficulty", arguments.value("--difficulty", "100"), 0, 100));
    options.tile =
        static_cast<int>(wholeNumber("--tile", arguments.value("--tile", "224"), 112, 448));
    return options;
}

/// Calls work(i) for 0 .. count - 1 from several threads. Throws what the first failure threw.
template <typename Work>
void inThreads(int threads, int count, const std::stop_token& stop, Work&& work)
{
    std::atomic<int> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto run = [&] {
        for (int i = next++; i < count; i = next++) {
            try {
                if (stop.stop_requested()) {
                    throw inference::Cancelled();
                }
                work(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                failure = failure ? failure : std::current_exception();
                next = count;
            }
        }
    };
    {
        std::vector<std::jthread> workers;
        for (int i = 1; i < std::min(threads, count); ++i) {
            workers.emplace_back(run);
        }
        run();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

std::string sixDigits(std::uint64_t number)
{
    const std::string digits = std::to_string(number);
    return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

/// The lines of one picture, which is written.
std::string writeSample(const Sample& sample, std::uint64_t index,
                        const std::filesystem::path& folder)
{
    const std::string number = sixDigits(index);
    const std::string image = "images/" + number + ".png";
    inference::mini::writePng(sample.image, folder / image);
    std::string lines;
    for (std::size_t i = 0; i < sample.records.size(); ++i) {
        lines +=
            conversationRow(sample, sample.records[i], image, number + "-" + std::to_string(i));
        lines += '\n';
    }
    return lines;
}

void makeFolder(const std::filesystem::path& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        throw std::runtime_error(folder.string() + " can't be made: " + error.message());
    }
}

}  // namespace

int makeMiniData(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(words,
                              {{"--out"},
                               {"--count"},
                               {"--first"},
                               {"--seed"},
                               {"--questions"},
                               {"--tile"},
                               {"--difficulty"},
                               {"--threads"},
                               {"--rate", false}});
    const bool rate = arguments.has("--rate");
    if (!rate && !arguments.has("--out")) {
        throw UsageError("--out is missing: the folder for pictures and questions");
    }
    const auto count =
        static_cast<int>(wholeNumber("--count", arguments.value("--count", "1000"), 1, 10'000'000));
    const auto first = static_cast<std::uint64_t>(
        wholeNumber("--first", arguments.value("--first", "0"), 0, INT64_MAX / 2));
    const auto seed = static_cast<std::uint64_t>(
        wholeNumber("--seed", arguments.value("--seed", "1"), 0, INT64_MAX));
    const int cores = std::max(1, int(std::thread::hardware_concurrency()));
    const auto threads = static_cast<int>(
        wholeNumber("--threads", arguments.value("--threads", std::to_string(cores)), 1, 1024));
    const inference::mini::Options options = drawingOptions(arguments);

    const std::filesystem::path folder = arguments.value("--out", "");
    const std::filesystem::path file = folder / "conversations.jsonl";
    const std::filesystem::path part = file.string() + ".part";
    std::ofstream rows;
    if (!rate) {
        makeFolder(folder / "images");
        rows.open(part, std::ios::binary);
    }
    const auto begin = std::chrono::steady_clock::now();
    constexpr int block = 1024;  // pictures whose lines wait to be written in order
    for (int done = 0; done < count; done += block) {
        std::vector<std::string> lines(std::size_t(std::min(block, count - done)));
        inThreads(threads, int(lines.size()), stop, [&](int i) {
            const std::uint64_t index = first + std::uint64_t(done) + std::uint64_t(i);
            const Sample sample = inference::mini::generate(seed, index, options);
            lines[std::size_t(i)] = rate ? std::string() : writeSample(sample, index, folder);
        });
        for (const std::string& line : lines) {
            rows << line;
        }
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!rate) {
        rows.close();
        std::error_code error;
        std::filesystem::rename(part, file, error);
        if (!rows || error) {
            throw std::runtime_error(file.string() + " can't be written, perhaps the disk is full");
        }
    }
    std::printf("%d pictures in %.2f s: %.0f a second, %d %s\n", count, seconds,
                count / std::max(seconds, 1e-9), threads, threads == 1 ? "thread" : "threads");
    return exitDone;
}

int makeMiniTokenizer(const std::vector<std::string>& words, const std::stop_token&)
{
    const Arguments arguments(words, {{"--out"}, {"--seed"}, {"--pictures"}, {"--pieces"}});
    if (!arguments.has("--out")) {
        throw UsageError("--out is missing: the folder for the tokenizer's files");
    }
    inference::mini::TokenizerOptions options;
    options.seed = static_cast<std::uint64_t>(
        wholeNumber("--seed", arguments.value("--seed", "1"), 0, INT64_MAX));
    options.pictures = static_cast<int>(
        wholeNumber("--pictures", arguments.value("--pictures", "3000"), 1, 1'000'000));
    options.pieces =
        static_cast<int>(wholeNumber("--pieces", arguments.value("--pieces", "1600"), 700, 32'000));
    inference::mini::trainTokenizer(*arguments.value("--out"), options);
    return exitDone;
}

int makeMiniModel(const std::vector<std::string>& words, const std::stop_token&)
{
    const Arguments arguments(words, {{"--out"}, {"--tokenizer"}, {"--seed"}});
    if (!arguments.has("--out") || !arguments.has("--tokenizer")) {
        throw UsageError("--tokenizer and --out are expected: a folder to read and one to write");
    }
    inference::CheckpointOptions options;
    options.shape = "mini";
    options.seed = static_cast<std::uint64_t>(
        wholeNumber("--seed", arguments.value("--seed", "1"), 0, INT64_MAX));
    options.shards = 1;
    options.tokenizer = *arguments.value("--tokenizer");
    options.tied = true;
    options.toTrain = true;
    inference::writeCheckpoint(*arguments.value("--out"), options);
    return exitDone;
}

}  // namespace app
