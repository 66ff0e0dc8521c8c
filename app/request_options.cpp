#include "app/request_options.h"

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

}  // namespace

std::vector<Arguments::Option> requestOptions(std::initializer_list<Arguments::Option> own)
{
    std::vector<Arguments::Option> all{{"--model"},     {"--image"},  {"--frame"},
                                       {"--window"},    {"--region"}, {"--as-shown", false},
                                       {"--max-tiles"}, {"--system"}, {"--history"},
                                       {"--device"},    {"--dtype"}};
    all.insert(all.end(), own.begin(), own.end());
    return all;
}

NamedRequest readRequest(const Arguments& arguments)
{
    const std::vector<std::string> questions = arguments.positional();
    if (questions.size() != 1) {
        throw UsageError(questions.empty()
                             ? "the question is missing"
                             : "more than one question is given; put it in quotation marks");
    }
    if (!arguments.has("--model")) {
        throw UsageError("--model is missing: the folder of a checkpoint");
    }
    NamedRequest named;
    named.question = questions[0];
    inference::Request& request = named.request;
    request.maxTiles =
        static_cast<int>(wholeNumber("--max-tiles", arguments.value("--max-tiles", "12"), 1, 40));
    request.system = systemPrompt(arguments.value("--system", "default"));
    const std::vector<PictureChoice> choices = pictureChoices(arguments);
    if (const auto history = arguments.value("--history")) {
        request.messages = readHistory(*history);
    }
    request.messages.push_back({inference::Role::User, named.question, {}});
    named.load.checkpoint = *arguments.value("--model");
    named.load.device = arguments.value("--device", "auto");
    named.load.dtype = arguments.value("--dtype", "auto");
    named.pictureSystem = startPictures();
    for (const PictureChoice& choice : choices) {
        named.pictures.push_back(openPicture(choice));
        request.messages.front().images.push_back(named.pictures.back().image);
    }
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
