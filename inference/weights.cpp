#include "inference/weights.h"

#include "inference/error.h"
#include "inference/stop.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <span>
#include <sys/mman.h>

namespace inference {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t partBytes = 32 << 20;  // read between two looks at the stop token
constexpr std::uintptr_t pageBytes = 4096;

/// The pages that hold `bytes`, all of them or those that hold nothing else.
struct Pages {
    Pages(Bytes bytes, bool whole)
    {
        const auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
        const std::uintptr_t last = first + bytes.size();
        const std::uintptr_t start = (first + (whole ? pageBytes - 1 : 0)) / pageBytes * pageBytes;
        const std::uintptr_t end = (last + (whole ? 0 : pageBytes - 1)) / pageBytes * pageBytes;
        address = reinterpret_cast<void*>(start);
        size = end > start ? end - start : 0;
    }
    void* address = nullptr;
    std::size_t size = 0;
};

/// Asks the disk for mapped bytes, without waiting.
void ask(Bytes bytes)
{
    const Pages pages(bytes, false);
    madvise(pages.address, pages.size, MADV_WILLNEED);
}

/// Brings mapped bytes to memory, so that the first question does not wait for the disk.
void populate(Bytes bytes)
{
#ifdef MADV_POPULATE_READ
    const Pages pages(bytes, false);
    madvise(pages.address, pages.size, MADV_POPULATE_READ);  // fails on older kernels, harmlessly
#endif
}

/// Gives mapped bytes back: they count no longer as this program's memory. Reading them again
/// brings them again.
void release(Bytes bytes)
{
    const Pages pages(bytes, true);
    if (pages.size > 0) {
        madvise(pages.address, pages.size, MADV_DONTNEED);
    }
}

}  // namespace

Weights::Weights(const Checkpoint& checkpoint, Placement placement, at::ScalarType dtype,
                 OnProgress onProgress, std::stop_token stop)
    : m_checkpoint(checkpoint)
    , m_placement(std::move(placement))
    , m_dtype(dtype)
    , m_onProgress(std::move(onProgress))
    , m_stop(std::move(stop))
{
}

at::TensorOptions Weights::options() const
{
    return at::TensorOptions(m_dtype).device(m_placement.first);
}

at::Tensor Weights::tensor(const std::string& name)
{
    const std::vector<std::string> names = m_checkpoint.names(name);
    const at::Device device = m_placement.of(decoderLayer(name));
    if (names.size() == 1) {
        return read(names.front(), device, {});
    }
    at::Tensor whole;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto index = std::int64_t(i), count = std::int64_t(names.size());
        if (i == 0) {
            std::vector<std::int64_t> shape = m_checkpoint.tensor(names[i]).sizes().vec();
            shape.front() *= count;
            whole = at::empty(shape, options().device(device));
        }
        const std::int64_t rows = whole.size(0) / count;
        read(names[i], device, whole.narrow(0, index * rows, rows));
    }
    return whole;
}

at::Tensor Weights::read(const std::string& storedName, at::Device device, at::Tensor result)
{
    const at::Tensor stored = m_checkpoint.tensor(storedName);
    const bool asStored = !result.defined() && device.is_cpu() && stored.scalar_type() == m_dtype;
    if (!result.defined()) {
        result = asStored ? stored : at::empty(stored.sizes(), options().device(device));
    }
    const Bytes bytes = m_checkpoint.bytes(storedName);
    const std::size_t element = stored.element_size();
    const auto partAt = [&](std::size_t at) {
        return bytes.subspan(std::min(at, bytes.size()))
            .first(std::min(partBytes, bytes.size() - std::min(at, bytes.size())));
    };
    ask(partAt(0));
    for (std::size_t at = 0; at < bytes.size(); at += partBytes) {
        throwIfStopped(m_stop);
        const Bytes part = partAt(at);
        ask(partAt(at + partBytes));
        populate(part);
        if (!asStored) {
            const auto first = std::int64_t(at / element), n = std::int64_t(part.size() / element);
            result.view(-1).narrow(0, first, n).copy_(stored.view(-1).narrow(0, first, n));
            release(part);
        }
        m_done += std::int64_t(part.size());
        if (m_onProgress) {
            m_onProgress(m_done, m_checkpoint.info().weightBytes);
        }
    }
    return result;
}

std::unique_ptr<Linear> Weights::linear(const std::string& name, bool bias)
{
    at::Tensor weight = tensor(name + ".weight");
    std::unique_ptr<Linear> base = quantizations().front().makeLinear(
        std::move(weight), bias ? tensor(name + ".bias") : at::Tensor());
    if (!m_adapter || !m_adapter->changes(name)) {
        return base;
    }
    LowRank part = m_adapter->part(name, base->in(), base->out());
    part.down = part.down.to(m_placement.of(decoderLayer(name)), m_dtype);
    part.up = part.up.to(m_placement.of(decoderLayer(name)), m_dtype);
    m_adapted.insert(name);
    return addLowRank(std::move(base), std::move(part));
}

void Weights::checkAdapted() const
{
    for (const std::string& name : m_adapter ? m_adapter->linears() : std::vector<std::string>()) {
        if (!m_adapted.contains(name)) {
            throw Error(m_adapter->folder().string() + " changes " + name +
                        ", which is no linear of the model in " +
                        m_checkpoint.info().folder.string() +
                        "; the adapter was trained on another model.");
        }
    }
}

}  // namespace inference
