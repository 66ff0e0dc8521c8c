// How fast a checkpoint loads and what memory it takes.
#include "bench/bench.h"

#include "inference/engine.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>

namespace bench {
namespace {

/// Lines "Name:   123 kB" of a file in /proc, in bytes.
std::map<std::string, long long> kilobytesIn(const std::string& path)
{
    std::map<std::string, long long> values;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        char name[64];
        long long value = 0;
        if (std::sscanf(line.c_str(), "%63[^:]: %lld kB", name, &value) == 2) {
            values[name] = value * 1024;
        }
    }
    return values;
}

std::string memoryOf(const std::string& process)
{
    auto status = kilobytesIn("/proc/" + process + "/status");
    auto all = kilobytesIn("/proc/" + process + "/smaps_rollup");
    return R"("rss_bytes": )" + std::to_string(all["Rss"]) + R"(, "pss_bytes": )" +
        std::to_string(all["Pss"]) + R"(, "anonymous_bytes": )" +
        std::to_string(status["RssAnon"]) + R"(, "private_dirty_bytes": )" +
        std::to_string(all["Private_Dirty"]) + R"(, "shared_clean_bytes": )" +
        std::to_string(all["Shared_Clean"]);
}

std::unique_ptr<inference::Engine> loaded(const std::string& model, const std::string& dtype)
{
    inference::LoadOptions options;
    options.checkpoint = model;
    options.device = "cpu";
    options.dtype = dtype;
    return inference::loadEngine(options);
}

inference::Answer shortAnswer(inference::Engine& engine)
{
    inference::Request request;
    request.messages.push_back({inference::Role::User, "What is it?", {}});
    request.maxNewTokens = 2;
    return engine.generate(request, {}, {});
}

/// One load in this process, and its memory at the peak and at the end. The computed bytes are
/// those the weights have in the computing dtype, what there has to be.
int loadOnce(const std::string& model, const std::string& dtype)
{
    const long long before = statusBytes("VmRSS");
    const double start = now();
    const auto engine = loaded(model, dtype);
    const double seconds = now() - start;
    const long long peak = statusBytes("VmHWM");
    const long long computed = engine->info().parameters * (engine->info().dtype == "bf16" ? 2 : 4);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        R"({"bench": "load-once", "stored": "%s", "dtype": "%s", "stored_bytes": %lld, "computed_bytes": %lld, "seconds": %.3f, "peak_rss_bytes": %lld, "peak_to_computed": %.3f, "rss_before_bytes": %lld, "from_disk_bytes": %lld, %s})"
        "\n",
        engine->info().storedDtype.c_str(), engine->info().dtype.c_str(),
        static_cast<long long>(engine->info().weightBytes), computed, seconds, peak,
        double(peak) / double(computed), before, static_cast<long long>(usage.ru_inblock) * 512,
        memoryOf("self").c_str());
    return 0;
}

std::string shards(const std::string& model)
{
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator(model)) {
        if (entry.path().extension() == ".safetensors") {
            all += " '" + entry.path().string() + "'";
        }
    }
    return all;
}

/// Out of the page cache, so that the next reader waits for the disk.
void evict(const std::string& model)
{
    for (const auto& entry : std::filesystem::directory_iterator(model)) {
        const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
        fdatasync(file);
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
        close(file);
    }
}

double secondsOf(const std::string& json)
{
    return std::strtod(json.c_str() + json.find(R"("seconds": )") + 11, nullptr);
}

/// Load against `cat` of the same files, from the disk and from the page cache, the best of three
/// each, turn and turn about; every load in a process of its own.
int load(const std::string& model, const std::string& dtype)
{
    const std::string cat = "cat" + shards(model) + " >/dev/null";
    for (const bool cold : {true, false}) {
        double read = 1e30, load = 1e30;
        std::string line;
        for (int run = 0; run < 3; ++run) {
            const auto prepare = [&] {
                if (cold) {
                    evict(model);
                }
            };
            prepare();
            read = std::min(read, best(1, [&] {
                                if (std::system(cat.c_str()) != 0) {
                                    throw std::runtime_error(cat + " failed");
                                }
                            }));
            prepare();
            line = again("load-once '" + model + "' " + dtype);
            load = std::min(load, secondsOf(line));
        }
        std::printf("%s", line.c_str());
        std::printf(
            R"({"bench": "load", "from": "%s", "cat_seconds": %.3f, "load_seconds": %.3f, "ratio": %.2f})"
            "\n",
            cold ? "disk" : "page cache", read, load, read / load);
    }
    return 0;
}

/// Loads, answers, says so, and keeps the model until it is ended.
int hold(const std::string& model, const std::string& dtype)
{
    const auto engine = loaded(model, dtype);
    shortAnswer(*engine);
    std::printf("%d\n", int(getpid()));
    std::fflush(stdout);
    pause();
    return 0;
}

/// Two processes with the same model; what of their memory is shared.
int share(const std::string& model, const std::string& dtype)
{
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command = "exec '" + self + "' hold '" + model + "' " + dtype;
    FILE* const pipes[] = {popen(command.c_str(), "r"), popen(command.c_str(), "r")};
    std::vector<int> processes;
    for (FILE* const pipe : pipes) {
        int process = 0;
        if (!pipe || std::fscanf(pipe, "%d", &process) != 1) {
            throw std::runtime_error(command + " failed");
        }
        processes.push_back(process);
    }
    for (const int process : processes) {
        std::printf(R"({"bench": "share", "dtype": "%s", %s})"
                    "\n",
                    dtype.c_str(), memoryOf(std::to_string(process)).c_str());
    }
    for (const int process : processes) {
        kill(process, SIGTERM);
    }
    for (FILE* const pipe : pipes) {
        pclose(pipe);
    }
    return 0;
}

}  // namespace

std::string again(const std::string& words)
{
    const std::string command =
        "'" + std::filesystem::read_symlink("/proc/self/exe").string() + "' " + words;
    FILE* const pipe = popen(command.c_str(), "r");
    char line[4096] = "";
    const bool read = pipe && std::fgets(line, sizeof line, pipe);
    if (!pipe || pclose(pipe) != 0 || !read) {
        throw std::runtime_error(line + command + " failed");
    }
    return line;
}

std::int64_t statusBytes(const std::string& name)
{
    return kilobytesIn("/proc/self/status")[name];
}

std::vector<std::pair<std::string, int (*)(const std::string&, const std::string&)>> loads()
{
    return {{"load", &load},
            {"load-once", &loadOnce},
            {"hold", &hold},
            {"share", &share},
            {"answer", &answer}};
}

}  // namespace bench
