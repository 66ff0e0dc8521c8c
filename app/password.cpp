#include "app/password.h"

#include <cstdio>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <termios.h>
#include <unistd.h>

namespace app {
namespace {

/// The terminal shows nothing of what is typed, for as long as this lives.
class SilentTerminal {
public:
    SilentTerminal()
    {
        if (tcgetattr(STDIN_FILENO, &m_before) != 0) {
            return;
        }
        termios silent = m_before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        m_changed = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
    }
    ~SilentTerminal()
    {
        if (m_changed) {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &m_before);
        }
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

private:
    termios m_before{};
    bool m_changed = false;
};

}  // namespace

std::string askPassword()
{
    const bool terminal = isatty(STDIN_FILENO) == 1;
    std::string line;
    {
        const SilentTerminal silent;
        if (terminal) {
            std::fputs("password: ", stderr);
        }
        std::getline(std::cin, line);
    }
    if (terminal) {
        std::fputc('\n', stderr);
    }
    if (!line.empty() && line.back() == '\r') {
        line.pop_back();
    }
    if (line.empty()) {
        throw std::runtime_error("--password -: no password came from standard input");
    }
    return line;
}

void blotPasswords(int argc, char** argv)
{
    constexpr std::string_view name = "--password";
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        char* secret = word.starts_with(name) && word.substr(name.size()).starts_with('=')
            ? argv[i] + name.size() + 1
            : word == name && i + 1 < argc ? argv[++i]
                                           : nullptr;
        if (secret && std::strcmp(secret, "-") != 0) {
            std::memset(secret, '*', std::strlen(secret));
        }
    }
}

}  // namespace app
