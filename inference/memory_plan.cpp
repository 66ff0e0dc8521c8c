#include "inference/memory_plan.h"

#include "inference/checkpoint.h"
#include "inference/config.h"
#include "inference/device.h"
#include "inference/error.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace inference {
namespace {

constexpr int leastTokens = 1000;     // a model that has no room for so many is not loaded
constexpr int goalTokens = 8192;      // what layers are placed for
constexpr int questionTokens = 1280;  // a short question and its answer, beside a picture
constexpr int seenAtOnce = 16;        // tiles on a GPU (vision.cpp)

bool isCpu(const std::string& device)
{
    return device.starts_with("cpu");
}

std::int64_t countOf(const TensorShape& tensor)
{
    return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t(1),
                           std::multiplies<>());
}

/// Parameters of each decoder layer, and behind them of all the rest.
std::vector<std::int64_t> parametersOf(const ModelConfig& config)
{
    std::vector<std::int64_t> all(std::size_t(config.language.layers) + 1);
    for (const TensorShape& tensor : expectedTensors(config)) {
        const int layer = decoderLayer(tensor.name);
        (layer < 0 ? all.back() : all.at(std::size_t(layer))) += countOf(tensor);
    }
    return all;
}

int wholeTiles(const ModelConfig& config)
{
    return config.maxTiles + (config.thumbnail && config.maxTiles > 1 ? 1 : 0);
}

std::int64_t mostWork(const ModelConfig& config, int bytes, const std::string& device)
{
    const int tiles = wholeTiles(config);
    return workBytes(config, bytes, isCpu(device), tiles,
                     tiles * config.tokensPerTile() + questionTokens);
}

/// The memory of each device of a list; several names of the CPU share it.
std::vector<DeviceMemory> memoryOf(const std::vector<std::string>& devices,
                                   const std::vector<DeviceMemory>& machine)
{
    const std::int64_t cpus = std::max<std::int64_t>(
        1,
        std::count_if(devices.begin(), devices.end(), [](const auto& one) { return isCpu(one); }));
    std::vector<DeviceMemory> all;
    for (const std::string& name : devices) {
        const std::string real = isCpu(name) ? "cpu" : name == "cuda" ? "cuda:0" : name;
        const auto found = std::find_if(machine.begin(), machine.end(),
                                        [&](const auto& one) { return one.device == real; });
        if (found == machine.end()) {
            chooseDevice(name);  // says what is wrong with the name
            throw Error("The device " + name + " does not say how much memory it has.");
        }
        const std::int64_t share = isCpu(name) ? cpus : 1;
        all.push_back({name, found->free / share, found->total / share});
    }
    return all;
}

/// Layers that each device has room for beside what it must hold.
std::vector<double> capacities(const ModelConfig& config, int bytes,
                               const std::vector<DeviceMemory>& devices)
{
    const std::vector<std::int64_t> parameters = parametersOf(config);
    const double layer = double(parameters.front() * bytes + goalTokens * kvBytes(config, bytes));
    std::vector<double> all;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const std::int64_t fixed = mostWork(config, bytes, devices[i].device) +
            reserveBytes(devices[i].device) + (i == 0 ? parameters.back() * bytes : 0);
        all.push_back(double(devices[i].free - fixed) / layer);
    }
    return all;
}

/// `layers` over the devices `from`..`to`, by room; what there is no room for stays.
int spread(int layers, const std::vector<double>& room, const std::vector<std::size_t>& open,
           std::vector<int>& counts)
{
    double all = 0;
    for (const std::size_t i : open) {
        all += std::max(0.0, room[i]);
    }
    const double part = all > layers ? layers / all : 1;
    int left = layers;
    for (const std::size_t i : open) {
        counts[i] = std::min(left, int(std::max(0.0, room[i]) * part));
        left -= counts[i];
    }
    for (const std::size_t i : open) {  // the fractions
        if (left > 0 && counts[i] + 1 <= room[i]) {
            counts[i] += 1;
            left -= 1;
        }
    }
    return left;
}

std::string missing(const DevicePlan& plan)
{
    const std::int64_t kv = plan.kvPerThousand * leastTokens / 1000;
    return byteText(plan.weights) + " for weights, " + byteText(kv) + " for " +
        std::to_string(leastTokens) + " tokens and " + byteText(plan.work) +
        " to work with where " + byteText(plan.memory.free) + " are free";
}

}  // namespace

std::int64_t MemoryPlan::weights() const
{
    std::int64_t all = 0;
    for (const DevicePlan& one : devices) {
        all += one.weights;
    }
    return all;
}

std::int64_t kvBytes(const ModelConfig& config, int elementBytes)
{
    return 2 * std::int64_t(config.language.kvHeads) * config.language.headDim * elementBytes;
}

