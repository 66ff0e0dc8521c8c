#pragma once

#include "inference/device_map.h"

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace inference {

namespace cuda {
struct Kernels;
}

/// Loads the CUDA half of libtorch and our kernels where this machine has a driver and the
/// libraries; once, later calls do nothing. Must come before any other question about CUDA, since
/// libtorch remembers the first answer.
void loadCuda();

/// Our kernels, or null where they are not loaded.
const cuda::Kernels* cudaKernels();

/// A library of ours that nothing links: beside the program, in the build's lib/, where the package
/// puts it or beside libtorch. Null where it is not there or does not load.
void* loadOwnLibrary(const char* name);

/// CUDA devices that are usable here.
int gpuCount();

/// "auto", "cpu", "cuda" or "cuda:N". Throws Error where there is no such device.
at::Device chooseDevice(const std::string& asked);

/// Where the parts of a model are.
struct Placement {
    Placement(at::Device everything)  // NOLINT: one device is a placement
        : first(everything)
    {
    }
    Placement(at::DeviceType everything)  // NOLINT
        : first(everything)
    {
    }
    /// Throws Error where a device is not there.
    explicit Placement(const DeviceMap& map);

    /// Of decoder layer `index`; of everything else where it is -1.
    at::Device of(int index) const
    {
        return index < 0 || layers.empty() ? first : layers[std::size_t(index)];
    }
    /// Whether what layer `index` reads comes from another device than the one before it left it
    /// on.
    bool bordersBefore(int index) const;

    at::Device first;
    std::vector<at::Device> layers;  // empty: all on the first
    std::vector<int> groups;         // index into the map's devices, which may be one device
};

/// "auto", "bf16" or "fp32". `auto` is bf16 on a GPU; on a CPU the dtype as stored where the CPU
/// computes bf16 (libtorch is about five times slower in it elsewhere), fp32 otherwise. Throws
/// Error.
at::ScalarType chooseDtype(const std::string& asked, at::Device device,
                           const std::string& storedDtype);

/// AVX512-BF16; every CPU with AMX has it too.
bool cpuComputesBf16();

/// "fp32" or "bf16".
std::string dtypeName(at::ScalarType type);

}  // namespace inference
