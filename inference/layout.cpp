#include "inference/layout.h"

#include <string_view>
#include <utility>

namespace inference {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr Pair outside[] = {
    {"vision_model.embeddings.class_embedding", "vision_tower.embeddings.cls_token"},
    {"vision_model.embeddings.patch_embedding.",
     "vision_tower.embeddings.patch_embeddings.projection."},
    {"vision_model.embeddings.position_embedding", "vision_tower.embeddings.position_embeddings"},
    {"vision_model.encoder.layers.", "vision_tower.encoder.layer."},
    {"mlp1.0.", "multi_modal_projector.layer_norm."},
    {"mlp1.1.", "multi_modal_projector.linear_1."},
    {"mlp1.3.", "multi_modal_projector.linear_2."},
};

constexpr Pair inLayer[] = {
    {"attn.proj.", "attention.projection_layer."},
    {"attn.", "attention."},
    {"norm1.", "layernorm_before."},
    {"norm2.", "layernorm_after."},
    {"ls1", "lambda_1"},
    {"ls2", "lambda_2"},
};

/// The rest of a name behind "…layers.N.", renamed.
std::string renamedInLayer(const std::string& rest)
{
    for (const auto& [chat, hf] : inLayer) {
        if (rest.starts_with(chat)) {
            return std::string(hf) + rest.substr(chat.size());
        }
    }
    return rest;
}

std::string renamed(const std::string& name, const std::string& model)
{
    const std::string language = "language_model.";
    if (name.starts_with(language)) {
        if (model.empty()) {
            return name;
        }
        const std::string inner = name.substr(language.size());
        return inner.starts_with("model.") ? model + language + inner.substr(6) : inner;
    }
    for (const auto& [chat, hf] : outside) {
        if (!name.starts_with(chat)) {
            continue;
        }
        std::string rest = name.substr(chat.size());
        if (chat.ends_with("layers.")) {
            const std::size_t dot = rest.find('.') + 1;
            rest = rest.substr(0, dot) + renamedInLayer(rest.substr(dot));
        }
        return model + std::string(hf) + rest;
    }
    return name;
}

}  // namespace

std::vector<std::string> storedNames(const std::string& name, Layout layout)
{
    if (layout == Layout::Chat) {
        return {name};
    }
    const std::string model = layout == Layout::Hf ? "model." : "";
    const std::string fused = "attn.qkv.";
    const std::size_t at = name.find(fused);
    if (at == std::string::npos) {
        return {renamed(name, model)};
    }
    std::vector<std::string> thirds;
    for (const char* one : {"attn.q_proj.", "attn.k_proj.", "attn.v_proj."}) {
        thirds.push_back(renamed(name.substr(0, at) + one + name.substr(at + fused.size()), model));
    }
    return thirds;
}

}  // namespace inference
