#include "inference/weights.h"

#include "inference/stop.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <sys/mman.h>

namespace inference {
namespace {

constexpr std::int64_t partBytes = 64 << 20;  // read between two looks at the stop token
constexpr std::uintptr_t pageBytes = 4096;

/// Brings mapped bytes to memory, so that the first question does not wait for the disk.
void readAhead(const void* bytes, std::int64_t size)
{
    const auto start = reinterpret_cast<std::uintptr_t>(bytes) / pageBytes * pageBytes;
    const auto end = reinterpret_cast<std::uintptr_t>(bytes) + std::uintptr_t(size);
    void* const page = reinterpret_cast<void*>(start);
#ifdef MADV_POPULATE_READ
    if (madvise(page, end - start, MADV_POPULATE_READ) == 0) {
        return;
    }
#endif
    madvise(page, end - start, MADV_WILLNEED);  // older kernels: at least begin to read
}

}  // namespace

Weights::Weights(const Checkpoint& checkpoint, at::Device device, at::ScalarType dtype,
                 OnProgress onProgress, std::stop_token stop)
    : m_checkpoint(checkpoint)
    , m_device(device)
    , m_dtype(dtype)
    , m_onProgress(std::move(onProgress))
    , m_stop(std::move(stop))
{
}

at::TensorOptions Weights::options() const
{
    return at::TensorOptions(m_dtype).device(m_device);
}

at::Tensor Weights::tensor(const std::string& name)
{
    const at::Tensor stored = m_checkpoint.tensor(name);
    const auto size = std::int64_t(m_checkpoint.bytes(name));
    const auto* bytes = static_cast<const std::byte*>(stored.const_data_ptr());
    for (std::int64_t at = 0; at < size; at += partBytes) {
        throwIfStopped(m_stop);
        const std::int64_t part = std::min(partBytes, size - at);
        readAhead(bytes + at, part);
        m_done += part;
        if (m_onProgress) {
            m_onProgress(m_done, m_checkpoint.info().weightBytes);
        }
    }
    return stored.to(m_device, m_dtype);
}

std::unique_ptr<Linear> Weights::linear(const std::string& name, bool bias)
{
    at::Tensor weight = tensor(name + ".weight");
    return quantizations().front().makeLinear(std::move(weight),
                                              bias ? tensor(name + ".bias") : at::Tensor());
}

}  // namespace inference
