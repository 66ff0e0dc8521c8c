#include "inference/verify.h"

#include "inference/device.h"
#include "inference/error.h"
#include "inference/stop.h"
#include "inference/verify_parts.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>

namespace inference {
namespace {

using State = VerifyCheck::State;

double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void run(const VerifyPart& part, VerifyCheck& check, const std::stop_token& stop)
{
    const double start = now();
    try {
        Finding finding = part.run(stop);
        check.expected = std::move(finding.expected);
        check.found = std::move(finding.found);
        check.state = finding.passed ? State::Passed : State::Failed;
    } catch (const Cancelled&) {
        throw;
    } catch (const std::exception& error) {
        const std::string what = error.what();
        check.found = what.substr(0, what.find('\n'));
        check.state = State::Failed;
    }
    throwIfStopped(stop);  // an answer that was cut short proves nothing
    check.seconds = now() - start;
}

}  // namespace

int VerifyReport::count(State state) const
{
    return int(std::count_if(checks.begin(), checks.end(),
                             [&](const VerifyCheck& check) { return check.state == state; }));
}

std::string VerifyReport::line() const
{
    std::string text = std::string(passed() ? "Engine verified: " : "Engine not verified: ") +
        std::to_string(count(State::Passed)) + " of " +
        std::to_string(count(State::Passed) + count(State::Failed)) + " checks passed";
    if (const int notRun = count(State::NotRun)) {
        text += ", " + std::to_string(notRun) + " not run";
    }
    return text + "; " + model.device + ", " + model.dtype + "; " + program + "; model " +
        model.modelHash.substr(0, 16);
}

VerifyReport verify(const VerifyOptions& options, Engine* engine, const VerifyProgress& progress,
                    std::stop_token stop)
{
    VerifyReport report;
    report.program = "KVL Workbench " KVL_VERSION;
    LoadOptions load = options.load;
    std::unique_ptr<KvlEngine> own;
    auto* given = dynamic_cast<KvlEngine*>(engine);
    if (engine) {
        report.model = engine->info();
        load.checkpoint = report.model.folder;
        load.device = report.model.device;
        load.dtype = report.model.dtype;
    } else {
        report.model = inspectCheckpoint(load.checkpoint);
        const at::Device device = chooseDevice(load.device);
        report.model.device = load.device = device.str();
        report.model.dtype = load.dtype =
            dtypeName(chooseDtype(load.dtype, device, report.model.storedDtype));
    }

    std::vector<VerifyPart> parts = tokenizerChecks(load.checkpoint);
    const auto add = [&](std::vector<VerifyPart> more) {
        std::move(more.begin(), more.end(), std::back_inserter(parts));
    };
    add(pictureChecks());
    add(referenceChecks(load.device, load.dtype));
    const std::size_t needWeights = parts.size();
    add(engineChecks([&]() -> KvlEngine& {
        if (!given) {
            own = std::make_unique<KvlEngine>(load, OnProgress(), stop);
            given = own.get();
        }
        return *given;
    }));

    const bool onCpu = report.model.device == "cpu";
    const int total = int(parts.size()) + (onCpu ? 1 : 0);
    const auto tell = [&](const OnCheck& whom, const VerifyCheck& check) {
        if (whom) {
            whom(check, int(report.checks.size()), total);
        }
    };
    for (std::size_t i = 0; i < parts.size(); ++i) {
        VerifyCheck check;
        check.group = parts[i].group;
        check.name = parts[i].name;
        throwIfStopped(stop);
        tell(progress.began, check);
        if (i >= needWeights && options.quick) {
            check.found = "not run: it needs the checkpoint's weights, and the quick run was asked";
        } else if (i >= needWeights && engine && !given) {
            check.found = "not run: the loaded model is not computed by this engine";
        } else {
            run(parts[i], check, stop);
        }
        tell(progress.ended, check);
        report.checks.push_back(std::move(check));
    }
    if (onCpu) {
        VerifyCheck gpu;
        gpu.group = "device";
        gpu.name = "the same on a GPU";
        tell(progress.began, gpu);
        gpu.found = chooseDevice("auto").is_cpu() ? "not run: this machine has no usable GPU"
                                                  : "not run: the device cuda:0 runs it";
        tell(progress.ended, gpu);
        report.checks.push_back(std::move(gpu));
    }
    return report;
}

}  // namespace inference
