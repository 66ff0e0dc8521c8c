#include "inference/train/group.h"

#include "inference/device.h"
#include "inference/error.h"
#include "inference/train/group_backend.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/distributed/c10d/FileStore.hpp>

#include <algorithm>
#include <chrono>
#include <dlfcn.h>
#include <thread>

namespace inference::train {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t valuesAtOnce = 25 << 18;  // of the gradients: 25 MB

MakeNccl findNccl()
{
    loadCuda();
    void* const library = loadOwnLibrary("libkvl_nccl.so");
    return reinterpret_cast<MakeNccl>(library ? dlsym(library, makeNcclSymbol) : nullptr);
}

BackendPtr makeBackend(at::Device device, const StorePtr& store, const GroupPlace& place)
{
    BackendPtr made;
    if (device.is_cuda()) {
        if (const MakeNccl makeNccl = findNccl()) {
            makeNccl(store, place.rank, place.size, made);
        }
    } else {
#ifdef KVL_GLOO
        made = makeGloo(store, place.rank, place.size);
#endif
    }
    return made;
}

/// Until all have come; only then are they connected, which cannot be broken off.
void meet(c10d::Store& store, const GroupPlace& place, const std::function<void()>& onWaiting)
{
    std::vector<std::string> all(std::size_t(place.size));
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
        all[rank] = "here/" + std::to_string(rank);
    }
    store.set(all.at(std::size_t(place.rank)), std::vector<std::uint8_t>{1});
    while (!store.check(all)) {
        onWaiting();
        std::this_thread::sleep_for(20ms);
    }
}

}  // namespace

struct Group::Backend {
    BackendPtr group;
};

Group::Group(const GroupPlace& place, at::Device device, std::function<void()> onWaiting)
    : m_device(device)
    , m_onWaiting(onWaiting ? std::move(onWaiting) : [] {})
    , m_threads(at::get_num_threads())
{
    if (place.size == 1) {
        return;
    }
    const StorePtr store =
        c10::make_intrusive<c10d::FileStore>(place.rendezvous.string(), place.size);
    meet(*store, place, m_onWaiting);
    m_backend = std::make_unique<Backend>(Backend{makeBackend(device, store, place)});
    if (device.is_cpu()) {
        at::set_num_threads(std::max(1, m_threads / place.size));
    }
}

Group::~Group()
{
    if (m_backend && m_device.is_cpu()) {
        at::set_num_threads(m_threads);
    }
}

/// In place; `values` are contiguous and on the group's device.
void Group::sum(at::Tensor values)
{
    try {
        std::vector<at::Tensor> list{std::move(values)};
        c10d::AllreduceOptions options;
        options.timeout = longestSum;
        const auto work = m_backend->group->allreduce(list, options);
        while (!work->isCompleted()) {
            m_onWaiting();
            std::this_thread::sleep_for(100us);
        }
        work->wait();
    } catch (const Error&) {
        m_backend->group->abort();
        throw;
    } catch (const std::exception& error) {
        // a process that ended takes its connections along; onWaiting soon knows more of it
        for (const auto end = std::chrono::steady_clock::now() + 5s;
             std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(20ms)) {
            m_onWaiting();
        }
        const std::string what = error.what();
        throw Error("The connection between the processes that train together broke: " +
                    what.substr(0, what.find('\n')));
    }
}

std::vector<double> Group::sum(const std::vector<double>& values)
{
    if (!m_backend) {
        return values;
    }
    const at::Tensor all = at::tensor(values, at::kDouble).to(m_device);
    sum(all);
    const at::Tensor here = all.cpu();
    return {here.const_data_ptr<double>(), here.const_data_ptr<double>() + values.size()};
}

void Group::sumGradients(std::vector<Parameter>& parameters)
{
    if (!m_backend) {
        return;
    }
    const at::NoGradGuard noGrad;
    std::vector<Parameter*> trained;
    std::vector<double> have;
    for (Parameter& one : parameters) {
        if (one.master.defined()) {
            trained.push_back(&one);
            have.push_back(one.gradient.defined() ? 1 : 0);
        }
    }
    have = sum(have);
    std::vector<at::Tensor> some;
    std::int64_t count = 0;
    const auto sumSome = [&] {
        const at::Tensor flat = some.size() == 1 ? some.front() : at::cat(some);
        sum(flat);
        if (some.size() > 1) {
            std::int64_t at = 0;
            for (at::Tensor& part : some) {
                part.copy_(flat.narrow(0, at, part.size(0)));
                at += part.size(0);
            }
        }
        some.clear();
        count = 0;
    };
    for (std::size_t i = 0; i < trained.size(); ++i) {
        if (have[i] == 0) {
            continue;
        }
        at::Tensor& gradient = trained[i]->gradient;
        gradient =
            (gradient.defined() ? gradient : at::zeros_like(trained[i]->master)).contiguous();
        some.push_back(gradient.view(-1));
        count += gradient.numel();
        if (count >= valuesAtOnce) {
            sumSome();
        }
    }
    if (!some.empty()) {
        sumSome();
    }
}

std::vector<std::string> trainingDevices(const std::string& asked)
{
    std::vector<std::string> devices;
    if (asked == "auto") {
        for (int i = 0; i < gpuCount(); ++i) {
            devices.push_back("cuda:" + std::to_string(i));
        }
        return devices.empty() ? std::vector<std::string>{"cpu"} : devices;
    }
    for (std::size_t at = 0; at <= asked.size();) {
        const std::size_t end = std::min(asked.find(',', at), asked.size());
        const std::string device = chooseDevice(asked.substr(at, end - at)).str();
        if (!devices.empty() &&
            (device == "cpu" || devices.front() == "cpu" ||
             std::find(devices.begin(), devices.end(), device) != devices.end())) {
            throw Error("The devices \"" + asked +
                        "\" cannot train together; a list has GPUs, each once.");
        }
        devices.push_back(device);
        at = end + 1;
    }
    return devices;
}

void requireGroup(const std::string& device)
{
    if (device != "cpu") {
        if (!findNccl()) {
            throw Error("Several GPUs cannot train together here: libkvl_nccl.so is not beside the "
                        "program or does not load; it is built where nvcc and nccl.h of NCCL 2.28 "
                        "are found.");
        }
        return;
    }
#ifndef KVL_GLOO
    throw Error("Several processes cannot train together on a CPU here: the program was built "
                "without the headers of Gloo (Debian: libgloo-dev).");
#endif
}

}  // namespace inference::train
