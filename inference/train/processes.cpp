#include "inference/train/processes.h"

#include "inference/error.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace inference::train {
namespace {

namespace fs = std::filesystem;

// How a process is told its place.
constexpr const char* rankVariable = "KVL_TRAIN_RANK";              // 1 .. size - 1
constexpr const char* sizeVariable = "KVL_TRAIN_SIZE";              // of the group
constexpr const char* rendezvousVariable = "KVL_TRAIN_RENDEZVOUS";  // GroupPlace::rendezvous

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> all;
    all.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

/// This process's environment with another place.
std::vector<std::string> environmentOf(const GroupPlace& place)
{
    std::vector<std::string> all;
    for (char** one = environ; *one; ++one) {
        if (!std::string_view(*one).starts_with("KVL_TRAIN_")) {
            all.emplace_back(*one);
        }
    }
    all.push_back(std::string(rankVariable) + "=" + std::to_string(place.rank));
    all.push_back(std::string(sizeVariable) + "=" + std::to_string(place.size));
    all.push_back(std::string(rendezvousVariable) + "=" + place.rendezvous.string());
    return all;
}

[[noreturn]] void fail(const char* what)
{
    throw Error(std::string("The processes that train together could not be started: ") + what +
                ": " + std::strerror(errno) + ".");
}

/// What a process with standard error at `error` becomes; only what is safe between fork and exec.
[[noreturn]] void become(pid_t parent, int error, char* const* words, char* const* environment)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nothing = open("/dev/null", O_RDWR);
    if (getppid() == parent && nothing >= 0 && dup2(nothing, 0) == 0 && dup2(nothing, 1) == 1 &&
        dup2(error, 2) == 2) {
        execve("/proc/self/exe", words, environment);
    }
    _exit(127);
}

}  // namespace

/// A thread reads what it writes and learns how it ends.
struct Processes::Child {
    pid_t number = 0;
    int error = -1;  // the reading end of its standard error
    std::mutex mutex;
    std::condition_variable ending;
    bool ended = false;
    int status = 0;  // of waitpid
    std::vector<std::string> lines;
    std::string last;  // line that is not empty
    std::thread thread;

    void watch();
    void take(const std::string& line);
    bool failed() const { return ended && status != 0; }
};

void Processes::Child::take(const std::string& line)
{
    const std::lock_guard lock(mutex);
    if (!line.empty()) {
        last = line;
        lines.push_back(line);
    }
}

void Processes::Child::watch()
{
    std::string begun;
    char bytes[4096];
    ssize_t count = 0;
    while ((count = read(error, bytes, sizeof bytes)) > 0 || (count < 0 && errno == EINTR)) {
        begun.append(bytes, count > 0 ? std::size_t(count) : 0);
        for (std::size_t end = 0; (end = begun.find('\n')) != std::string::npos;) {
            take(begun.substr(0, end));
            begun.erase(0, end + 1);
        }
    }
    take(begun);
    siginfo_t info{};
    while (waitid(P_PID, id_t(number), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) { }
    // its number is free for another process only when `ended` is known
    const std::lock_guard lock(mutex);
    waitpid(number, &status, 0);
    ended = true;
    ending.notify_all();
}

Processes::Processes(int size, const std::vector<std::string>& words)
{
    std::string folder = (fs::temp_directory_path() / "kvl-train-XXXXXX").string();
    if (!mkdtemp(folder.data())) {
        fail(folder.c_str());
    }
    m_place = {0, size, fs::path(folder) / "rendezvous"};
    std::vector<std::string> texts = words;
    const std::vector<char*> arguments = pointers(texts);
    const pid_t parent = getpid();
    try {
        for (int rank = 1; rank < size; ++rank) {
            std::vector<std::string> variables = environmentOf({rank, size, m_place.rendezvous});
            const std::vector<char*> environment = pointers(variables);
            int ends[2];
            if (pipe2(ends, O_CLOEXEC) != 0) {
                fail("pipe");
            }
            auto child = std::make_unique<Child>();
            child->error = ends[0];
            child->number = fork();
            if (child->number == 0) {
                become(parent, ends[1], arguments.data(), environment.data());
            }
            close(ends[1]);
            if (child->number < 0) {
                close(ends[0]);
                fail("fork");
            }
            child->thread = std::thread([one = child.get()] { one->watch(); });
            m_children.push_back(std::move(child));
        }
    } catch (...) {
        end();
        throw;
    }
}

Processes::~Processes()
{
    end();
}

void Processes::end()
{
    for (const auto& child : m_children) {
        const std::lock_guard lock(child->mutex);
        if (!child->ended) {
            kill(child->number, SIGKILL);
        }
    }
    for (const auto& child : m_children) {
        child->thread.join();
        close(child->error);
    }
    m_children.clear();
    std::error_code error;
    fs::remove_all(m_place.rendezvous.parent_path(), error);
}

const GroupPlace& Processes::place() const
{
    return m_place;
}

void Processes::check()
{
    std::string fault;
    for (std::size_t i = 0; i < m_children.size() && fault.empty(); ++i) {
        Child& child = *m_children[i];
        const std::lock_guard lock(child.mutex);
        if (!child.failed()) {
            continue;
        }
        fault = "Process " + std::to_string(i + 2) + " of the " + std::to_string(m_place.size) +
            " that train together ";
        if (WIFSIGNALED(child.status)) {
            const int number = WTERMSIG(child.status);
            fault += "was ended by signal " + std::to_string(number) + " (" + strsignal(number) +
                ")" + (number == SIGKILL ? ", as happens where memory runs out" : "");
        } else {
            fault += "ended with status " + std::to_string(WEXITSTATUS(child.status));
        }
        fault += child.last.empty() ? "." : "; its last words: " + child.last;
    }
    if (!fault.empty()) {
        end();
        throw Error(fault);
    }
}

std::vector<std::string> Processes::takeLines()
{
    std::vector<std::string> all;
    for (const auto& child : m_children) {
        const std::lock_guard lock(child->mutex);
        all.insert(all.end(), child->lines.begin(), child->lines.end());
        child->lines.clear();
    }
    return all;
}

void Processes::finish()
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (const auto& child : m_children) {
        std::unique_lock lock(child->mutex);
        child->ending.wait_until(lock, until, [&] { return child->ended; });
    }
}

std::optional<GroupPlace> inheritedPlace()
{
    const char* const rank = std::getenv(rankVariable);
    if (!rank) {
        return {};
    }
    const auto whole = [](const char* text) {
        int value = 0;
        const char* const end = text ? text + std::strlen(text) : nullptr;
        return text && std::from_chars(text, end, value).ptr == end ? value : 0;
    };
    const char* const rendezvous = std::getenv(rendezvousVariable);
    const GroupPlace place{whole(rank), whole(std::getenv(sizeVariable)),
                           rendezvous ? rendezvous : ""};
    if (place.rank < 1 || place.rank >= place.size ||
        !fs::is_directory(place.rendezvous.parent_path())) {
        throw Error(std::string("The environment has ") + rankVariable +
                    ", by which a training tells the processes it starts their place, without "
                    "such a training; unset it.");
    }
    return place;
}

}  // namespace inference::train
