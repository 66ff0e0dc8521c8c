#pragma once

#include "inference/adapter.h"
#include "inference/checkpoint.h"
#include "inference/device.h"
#include "inference/linear.h"

#include <memory>
#include <set>
#include <stop_token>
#include <string>

namespace inference {

/// Hands a checkpoint's tensors to the model, one by one, on the device and in the dtype they are
/// computed in. On a CPU a tensor that is stored in the computing dtype is used where it is mapped;
/// any other is converted alone, so there is never a second copy of all.
class Weights {
public:
    Weights(const Checkpoint& checkpoint, Placement placement, at::ScalarType dtype,
            OnProgress onProgress, std::stop_token stop);
    virtual ~Weights() = default;
    Weights(const Weights&) = delete;
    Weights& operator=(const Weights&) = delete;

    const ModelConfig& config() const { return m_checkpoint.config(); }
    const Placement& placement() const { return m_placement; }
    /// Of what is on the first device.
    at::TensorOptions options() const;
    /// On the device of the decoder layer it belongs to, or on the first. Throws Cancelled,
    /// OutOfMemory.
    virtual at::Tensor tensor(const std::string& name);
    /// name.weight and, with `bias`, name.bias, and what the adapter adds.
    virtual std::unique_ptr<Linear> linear(const std::string& name, bool bias);
    /// Before the first linear; lives as long as this.
    void adapt(const Adapter& adapter) { m_adapter = &adapter; }
    /// Once the model is complete. Throws Error where the adapter changes what the model has not.
    void checkAdapted() const;

private:
    /// A tensor by its name in the files, into `result` where that is defined.
    at::Tensor read(const std::string& storedName, at::Device device, at::Tensor result);

    const Checkpoint& m_checkpoint;
    Placement m_placement;
    at::ScalarType m_dtype;
    OnProgress m_onProgress;
    std::stop_token m_stop;
    std::int64_t m_done = 0;
    const Adapter* m_adapter = nullptr;
    std::set<std::string> m_adapted;
};

}  // namespace inference
