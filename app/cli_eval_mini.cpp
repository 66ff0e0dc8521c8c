#include "app/arguments.h"
#include "app/commands.h"
#include "inference/engine.h"
#include "inference/error.h"
#include "inference/mini/grade.h"
#include "inference/mini/sample.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <unistd.h>

namespace app {

const char* const evalMiniHelp =
    R"(kvl eval-mini (--model DIR | --answers FILE) [options]

Asks one question about each of N generated pictures and counts the right answers: by kind of
question, for boxes (intersection over union of at least 0.5), and beside them the prior, which is
what the best answer given without looking would reach. Take a seed that was not trained on.

  --model DIR         checkpoint folder
  --answers FILE      grade these answers instead: one JSON string a line, in the questions' order
  --count N           pictures (2000)
  --seed S            whole number (1000001)
  --grey              put plain grey in the place of every picture
  --tile N            how small things may be, 112 or 224; the model's tile otherwise
  --difficulty N      0 to 100 (100)
  --system PRESET     default, none, thinking (default)
  --max-new-tokens N  of each answer (400)
  --device D          auto, cpu, cuda:N (auto)
  --dtype T           auto, bf16, fp32 (auto)
  --wrong             print each wrong answer: picture, question, what the model wrote, the truth
  --json              print one JSON object
)";

namespace {

using Json = nlohmann::ordered_json;
using inference::mini::Record;
using inference::mini::Sample;
using inference::mini::Tally;

/// Gives the answer to a question.
using Answerer = std::function<std::string(const inference::Image&, const Record&)>;

inference::Image greyLike(const inference::Image& image)
{
    const std::size_t size = std::size_t(image.width) * std::size_t(image.height) * 3;
    std::shared_ptr<std::uint8_t> pixels(new std::uint8_t[size],
                                         std::default_delete<std::uint8_t[]>());
    std::memset(pixels.get(), 128, size);
    return {image.width, image.height, image.width * 3, pixels};
}

inference::SystemPrompt systemOf(const std::string& name)
{
    using Preset = inference::SystemPrompt::Preset;
    if (name == "default" || name == "none" || name == "thinking") {
        return {name == "default"    ? Preset::Default
                    : name == "none" ? Preset::None
                                     : Preset::Thinking,
                {}};
    }
    throw UsageError("--system is \"" + name + "\"; expected default, none or thinking");
}

Answerer fromFile(const std::string& file)
{
    auto stream = std::make_shared<std::ifstream>(file, std::ios::binary);
    if (!*stream) {
        throw std::runtime_error(file + " can't be read");
    }
    return [stream, file, row = 0](const inference::Image&, const Record&) mutable {
        std::string line;
        ++row;
        if (!std::getline(*stream, line)) {
            throw std::runtime_error(file + " ends before line " + std::to_string(row) +
                                     "; it needs an answer for each picture of --count");
        }
        try {
            return nlohmann::json::parse(line).get<std::string>();
        } catch (const nlohmann::json::exception&) {
            throw std::runtime_error("line " + std::to_string(row) + " of " + file +
                                     " is not a JSON string");
        }
    };
}

Answerer fromModel(const std::shared_ptr<inference::Engine>& engine,
                   const inference::SystemPrompt& system, int maxNewTokens,
                   const std::stop_token& stop)
{
    const int maxTiles = engine->info().maxTiles;
    return [=](const inference::Image& image, const Record& record) {
        inference::Request request;
        request.messages = {{inference::Role::User, record.question, {image}}};
        request.system = system;
        request.maxNewTokens = maxNewTokens;
        request.maxTiles = maxTiles;
        return engine->generate(request, {}, stop).text;
    };
}

double rounded(double share)
{
    return double(std::lround(share * 10000)) / 10000;
}

Json toJson(const inference::mini::Scores& scores)
{
    Json kinds = Json::object();
    for (const auto& [kind, tally] : scores.kinds) {
        kinds[kind] = {{"right", tally.right},
                       {"total", tally.total},
                       {"share", rounded(tally.share())},
                       {"prior", rounded(scores.priors.at(kind))}};
    }
    return {{"count", scores.overall.total},  {"overall", rounded(scores.overall.share())},
            {"prior", rounded(scores.prior)}, {"boxes_iou50", rounded(scores.boxes.share())},
            {"boxes", scores.boxes.total},    {"kinds", kinds}};
}

void print(const inference::mini::Scores& scores)
{
    const auto line = [](const std::string& what, const Tally& tally, double prior) {
        std::printf("%-10s %5d of %5d  %5.1f %%", what.c_str(), tally.right, tally.total,
                    100 * tally.share());
        std::printf(prior < 0 ? "\n" : "   prior %5.1f %%\n", 100 * prior);
    };
    for (const auto& [kind, tally] : scores.kinds) {
        line(kind, tally, scores.priors.at(kind));
    }
    line("boxes", scores.boxes, -1);
    line("overall", scores.overall, scores.prior);
}

}  // namespace

