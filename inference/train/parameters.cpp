#include "inference/train/parameters.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

namespace inference::train {

bool Frozen::contains(const std::string& name) const
{
    if (name.starts_with("vision_model.")) {
        return vision;
    }
    return name.starts_with("mlp1.") ? projector : language;
}

bool LoRa::contains(const std::string& linear) const
{
    return rank > 0 && std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
               return linear == target || linear.ends_with("." + target);
           });
}

std::string loraA(const std::string& linear)
{
    return "base_model.model." + linear + ".lora_A.weight";
}

std::string loraB(const std::string& linear)
{
    return "base_model.model." + linear + ".lora_B.weight";
}

bool decays(const std::string& name)
{
    // mlp1.0 is a layer norm that has no name of its own
    for (const char* part : {"bias", "layernorm", "norm.", "norm1.", "norm2.", "mlp1.0."}) {
        if (name.find(part) != std::string::npos) {
            return false;
        }
    }
    return true;
}

TrainedWeights::TrainedWeights(const Checkpoint& checkpoint, at::Device device,
                               at::ScalarType dtype, Frozen frozen, LoRa lora,
                               OnProgress onProgress, std::stop_token stop)
    : Weights(checkpoint, device, dtype, std::move(onProgress), std::move(stop))
    , m_frozen(frozen)
    , m_lora(std::move(lora))
{
}

at::Tensor TrainedWeights::tensor(const std::string& name)
{
    const auto known = std::find_if(m_all.begin(), m_all.end(),
                                    [&](const Parameter& one) { return one.name == name; });
    if (known != m_all.end()) {
        return known->value;
    }
    const at::Tensor stored = Weights::tensor(name);
    if (m_lora.rank > 0 || m_frozen.contains(name)) {
        m_all.push_back({name, stored, {}, {}, decays(name)});
        return stored;
    }
    return add(name, stored);
}

/// A trained parameter that begins as a copy of `start`; never the mapped file, which is read-only.
at::Tensor TrainedWeights::add(const std::string& name, const at::Tensor& start)
{
    Parameter one{name, {}, {}, {}, decays(name)};
    one.master = start.to(at::kFloat, false, true);
    one.value = start.scalar_type() == at::kFloat ? one.master : start.clone();
    one.value.set_requires_grad(true);
    m_all.push_back(one);
    return one.value;
}

/// The low-rank parts begin as PEFT's do: A uniform in +-1 / sqrt(in), B zero.
std::unique_ptr<Linear> TrainedWeights::linear(const std::string& name, bool bias)
{
    std::unique_ptr<Linear> base = Weights::linear(name, bias);
    if (!m_lora.contains(name)) {
        return base;
    }
    at::Generator generator =
        at::detail::createCPUGenerator(m_lora.seed + 0x9e3779b97f4a7c15 * m_all.size());
    const double most = 1 / std::sqrt(double(base->in()));
    const at::Tensor a =
        at::empty({m_lora.rank, base->in()}, at::kFloat).uniform_(-most, most, generator);
    LowRank part;
    part.down = add(loraA(name), a.to(options()));
    part.up = add(loraB(name), at::zeros({base->out(), m_lora.rank}, options()));
    part.scale = m_lora.scale();
    part.dropout = m_lora.dropout;
    return addLowRank(std::move(base), std::move(part));
}

void collectGradients(std::vector<Parameter>& parameters)
{
    const at::NoGradGuard noGrad;
    for (Parameter& one : parameters) {
        at::Tensor& left = one.value.mutable_grad();
        if (!left.defined()) {
            continue;
        }
        if (one.gradient.defined()) {
            one.gradient.add_(left);
        } else {
            one.gradient = left.to(at::kFloat);
        }
        left.reset();
    }
}

void publish(std::vector<Parameter>& parameters)
{
    const at::NoGradGuard noGrad;
    for (Parameter& one : parameters) {
        if (one.master.defined() && !one.value.is_same(one.master)) {
            one.value.copy_(one.master);
        }
    }
}

}  // namespace inference::train
