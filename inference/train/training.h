#pragma once

#include "inference/engine.h"
#include "inference/train/conversations.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

/// Supervised fine-tuning as the rest of the program sees it: no torch header.
namespace inference::train {

/// Several processes can train one model together: each computes its share of every step's
/// conversations, and what they find is summed.
struct GroupPlace {
    int rank = 0, size = 1;            // the first, 0, writes log, checkpoints and result
    std::filesystem::path rendezvous;  // a new file's name where all of them can write
};

struct TrainingOptions {
    std::filesystem::path model;   // a checkpoint to begin with
    std::filesystem::path out;     // folder of the result; checkpoints of the way are in it
    std::filesystem::path resume;  // a checkpoint of the way to go on from; empty: from the start

    double epochs = 1;
    std::int64_t steps = 0;  // 0: as many as the epochs need
    std::int64_t until = 0;  // not 0: ends after this step of the schedule, with the model of then
    double learningRate = 1e-5;
    double warmup = 0.05;  // share of the steps
    double weightDecay = 0.1, beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
    double longestGradient = 1;  // 0: not clipped
    int batch = 1;               // conversations computed at once, packed without padding
    int accumulate = 1;          // batches a step
    int maxLength = 16384;       // tokens of a conversation
    bool skipLonger = false;     // leaves longer ones out instead of stopping
    bool freezeVision = false, freezeProjector = false, freezeLanguage = false;
    int loraRank = 0;  // 0: all weights are trained
    double loraAlpha = 32, loraDropout = 0.05;
    std::vector<std::string> loraTargets = {"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                            "gate_proj", "up_proj", "down_proj"};
    bool merge = false;      // write the model with the low-rank parts in it, not an adapter
    bool recompute = false;  // gradient checkpointing
    bool dense = false;      // warm-up of tower and projector: what lies where, without words
    double denseShare = 0;   // beside words: its loss a picture is added with this factor
    std::uint64_t seed = 0;
    std::string saveDtype;       // of the result: "bf16", "fp32"; empty: as the model was stored
    std::int64_t saveEvery = 0;  // steps; 0: only at the end
    int keep = 2;                // checkpoints of the way
    std::string device = "auto", dtype = "auto";  // fp32 on a CPU, bf16 with fp32 masters on a GPU
    /// float32 matrix products round their factors to bf16, as bf16 training does, and sum in
    /// float32; all else stays float32. Twice as quick on a CPU with AVX-512 BF16 or AMX.
    bool bf16Products = false;
    /// What decides the conversations beside their number, by the names of options; a training goes
    /// on only with the same.
    std::map<std::string, std::string> data;
    GroupPlace place;  // decides no curve: a training goes on with any number of processes
};

/// One step, in order; the log has a line for each.
struct StepReport {
    std::int64_t step = 0, steps = 0;  // done, in all
    double epoch = 0;                  // done
    double loss = 0;                   // cross-entropy a target, in nats, mean over the step
    double gradientLength = 0;         // before clipping
    double learningRate = 0;
    std::int64_t tokens = 0, targets = 0;
    double seconds = 0;  // of the step
};

struct TrainingEvents {
    OnProgress onLoading;  // bytes of weights
    std::function<void(const StepReport&)> onStep;
    std::function<void(const std::filesystem::path&)> onSaved;
    std::function<void(const std::string& what)> onSkipped;  // a sentence; of the own share
    /// Where there are other processes: often while they are waited for, and before each batch.
    /// Throws Error where the training has to end.
    std::function<void()> onWaiting;
};

struct TrainingResult {
    bool stopped = false;
    std::int64_t step = 0, steps = 0;
    std::filesystem::path resume;  // where a stopped training goes on from
};

/// Trains, writes `out`/log.jsonl and checkpoints, and at the end the model to `out` itself, in the
/// published layout. A stop request ends it within a batch, with a checkpoint of the last step. A
/// resumed training follows the very curve of one that was never stopped. Of several processes all
/// call it, with the same data and options but for `place` and `device`; a stop request to one of
/// them stops all. Throws Error, OutOfMemory.
TrainingResult runTraining(const Conversations& conversations, const TrainingOptions& options,
                           const TrainingEvents& events, const std::stop_token& stop);

/// The devices in a list with commas; "auto" is all GPUs, or the CPU where there is none. Throws
/// Error where one is not there.
std::vector<std::string> trainingDevices(const std::string& asked);
/// Throws Error where this build has nothing by which several processes could sum what they find
/// on such a device.
void requireGroup(const std::string& device);

/// The newest checkpoint of the way in `out`, empty where there is none.
std::filesystem::path newestCheckpoint(const std::filesystem::path& out);

}  // namespace inference::train
