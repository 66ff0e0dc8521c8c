#define USE_C10D_NCCL
#include "inference/train/group_backend.h"

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

/// libkvl_nccl.so: the group of processes on GPUs. Loaded by group.cpp after libtorch_cuda.so, in
/// which c10d's part is, never linked.

// Their version decides the layout of what is made here (CMakeLists.txt).
static_assert(NCCL_MAJOR == 2 && NCCL_MINOR == 28, "libtorch 2.11 is built with NCCL 2.28");

extern "C" __attribute__((visibility("default"))) void
kvlMakeNccl(const inference::train::StorePtr& store, int rank, int size,
            inference::train::BackendPtr& made)
{
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = inference::train::longestSum;
    made = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options));
}
