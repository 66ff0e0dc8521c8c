#include "inference/device.h"

#include "inference/cuda/kernels.h"
#include "inference/error.h"
#include "inference/memory.h"
#include "inference/memory_plan.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/CachingDeviceAllocator.h>

#include <charconv>
#include <dlfcn.h>
#include <filesystem>
#include <mutex>

namespace inference {
namespace {

namespace fs = std::filesystem;

const cuda::Kernels* kernels = nullptr;

fs::path folderOfTorch()
{
    Dl_info info{};
    if (dladdr(reinterpret_cast<void*>(&at::get_num_threads), &info) == 0 || !info.dli_fname) {
        return {};
    }
    return fs::path(info.dli_fname).parent_path();
}

void loadKernels()
{
    void* const library = loadOwnLibrary("libkvl_cuda.so");
    void* const symbol = library ? dlsym(library, cuda::kernelsSymbol) : nullptr;
    if (symbol) {
        const cuda::Kernels* const found = reinterpret_cast<const cuda::Kernels* (*)()>(symbol)();
        if (found && found->version == cuda::kernelsVersion) {
            kernels = found;
        }
    }
}

}  // namespace

void* loadOwnLibrary(const char* name)
{
    std::error_code error;
    const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
    for (const fs::path& folder :
         {bin, bin / "../lib", bin / "../lib/kvl-workbench", folderOfTorch()}) {
        const fs::path path = folder / name;
        if (fs::exists(path, error)) {
            if (void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
                return library;
            }
        }
    }
    return nullptr;
}

int gpuCount()
{
    loadCuda();
    return at::hasCUDA() ? int(at::detail::getCUDAHooks().deviceCount()) : 0;
}

void loadCuda()
{
    static std::once_flag once;
    std::call_once(once, [] {
        if (!dlopen("libcuda.so.1", RTLD_LAZY | RTLD_GLOBAL)) {
            return;
        }
        if (!dlopen((folderOfTorch() / "libtorch_cuda.so").c_str(), RTLD_NOW | RTLD_GLOBAL)) {
            return;  // the CUDA companions of the wheel are not installed
        }
        loadKernels();
    });
}

const cuda::Kernels* cudaKernels()
{
    return kernels;
}

at::Device chooseDevice(const std::string& asked)
{
    if (asked == "cpu") {
        return at::kCPU;
    }
    const int count = gpuCount();
    if (asked == "auto") {
        return count > 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
    }
    int index = 0;
    bool known = asked == "cuda";
    if (asked.starts_with("cuda:")) {
        const char* const end = asked.data() + asked.size();
        const auto [stop, status] = std::from_chars(asked.data() + 5, end, index);
        known = status == std::errc() && stop == end && index >= 0;
    }
    if (!known) {
        throw Error("The device \"" + asked + "\" is not known; auto, cpu or cuda:N is expected.");
    }
    if (index >= count) {
        throw Error("The device " + asked + " is not there, " + std::to_string(count) +
                    " CUDA devices are usable; without any, the driver or libtorch's CUDA "
                    "libraries are missing.");
    }
    return {at::kCUDA, at::DeviceIndex(index)};
}

Placement::Placement(const DeviceMap& map)
    : first(at::kCPU)
{
    std::vector<at::Device> devices;
    for (const std::string& name : map.devices) {
        devices.push_back(name.starts_with("cpu") ? at::Device(at::kCPU) : chooseDevice(name));
    }
    first = devices.front();
    groups = map.layers;
    for (const int group : groups) {
        layers.push_back(devices.at(std::size_t(group)));
    }
}

bool Placement::bordersBefore(int index) const
{
    const auto group = [&](int layer) { return layer < 0 ? 0 : groups[std::size_t(layer)]; };
    return !groups.empty() && group(index) != group(index - 1);
}

std::vector<DeviceMemory> usableDevices()
{
    std::vector<DeviceMemory> all;
    for (int i = 0; i < gpuCount(); ++i) {
        at::globalContext().lazyInitDevice(at::kCUDA);
        auto* const allocator = at::getDeviceAllocator(at::kCUDA);
        const auto [free, total] = allocator->getMemoryInfo(at::DeviceIndex(i));
        // what libtorch holds and does not use is free for us
        const auto stats = allocator->getDeviceStats(at::DeviceIndex(i));
        const std::int64_t idle =
            stats.reserved_bytes[0].current - stats.allocated_bytes[0].current;
        all.push_back(
            {"cuda:" + std::to_string(i), std::int64_t(free) + idle, std::int64_t(total)});
    }
    all.push_back(mainMemory());
    return all;
}

at::ScalarType chooseDtype(const std::string& asked, at::Device device,
                           const std::string& storedDtype)
{
    if (asked == "bf16") {
        return at::kBFloat16;
    }
    if (asked == "fp32") {
        return at::kFloat;
    }
    if (asked != "auto") {
        throw Error("The dtype \"" + asked + "\" is not known; auto, bf16 or fp32 is expected.");
    }
    if (device.is_cuda()) {
        return at::kBFloat16;
    }
    return storedDtype == "BF16" && cpuComputesBf16() ? at::kBFloat16 : at::kFloat;
}

bool cpuComputesBf16()
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

std::string dtypeName(at::ScalarType type)
{
    return type == at::kBFloat16 ? "bf16" : "fp32";
}

}  // namespace inference
