#include "inference/train/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace inference::train {

AdamW::AdamW(std::vector<Parameter>& parameters, const AdamWOptions& options)
    : m_parameters(parameters)
    , m_options(options)
{
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const at::Tensor& master = parameters[i].master;
        if (master.defined()) {
            m_places.push_back(i);
            m_states.push_back({parameters[i].name, at::zeros_like(master), at::zeros_like(master),
                                at::zeros({}, master.options().dtype(at::kFloat))});
        }
    }
}

void AdamW::step(double learningRate)
{
    const at::NoGradGuard noGrad;
    for (const bool decays : {true, false}) {
        std::vector<at::Tensor> values, gradients, means, squares, steps;
        for (std::size_t i = 0; i < m_states.size(); ++i) {
            Parameter& one = m_parameters[m_places[i]];
            if (one.decays != decays || !one.gradient.defined()) {
                continue;
            }
            m_states[i].steps.add_(1);
            values.push_back(one.master);
            gradients.push_back(one.gradient);
            means.push_back(m_states[i].mean);
            squares.push_back(m_states[i].square);
            steps.push_back(m_states[i].steps);
        }
        if (!values.empty()) {
            at::_fused_adamw_(values, gradients, means, squares, {}, steps, learningRate,
                              m_options.beta1, m_options.beta2, decays ? m_options.weightDecay : 0,
                              m_options.epsilon, false, false);
        }
    }
    for (Parameter& one : m_parameters) {
        one.gradient.reset();
    }
}

double clipGradients(std::vector<Parameter>& parameters, double longest)
{
    const at::NoGradGuard noGrad;
    std::vector<at::Tensor> gradients;
    for (const Parameter& one : parameters) {
        if (one.gradient.defined()) {
            gradients.push_back(one.gradient);
        }
    }
    if (gradients.empty()) {
        return 0;
    }
    const at::Tensor length = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)));
    const double found = length.item<double>();
    if (longest > 0) {
        const double factor = std::min(1.0, longest / (found + 1e-6));
        at::_foreach_mul_(gradients, factor);
    }
    return found;
}

}  // namespace inference::train
