#include "app/arguments.h"
#include "app/commands.h"
#include "app/password.h"
#include "inference/error.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr app::Command commands[] = {
    {"ask", "ask about pictures and stream the answer", nullptr, app::ask},
    {"score", "how probable the model holds each of several answers", nullptr, app::score},
    {"tiles", "write the tiles the model receives", nullptr, app::tiles},
    {"tokenize", "text on standard input to token ids", nullptr, app::tokenize},
    {"info", "what a picture, study, paper, video or checkpoint is", nullptr, app::info},
    {"train", "fine-tune a model on conversations", nullptr, app::train},
    {"make-mini-data", "draw the pictures and questions that kvl-mini learns from", nullptr,
     app::makeMiniData},
    {"make-mini-tokenizer", "train the tokenizer of kvl-mini", nullptr, app::makeMiniTokenizer},
    {"make-mini-model", "write the weights that kvl-mini's training begins with", nullptr,
     app::makeMiniModel},
    {"eval-mini", "count a model's right answers on generated pictures", nullptr, app::evalMini},
    {"verify", "hold the engine against its references on this machine", nullptr, app::verify},
};

std::string helpOf(const app::Command& command)
{
    const std::string help[] = {app::askHelp(),         app::scoreHelp(),
                                app::tilesHelp,         app::tokenizeHelp,
                                app::infoHelp,          app::trainHelp,
                                app::makeMiniDataHelp,  app::makeMiniTokenizerHelp,
                                app::makeMiniModelHelp, app::evalMiniHelp,
                                app::verifyHelp};
    return help[&command - commands];
}

void printOverview(std::FILE* to)
{
    std::fputs("kvl: ask questions about clinical and scientific images on your own machine\n\n",
               to);
    for (const app::Command& command : commands) {
        std::fprintf(to, "  kvl %-19s %s\n", command.name, command.summary);
    }
    std::fputs("\n`kvl COMMAND --help` says more; `kvl --version` names the version.\nNot for "
               "clinical use.\n",
               to);
}

std::stop_source interrupted;
int signalPipe[2] = {-1, -1};

extern "C" void onSignal(int)
{
    const char byte = 1;
    [[maybe_unused]] const auto written = write(signalPipe[1], &byte, 1);
}

/// The first Ctrl+C stops the work and keeps what there is; the second ends the program.
void watchInterrupts()
{
    if (pipe(signalPipe) != 0) {
        return;
    }
    std::thread([] {
        char byte = 0;
        while (read(signalPipe[0], &byte, 1) == 1) {
            if (interrupted.stop_requested()) {
                _exit(app::exitInterrupted);
            }
            interrupted.request_stop();
        }
    }).detach();
    std::signal(SIGINT, onSignal);
    std::signal(SIGTERM, onSignal);
    std::signal(SIGPIPE, SIG_DFL);
}

}  // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> words(argv + 1, argv + argc);
    app::blotPasswords(argc, argv);
    if (words.empty()) {
        printOverview(stderr);
        return app::exitUsage;
    }
    if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        printOverview(stdout);
        return app::exitDone;
    }
    if (words[0] == "--version") {
        std::puts("KVL Workbench " KVL_VERSION);
        return app::exitDone;
    }
    for (const app::Command& command : commands) {
        if (words[0] != command.name) {
            continue;
        }
        const std::vector<std::string> rest(words.begin() + 1, words.end());
        for (const std::string& word : rest) {
            if (word == "--") {
                break;
            }
            if (word == "--help" || word == "-h") {
                std::fputs(helpOf(command).c_str(), stdout);
                return app::exitDone;
            }
        }
        watchInterrupts();
        try {
            const int status = command.run(rest, interrupted.get_token());
            if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
                throw std::runtime_error("the output could not be written; the disk may be full");
            }
            return status;
        } catch (const app::UsageError& error) {
            std::fprintf(stderr, "kvl %s: %s; `kvl %s --help` shows the options\n", command.name,
                         error.what(), command.name);
            return app::exitUsage;
        } catch (const inference::Cancelled&) {
            std::fprintf(stderr, "kvl %s: stopped\n", command.name);
            return app::exitInterrupted;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "kvl %s: %s\n", command.name, error.what());
            return app::exitFailed;
        }
    }
    std::fprintf(stderr, "kvl: unknown command \"%s\"; `kvl --help` lists the commands\n",
                 words[0].c_str());
    return app::exitUsage;
}
