#include "inference/train/parameters.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace inference::train {

bool Frozen::contains(const std::string& name) const
{
    if (name.starts_with("vision_model.")) {
        return vision;
    }
    return name.starts_with("mlp1.") ? projector : language;
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
                               at::ScalarType dtype, Frozen frozen, OnProgress onProgress,
                               std::stop_token stop)
    : Weights(checkpoint, device, dtype, std::move(onProgress), std::move(stop))
    , m_frozen(frozen)
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
    Parameter one{name, {}, {}, {}, decays(name)};
    if (m_frozen.contains(name)) {
        one.value = stored;
    } else {
        // never the mapped file itself, which is read-only
        one.master = stored.to(at::kFloat, false, true);
        one.value = stored.scalar_type() == at::kFloat ? one.master : stored.clone();
        one.value.set_requires_grad(true);
    }
    m_all.push_back(one);
    return one.value;
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
