#include "app/request_options.h"

#include "app/bundled.h"
#include "inference/config.h"
#include "inference/error.h"
#include "inference/prompt.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <unistd.h>

namespace app {
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

/// Gives the pictures to the questions, as the help of --history says.
void handOut(const std::vector<Picture>& pictures, std::vector<inference::Message>& messages)
{
    const auto marked = [](const inference::Message& message) {
        return message.role == inference::Role::User && inference::marksIn(message.text) > 0;
    };
    inference::Message* fallback = &messages.back();
    if (std::none_of(messages.begin(), messages.end(), marked)) {
        fallback = &messages.front();
    }
    std::size_t next = 0;
    const auto give = [&](inference::Message& message, std::size_t count) {
        for (; count > 0 && next < pictures.size(); --count, ++next) {
            message.images.push_back(pictures[next].image);
            message.video = pictures[next].choice.frames.has_value();
        }
    };
    for (inference::Message& message : messages) {
        if (message.role == inference::Role::User) {
            give(message, inference::marksIn(message.text));
        }
    }
    give(*fallback, pictures.size());
}

/// --model, or the one that comes with the program.
std::filesystem::path modelFolder(const Arguments& arguments)
{
    if (const auto folder = arguments.value("--model")) {
        return *folder;
    }
    std::filesystem::path bundled = findBundled().model;
    if (bundled.empty()) {
        throw UsageError("--model is missing: the folder of a checkpoint");
    }
    return bundled;
}

/// A demonstration model knows no more tiles than it was trained with. What is wrong with a model
/// is said when it is loaded.
int usualTiles(const std::filesystem::path& model)
{
    try {
        const inference::ModelConfig config = inference::readConfig(model);
        return config.demonstration ? config.maxTiles : inference::Request().maxTiles;
    } catch (const inference::Error&) {
        return inference::Request().maxTiles;
    }
}

}  // namespace

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

std::vector<Arguments::Option> requestOptions(std::initializer_list<Arguments::Option> own)
{
    std::vector<Arguments::Option> all{
        {"--model"},           {"--image"},    {"--frame"},
        {"--frames"},          {"--window"},   {"--region"},
        {"--as-shown", false}, {"--password"}, {"--max-tiles"},
        {"--system"},          {"--history"},  {"--device"},
        {"--dtype"},           {"--adapter"},  {"--beyond-memory", false}};
    all.insert(all.end(), own.begin(), own.end());
    return all;
}

NamedRequest readRequest(const Arguments& arguments, const std::stop_token& stop)
{
    const std::vector<std::string> questions = arguments.positional();
    if (questions.size() != 1) {
        throw UsageError(questions.empty()
                             ? "the question is missing"
                             : "more than one question is given; put it in quotation marks");
    }
    NamedRequest named;
    named.load.checkpoint = modelFolder(arguments);
    named.question = questions[0];
    inference::Request& request = named.request;
    const auto maxTiles = arguments.value("--max-tiles");
    request.maxTiles = maxTiles ? static_cast<int>(wholeNumber("--max-tiles", *maxTiles, 1, 40))
                                : usualTiles(named.load.checkpoint);
    request.system = systemPrompt(arguments.value("--system", "default"));
    const std::vector<PictureChoice> choices = pictureChoices(arguments);
    if (const auto history = arguments.value("--history")) {
        request.messages = readHistory(*history);
    }
    request.messages.push_back({inference::Role::User, named.question, {}});
    named.load.adapter = arguments.value("--adapter", "");
    named.load.device = arguments.value("--device", "auto");
    named.load.dtype = arguments.value("--dtype", "auto");
    named.load.beyondMemory = arguments.has("--beyond-memory");
    const auto isVideo = [](const PictureChoice& choice) { return choice.frames.has_value(); };
    if (choices.size() > 1 && std::any_of(choices.begin(), choices.end(), isVideo)) {
        throw UsageError("--frames asks about one video; it does not go with another --image");
    }
    named.pictureSystem = startPictures();
    for (const PictureChoice& choice : choices) {
        for (Picture& picture : openPictures(choice, stop)) {
            named.pictures.push_back(std::move(picture));
        }
    }
    handOut(named.pictures, request.messages);
    return named;
}

std::unique_ptr<inference::Engine> loadModel(const NamedRequest& named, const char* command,
                                             const std::stop_token& stop)
{
    const bool progress = isatty(STDERR_FILENO) == 1;
    int shownPercent = -1;
    auto engine = inference::loadEngine(
        named.load,
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
    if (engine->info().demonstration) {
        std::fprintf(stderr, "%s\n", inference::demonstrationMark);
    }
    for (const Picture& picture : named.pictures) {
        if (!picture.note.empty()) {
            std::fprintf(stderr, "kvl %s: %s: %s\n", command, picture.choice.file.c_str(),
                         picture.note.c_str());
        }
    }
    return engine;
}

Json imagesJson(const std::vector<inference::ImageUse>& images,
                const std::vector<Picture>& pictures)
{
    Json all = Json::array();
    for (std::size_t i = 0; i < images.size() && i < pictures.size(); ++i) {
        const inference::ImageUse& use = images[i];
        Json image = {{"file", pictures[i].choice.file},
                      {"frame", pictures[i].choice.frame},
                      {"label", pictures[i].label},
                      {"width", use.width},
                      {"height", use.height},
                      {"grid", {use.grid.columns, use.grid.rows}},
                      {"tiles", use.tiles},
                      {"tokens", use.tokens}};
        if (!pictures[i].note.empty()) {
            image["note"] = pictures[i].note;
        }
        all.push_back(image);
    }
    return all;
}

}  // namespace app
