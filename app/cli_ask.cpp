#include "app/arguments.h"
#include "app/commands.h"
#include "app/pictures.h"
#include "inference/engine.h"
#include "inference/error.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace app {

const char* const askHelp =
    R"(kvl ask --model DIR [options] QUESTION

Asks about the pictures and streams the answer to standard output; the model's thinking comes
first, dimmed on a terminal. Ctrl+C stops and keeps what there is.

  --model DIR           checkpoint folder: config.json, tokenizer files, safetensors
  --image FILE          a picture, DICOM file, folder with one series, PDF or video; repeatable
  --frame N             frame, slice or page of it, counted from 0
  --window C/W          window centre and width, in the frame's units (HU in CT)
  --region x,y,w,h      part of it, in pixels from the top left
  --as-shown            give the model what a viewer shows: upright, blended, windowed 16-bit grey
                        (--frame, --window, --region and --as-shown belong to the --image before
                        them; before the first one, to all)
  --max-tiles N         tiles a picture without the thumbnail, 1 to 40 (12)
  --system PRESET       default, none, thinking, or the text of a system message
  --history FILE        earlier turns as JSON [[question, answer], ...]; the pictures belong to the
                        first question
  --device D            auto, cpu, cuda:N (auto)
  --dtype T             auto, bf16, fp32 (auto)
  --max-new-tokens N    at most so many tokens (1024)
  --temperature T       0 is greedy (0)
  --top-k N             when sampling; 0 for all (50)
  --top-p P             when sampling (1)
  --seed N              when sampling (0)
  --report FILE         also save a report, .pdf or .html
  --json                print one JSON object at the end instead of the stream

Exit status: 0 answered, 1 failed, 2 wrong options, 130 stopped.
)";

namespace {

using Json = nlohmann::ordered_json;

std::vector<PictureChoice> pictureChoices(const Arguments& arguments)
{
    std::vector<PictureChoice> choices;
    PictureChoice all;
    for (const Arguments::Item& item : arguments.items()) {
        PictureChoice& current = choices.empty() ? all : choices.back();
        if (item.name == "--image") {
            PictureChoice next = all;
            next.file = item.value;
            choices.push_back(next);
        } else {
            applyChoice(current, item);
        }
    }
    return choices;
}

inference::SystemPrompt systemPrompt(const std::string& text)
{
    using Preset = inference::SystemPrompt::Preset;
    if (text == "default") {
        return {Preset::Default, {}};
    }
    if (text == "none") {
        return {Preset::None, {}};
    }
    if (text == "thinking") {
        return {Preset::Thinking, {}};
    }
    return {Preset::Own, text};
}

std::vector<inference::Message> readHistory(const std::string& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw std::runtime_error(
            file + " can't be read; --history expects a JSON file [[question, answer], ...]");
    }
    std::vector<inference::Message> messages;
    try {
        for (const Json& turn : Json::parse(in)) {
            if (!turn.is_array() || turn.size() != 2) {
                throw std::runtime_error("a turn is not [question, answer]");
            }
            messages.push_back({inference::Role::User, turn[0].get<std::string>(), {}});
            messages.push_back({inference::Role::Assistant, turn[1].get<std::string>(), {}});
        }
    } catch (const std::exception& error) {
        throw std::runtime_error(file + " is no history: " + error.what() +
                                 "; expected JSON [[question, answer], ...]");
    }
    return messages;
}

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
    }
    return "";
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
    Json images = Json::array();
    for (std::size_t i = 0; i < answer.images.size() && i < pictures.size(); ++i) {
        const inference::ImageUse& use = answer.images[i];
        Json image = {{"file", pictures[i].choice.file},
                      {"frame", pictures[i].choice.frame},
                      {"width", use.width},
                      {"height", use.height},
                      {"grid", {use.grid.columns, use.grid.rows}},
                      {"tiles", use.tiles},
                      {"tokens", use.tokens}};
        if (!pictures[i].note.empty()) {
            image["note"] = pictures[i].note;
        }
        images.push_back(image);
    }
    return {{"prompt_ids", answer.promptIds},
            {"new_ids", answer.newIds},
            {"text", answer.text},
            {"thinking", answer.thinking},
            {"answer", answer.answer},
            {"boxes", boxes},
            {"images", images},
            {"stop", stopName(answer.stop)},
            {"seconds",
             {{"load", model.loadSeconds},
              {"vision", answer.seconds.vision},
              {"prefill", answer.seconds.prefill},
              {"decode", answer.seconds.decode},
              {"first_token", answer.seconds.firstToken}}},
            {"cached_tokens", answer.cachedTokens},
            {"device", model.device},
            {"dtype", model.dtype},
            {"model_hash", model.modelHash}};
}

}  // namespace