std::int64_t workBytes(const ModelConfig& config, int elementBytes, bool onCpu, int tiles,
                       int tokens)
{
    const VisionConfig& v = config.vision;
    const LanguageConfig& l = config.language;
    const std::int64_t positions =
        std::int64_t(config.patchesPerSide()) * config.patchesPerSide() + 1;
    // pixels as bytes and as floats
    const std::int64_t pixels = std::int64_t(tiles) * config.tileSize * config.tileSize * 3 * 5;
    // a layer of the tower: what goes in, its norm, q, k, v as they come and in heads, the sums,
    // the hidden layer before and behind gelu
    const std::int64_t atOnce = onCpu ? std::min(tiles, 1) : std::min(tiles, seenAtOnce);
    const std::int64_t seeing = atOnce * positions *
        (std::int64_t(11) * v.hiddenSize + std::int64_t(2) * v.intermediateSize) * elementBytes;
    const std::int64_t seen =
        std::int64_t(tiles) * config.tokensPerTile() * l.hiddenSize * elementBytes;
    // a layer of the decoder, likewise; the feed-forward part comes in parts
    const std::int64_t rows = std::min<std::int64_t>(tokens, onCpu ? 1024 : 4096);
    const std::int64_t wide = std::int64_t(l.heads + 2 * l.kvHeads) * l.headDim;
    const std::int64_t reading =
        std::int64_t(tokens) * (6 * std::int64_t(l.hiddenSize) + 3 * wide) * elementBytes +
        rows * 3 * l.intermediateSize * elementBytes + std::int64_t(l.vocabulary) * 8;
    return pixels + seen + std::max(seeing, reading);
}

std::int64_t reserveBytes(const std::string& device)
{
    return isCpu(device) ? 64 << 20 : 768 << 20;  // a CUDA context with cuBLAS is about 600 MB
}

DeviceMap chooseMap(const ModelConfig& config, int elementBytes,
                    const std::vector<AskedDevice>& asked, const std::vector<DeviceMemory>& machine)
{
    const int layers = config.language.layers;
    std::vector<std::string> names;
    std::vector<int> counts;
    const bool isAuto = asked.front().name == "auto";
    if (isAuto) {
        for (const DeviceMemory& one : machine) {
            names.push_back(one.device);
        }
        const std::vector<double> room = [&] {
            std::vector<double> alone;
            alone.reserve(machine.size());
            for (const DeviceMemory& one : machine) {
                alone.push_back(capacities(config, elementBytes, {one}).front());
            }
            return alone;
        }();
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names.size() == 1 || (!isCpu(names[i]) && room[i] >= layers)) {
                return mapOf({names[i]}, {layers});  // one device needs no borders
            }
        }
        if (room.front() < 1) {
            return mapOf({"cpu"}, {layers});  // not even the tower and a layer fit the GPU
        }
        counts.assign(names.size(), -1);
    } else {
        for (const AskedDevice& one : asked) {
            names.push_back(one.name == "cuda" ? "cuda:0" : one.name);
            counts.push_back(one.layers);
        }
    }

    const std::vector<DeviceMemory> memory = memoryOf(names, machine);
    const std::vector<double> room = capacities(config, elementBytes, memory);
    int left = layers;
    std::vector<std::size_t> gpus, cpus;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (counts[i] >= 0) {
            left -= counts[i];
        } else {
            (isCpu(names[i]) ? cpus : gpus).push_back(i);
        }
    }
    const bool allGiven = gpus.empty() && cpus.empty();
    if (left < 0 || (allGiven && left > 0)) {
        throw Error("The devices have " + std::to_string(layers - left) +
                    " layers where the model has " + std::to_string(layers) +
                    "; leave one number out, and that device takes the rest.");
    }
    left = spread(left, room, gpus, counts);
    left = spread(left, room, cpus, counts);
    if (left > 0) {  // fits nowhere; the plan says so
        counts[cpus.empty() ? gpus.back() : cpus.back()] += left;
    }
    DeviceMap map = mapOf(names, counts);
    if (isAuto) {  // devices behind the first that got nothing
        std::vector<std::string> used{names.front()};
        std::vector<int> of{counts.front()};
        for (std::size_t i = 1; i < names.size(); ++i) {
            if (counts[i] > 0) {
                used.push_back(names[i]);
                of.push_back(counts[i]);
            }
        }
        map = mapOf(used, of);
    }
    return map;
}

