#include "inference/train/recompute.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <mutex>

namespace inference::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor randomState(at::Device device)
{
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard lock(generator.mutex());
    return generator.get_state();
}

void setRandomState(at::Device device, const at::Tensor& state)
{
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard lock(generator.mutex());
    generator.set_state(state);
}

/// What the graph keeps of the layer.
struct Kept : torch::CustomClassHolder {
    explicit Kept(Layerwork work)
        : layer(std::move(work))
    {
    }
    Layerwork layer;
};

/// `anchor` requires a gradient, so that the layer's weights get theirs where `states` needs none.
class Recompute : public torch::autograd::Function<Recompute> {
public:
    static at::Tensor forward(AutogradContext* context, const at::Tensor& states,
                              const at::Tensor& anchor, c10::intrusive_ptr<Kept> kept)
    {
        (void)anchor;
        context->save_for_backward({states});
        context->saved_data["layer"] = c10::IValue::make_capsule(kept);
        context->saved_data["random"] = randomState(states.device());
        const at::NoGradGuard noGrad;
        return kept->layer(states);
    }

    static variable_list backward(AutogradContext* context, variable_list gradients)
    {
        const at::Tensor saved = context->get_saved_variables().front();
        const auto kept =
            c10::static_intrusive_pointer_cast<Kept>(context->saved_data["layer"].toCapsule());
        const at::Tensor before = randomState(saved.device());
        setRandomState(saved.device(), context->saved_data["random"].toTensor());
        const at::Tensor states = saved.detach().set_requires_grad(saved.requires_grad());
        {
            const at::AutoGradMode grad(true);
            const at::Tensor result = kept->layer(states);
            if (result.requires_grad()) {  // not where all that leads to it is frozen
                result.backward(gradients.front());
            }
        }
        setRandomState(saved.device(), before);
        return {states.grad(), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

at::Tensor recomputed(const at::Tensor& states, const Layerwork& layer)
{
    const at::Tensor anchor = at::empty({0}, states.options()).set_requires_grad(true);
    return Recompute::apply(states, anchor, c10::make_intrusive<Kept>(layer));
}

}  // namespace inference::train
