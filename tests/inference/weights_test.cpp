// What a model's weights cost in memory while it loads and afterwards, from /proc.
#include "inference/engine.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <malloc.h>
#include <map>
#include <unistd.h>

using namespace inference;

namespace {

/// Pages that are not on the disk yet count as dirty, whoever has them mapped.
void writeBack(const std::filesystem::path& folder)
{
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
        fdatasync(file);
        close(file);
    }
}

/// 75 MB in F32, half of it in BF16.
const std::filesystem::path& checkpointFolder(const std::string& dtype)
{
    static std::map<std::string, test::TemporaryFolder> folders;
    const bool fresh = !folders.contains(dtype);
    test::TemporaryFolder& folder = folders[dtype];
    if (fresh) {
        test::writeCheckpoint(
            folder.path(),
            {.shape = "small",
             .dtype = dtype,
             .tokenizer = std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small"});
        writeBack(folder.path());
    }
    return folder.path();
}

std::unique_ptr<Engine> load(const std::filesystem::path& folder, const std::string& dtype)
{
    return loadEngine({folder, "cpu", dtype});
}

void answer(Engine& engine)
{
    Request request;
    request.messages.push_back({Role::User, "Hi", {}});
    request.maxNewTokens = 2;
    engine.generate(request, {}, {});
}

/// A field of /proc/self/status in bytes.
std::int64_t status(const std::string& name)
{
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name + ":")) {
            return std::stoll(line.substr(name.size() + 1)) * 1024;
        }
    }
    SKIP("this system does not say " + name);
}

/// The highest resident memory while `work` runs, above what there was.
template <typename Work>
std::int64_t peakOf(Work&& work)
{
#if defined(__SANITIZE_ADDRESS__)
    SKIP("the sanitizer's own memory counts, too");
#endif
    mallopt(M_MMAP_THRESHOLD, 128 << 10);  // and so it stays: what is freed leaves the process
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";
    const std::int64_t before = status("VmRSS");
    if (status("VmHWM") > before + (1 << 20)) {
        SKIP("the peak of resident memory cannot be reset here");
    }
    work();
    return status("VmHWM") - before;
}

struct Shared {
    std::int64_t rss = 0, pss = 0, privateDirty = 0;
};

/// Of the pages of safetensors files that a process has mapped.
Shared weightsOf(int process)
{
    Shared all;
    std::ifstream file("/proc/" + std::to_string(process) + "/smaps");
    bool ours = false;
    for (std::string line; std::getline(file, line);) {
        char name[32];
        long long value = 0;
        if (line.find(" r--p ") != std::string::npos ||
            (line.find('-') < line.find(' ') && line.find(':') > line.find(' '))) {
            ours = line.ends_with(".safetensors");
        } else if (ours && std::sscanf(line.c_str(), "%31[^:]: %lld kB", name, &value) == 2) {
            const std::string field = name;
            all.rss += field == "Rss" ? value * 1024 : 0;
            all.pss += field == "Pss" ? value * 1024 : 0;
            all.privateDirty += field == "Private_Dirty" ? value * 1024 : 0;
        }
    }
    return all;
}

constexpr const char* holdVariable = "KVL_TEST_HOLD";

}  // namespace

TEST(storedWeightsAreUsedWhereTheyAreMapped)
{
    const auto& folder = checkpointFolder("F32");
    answer(*load(folder, "fp32"));  // whatever a first load brings along
    std::unique_ptr<Engine> engine;
    const std::int64_t anonymous = status("RssAnon");
    const std::int64_t peak = peakOf([&] { engine = load(folder, "fp32"); });
    const std::int64_t weights = engine->info().weightBytes;
    CHECK(weights > 50'000'000);
    CHECK(peak <= weights + weights / 10);
    CHECK(status("RssAnon") - anonymous < weights / 10);
    answer(*engine);
    const Shared mapped = weightsOf(getpid());
    CHECK(mapped.rss >= weights);
    CHECK_EQUAL(mapped.privateDirty, std::int64_t(0));
}

TEST(convertedWeightsAreNeverThereTwice)
{
    const auto& folder = checkpointFolder("BF16");
    answer(*load(folder, "fp32"));  // whatever a first load brings along
    std::unique_ptr<Engine> engine;
    const std::int64_t peak = peakOf([&] { engine = load(folder, "fp32"); });
    const std::int64_t weights = 4 * engine->info().parameters;
    CHECK(weights > 50'000'000);
    CHECK(peak <= weights + weights / 10);
    // and what they were converted from has been given back
    CHECK(weightsOf(getpid()).rss < weights / 10);
}

/// Not a test by itself: the other process of the next one.
TEST(anotherProcessHoldsTheModel)
{
    const char* const folder = std::getenv(holdVariable);
    if (!folder) {
        SKIP("it is started by the test behind it");
    }
    const auto engine = load(folder, "fp32");
    answer(*engine);
    std::printf("process %d\n", int(getpid()));
    std::fflush(stdout);
    pause();
}

TEST(twoProcessesShareOneCopyOfTheWeights)
{
    const auto& folder = checkpointFolder("F32");
    const auto engine = load(folder, "fp32");
    answer(*engine);
    const std::string command = std::string(holdVariable) + "='" + folder.string() + "' exec '" +
        std::filesystem::read_symlink("/proc/self/exe").string() + "' anotherProcess";
    FILE* const pipe = popen(command.c_str(), "r");
    CHECK(pipe);
    int other = 0;
    const bool started = std::fscanf(pipe, "process %d", &other) == 1;
    const std::int64_t weights = engine->info().weightBytes;
    const Shared one = weightsOf(getpid()), two = weightsOf(other);
    if (started) {
        kill(other, SIGTERM);
    }
    pclose(pipe);
    CHECK(started);
    for (const Shared& process : {one, two}) {
        CHECK(process.rss >= weights);
        CHECK(process.pss < weights * 6 / 10);  // a page that two have counts half for each
        CHECK_EQUAL(process.privateDirty, std::int64_t(0));
    }
}

KVL_TEST_MAIN
