#pragma once

#include "inference/train/parameters.h"
#include "inference/train/training.h"

#include <functional>
#include <memory>
#include <vector>

namespace inference::train {

/// The processes that train together, over c10d: Gloo on CPUs, NCCL on GPUs. All of them ask for
/// the same sums in the same order, and all get the same bytes. Where a process trains alone, a sum
/// is what it was.
class Group {
public:
    /// Waits for the others. `onWaiting` is called often wherever that is done. Throws Error, and
    /// what `onWaiting` throws.
    Group(const GroupPlace& place, at::Device device, std::function<void()> onWaiting);
    ~Group();
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    /// Each number over all processes.
    std::vector<double> sum(const std::vector<double>& values);
    /// The gradients over all processes; one that only some have counts as zero in the others.
    void sumGradients(std::vector<Parameter>& parameters);

private:
    struct Backend;  // c10d's, whose headers stay in one file

    void sum(at::Tensor values);

    at::Device m_device;
    std::function<void()> m_onWaiting;
    int m_threads;  // libtorch's, before they were shared out
    std::unique_ptr<Backend> m_backend;
};

}  // namespace inference::train
