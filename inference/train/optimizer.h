#pragma once

#include "inference/train/parameters.h"

namespace inference::train {

struct AdamWOptions {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.1;
};

/// AdamW on the masters of the trained parameters, torch.optim.AdamW's own fused loop.
class AdamW {
public:
    AdamW(std::vector<Parameter>& parameters, const AdamWOptions& options);

    /// Uses the gradients and forgets them; a parameter without one stays as it is.
    void step(double learningRate);

    /// Moments of one trained parameter, for saving and going on.
    struct State {
        std::string name;
        at::Tensor mean, square;  // float32, of the parameter's shape
        at::Tensor steps;         // float32, one value
    };
    std::vector<State>& states() { return m_states; }

private:
    std::vector<Parameter>& m_parameters;
    AdamWOptions m_options;
    std::vector<State> m_states;        // one for each trained parameter
    std::vector<std::size_t> m_places;  // of the parameter in m_parameters
};

/// The length of all gradients as one vector; they are shortened to `longest` where they are
/// longer, as torch.nn.utils.clip_grad_norm_ does. 0: only measured.
double clipGradients(std::vector<Parameter>& parameters, double longest);

}  // namespace inference::train
