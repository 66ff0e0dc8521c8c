#include "app/arguments.h"
#include "app/commands.h"
#include "app/pictures.h"
#include "app/request_options.h"
#include "inference/prompt.h"
#include "inference/stop.h"
#include "inference/train/conversation_file.h"
#include "inference/train/mini_conversations.h"
#include "inference/train/processes.h"
#include "inference/train/swift_command.h"
#include "inference/train/training.h"
#include "inference/train/training_log.h"
#include "inference/train/whole_file.h"

#include <cstdio>
#include <memory>
#include <mutex>
#include <unistd.h>

namespace app {

const char* const trainHelp =
    R"(kvl train --model DIR --data FILE.jsonl --out DIR [options]

Fine-tunes the whole model on conversations: cross-entropy on the answers, AdamW, cosine schedule
with warm-up. Writes DIR/log.jsonl, DIR/training.svg, checkpoints of the way and at the end the model
in the published layout, which `kvl ask --model DIR` opens. Ctrl+C saves and says how to go on.

  --model DIR           checkpoint folder to begin with
  --data FILE           conversations, one a line, as InternVL and ms-swift read them
  --mini N              instead of --data: N drawn pictures an epoch, with all their questions
  --mini-seed N         of the drawing; not that of an evaluation (1)
  --difficulty N        of the drawing, 0 to 100 (100)
  --questions N         at most, about each drawn picture (5)
  --scenes LIST         kinds of pictures drawn, as "CT,bar chart"; one that is named twice is drawn
                        twice as often (all)
  --dense               with --mini, before all else: tower and projector learn what lies where, by
                        a head that is thrown away; the model is ready to learn words
  --image-root DIR      for relative picture paths (the folder of FILE)
  --skip-bad            leave rows out that cannot be used, instead of stopping
  --max-tiles N         tiles a picture without the thumbnail, 1 to 40 (12)
  --system PRESET       default, none, thinking, or a text, for rows without one (none)
  --out DIR             where the result goes
  --resume [=DIR]       go on from the newest checkpoint of --out, or from this one

  --epochs X            passes over the data (1)
  --steps N             steps of the optimiser, instead of --epochs
  --until N             end after step N of them, with the model of then
  --lr X                largest learning rate (1e-5)
  --warmup X            share of the steps in which it rises (0.05)
  --weight-decay X      not of norms and biases (0.1)
  --beta2 X             of AdamW (0.95)
  --clip X              longest gradient, 0 for any (1)
  --batch N             conversations computed at once, packed without padding (1)
  --accumulate N        batches a step (1)
  --max-length N        tokens of a conversation (16384)
  --freeze LIST         of vision,projector,language
  --lora RANK           train low-rank parts beside the weights, written as an adapter that PEFT,
                        ms-swift and `kvl ask --adapter DIR` read
  --lora-alpha X        their scale is X / RANK (32)
  --lora-dropout X      (0.05)
  --lora-targets LIST   names of linears (q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj)
  --merge               write the model with the low-rank parts in it instead
  --checkpointing       compute layers again for the gradient: slower by a third, far less memory
  --seed N              of the order of the conversations (0)
  --save-every N        a checkpoint every N steps; the newest two are kept
  --save-dtype T        of the result, bf16 or fp32 (as the model was stored)
  --device D            auto, cpu, cuda:N, or several GPUs as cuda:0,cuda:1 (auto: all GPUs there are)
  --processes N         train with N processes, each with its share of every step's conversations:
                        one a GPU, or sharing the CPU's cores (as many as --device has GPUs, or 1)
  --dtype T             fp32 on a CPU; bf16 with fp32 masters on a GPU (auto)
  --dense-share X       with --mini: X of that loss a picture beside the words (0)
  --bf16-products       on a CPU: factors of matrix products rounded to bf16, sums in fp32; twice as
                        quick where the CPU has AVX-512 BF16 or AMX
  --print-swift [=N]    print a script that does the same with ms-swift and DeepSpeed ZeRO-3 on N GPUs
                        (1), and train nothing

Exit status: 0 done, 1 failed, 2 wrong options, 130 stopped.
)";

