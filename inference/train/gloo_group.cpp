#define USE_C10D_GLOO
#include "inference/train/group_backend.h"

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

// Gloo itself is in libtorch_cpu.so; the wheel has no headers of it. Those of Debian's libgloo-dev,
// of 2022, do: what is used here holds Gloo's objects by shared_ptr alone, so nothing of their
// insides is compiled into this file, and Debian's libgloo is not linked. The test of the group
// would crash otherwise.
namespace inference::train {

BackendPtr makeGloo(const StorePtr& store, int rank, int size)
{
    auto options = c10d::ProcessGroupGloo::Options::create(std::chrono::minutes(2));  // to connect
    options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, std::move(options));
    group->setTimeout(longestSum);
    return group;
}

}  // namespace inference::train
