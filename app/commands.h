#pragma once

#include <stop_token>
#include <string>
#include <vector>

namespace app {

inline constexpr int exitDone = 0;
inline constexpr int exitFailed = 1;
inline constexpr int exitUsage = 2;
inline constexpr int exitInterrupted = 130;

/// One `kvl` command. `run` gets the words after its name and a token that Ctrl+C stops; it
/// returns the exit status, or throws: UsageError for exit status 2, any other exception for 1.
struct Command {
    const char* name;
    const char* summary;
    const char* help;
    int (*run)(const std::vector<std::string>& words, const std::stop_token& stop);
};

int ask(const std::vector<std::string>& words, const std::stop_token& stop);
int score(const std::vector<std::string>& words, const std::stop_token& stop);
int tiles(const std::vector<std::string>& words, const std::stop_token& stop);
int tokenize(const std::vector<std::string>& words, const std::stop_token& stop);
int info(const std::vector<std::string>& words, const std::stop_token& stop);
int train(const std::vector<std::string>& words, const std::stop_token& stop);
int makeMiniData(const std::vector<std::string>& words, const std::stop_token& stop);
int makeMiniTokenizer(const std::vector<std::string>& words, const std::stop_token& stop);
int makeMiniModel(const std::vector<std::string>& words, const std::stop_token& stop);
int evalMini(const std::vector<std::string>& words, const std::stop_token& stop);
int verify(const std::vector<std::string>& words, const std::stop_token& stop);

std::string askHelp();
std::string scoreHelp();
extern const char* const tilesHelp;
extern const char* const tokenizeHelp;
extern const char* const infoHelp;
extern const char* const trainHelp;
extern const char* const makeMiniDataHelp;
extern const char* const makeMiniTokenizerHelp;
extern const char* const makeMiniModelHelp;
extern const char* const evalMiniHelp;
extern const char* const verifyHelp;

}  // namespace app