MemoryPlan planMemory(const ModelConfig& config, Elements elements, const DeviceMap& map,
                      const std::vector<DeviceMemory>& machine)
{
    MemoryPlan plan;
    plan.map = map;
    plan.dtype = elements.bytes == 2 ? "bf16" : "fp32";
    const std::vector<std::int64_t> parameters = parametersOf(config);
    const std::vector<DeviceMemory> memory = memoryOf(map.devices, machine);
    const std::int64_t kv = kvBytes(config, elements.bytes);
    const int context = config.language.contextLength();
    plan.contextFits = context;
    plan.layerWeights = parameters.front() * elements.bytes;
    const DevicePlan* full = nullptr;
    for (std::size_t i = 0; i < memory.size(); ++i) {
        DevicePlan one;
        one.memory = memory[i];
        one.layers = map.count(int(i));
        one.weights =
            (one.layers * parameters.front() + (i == 0 ? parameters.back() : 0)) * elements.bytes;
        one.kvPerThousand = 1000 * kv * one.layers;
        one.kvFull = context * kv * one.layers;
        one.work = mostWork(config, elements.bytes, memory[i].device);
        const std::int64_t room =
            memory[i].free - reserveBytes(memory[i].device) - one.weights - one.work;
        one.contextFits = one.layers == 0
            ? (room >= 0 ? context : 0)
            : int(std::clamp<std::int64_t>(room / (kv * one.layers), 0, context));
        plan.contextFits = std::min(plan.contextFits, one.contextFits);
        plan.mapped = plan.mapped || (isCpu(memory[i].device) && elements.storedAlike);
        plan.devices.push_back(one);
    }
    plan.tilesFit = std::clamp((plan.contextFits - questionTokens) / config.tokensPerTile(), 0,
                               wholeTiles(config));
    for (const DevicePlan& one : plan.devices) {
        if (!full && one.contextFits < std::min(leastTokens, context)) {
            full = &one;
        }
    }
    if (full) {
        plan.problem = "The model does not fit: in " + plan.dtype + " it needs on " +
            full->memory.device + " " + missing(*full);
        const auto inHalf = [&] { return planMemory(config, {2, false}, map, machine).fits(); };
        if (elements.bytes == 4 && inHalf()) {
            plan.problem += "; in bf16 it fits.";
        } else if (!isCpu(full->memory.device)) {
            plan.problem += "; the device auto puts what does not fit on other devices.";
        } else if (plan.mapped) {
            plan.problem +=
                "; a smaller model or more memory is needed, or patience: --beyond-memory "
                "reads the weights from the disk again for each token.";
        } else {
            plan.problem += "; a smaller model or more memory is needed.";
        }
    }
    return plan;
}

std::string movedToCpu(const MemoryPlan& plan, const std::string& full, std::int64_t bytes,
                       const std::vector<DeviceMemory>& machine)
{
    const std::int64_t moved = (bytes + plan.layerWeights - 1) / plan.layerWeights;
    const auto cpu = std::find_if(machine.begin(), machine.end(),
                                  [](const DeviceMemory& one) { return isCpu(one.device); });
    std::string map;
    for (const DevicePlan& one : plan.devices) {
        const std::string& name = one.memory.device;
        if (isCpu(name)) {
            continue;
        }
        const std::int64_t left = one.layers - (name == full ? moved : 0);
        if (left < 1) {
            return {};
        }
        map += name + "=" + std::to_string(left) + ",";
    }
    const bool room =
        cpu != machine.end() && moved * plan.layerWeights + reserveBytes(cpu->device) <= cpu->free;
    return isCpu(full) || !room ? "" : map + "cpu";
}

MemoryPlan planMemory(const LoadOptions& options)
{
    const Checkpoint checkpoint(options.checkpoint);
    return planMemory(checkpoint, options);
}

MemoryPlan planMemory(const Checkpoint& checkpoint, const LoadOptions& options)
{
    std::vector<DeviceMemory> machine = usableDevices();
    if (options.memoryLimit > 0) {
        for (DeviceMemory& one : machine) {
            one.total = std::min(one.total, options.memoryLimit);
            one.free = std::min(one.free, options.memoryLimit);
        }
    }
    const std::vector<AskedDevice> asked = parseDevices(options.device);
    const std::string& stored = checkpoint.info().storedDtype;
    const auto planOn = [&](at::Device first, const std::vector<AskedDevice>& devices) {
        const at::ScalarType dtype = chooseDtype(options.dtype, first, stored);
        const Elements elements{dtype == at::kBFloat16 ? 2 : 4,
                                stored == (dtype == at::kBFloat16 ? "BF16" : "F32")};
        const DeviceMap map = chooseMap(checkpoint.config(), elements.bytes, devices, machine);
        return planMemory(checkpoint.config(), elements, map, machine);
    };
    const std::string& name = asked.front().name;
    const at::Device first = isCpu(name) ? at::Device(at::kCPU) : chooseDevice(name);
    MemoryPlan plan = planOn(first, asked);
    if (name == "auto" && first.is_cuda() && plan.map.devices.front() == "cpu") {
        return planOn(at::kCPU, {{"cpu"}});  // the GPU is too small: in the CPU's own dtype
    }
    return plan;
}

}  // namespace inference
