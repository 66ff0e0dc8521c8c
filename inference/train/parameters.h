#pragma once

#include "inference/weights.h"

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace inference::train {

/// A tensor of the model, trained or frozen.
struct Parameter {
    std::string name;
    at::Tensor value;   // what the model computes with; a leaf of autograd where it is trained
    at::Tensor master;  // float32, what the optimiser changes; `value` itself where that is float32
    at::Tensor gradient;   // float32, summed over a step; undefined before the first
    bool decays = false;   // by the optimiser's weight decay
    bool passing = false;  // helps in training and is no part of the model
};

/// Which parts are trained.
struct Frozen {
    bool vision = false, projector = false, language = false;
    bool contains(const std::string& name) const;
};

/// Low-rank parts instead of all weights.
struct LoRa {
    int rank = 0;  // 0: all weights are trained
    double alpha = 32, dropout = 0.05;
    std::vector<std::string> targets;  // last names of linears: "q_proj"
    std::uint64_t seed = 0;            // of the first values

    double scale() const { return alpha / rank; }
    bool contains(const std::string& linear) const;
};

/// "….q_proj" -> PEFT's names of its parts.
std::string loraA(const std::string& linear);
std::string loraB(const std::string& linear);

/// Norms and biases do not decay: the rule of transformers' Trainer, by name.
bool decays(const std::string& name);

/// Hands the model tensors of its own that can change, and keeps them by name.
class TrainedWeights : public Weights {
public:
    TrainedWeights(const Checkpoint& checkpoint, at::Device device, at::ScalarType dtype,
                   Frozen frozen, LoRa lora, OnProgress onProgress, std::stop_token stop);

    at::Tensor tensor(const std::string& name) override;
    std::unique_ptr<Linear> linear(const std::string& name, bool bias) override;

    /// In the order the model asked for them, each once.
    std::vector<Parameter>& all() { return m_all; }
    const std::vector<Parameter>& all() const { return m_all; }

private:
    at::Tensor add(const std::string& name, const at::Tensor& start);

    Frozen m_frozen;
    LoRa m_lora;
    std::vector<Parameter> m_all;
};

/// Adds what autograd has left at the leaves to `gradient` and clears it there.
void collectGradients(std::vector<Parameter>& parameters);
/// Rounds the masters to what the model computes with.
void publish(std::vector<Parameter>& parameters);

}  // namespace inference::train
