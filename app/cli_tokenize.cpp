#include "app/arguments.h"
#include "app/commands.h"
#include "inference/error.h"
#include "inference/tokenizer.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <stdexcept>

namespace app {

const char* const tokenizeHelp =
    R"(kvl tokenize --model DIR [--control] [--jsonl] < TEXT

Prints the token ids of the text on standard input as one JSON array. All of it counts, a newline
at its end too.

  --model DIR   a checkpoint folder, or any folder with tokenizer files
  --control     typed control tokens such as <|im_end|> become their ids; otherwise they are text
  --jsonl       one JSON string a line in, one JSON array a line out
)";

int tokenize(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(words, {{"--model"}, {"--control", false}, {"--jsonl", false}});
    if (!arguments.has("--model")) {
        throw UsageError("--model is missing: the folder with the tokenizer's files");
    }
    if (!arguments.positional().empty()) {
        throw UsageError("the text is read from standard input, not from the command line");
    }
    using Control = inference::Tokenizer::ControlTokens;
    const Control control = arguments.has("--control") ? Control::Recognised : Control::AsText;
    const auto tokenizer = inference::loadTokenizer(*arguments.value("--model"));
    const auto print = [&](const std::string& text) {
        std::puts(nlohmann::json(tokenizer->encode(text, control)).dump().c_str());
    };

    std::ios::sync_with_stdio(false);
    if (!arguments.has("--jsonl")) {
        print(std::string(std::istreambuf_iterator<char>(std::cin), {}));
        return exitDone;
    }
    std::string line;
    for (long long row = 1; std::getline(std::cin, line); ++row) {
        if (stop.stop_requested()) {
            throw inference::Cancelled();
        }
        std::string text;
        try {
            text = nlohmann::json::parse(line).get<std::string>();
        } catch (const nlohmann::json::exception&) {
            throw std::runtime_error("line " + std::to_string(row) +
                                     " of standard input is not a JSON string");
        }
        try {
            print(text);
        } catch (const inference::Error& error) {
            throw std::runtime_error("line " + std::to_string(row) +
                                     " of standard input: " + error.what());
        }
    }
    return exitDone;
}

}  // namespace app
