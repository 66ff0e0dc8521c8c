#include "app/arguments.h"
#include "app/commands.h"
#include "inference/verify.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace app {

const char* const verifyHelp =
    R"(kvl verify --model DIR [--device D] [--dtype T] [--quick] [--json]

Holds the engine against its references on this machine: token ids of Hugging Face's tokenizer,
hashes of Pillow's pictures, logits and tokens that PyTorch and transformers computed from a small
random checkpoint, and this checkpoint's own answers, prompt in parts against prompt at once and
kept against cold. Prints a table and one line for a report's provenance.

  --model DIR    checkpoint folder
  --device D     auto, cpu, cuda:N (auto)
  --dtype T      auto, bf16, fp32 (auto)
  --quick        without what needs the checkpoint's weights: a few seconds
  --json         one JSON object instead of the table

Without --quick it takes the time to load the model, to write about 120 tokens and to look at two
pictures of one tile as well. Ctrl+C stops it. What is not run says why.

Exit status: 0 all that ran passed, 1 a check failed, 2 wrong options, 130 stopped.
)";

namespace {

using Json = nlohmann::ordered_json;
using State = inference::VerifyCheck::State;

const char* stateName(State state)
{
    return state == State::Passed ? "ok" : state == State::Failed ? "FAILED" : "not run";
}

Json toJson(const inference::VerifyReport& report)
{
    Json checks = Json::array();
    for (const inference::VerifyCheck& check : report.checks) {
        checks.push_back({{"group", check.group},
                          {"check", check.name},
                          {"expected", check.expected},
                          {"found", check.found},
                          {"state",
                           check.state == State::Passed       ? "passed"
                               : check.state == State::Failed ? "failed"
                                                              : "not_run"},
                          {"seconds", check.seconds}});
    }
    return {{"passed", report.passed()},
            {"line", report.line()},
            {"model", report.model.name},
            {"model_hash", report.model.modelHash},
            {"device", report.model.device},
            {"dtype", report.model.dtype},
            {"checks", checks}};
}

/// Characters on the terminal; all of ours are one column wide.
std::size_t width(const std::string& text)
{
    return std::size_t(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void printCell(const std::string& text, std::size_t columns)
{
    std::printf("%s%*s  ", text.c_str(), int(columns - std::min(columns, width(text))), "");
}

void print(const inference::VerifyReport& report)
{
    std::size_t name = 5, expected = 8;
    for (const inference::VerifyCheck& check : report.checks) {
        name = std::max(name, width(check.group + ": " + check.name));
        expected = std::max(expected, width(check.expected));
    }
    printCell("check", name);
    printCell("", 7);
    std::fputs("seconds  ", stdout);
    printCell("expected", expected);
    std::puts("found");
    for (const inference::VerifyCheck& check : report.checks) {
        printCell(check.group + ": " + check.name, name);
        printCell(stateName(check.state), 7);
        std::printf("%7.2f  ", check.seconds);
        printCell(check.expected, expected);
        std::puts(check.found.c_str());
    }
    std::printf("\n%s\n", report.line().c_str());
}

}  // namespace

int verify(const std::vector<std::string>& words, const std::stop_token& stop)
{
    const Arguments arguments(
        words, {{"--model"}, {"--device"}, {"--dtype"}, {"--quick", false}, {"--json", false}});
    if (!arguments.positional().empty()) {
        throw UsageError("\"" + arguments.positional().front() + "\" is not expected");
    }
    inference::VerifyOptions options;
    if (!arguments.has("--model")) {
        throw UsageError("--model is missing");
    }
    options.load.checkpoint = *arguments.value("--model");
    options.load.device = arguments.value("--device", "auto");
    options.load.dtype = arguments.value("--dtype", "auto");
    options.quick = arguments.has("--quick");
    const auto onCheck = [](const inference::VerifyCheck& next, int index, int total) {
        std::fprintf(stderr, "%d of %d  %s: %s\n", index + 1, total, next.group.c_str(),
                     next.name.c_str());
    };
    const inference::VerifyReport report = inference::verify(options, nullptr, {onCheck, {}}, stop);
    if (arguments.has("--json")) {
        std::puts(toJson(report).dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    } else {
        print(report);
    }
    return report.passed() ? exitDone : exitFailed;
}

}  // namespace app
