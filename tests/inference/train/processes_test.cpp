#include "inference/train/processes.h"

#include "inference/error.h"
#include "inference/train/training.h"
#include "inference/train/training_log.h"
#include "support/few_conversations.h"
#include "support/temporary_folder.h"
#include "support/test.h"

#include <chrono>
#include <cmath>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

// `kvl train --processes 2` as a user runs it: started, killed, interrupted, gone on with.
using namespace inference::train;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string textOf(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <typename Condition>
bool soon(Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

/// `kvl train` at work, killed at the end where it still runs.
class Running {
public:
    Running(const fs::path& error, std::vector<std::string> words)
        : m_error(error)
    {
        words.insert(words.begin(), {KVL_PROGRAM, "train"});
        std::vector<char*> pointers;
        pointers.reserve(words.size() + 1);
        for (std::string& word : words) {
            pointers.push_back(word.data());
        }
        pointers.push_back(nullptr);
        m_number = fork();
        if (m_number == 0) {
            const int file = open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            dup2(file, 2);
            setenv("TMPDIR", error.parent_path().c_str(), 1);  // what is killed leaves something
            execv(KVL_PROGRAM, pointers.data());
            _exit(127);
        }
    }
    ~Running()
    {
        if (!m_ended) {
            kill(m_number, SIGKILL);
            end();
        }
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    pid_t number() const { return m_number; }
    /// The one process it has started, 0 before.
    pid_t child() const
    {
        const std::string number = std::to_string(m_number);
        std::istringstream list(textOf("/proc/" + number + "/task/" + number + "/children"));
        pid_t child = 0;
        list >> child;
        return child;
    }
    /// Exit status; 1000 and the signal where one ended it.
    int end()
    {
        int status = 0;
        waitpid(m_number, &status, 0);
        m_ended = true;
        return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    std::string error() const { return textOf(m_error); }

private:
    fs::path m_error;
    pid_t m_number = 0;
    bool m_ended = false;
};

bool runs(pid_t number)
{
    const std::string status = textOf("/proc/" + std::to_string(number) + "/stat");
    return !status.empty() && status.find(") Z ") == std::string::npos;
}

/// A small model and rows of text, and the words of a training.
struct Workplace {
    test::TemporaryFolder folder;
    fs::path model = folder.path() / "model", out = folder.path() / "out",
             rows = folder.path() / "rows.jsonl", error = folder.path() / "error";

    Workplace()
    {
        test::writeQuickCheckpoint(model);
        std::ofstream file(rows);
        for (int i = 0; i < 12; ++i) {
            file << R"({"messages": [{"role": "user", "content": "How many is )" << i
                 << R"(?"}, {"role": "assistant", "content": "It is )" << 7 * i << "\"}]}\n";
        }
    }

    std::vector<std::string> words(const std::string& processes,
                                   const std::vector<std::string>& more = {}) const
    {
        std::vector<std::string> all{
            "--model", model.string(), "--data", rows.string(), "--out", out.string(),  "--batch",
            "2",       "--lr",         "1e-3",   "--device",    "cpu",   "--processes", processes};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    std::size_t steps() const
    {
        return fs::exists(out / "log.jsonl") ? readLog(out / "log.jsonl").size() : 0;
    }
};

const std::vector<std::string> endless{"--steps", "100000", "--save-every", "2"};

}  // namespace

TEST(aTrainingOfTwoProcessesHasTheLogOfOne)
{
    const Workplace place;
    std::vector<std::vector<StepReport>> logs;
    for (const char* processes : {"1", "2"}) {
        Running training(place.error, place.words(processes, {"--steps", "4"}));
        CHECK_EQUAL(training.end(), 0);
        CHECK((training.error().find("2 processes train together: cpu, cpu") !=
               std::string::npos) == (processes[0] == '2'));
        logs.push_back(readLog(place.out / "log.jsonl"));
        CHECK(fs::exists(place.out / "model.safetensors"));
        fs::remove_all(place.out);
    }
    CHECK_EQUAL(logs[0].size(), std::size_t(4));
    CHECK_EQUAL(logs[1].size(), std::size_t(4));
    for (std::size_t i = 0; i < logs[0].size(); ++i) {
        CHECK(std::abs(logs[1][i].loss / logs[0][i].loss - 1) < 1e-5);
    }
}

TEST(aKilledProcessIsNamedAndTheTrainingGoesOnFromItsCheckpoint)
{
    const Workplace place;
    {
        Running training(place.error, place.words("2", endless));
        CHECK(soon([&] { return !newestCheckpoint(place.out).empty(); }));
        kill(training.child(), SIGKILL);
        const auto start = std::chrono::steady_clock::now();
        CHECK_EQUAL(training.end(), 1);
        CHECK(std::chrono::steady_clock::now() - start < 20s);
        const std::string said = training.error();
        CHECK(said.find("kvl train: Process 2 of the 2 that train together was ended by signal 9 "
                        "(Killed), as happens where memory runs out. --resume goes on from " +
                        newestCheckpoint(place.out).string()) != std::string::npos);
    }
    // the same training, with one process
    const std::string done = newestCheckpoint(place.out).filename().string().substr(11);
    Running training(place.error,
                     place.words("1",
                                 {"--steps", "100000", "--save-every", "2", "--resume", "--until",
                                  std::to_string(std::stoi(done) + 2)}));
    CHECK_EQUAL(training.end(), 0);
    CHECK_EQUAL(place.steps(), std::size_t(std::stoi(done) + 2));
}

TEST(aStopSaidToTheFirstStopsBothAfterTheSameStepAndLosesNothing)
{
    const Workplace place;
    Running training(place.error, place.words("2", {"--steps", "100000"}));
    CHECK(soon([&] { return place.steps() >= 2; }));
    const pid_t child = training.child();
    CHECK(runs(child));
    kill(training.number(), SIGINT);
    CHECK_EQUAL(training.end(), 130);
    CHECK(!runs(child));
    const std::string steps = std::to_string(place.steps());
    CHECK(training.error().find("stopped after step " + steps + " of 100000") != std::string::npos);
    CHECK_EQUAL(newestCheckpoint(place.out).filename().string(),
                "checkpoint-" + std::string(6 - steps.size(), '0') + steps);
    // gone on with, it ends with the very bytes of one that was never stopped
    const std::string end = std::to_string(place.steps() + 2);
    Running more(place.error, place.words("2", {"--steps", "100000", "--resume", "--until", end}));
    CHECK_EQUAL(more.end(), 0);
    const std::string stopped = textOf(place.out / "model.safetensors");
    fs::remove_all(place.out);
    Running straight(place.error, place.words("2", {"--steps", "100000", "--until", end}));
    CHECK_EQUAL(straight.end(), 0);
    CHECK(!stopped.empty() && stopped == textOf(place.out / "model.safetensors"));
}

TEST(aProcessEndsWithTheFirst)
{
    const Workplace place;
    pid_t child = 0;
    {
        Running training(place.error, place.words("2", endless));
        CHECK(soon([&] { return place.steps() >= 1; }));
        child = training.child();
        CHECK(runs(child));
    }
    CHECK(soon([&] { return !runs(child); }));
}

TEST(whatOneProcessCannotUseEndsTheTrainingWithItsSentence)
{
    const Workplace place;
    std::ofstream(place.rows, std::ios::app)
        << R"({"messages": [{"role": "user", "content": ")" << std::string(400, 'x')
        << R"("}, {"role": "assistant", "content": "no"}]})"
        << "\n";
    Running training(place.error, place.words("2", {"--steps", "60", "--max-length", "100"}));
    CHECK_EQUAL(training.end(), 1);
    CHECK(training.error().find("rows.jsonl:13: The conversation has") != std::string::npos);
    // with --skip-bad each process says what it leaves out, and each is said once
    std::size_t named = 0;
    fs::remove_all(place.out);
    Running again(place.error,
                  place.words("2", {"--steps", "26", "--max-length", "100", "--skip-bad"}));
    CHECK_EQUAL(again.end(), 0);
    const std::string said = again.error(), line = "rows.jsonl:13: The conversation has";
    for (std::size_t at = 0; (at = said.find(line, at)) != std::string::npos; ++at) {
        ++named;
    }
    CHECK_EQUAL(named, std::size_t(26 * 2 / 13));
}

TEST(numbersOfProcessesThatMakeNoSenseAreRefused)
{
    const Workplace place;
    Running training(place.error, place.words("3"));
    CHECK_EQUAL(training.end(), 2);
    CHECK(
        training.error().find("3 processes want a share of each step, which has 2 conversations") !=
        std::string::npos);
    setenv("KVL_TRAIN_RANK", "1", 1);
    CHECK_THROWS(inference::Error, inheritedPlace(), "unset it");
    unsetenv("KVL_TRAIN_RANK");
    CHECK(!inheritedPlace());
}

KVL_TEST_MAIN
