#pragma once

#include <nlohmann/json.hpp>

namespace test {

/// KVL's config.json, as far as it is known (model specification 1.1).
inline nlohmann::json published()
{
    return nlohmann::json::parse(R"({
        "architectures": ["InternVLChatModel"], "template": "internvl2_5", "force_image_size": 448,
        "downsample_ratio": 0.5, "ps_version": "v2", "select_layer": -1, "dynamic_image_size": true,
        "use_thumbnail": true, "min_dynamic_patch": 1, "max_dynamic_patch": 12, "torch_dtype": "bfloat16",
        "llm_config": {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 5120,
            "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128,
            "intermediate_size": 17408, "vocab_size": 151936, "hidden_act": "silu", "rms_norm_eps": 1e-6,
            "rope_theta": 1000000, "rope_scaling": null, "max_position_embeddings": 40960,
            "attention_bias": false, "use_sliding_window": false, "tie_word_embeddings": false},
        "vision_config": {"image_size": 448, "patch_size": 14, "num_channels": 3, "hidden_size": 1024,
            "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "norm_type": "layer_norm",
            "layer_norm_eps": 1e-6, "qkv_bias": true, "qk_normalization": false, "hidden_act": "gelu"}})");
}

}  // namespace test
