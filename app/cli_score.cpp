#include "app/commands.h"
#include "app/request_options.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace app {

std::string scoreHelp()
{
    return std::string(R"(kvl score [--model DIR] --options "yes|no" [options] QUESTION

How probable the model holds each of several answers: the log-probabilities of their tokens (float32
log-softmax, natural logarithm) where each would be all that the assistant has written so far. The
question and the pictures are computed once.

  --options "A|B|..."   the answers to compare
  --option TEXT         one more, which may hold a |; repeatable
  --end-of-turn         score the end of the turn behind each, too: the whole answer, not a beginning
)") + requestHelp +
        R"(  --json                print one JSON object instead of the table

An option is read as the model would write it: <think>, </think> and whole <ref> and <box> marks are
tokens. The probability is among the options alone, by their sums. Sums of options of different
length are not of the same kind; the mean a token may compare them better.

Exit status: 0 scored, 1 failed, 2 wrong options, 130 stopped.
)";
}

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> optionTexts(const Arguments& arguments)
{
    std::vector<std::string> texts;
    for (const Arguments::Item& item : arguments.items()) {
        if (item.name == "--option") {
            texts.push_back(item.value);
        }
        if (item.name != "--options") {
            continue;
        }
        for (std::size_t from = 0; from <= item.value.size();) {
            const std::size_t to = std::min(item.value.find('|', from), item.value.size());
            texts.push_back(item.value.substr(from, to - from));
            from = to + 1;
        }
    }
    if (texts.empty()) {
        throw UsageError("--options is missing: the answers to compare, as \"yes|no\"");
    }
    if (std::find(texts.begin(), texts.end(), "") != texts.end()) {
        throw UsageError("an option is empty; --options expects texts joined by |, as \"yes|no\"");
    }
    return texts;
}

/// Softmax of the sums.
std::vector<double> probabilities(const std::vector<inference::Score>& scores)
{
    double most = -INFINITY, all = 0;
    for (const inference::Score& score : scores) {
        most = std::max(most, score.sum);
    }
    std::vector<double> result;
    for (const inference::Score& score : scores) {
        result.push_back(std::isinf(most) ? 1 : std::exp(score.sum - most));
        all += result.back();
    }
    for (double& one : result) {
        one /= all;
    }
    return result;
}

Json toJson(const inference::Scores& scores, const std::vector<std::string>& texts,
            const std::vector<Picture>& pictures, const inference::ModelInfo& model)
{
    const std::vector<double> probability = probabilities(scores.continuations);
    Json options = Json::array();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const inference::Score& score = scores.continuations[i];
        Json ids = Json::array(), logprobs = Json::array();
        for (const inference::TokenLogprob& token : score.tokens) {
            ids.push_back(token.id);
            logprobs.push_back(token.logprob);
        }
        options.push_back({{"text", texts[i]},
                           {"ids", ids},
                           {"logprobs", logprobs},
                           {"sum", score.sum},
                           {"mean", score.mean},
                           {"probability", probability[i]}});
    }
    return {{"prompt_ids", scores.promptIds},
            {"options", options},
            {"images", imagesJson(scores.images, pictures)},
            {"cached_tokens", scores.cachedTokens},
            {"seconds",
             {{"load", model.loadSeconds},
              {"vision", scores.seconds.vision},
              {"prefill", scores.seconds.prefill},
              {"options", scores.seconds.continuations}}},
            {"device", model.device},
            {"dtype", model.dtype},
            {"model_hash", model.modelHash},
            {"adapter", model.adapter},
            {"adapter_hash", model.adapterHash}};
}

void printTable(const inference::Scores& scores, const std::vector<std::string>& texts)
{
    const std::vector<double> probability = probabilities(scores.continuations);
    std::puts("probability         sum  mean a token  tokens  option");
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const inference::Score& score = scores.continuations[i];
        std::printf("%11.6f  %10.4f  %12.4f  %6zu  %s\n", probability[i], score.sum, score.mean,
                    score.tokens.size(), texts[i].c_str());
    }
}

}  // namespace

int score(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(
        words,
        requestOptions({{"--options"}, {"--option"}, {"--end-of-turn", false}, {"--json", false}}));
    const std::vector<std::string> texts = optionTexts(arguments);
    const NamedRequest named = readRequest(arguments, stop);
    inference::ScoreRequest request;
    request.prompt = named.request;
    request.endOfTurn = arguments.has("--end-of-turn");
    for (const std::string& text : texts) {
        request.continuations.push_back({text, {}});
    }
    const auto engine = loadModel(named, "score", stop);
    const inference::Scores scores = engine->score(request, stop);
    if (arguments.has("--json")) {
        std::puts(toJson(scores, texts, named.pictures, engine->info())
                      .dump(-1, ' ', false, Json::error_handler_t::replace)
                      .c_str());
    } else {
        printTable(scores, texts);
    }
    return exitDone;
}

}  // namespace app
