#include "app/commands.h"
#include "app/request_options.h"

#include <cstdio>
#include <unistd.h>

namespace app {

std::string askHelp()
{
    return std::string(R"(kvl ask [--model DIR] [options] QUESTION

Asks about the pictures and streams the answer to standard output; the model's thinking comes
first, dimmed on a terminal. Ctrl+C stops and keeps what there is.

)") + requestHelp +
        R"(  --max-new-tokens N    at most so many tokens (1024)
  --temperature T       0 is greedy (0)
  --top-k N             when sampling; 0 for all (50)
  --top-p P             when sampling (1)
  --min-p P             when sampling: tokens below P of the likeliest's probability go (0)
  --repetition-penalty R
                        above 1 makes tokens that the answer has already rarer (1)
  --seed N              when sampling (0)
  --stop TEXT           end the answer before this text; repeatable
  --stop-at-end-of-text <|endoftext|> ends the answer, too, not <|im_end|> alone
  --logprobs N          with --json: the log-probability of each new token and of the N likeliest,
                        before temperature, penalty and what sampling leaves out
  --report FILE         also save a report, .pdf or .html
  --dry-run             print what the request would cost in tokens and load no weights; exit
                        status 1 where it does not fit
  --json                print one JSON object at the end instead of the stream

Exit status: 0 answered, 1 failed, 2 wrong options, 130 stopped.
)";
}

namespace {

using Json = nlohmann::ordered_json;

/// Prints pieces as they come; thinking dimmed on a terminal, a blank line before the answer.
class StreamPrinter {
public:
    explicit StreamPrinter(bool terminal)
        : m_terminal(terminal)
    {
    }

    void operator()(const inference::Piece& piece)
    {
        const bool thinking = piece.channel == inference::Channel::Thinking;
        if (thinking != m_thinking) {
            if (m_terminal) {
                std::fputs(thinking ? "\033[2m" : "\033[0m", stdout);
            }
            if (m_printed) {
                std::fputs("\n\n", stdout);
            }
            m_thinking = thinking;
        }
        print(piece.text);
        m_printed = m_printed || !piece.text.empty();
        std::fflush(stdout);
    }

    void end()
    {
        if (m_terminal && m_thinking) {
            std::fputs("\033[0m", stdout);
        }
        if (m_printed) {
            std::fputc('\n', stdout);
        }
    }

private:
    /// A model's text must not steer the terminal: control characters are shown, not sent.
    void print(std::string_view text) const
    {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (m_terminal && (byte == 0x7f || (byte < 0x20 && c != '\n' && c != '\t'))) {
                std::fputc('?', stdout);
            } else {
                std::fputc(c, stdout);
            }
        }
    }

    bool m_terminal;
    bool m_thinking = false;
    bool m_printed = false;
};

const char* stopName(inference::StopReason stop)
{
    switch (stop) {
    case inference::StopReason::EndOfTurn:
        return "end_of_turn";
    case inference::StopReason::TokenLimit:
        return "token_limit";
    case inference::StopReason::Cancelled:
        return "cancelled";
    case inference::StopReason::StopString:
        return "stop_string";
    case inference::StopReason::EndOfText:
        return "end_of_text";
    }
    return "";
}

Json logprobsJson(const std::vector<inference::StepLogprobs>& steps)
{
    const auto pair = [](const inference::TokenLogprob& token) {
        return Json{{"id", token.id}, {"logprob", token.logprob}};
    };
    Json all = Json::array();
    for (const inference::StepLogprobs& step : steps) {
        Json one = pair(step.chosen);
        one["top"] = Json::array();
        for (const inference::TokenLogprob& token : step.top) {
            one["top"].push_back(pair(token));
        }
        all.push_back(one);
    }
    return all;
}

Json toJson(const inference::Answer& answer, const std::vector<Picture>& pictures,
            const inference::ModelInfo& model)
{
    Json boxes = Json::array();
    for (const inference::Box& box : answer.boxes) {
        const Picture* picture =
            std::size_t(box.image) < pictures.size() ? &pictures[std::size_t(box.image)] : nullptr;
        const Region origin =
            picture && picture->choice.region ? *picture->choice.region : Region{};
        boxes.push_back({{"label", box.label},
                         {"image", box.image},
                         {"x", box.x + origin.x},
                         {"y", box.y + origin.y},
                         {"width", box.width},
                         {"height", box.height}});
    }
    return {{"prompt_ids", answer.promptIds},
            {"new_ids", answer.newIds},
            {"logprobs", logprobsJson(answer.logprobs)},
            {"text", answer.text},
            {"thinking", answer.thinking},
            {"answer", answer.answer},
            {"boxes", boxes},
            {"images", imagesJson(answer.images, pictures)},
            {"stop", stopName(answer.stop)},
            {"seconds",
             {{"load", model.loadSeconds},
              {"vision", answer.seconds.vision},
              {"prefill", answer.seconds.prefill},
              {"decode", answer.seconds.decode},
              {"first_token", answer.seconds.firstToken}}},
            {"cached_tokens", answer.cachedTokens},
            {"tiles",
             {{"computed", answer.tiles.computed},
              {"reused", answer.tiles.reused},
              {"kept", answer.tiles.kept}}},
            {"device", model.device},
            {"dtype", model.dtype},
            {"model_hash", model.modelHash},
            {"adapter", model.adapter},
            {"adapter_hash", model.adapterHash},
            {"demonstration", model.demonstration}};
}

