// Each check of verify() passes here, and each can fail.
#include "inference/verify.h"

#include "inference/error.h"
#include "inference/verify_parts.h"
#include "inference/verify_reference.h"
#include "support/qwen_tokenizer.h"
#include "support/temporary_folder.h"
#include "support/test.h"
#include "support/tiny_checkpoint.h"

#include <fstream>

using namespace inference;
using State = VerifyCheck::State;

namespace {

const std::filesystem::path tokenizerFolder =
    std::filesystem::path(KVL_TEST_DATA) / "tokenizer-small";

const std::filesystem::path& checkpointFolder()
{
    static const test::TemporaryFolder folder;
    static const bool written =
        (test::writeCheckpoint(folder.path(), {.seed = 5, .tokenizer = tokenizerFolder}), true);
    (void)written;
    return folder.path();
}

VerifyOptions options(const std::string& dtype, bool quick)
{
    VerifyOptions all;
    all.load.checkpoint = checkpointFolder();
    all.load.device = "cpu";
    all.load.dtype = dtype;
    all.quick = quick;
    return all;
}

void checkAllPassed(const VerifyReport& report, int notRun)
{
    for (const VerifyCheck& check : report.checks) {
        if (check.state == State::Failed || check.found.empty()) {
            test::fail(__FILE__, __LINE__,
                       check.group + ", " + check.name + ": expected " + check.expected +
                           ", found " + check.found);
        }
    }
    CHECK(report.passed());
    CHECK_EQUAL(report.count(State::NotRun), notRun);
}

}  // namespace

TEST(everythingPassesInFp32AndTheLineSaysWhere)
{
    int began = 0, ended = 0, total = 0;
    VerifyProgress progress;
    progress.began = [&](const VerifyCheck& next, int index, int all) {
        CHECK(!next.name.empty());
        CHECK(next.found.empty());
        CHECK_EQUAL(index, began++);
        CHECK_EQUAL(index, ended);
        total = all;
    };
    progress.ended = [&](const VerifyCheck& check, int index, int) {
        CHECK(!check.found.empty());
        CHECK_EQUAL(index, ended++);
    };
    const VerifyReport report = verify(options("fp32", false), nullptr, progress, {});
    checkAllPassed(report, 1);  // the GPU, which only a machine with one can run
    CHECK_EQUAL(began, total);
    CHECK_EQUAL(ended, total);
    CHECK_EQUAL(report.checks.size(), std::size_t(total));
    CHECK(report.line().starts_with("Engine verified: " + std::to_string(total - 1) + " of " +
                                    std::to_string(total - 1) +
                                    " checks passed, 1 not run; cpu, fp32; "));
    CHECK(report.line().find(report.model.modelHash.substr(0, 16)) != std::string::npos);
}

TEST(everythingPassesInBf16)
{
    checkAllPassed(verify(options("bf16", false), nullptr, {}, {}), 1);  // the GPU
}

TEST(aLoadedEngineIsUsedAndQuickLeavesItsWeightsOut)
{
    const auto engine = loadEngine(options("fp32", false).load);
    VerifyOptions nowhere;
    nowhere.load.checkpoint = "/nonexistent";
    nowhere.quick = true;
    const VerifyReport report = verify(nowhere, engine.get(), {}, {});
    checkAllPassed(report, 4);
    CHECK_EQUAL(report.model.dtype, "fp32");
}

TEST(aStopEndsItBetweenChecksAndWithinThem)
{
    std::stop_source stop;
    CHECK_THROWS(Cancelled,
                 verify(options("fp32", true), nullptr,
                        {[&](const VerifyCheck& next, int, int) {
                             if (next.group == "random checkpoint") {
                                 stop.request_stop();
                             }
                         },
                         {}},
                        stop.get_token()),
                 "cancelled");
}

TEST(aTokenizerWithoutItsMergesFails)
{
    const std::filesystem::path qwen = test::qwenTokenizer();
    const auto failures = [](const std::filesystem::path& folder) {
        int failed = 0;
        for (const VerifyPart& part : tokenizerChecks(folder)) {
            failed += !part.run({}).passed;
        }
        return failed;
    };
    CHECK_EQUAL(failures(qwen), 0);
    const test::TemporaryFolder folder;
    for (const auto& file : std::filesystem::directory_iterator(qwen)) {
        std::filesystem::copy(file.path(), folder.path() / file.path().filename());
    }
    std::ifstream in(qwen / "merges.txt");
    std::ofstream out(folder.path() / "merges.txt.new");
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("#") || line.starts_with("#version")) {
            out << line << '\n';
        }
    }
    out.close();
    std::filesystem::remove(folder.path() / "merges.txt");
    std::filesystem::rename(folder.path() / "merges.txt.new", folder.path() / "merges.txt");
    CHECK_EQUAL(failures(folder.path()), 1);
}

KVL_TEST_MAIN
