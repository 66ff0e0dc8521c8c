#pragma once

#include "inference/engine.h"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

/// The engine held against its references on this machine. No torch header.
namespace inference {

struct VerifyCheck {
    enum class State { Passed, Failed, NotRun };
    std::string group;  // what part of the engine
    std::string name;
    std::string expected, found;
    State state = State::NotRun;
    double seconds = 0;
};

struct VerifyReport {
    ModelInfo model;  // with the device and dtype that were computed in
    std::string program;
    std::vector<VerifyCheck> checks;

    int count(VerifyCheck::State state) const;
    bool passed() const { return count(VerifyCheck::State::Failed) == 0; }
    /// One line for the provenance of a report: what held, where, in which dtype.
    std::string line() const;
};

struct VerifyOptions {
    LoadOptions load;    // ignored where an engine is given
    bool quick = false;  // without the checks that need the checkpoint's weights
};

/// A check with its place among all.
using OnCheck = std::function<void(const VerifyCheck& check, int index, int total)>;

/// Called on the thread of verify().
struct VerifyProgress {
    OnCheck began;  // group and name only
    OnCheck ended;  // with what it found
};

/// Tokenizer vectors and preprocessing hashes; a fixed random checkpoint against logits and tokens
/// of PyTorch and transformers; and, on the checkpoint's own weights, prefill in parts against
/// prefill at once and a kept conversation against a cold start. `engine` is the loaded engine or
/// null: then the weights are loaded where they are needed. Takes about 10 s and the time of 120
/// decoded tokens and two pictures of one tile. Blocks. Throws Error where the checkpoint cannot be
/// read, Cancelled.
VerifyReport verify(const VerifyOptions& options, Engine* engine, const VerifyProgress& progress,
                    std::stop_token stop);

}  // namespace inference