inference::SamplingOptions samplingOptions(const Arguments& arguments)
{
    inference::SamplingOptions sampling;
    sampling.temperature = number("--temperature", arguments.value("--temperature", "0"), 0, 100);
    sampling.topK =
        static_cast<int>(wholeNumber("--top-k", arguments.value("--top-k", "50"), 0, 10'000'000));
    sampling.topP = number("--top-p", arguments.value("--top-p", "1"), 0, 1);
    sampling.minP = number("--min-p", arguments.value("--min-p", "0"), 0, 1);
    sampling.repetitionPenalty =
        number("--repetition-penalty", arguments.value("--repetition-penalty", "1"), 0.01, 100);
    sampling.seed = static_cast<std::uint64_t>(
        wholeNumber("--seed", arguments.value("--seed", "0"), 0, INT64_MAX));
    return sampling;
}

std::vector<std::string> stopStrings(const Arguments& arguments)
{
    std::vector<std::string> all;
    for (const Arguments::Item& item : arguments.items()) {
        if (item.name == "--stop") {
            if (item.value.empty()) {
                throw UsageError("--stop is empty; it would end every answer at once");
            }
            all.push_back(item.value);
        }
    }
    return all;
}

void printLedger(const inference::ContextUse& use, const std::vector<Picture>& pictures)
{
    const auto line = [](int tokens, const std::string& what) {
        std::printf("%8d  %s\n", tokens, what.c_str());
    };
    line(use.system, "system message");
    line(use.history, "earlier turns");
    for (std::size_t i = 0; i < use.pictures.size() && i < pictures.size(); ++i) {
        const inference::ImageUse& one = use.pictures[i];
        const std::string frame = pictures[i].label.empty() ? "" : ", " + pictures[i].label;
        line(one.tokens,
             pictures[i].choice.file + frame + ": " + std::to_string(one.width) + " × " +
                 std::to_string(one.height) + ", " + std::to_string(one.tiles) +
                 (one.tiles == 1 ? " tile" : " tiles"));
    }
    line(use.question, "question");
    line(use.newTokens, "reserved for the answer");
    const auto whole = std::int64_t(use.promptTokens()) + use.newTokens;
    std::printf("%8lld  of %d\n", static_cast<long long>(whole), use.contextLength);
}

int dryRun(const NamedRequest& named, bool json)
{
    const inference::ContextUse use = inference::contextUse(named.load.checkpoint, named.request);
    if (json) {
        const Json object = {{"dry_run", true},
                             {"system", use.system},
                             {"history", use.history},
                             {"images", imagesJson(use.pictures, named.pictures)},
                             {"image_tokens", use.pictureTokens()},
                             {"question", use.question},
                             {"prompt_tokens", use.promptTokens()},
                             {"new_tokens", use.newTokens},
                             {"context_length", use.contextLength},
                             {"over", use.over()}};
        std::puts(object.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
        printLedger(use, named.pictures);
    }
    if (!use.problem.empty()) {
        throw std::runtime_error(use.problem);
    }
    return exitDone;
}

}  // namespace

int ask(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(words,
                              requestOptions({{"--max-new-tokens"},
                                              {"--temperature"},
                                              {"--top-k"},
                                              {"--top-p"},
                                              {"--min-p"},
                                              {"--repetition-penalty"},
                                              {"--seed"},
                                              {"--stop"},
                                              {"--stop-at-end-of-text", false},
                                              {"--dry-run", false},
                                              {"--logprobs"},
                                              {"--report"},
                                              {"--json", false}}));
    const inference::SamplingOptions sampling = samplingOptions(arguments);
    const auto report = arguments.value("--report");
    if (report) {
        checkReport(*report);
    }
    const auto maxNewTokens = static_cast<int>(
        wholeNumber("--max-new-tokens", arguments.value("--max-new-tokens", "1024"), 1, 1'000'000));
    const bool json = arguments.has("--json");
    std::optional<int> topLogprobs;
    if (const auto text = arguments.value("--logprobs")) {
        topLogprobs = static_cast<int>(wholeNumber("--logprobs", *text, 0, 1'000'000));
        if (!json) {
            throw UsageError("--logprobs is for --json, which is missing");
        }
    }
    std::vector<std::string> stops = stopStrings(arguments);
    NamedRequest named = readRequest(arguments, stop);
    inference::Request& request = named.request;
    request.sampling = sampling;
    request.maxNewTokens = maxNewTokens;
    request.topLogprobs = topLogprobs;
    request.stopStrings = std::move(stops);
    request.stopAtEndOfText = arguments.has("--stop-at-end-of-text");

    if (arguments.has("--dry-run")) {
        return dryRun(named, json);
    }
    const auto engine = loadModel(named, "ask", stop);
    StreamPrinter printer(isatty(STDOUT_FILENO) == 1);
    const inference::Answer answer = engine->generate(
        request,
        [&](const inference::Piece& piece) {
            if (!json) {
                printer(piece);
            }
        },
        stop);
    if (json) {
        std::puts(toJson(answer, named.pictures, engine->info())
                      .dump(-1, ' ', false, Json::error_handler_t::replace)
                      .c_str());
    } else {
        printer.end();
        if (answer.stop == inference::StopReason::TokenLimit) {
            std::fprintf(stderr, "kvl ask: stopped at %d tokens; --max-new-tokens allows more\n",
                         request.maxNewTokens);
        }
    }
    if (report) {
        writeReport(*report, named.pictures, request, answer, engine->info(), named.question);
    }
    return answer.stop == inference::StopReason::Cancelled ? exitInterrupted : exitDone;
}

}  // namespace app
