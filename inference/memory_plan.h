#pragma once

#include "inference/device_map.h"
#include "inference/engine.h"
#include "inference/memory.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inference {

class Checkpoint;
struct ModelConfig;

/// Bytes that a model takes on one device.
struct DevicePlan {
    DeviceMemory memory;
    int layers = 0;                  // of the decoder
    std::int64_t weights = 0;        // in the computing dtype
    std::int64_t kvPerThousand = 0;  // keys and values of 1,000 tokens
    std::int64_t kvFull = 0;         // of the whole context
    std::int64_t work = 0;           // at most, while a picture of most tiles is seen and read
    int contextFits = 0;             // tokens that there is room for
};

/// What a model would take, before anything is loaded.
struct MemoryPlan {
    DeviceMap map;
    std::string dtype;  // "bf16", "fp32"
    std::vector<DevicePlan> devices;
    std::int64_t layerWeights = 0;  // of one decoder layer
    bool mapped = false;  // on a CPU in the stored dtype: weights may be read again and again
    int contextFits = 0;  // tokens, over all devices
    int tilesFit = 0;     // of one picture, thumbnail included, beside a short question
    std::string problem;  // a sentence that ends in what would fit; empty where it fits

    bool fits() const { return problem.empty(); }
    std::int64_t weights() const;
};

/// For the devices and memory of this machine. Reads config and headers only. Throws Error.
MemoryPlan planMemory(const LoadOptions& options);
MemoryPlan planMemory(const Checkpoint& checkpoint, const LoadOptions& options);

/// The plan's devices with so many decoder layers fewer on `full`, a GPU, as gives `bytes` back,
/// and these on the CPU; as LoadOptions::device says it: "cuda:0=22,cpu". Empty where there is no
/// such map: `full` has too few layers or the CPU of `machine` too little room.
std::string movedToCpu(const MemoryPlan& plan, const std::string& full, std::int64_t bytes,
                       const std::vector<DeviceMemory>& machine);

/// This machine's devices with their memory, GPUs first, the CPU last.
std::vector<DeviceMemory> usableDevices();

// What the above is made of; tests call it with machines that are not there.

struct Elements {
    int bytes = 4;            // of the computing dtype
    bool storedAlike = true;  // as in the files
};

/// `asked` as in LoadOptions::device. GPUs before CPUs: these take what does not fit the others.
/// Throws Error where a device is not among `machine`.
DeviceMap chooseMap(const ModelConfig& config, int elementBytes,
                    const std::vector<AskedDevice>& asked,
                    const std::vector<DeviceMemory>& machine);

MemoryPlan planMemory(const ModelConfig& config, Elements elements, const DeviceMap& map,
                      const std::vector<DeviceMemory>& machine);

/// Bytes of keys and values of one token in one layer.
std::int64_t kvBytes(const ModelConfig& config, int elementBytes);

/// The most that is held beside weights, keys and values while `tiles` are seen at a time on the
/// first device and a prompt of `tokens` is read.
std::int64_t workBytes(const ModelConfig& config, int elementBytes, bool onCpu, int tiles,
                       int tokens);

/// Kept free: for the libraries' own needs and for memory in pieces.
std::int64_t reserveBytes(const std::string& device);

}  // namespace inference