namespace {

using inference::train::StepReport;

std::string required(const Arguments& arguments, const char* name)
{
    const auto value = arguments.value(name);
    if (!value || value->empty()) {
        throw UsageError(std::string(name) + " is missing");
    }
    return *value;
}

/// Of a list with commas.
std::vector<std::string> namesIn(const std::string& list)
{
    std::vector<std::string> names;
    for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find(',', at), list.size());
        names.push_back(list.substr(at, end - at));
        at = end + 1;
    }
    return names;
}

void freeze(const std::string& list, inference::train::TrainingOptions& options)
{
    for (const std::string& part : namesIn(list)) {
        if (part == "vision") {
            options.freezeVision = true;
        } else if (part == "projector") {
            options.freezeProjector = true;
        } else if (part == "language") {
            options.freezeLanguage = true;
        } else {
            throw UsageError("--freeze has \"" + part +
                             "\"; expected some of vision,projector,language");
        }
    }
}

inference::train::TrainingOptions trainingOptions(const Arguments& arguments)
{
    inference::train::TrainingOptions options;
    options.model = required(arguments, "--model");
    options.out = required(arguments, "--out");
    const auto real = [&](const char* name, double& value, double least, double most) {
        if (const auto text = arguments.value(name)) {
            value = number(name, *text, least, most);
        }
    };
    const auto whole = [&](const char* name, auto& value, long long least) {
        if (const auto text = arguments.value(name)) {
            value = static_cast<std::remove_reference_t<decltype(value)>>(
                wholeNumber(name, *text, least, 1'000'000'000));
        }
    };
    real("--epochs", options.epochs, 1e-6, 1e6);
    real("--lr", options.learningRate, 0, 1e3);
    real("--warmup", options.warmup, 0, 1);
    real("--weight-decay", options.weightDecay, 0, 1e3);
    real("--beta2", options.beta2, 0, 1);
    real("--clip", options.longestGradient, 0, 1e9);
    real("--lora-alpha", options.loraAlpha, 0, 1e6);
    real("--lora-dropout", options.loraDropout, 0, 0.99);
    whole("--lora", options.loraRank, 1);
    whole("--steps", options.steps, 1);
    whole("--until", options.until, 1);
    whole("--batch", options.batch, 1);
    whole("--accumulate", options.accumulate, 1);
    whole("--max-length", options.maxLength, 2);
    whole("--seed", options.seed, 0);
    whole("--save-every", options.saveEvery, 1);
    if (const auto list = arguments.value("--freeze")) {
        freeze(*list, options);
    }
    if (const auto list = arguments.value("--lora-targets")) {
        options.loraTargets = namesIn(*list);
    }
    options.merge = arguments.has("--merge");
    options.recompute = arguments.has("--checkpointing");
    real("--dense-share", options.denseShare, 0, 1e3);
    options.dense = arguments.has("--dense");
    options.bf16Products = arguments.has("--bf16-products");
    options.skipLonger = arguments.has("--skip-bad");
    options.saveDtype = arguments.value("--save-dtype", "");
    if (!options.saveDtype.empty() && options.saveDtype != "bf16" && options.saveDtype != "fp32") {
        throw UsageError("--save-dtype is \"" + options.saveDtype + "\"; bf16 or fp32 is expected");
    }
    options.dtype = arguments.value("--dtype", "auto");
    return options;
}

/// Takes an option out of the words whose value may follow "=" or be absent.
std::optional<std::string> take(const std::string& name, std::vector<std::string>& words)
{
    std::optional<std::string> value;
    std::erase_if(words, [&](const std::string& word) {
        if (word != name && !word.starts_with(name + "=")) {
            return false;
        }
        value = word.substr(std::min(word.size(), name.size() + 1));
        return true;
    });
    return value;
}

/// Of each process that is to train. Every process finds the same.
std::vector<std::string> devicesOf(const Arguments& arguments,
                                   const inference::train::TrainingOptions& options)
{
    const std::string asked = arguments.value("--device", "auto");
    std::vector<std::string> devices = inference::train::trainingDevices(asked);
    const auto most = std::size_t(options.batch) * std::size_t(options.accumulate);
    const auto processes = arguments.value("--processes");
    if (!processes && asked == "auto") {
        devices.resize(std::min(devices.size(), most));
        return devices;
    }
    const std::size_t count =
        processes ? std::size_t(wholeNumber("--processes", *processes, 1, 1024)) : devices.size();
    if (count > most) {
        throw UsageError(std::to_string(count) +
                         " processes want a share of each step, which has " + std::to_string(most) +
                         " conversations (--batch times --accumulate); fewer processes or more "
                         "conversations a step are expected");
    }
    if (devices.front() != "cpu" && count > devices.size()) {
        throw UsageError("--processes is " + std::to_string(count) + " where --device has " +
                         std::to_string(devices.size()) + " GPUs; each takes one process");
    }
    devices.resize(count, devices.front());
    return devices;
}

std::filesystem::path resumeFrom(const std::string& folder, const std::filesystem::path& out)
{
    std::filesystem::path from =
        folder.empty() ? inference::train::newestCheckpoint(out) : std::filesystem::path(folder);
    if (from.empty()) {
        throw std::runtime_error(out.string() + " holds no checkpoint of a training to go on from");
    }
    return from;
}

/// One line that is written over on a terminal; elsewhere a line now and then.
class Progress {
public:
    void operator()(const StepReport& report)
    {
        m_pace = m_pace == 0 ? report.seconds : 0.9 * m_pace + 0.1 * report.seconds;
        const std::string line = inference::train::progressLine(report, m_pace);
        const std::int64_t every = std::max<std::int64_t>(1, report.steps / 50);
        if (m_terminal) {
            std::fprintf(stderr, "\r\033[K%s", line.c_str());
            m_open = true;
        } else if (report.step % every == 0 || report.step == report.steps) {
            std::fprintf(stderr, "%s\n", line.c_str());
        }
    }
    /// A sentence of its own.
    void say(const std::string& text)
    {
        std::fprintf(stderr, "%s%s\n", m_open ? "\n" : "", text.c_str());
        m_open = false;
    }

private:
    const bool m_terminal = isatty(STDERR_FILENO) != 0;
    bool m_open = false;
    double m_pace = 0;  // seconds a step
};

std::vector<inference::mini::Scene> scenesIn(const std::string& list)
{
    using inference::mini::Scene;
    std::vector<Scene> scenes;
    for (const std::string& name : namesIn(list)) {
        int found = 0;
        while (found < inference::mini::sceneCount && name != inference::mini::name(Scene(found))) {
            ++found;
        }
        if (found == inference::mini::sceneCount) {
            std::string all;
            for (int i = 0; i < inference::mini::sceneCount; ++i) {
                all += i > 0 ? ", " : "";
                all += inference::mini::name(Scene(i));
            }
            throw UsageError("--scenes has \"" + name + "\"; expected some of " + all);
        }
        scenes.push_back(Scene(found));
    }
    return scenes;
}

std::unique_ptr<inference::train::Conversations>
drawData(const Arguments& arguments, inference::train::TrainingOptions& training)
{
    inference::train::MiniConversations::Options options;
    const auto whole = [&](const char* name, const char* otherwise, long long least,
                           long long most) {
        return wholeNumber(name, arguments.value(name, otherwise), least, most);
    };
    options.count = whole("--mini", "", 1, 1'000'000'000);
    options.seed = std::uint64_t(whole("--mini-seed", "1", 0, 1'000'000'000));
    options.drawing.difficulty = int(whole("--difficulty", "100", 0, 100));
    options.drawing.questions = int(whole("--questions", "5", 1, 100));
    if (const auto list = arguments.value("--scenes")) {
        options.drawing.scenes = scenesIn(*list);
    }
    const bool dense = arguments.has("--dense");
    const inference::ModelInfo info = inference::inspectCheckpoint(training.model);
    options.drawing.tile = info.tileSize;
    const int most = dense ? 1 : info.maxTiles;
    options.maxTiles = int(whole("--max-tiles", std::to_string(most).c_str(), 1, 40));
    options.enlarged = dense ? 0 : options.enlarged;
    if (const auto system = arguments.value("--system")) {
        options.system = systemPrompt(*system);
    }
    training.data = {{"mini-seed", std::to_string(options.seed)},
                     {"difficulty", std::to_string(options.drawing.difficulty)},
                     {"questions", std::to_string(options.drawing.questions)},
                     {"scenes", arguments.value("--scenes", "all")},
                     {"max-tiles", std::to_string(options.maxTiles)},
                     {"system", arguments.value("--system", "drawn")}};
    return std::make_unique<inference::train::MiniConversations>(options);
}

std::unique_ptr<inference::train::Conversations> readData(const Arguments& arguments)
{
    inference::train::ConversationFile::Options options;
    options.imageRoot = arguments.value("--image-root", "");
    options.system = systemPrompt(arguments.value("--system", "none"));
    options.maxTiles = int(wholeNumber("--max-tiles", arguments.value("--max-tiles", "12"), 1, 40));
    options.openImage = [](const std::string& file) {
        PictureChoice choice;
        choice.file = file;
        // documents of all kinds are opened by one thread at a time
        static std::mutex one;
        const std::lock_guard lock(one);
        return openPicture(choice).image;
    };
    auto data = std::make_unique<inference::train::ConversationFile>(required(arguments, "--data"),
                                                                     std::move(options));
    const auto& bad = data->badRows();
    constexpr std::size_t shown = 20;
    for (std::size_t i = 0; i < std::min(bad.size(), shown); ++i) {
        std::fprintf(stderr, "%s: %s\n", bad[i].where.c_str(), bad[i].what.c_str());
    }
    if (!bad.empty() && !arguments.has("--skip-bad")) {
        throw std::runtime_error(std::to_string(bad.size()) + " of " +
                                 std::to_string(bad.size() + std::size_t(data->size())) +
                                 " rows cannot be used" +
                                 (bad.size() > shown ? ", the first are listed above" : "") +
                                 "; --skip-bad leaves them out");
    }
    return data;
}

constexpr const char* leftOut = "left out: ";

/// As one of several processes; the first of them does all else.
int trainAlong(const inference::train::Conversations& data,
               const inference::train::TrainingOptions& options, const std::stop_token& stop)
{
    inference::train::TrainingEvents events;
    events.onSkipped = [](const std::string& what) {
        std::fprintf(stderr, "%s%s\n", leftOut, what.c_str());
    };
    return inference::train::runTraining(data, options, events, stop).stopped ? exitInterrupted
                                                                              : exitDone;
}

/// The processes for all devices but the first; null where that is the only one.
std::unique_ptr<inference::train::Processes> startOthers(const std::vector<std::string>& words,
                                                         const std::vector<std::string>& devices,
                                                         inference::train::TrainingOptions& options)
{
    if (devices.size() == 1) {
        return nullptr;
    }
    std::vector<std::string> line{"kvl", "train"};
    line.insert(line.end(), words.begin(), words.end());
    auto others = std::make_unique<inference::train::Processes>(int(devices.size()), line);
    options.place = others->place();
    std::string list;
    for (const std::string& device : devices) {
        list += (list.empty() ? "" : ", ") + device;
    }
    std::fprintf(stderr, "%zu processes train together: %s\n", devices.size(), list.c_str());
    return others;
}

/// Ctrl+C comes to all of them; that another obeys it sooner is no fault.
void checkOthers(inference::train::Processes& others, const std::filesystem::path& out,
                 const std::stop_token& stop)
{
    try {
        others.check();
    } catch (const inference::Error& error) {
        inference::throwIfStopped(stop);
        const std::filesystem::path saved = inference::train::newestCheckpoint(out);
        throw inference::Error(
            error.what() +
            (saved.empty() ? std::string() : " --resume goes on from " + saved.string() + "."));
    }
}

}  // namespace

int train(const std::vector<std::string>& given, const std::stop_token& stop)
{
    std::vector<std::string> words = given;
    const auto resume = take("--resume", words);
    const auto swift = take("--print-swift", words);
    const Arguments arguments(words,
                              {{"--model"},
                               {"--data"},
                               {"--mini"},
                               {"--mini-seed"},
                               {"--difficulty"},
                               {"--questions"},
                               {"--scenes"},
                               {"--dense", false},
                               {"--dense-share"},
                               {"--bf16-products", false},
                               {"--image-root"},
                               {"--skip-bad", false},
                               {"--max-tiles"},
                               {"--system"},
                               {"--out"},
                               {"--epochs"},
                               {"--steps"},
                               {"--until"},
                               {"--lr"},
                               {"--warmup"},
                               {"--weight-decay"},
                               {"--beta2"},
                               {"--clip"},
                               {"--batch"},
                               {"--accumulate"},
                               {"--max-length"},
                               {"--freeze"},
                               {"--lora"},
                               {"--lora-alpha"},
                               {"--lora-dropout"},
                               {"--lora-targets"},
                               {"--merge", false},
                               {"--checkpointing", false},
                               {"--seed"},
                               {"--save-every"},
                               {"--save-dtype"},
                               {"--device"},
                               {"--processes"},
                               {"--dtype"}});
    if (!arguments.positional().empty()) {
        throw UsageError("\"" + arguments.positional().front() + "\" belongs to no option");
    }
    inference::train::TrainingOptions options = trainingOptions(arguments);
    if (swift) {
        const auto maxTiles =
            wholeNumber("--max-tiles", arguments.value("--max-tiles", "12"), 1, 40);
        const auto processes = wholeNumber("--print-swift", swift->empty() ? "1" : *swift, 1, 4096);
        const inference::train::SwiftData data{
            required(arguments, "--data"), arguments.value("--image-root", ""),
            inference::systemText(systemPrompt(arguments.value("--system", "none"))),
            int(maxTiles)};
        std::fputs(inference::train::swiftScript(options, data, int(processes)).c_str(), stdout);
        return exitDone;
    }
    if (arguments.has("--mini") == arguments.has("--data")) {
        throw UsageError("one of --data and --mini is expected");
    }
    if ((options.dense || options.denseShare > 0) && !arguments.has("--mini")) {
        throw UsageError("--dense needs --mini: of other pictures it is not known what lies where");
    }
    if (resume) {
        options.resume = resumeFrom(*resume, options.out);
    }
    if (const auto place = inference::train::inheritedPlace()) {
        options.place = *place;
    }
    const std::vector<std::string> devices = devicesOf(arguments, options);
    options.device = devices.at(std::size_t(options.place.rank));
    if (devices.size() > 1) {
        inference::train::requireGroup(options.device);
    }
    const auto pictureSystem = startPictures();
    const std::unique_ptr<inference::train::Conversations> data =
        arguments.has("--mini") ? drawData(arguments, options) : readData(arguments);

    if (options.place.rank > 0) {
        return trainAlong(*data, options, stop);
    }
    Progress progress;
    const auto others = startOthers(given, devices, options);
    inference::train::TrainingEvents events;
    const auto sayWhatOthersLeftOut = [&] {
        for (const std::string& line : others ? others->takeLines() : std::vector<std::string>()) {
            if (line.starts_with(leftOut)) {
                progress.say(line);
            }
        }
    };
    events.onStep = [&](const StepReport& report) {
        progress(report);
        sayWhatOthersLeftOut();
    };
    events.onSkipped = [&](const std::string& what) { progress.say(leftOut + what); };
    events.onWaiting = [&] { checkOthers(*others, options.out, stop); };
    const auto result = inference::train::runTraining(*data, options, events, stop);
    if (others) {
        others->finish();
        sayWhatOthersLeftOut();
    }
    inference::train::writeWhole(
        options.out / "training.svg",
        inference::train::curveSvg(inference::train::readLog(options.out / "log.jsonl")));
    if (result.stopped) {
        progress.say("stopped after step " + std::to_string(result.step) + " of " +
                     std::to_string(result.steps) +
                     "; the same command with --resume=" + result.resume.string() + " goes on");
        return exitInterrupted;
    }
    progress.say("trained " + std::to_string(result.step) + " steps; the model is in " +
                 options.out.string() + ", the curve in " +
                 (options.out / "training.svg").string());
    return exitDone;
}

}  // namespace app