int ask(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(words,
                              {{"--model"},
                               {"--image"},
                               {"--frame"},
                               {"--window"},
                               {"--region"},
                               {"--as-shown", false},
                               {"--max-tiles"},
                               {"--system"},
                               {"--history"},
                               {"--device"},
                               {"--dtype"},
                               {"--max-new-tokens"},
                               {"--temperature"},
                               {"--top-k"},
                               {"--top-p"},
                               {"--seed"},
                               {"--report"},
                               {"--json", false}});
    const std::vector<std::string> questions = arguments.positional();
    if (questions.size() != 1) {
        throw UsageError(questions.empty()
                             ? "the question is missing"
                             : "more than one question is given; put it in quotation marks");
    }
    if (!arguments.has("--model")) {
        throw UsageError("--model is missing: the folder of a checkpoint");
    }

    const auto pictureSystem = startPictures();
    inference::Request request;
    request.maxTiles =
        static_cast<int>(wholeNumber("--max-tiles", arguments.value("--max-tiles", "12"), 1, 40));
    request.maxNewTokens = static_cast<int>(
        wholeNumber("--max-new-tokens", arguments.value("--max-new-tokens", "1024"), 1, 1'000'000));
    request.sampling.temperature =
        static_cast<float>(number("--temperature", arguments.value("--temperature", "0"), 0, 100));
    request.sampling.topK =
        static_cast<int>(wholeNumber("--top-k", arguments.value("--top-k", "50"), 0, 10'000'000));
    request.sampling.topP =
        static_cast<float>(number("--top-p", arguments.value("--top-p", "1"), 0, 1));
    request.sampling.seed = static_cast<std::uint64_t>(
        wholeNumber("--seed", arguments.value("--seed", "0"), 0, INT64_MAX));
    request.system = systemPrompt(arguments.value("--system", "default"));
    const std::vector<PictureChoice> choices = pictureChoices(arguments);
    if (const auto history = arguments.value("--history")) {
        request.messages = readHistory(*history);
    }
    request.messages.push_back({inference::Role::User, questions[0], {}});

    inference::LoadOptions load;
    load.checkpoint = *arguments.value("--model");
    load.device = arguments.value("--device", "auto");
    load.dtype = arguments.value("--dtype", "auto");

    std::vector<Picture> pictures;  // before the model: a wrong file name must not cost a load
    for (const PictureChoice& choice : choices) {
        pictures.push_back(openPicture(choice));
        request.messages.front().images.push_back(pictures.back().image);
    }

    const bool json = arguments.has("--json");
    const bool progress = isatty(STDERR_FILENO) == 1;
    int shownPercent = -1;
    const auto engine = inference::loadEngine(
        load,
        [&](std::int64_t done, std::int64_t total) {
            const int percent = total > 0 ? static_cast<int>(100 * done / total) : 100;
            if (progress && percent != shownPercent) {
                std::fprintf(stderr, "\rloading the model: %d %%", percent);
                shownPercent = percent;
            }
        },
        stop);
    if (shownPercent >= 0) {
        std::fputs("\r\033[K", stderr);
    }
    for (const Picture& picture : pictures) {
        if (!picture.note.empty()) {
            std::fprintf(stderr, "kvl ask: %s: %s\n", picture.choice.file.c_str(),
                         picture.note.c_str());
        }
    }

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
        std::puts(toJson(answer, pictures, engine->info())
                      .dump(-1, ' ', false, Json::error_handler_t::replace)
                      .c_str());
    } else {
        printer.end();
        if (answer.stop == inference::StopReason::TokenLimit) {
            std::fprintf(stderr, "kvl ask: stopped at %d tokens; --max-new-tokens allows more\n",
                         request.maxNewTokens);
        }
    }
    if (const auto report = arguments.value("--report")) {
        writeReport(*report, pictures, request, answer, engine->info(), questions[0]);
    }
    return answer.stop == inference::StopReason::Cancelled ? exitInterrupted : exitDone;
}

}  // namespace app
