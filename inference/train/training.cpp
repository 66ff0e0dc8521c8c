#include "inference/train/training.h"

#include "inference/device.h"
#include "inference/error.h"
#include "inference/stop.h"
#include "inference/torch_errors.h"
#include "inference/train/group.h"
#include "inference/train/learner.h"
#include "inference/train/loader.h"
#include "inference/train/optimizer.h"
#include "inference/train/products.h"
#include "inference/train/schedule.h"
#include "inference/train/training_log.h"
#include "inference/train/training_state.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace inference::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* tooLarge =
    "There is not enough memory for this training; a smaller batch, layers computed again "
    "(checkpointing), fewer tiles a picture or frozen parts may fit.";

double secondsSince(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::int64_t stepsOf(const TrainingOptions& options, std::int64_t conversations)
{
    if (options.steps > 0) {
        return options.steps;
    }
    const double perStep = double(options.batch) * options.accumulate;
    return std::max<std::int64_t>(
        1, std::int64_t(std::ceil(options.epochs * double(conversations) / perStep)));
}

/// What decides the curve, as JSON: a training goes on only where all of it is as before.
std::string settingsOf(const TrainingOptions& options, std::int64_t conversations,
                       std::int64_t steps, const std::string& dtype)
{
    return nlohmann::ordered_json{{"conversations", conversations},
                                  {"steps", steps},
                                  {"lr", options.learningRate},
                                  {"warmup", options.warmup},
                                  {"weight-decay", options.weightDecay},
                                  {"beta1", options.beta1},
                                  {"beta2", options.beta2},
                                  {"epsilon", options.epsilon},
                                  {"clip", options.longestGradient},
                                  {"batch", options.batch},
                                  {"accumulate", options.accumulate},
                                  {"max-length", options.maxLength},
                                  {"freeze-vision", options.freezeVision},
                                  {"freeze-projector", options.freezeProjector},
                                  {"freeze-language", options.freezeLanguage},
                                  {"lora-rank", options.loraRank},
                                  {"lora-alpha", options.loraAlpha},
                                  {"lora-dropout", options.loraDropout},
                                  {"lora-targets", options.loraTargets},
                                  {"checkpointing", options.recompute},
                                  {"dense", options.dense},
                                  {"dense-share", options.denseShare},
                                  {"bf16-products", options.bf16Products},
                                  {"seed", options.seed},
                                  {"dtype", dtype},
                                  {"data", options.data}}
        .dump();
}

/// A GPU computes bf16 and keeps fp32 masters; a CPU computes what the masters are.
at::ScalarType dtypeOf(const std::string& asked, at::Device device)
{
    return chooseDtype(asked == "auto" ? (device.is_cpu() ? "fp32" : "bf16") : asked, device,
                       "F32");
}

class Training {
public:
    Training(const Conversations& conversations, const TrainingOptions& options,
             const TrainingEvents& events, const std::stop_token& stop);
    TrainingResult run();

private:
    bool writes() const { return m_options.place.rank == 0; }
    bool learn(std::int64_t step);
    void save(std::int64_t step);

    TrainingOptions m_options;
    TrainingEvents m_events;
    std::stop_token m_stop;
    LoRa m_lora;
    Checkpoint m_checkpoint;
    at::Device m_device;
    at::ScalarType m_dtype;
    Learner m_learner;
    AdamW m_optimizer;
    Group m_group;
    Loader m_loader;
    std::int64_t m_conversations, m_steps, m_done = 0;
    std::string m_settings;
    std::unique_ptr<TrainingLog> m_log;
    fs::path m_saved;
};

Training::Training(const Conversations& conversations, const TrainingOptions& options,
                   const TrainingEvents& events, const std::stop_token& stop)
    : m_options(options)
    , m_events(events)
    , m_stop(stop)
    , m_lora{options.loraRank, options.loraAlpha, options.loraDropout, options.loraTargets,
             options.seed}
    , m_checkpoint(options.resume.empty() || options.loraRank > 0 ? options.model : options.resume)
    , m_device(chooseDevice(options.device))
    , m_dtype(dtypeOf(options.dtype, m_device))
    , m_learner(m_checkpoint,
                {m_device,
                 m_dtype,
                 {options.freezeVision, options.freezeProjector, options.freezeLanguage},
                 m_lora,
                 options.recompute,
                 options.dense,
                 options.denseShare,
                 options.seed},
                events.onLoading, stop)
    , m_optimizer(m_learner.parameters(),
                  {options.beta1, options.beta2, options.epsilon, options.weightDecay})
    , m_group(options.place, m_device, events.onWaiting)
    , m_loader(conversations, m_learner,
               {std::int64_t(options.batch) * options.accumulate, options.place.rank,
                options.place.size, options.seed, options.maxLength, options.skipLonger,
                std::max(1, int(std::thread::hardware_concurrency()) / 2 / options.place.size)})
    , m_conversations(conversations.size())
    , m_steps(stepsOf(options, conversations.size()))
    , m_settings(settingsOf(options, m_conversations, m_steps, dtypeName(m_dtype)))
{
    if (m_lora.rank > 0 && m_optimizer.states().empty()) {
        throw Error("No linear of the model has one of the names that --lora-targets lists.");
    }
    if (!options.resume.empty()) {
        m_done =
            loadTraining(options.resume, m_learner.parameters(), m_optimizer.states(), m_settings);
        m_saved = options.resume;
    }
    if (writes()) {
        std::error_code error;
        fs::create_directories(options.out, error);
        m_log = std::make_unique<TrainingLog>(options.out / "log.jsonl", m_done);
    }
}

/// False where it was stopped; then the weights are those of the step before.
bool Training::learn(std::int64_t step)
{
    const auto start = std::chrono::steady_clock::now();
    Loader::Step data = m_loader.step(step);
    for (const std::string& what : data.skipped) {
        if (m_events.onSkipped) {
            m_events.onSkipped(what);
        }
    }
    std::vector<std::vector<Example>> batches;
    double weight = 0, tokens = 0, targets = 0;
    for (std::size_t i = 0; i < data.items.size(); ++i) {
        if (i % std::size_t(m_options.batch) == 0) {
            batches.emplace_back();
        }
        weight += double(m_learner.weight(data.items[i]));
        for (Example& example : data.items[i]) {
            tokens += double(example.ids.size());
            targets += double(example.targets());
            batches.back().push_back(std::move(example));
        }
    }
    const std::vector<double> whole = m_group.sum({weight, tokens, targets});
    StepReport report;
    report.tokens = std::int64_t(whole[1]);
    report.targets = std::int64_t(whole[2]);
    // each process drops values of its own
    at::manual_seed(m_options.seed + std::uint64_t(step) * 0x9e3779b97f4a7c15 +
                    std::uint64_t(m_options.place.rank) * 0xd1b54a32d192ed03);
    bool stopped = false;
    for (const std::vector<Example>& batch : batches) {
        stopped = stopped || m_stop.stop_requested();
        if (stopped) {
            break;
        }
        if (m_options.place.size > 1 && m_events.onWaiting) {
            m_events.onWaiting();
        }
        const at::Tensor loss = m_learner.loss(batch) / whole[0];
        if (loss.requires_grad()) {  // not of text alone where the language is frozen
            loss.backward();
        }
        collectGradients(m_learner.parameters());
        report.loss += loss.item<double>();
    }
    const std::vector<double> found = m_group.sum({report.loss, stopped ? 1.0 : 0.0});
    if (found[1] > 0) {  // in any process
        return false;
    }
    report.loss = found[0];
    m_group.sumGradients(m_learner.parameters());
    report.gradientLength = clipGradients(m_learner.parameters(), m_options.longestGradient);
    if (!std::isfinite(report.loss) || !std::isfinite(report.gradientLength)) {
        throw Error("The loss of step " + std::to_string(step + 1) +
                    " is not a number; the learning rate is probably too high." +
                    (m_saved.empty() ? "" : " The last checkpoint is " + m_saved.string() + "."));
    }
    report.learningRate = m_options.learningRate *
        cosineWithWarmup(step, m_steps,
                         std::int64_t(std::ceil(m_options.warmup * double(m_steps))));
    m_optimizer.step(report.learningRate);
    publish(m_learner.parameters());
    report.step = step + 1;
    report.steps = m_steps;
    report.epoch =
        double((step + 1) * m_options.batch * m_options.accumulate) / double(m_conversations);
    report.seconds = secondsSince(start);
    if (m_log) {
        m_log->add(report);
    }
    if (m_events.onStep) {
        m_events.onStep(report);
    }
    return true;
}

void Training::save(std::int64_t step)
{
    const fs::path folder = m_options.out / checkpointName(step);
    if (!writes()) {
        m_saved = folder;
        return;
    }
    saveTraining(folder, m_checkpoint, m_learner.parameters(), m_optimizer.states(), m_lora, step,
                 m_settings);
    m_saved = folder;
    std::vector<fs::path> all = checkpointsIn(m_options.out);
    for (std::size_t i = 0; i + std::size_t(std::max(1, m_options.keep)) < all.size(); ++i) {
        if (all[i] != m_options.resume) {  // texts are still copied from there
            std::error_code error;
            fs::remove_all(all[i], error);
        }
    }
    if (m_events.onSaved) {
        m_events.onSaved(folder);
    }
}

TrainingResult Training::run()
{
    const std::int64_t end = m_options.until > 0 ? std::min(m_options.until, m_steps) : m_steps;
    for (; m_done < end; ++m_done) {
        if (!learn(m_done)) {
            if (m_saved.filename() != checkpointName(m_done)) {
                save(m_done);
            }
            return {true, m_done, m_steps, m_saved};
        }
        const std::int64_t step = m_done + 1;
        if (m_options.saveEvery > 0 && step % m_options.saveEvery == 0 && step < end) {
            save(step);
        }
    }
    save(m_done);
    if (!writes()) {
        return {false, m_done, m_steps, m_saved};
    }
    if (m_lora.rank > 0 && !m_options.merge) {
        writeAdapter(m_options.out, m_checkpoint, m_lora, m_learner.parameters());
    } else {
        writeModel(m_options.out, m_checkpoint, merged(m_learner.parameters(), m_lora),
                   m_options.saveDtype);
    }
    return {false, m_done, m_steps, m_saved};
}

}  // namespace

TrainingResult runTraining(const Conversations& conversations, const TrainingOptions& options,
                           const TrainingEvents& events, const std::stop_token& stop)
{
    if (conversations.size() == 0) {
        throw Error("There is no conversation to learn from.");
    }
    if (options.freezeVision && options.freezeProjector && options.freezeLanguage) {
        throw Error("Vision, projector and language are all frozen; nothing is left to train.");
    }
    const auto perStep = std::int64_t(options.batch) * options.accumulate;
    if (options.place.size > perStep) {
        throw Error("A step has " + std::to_string(perStep) + " conversations where " +
                    std::to_string(options.place.size) +
                    " processes want a share; a larger batch or more batches a step have some "
                    "for each.");
    }
    const Products products(options.bf16Products);
    return inSentences(tooLarge,
                       [&] { return Training(conversations, options, events, stop).run(); });
}

fs::path newestCheckpoint(const fs::path& out)
{
    const std::vector<fs::path> all = checkpointsIn(out);
    return all.empty() ? fs::path() : all.back();
}

}  // namespace inference::train