int evalMini(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(words,
                              {{"--model"},
                               {"--answers"},
                               {"--count"},
                               {"--seed"},
                               {"--grey", false},
                               {"--tile"},
                               {"--difficulty"},
                               {"--system"},
                               {"--max-new-tokens"},
                               {"--device"},
                               {"--dtype"},
                               {"--wrong", false},
                               {"--json", false}});
    if (arguments.has("--model") == arguments.has("--answers")) {
        throw UsageError("one of --model and --answers is needed: who answers");
    }
    const auto count =
        static_cast<int>(wholeNumber("--count", arguments.value("--count", "2000"), 1, 10'000'000));
    const auto seed = static_cast<std::uint64_t>(
        wholeNumber("--seed", arguments.value("--seed", "1000001"), 0, INT64_MAX));
    const auto maxNewTokens = static_cast<int>(
        wholeNumber("--max-new-tokens", arguments.value("--max-new-tokens", "400"), 1, 100'000));
    const inference::SystemPrompt system = systemOf(arguments.value("--system", "default"));
    inference::mini::Options options;
    options.questions = 1;
    options.difficulty = static_cast<int>(
        wholeNumber("--difficulty", arguments.value("--difficulty", "100"), 0, 100));

    Answerer answer;
    std::string tile = "224";
    if (arguments.has("--model")) {
        inference::LoadOptions load;
        load.checkpoint = *arguments.value("--model");
        load.device = arguments.value("--device", load.device);
        load.dtype = arguments.value("--dtype", load.dtype);
        const std::shared_ptr<inference::Engine> engine = inference::loadEngine(load, {}, stop);
        tile = std::to_string(engine->info().tileSize);
        answer = fromModel(engine, system, maxNewTokens, stop);
    } else {
        answer = fromFile(*arguments.value("--answers"));
    }
    options.tile = static_cast<int>(
        std::max(112LL, wholeNumber("--tile", arguments.value("--tile", tile), 28, 448)));

    inference::mini::Grader grader;
    const bool progress = isatty(STDERR_FILENO) == 1;
    for (int i = 0; i < count; ++i) {
        const Sample sample = inference::mini::generate(seed, std::uint64_t(i), options);
        const inference::Image image =
            arguments.has("--grey") ? greyLike(sample.image) : sample.image;
        const Record& record = sample.records.front();
        const std::string text = answer(image, record);
        if (stop.stop_requested()) {
            throw inference::Cancelled();
        }
        grader.add(record, text);
        if (arguments.has("--wrong") && !isRight(record, text)) {
            std::printf("picture %d, %s: %s\n  wrote: %s\n  truth: %s\n", i, record.kind.c_str(),
                        record.question.c_str(), text.c_str(), reply(record).c_str());
        }
        if (progress) {
            std::fprintf(stderr, "\r%d of %d", i + 1, count);
        }
    }
    if (progress) {
        std::fputs("\r\033[K", stderr);
    }
    if (arguments.has("--json")) {
        std::puts(toJson(grader.scores()).dump().c_str());
    } else {
        print(grader.scores());
    }
    return exitDone;
}

}  // namespace app
