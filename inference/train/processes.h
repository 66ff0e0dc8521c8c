#pragma once

#include "inference/train/training.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace inference::train {

/// The other processes of a training: copies of this program, started with words of a command line
/// and their place in the environment. They have no standard input and output, what they write to
/// standard error is kept, and they end when this process does. One thread.
class Processes {
public:
    /// Starts `size` - 1. `words` has the program's name first. Throws Error.
    Processes(int size, const std::vector<std::string>& words);
    /// Ends those that still run.
    ~Processes();
    Processes(const Processes&) = delete;
    Processes& operator=(const Processes&) = delete;

    /// Of this process.
    const GroupPlace& place() const;
    /// Where one has ended otherwise than in good order, ends all and throws Error that says which
    /// and why. For TrainingEvents::onWaiting.
    void check();
    /// Whole lines they have written to standard error since the last call.
    std::vector<std::string> takeLines();
    /// Gives them some seconds to end by themselves.
    void finish();

private:
    struct Child;
    void end();

    GroupPlace m_place;
    std::vector<std::unique_ptr<Child>> m_children;
};

/// The place that the process which started this one has put into the environment; absent where
/// none did. Throws Error where it makes no sense.
std::optional<GroupPlace> inheritedPlace();

}  // namespace inference::train
