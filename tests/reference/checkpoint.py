"""Small random checkpoints in the published layout, byte for byte those of tests/support/tiny_checkpoint.cpp.

The weights come from an integer generator (FNV-1a of the name, SplitMix64), so that two languages
can write the same files; tests/inference/tiny_checkpoint_test.cpp compares the sums.
"""
import hashlib
import json
import pathlib
import shutil

import numpy as np

SHAPES = {
    # vision: hidden, intermediate, layers, heads; language: hidden, intermediate, layers, heads,
    # key heads, head width, vocabulary, positions
    "tiny": ("InternViT-300M", (64, 128, 2, 4), "Qwen3", (64, 160, 3, 4, 2, 32, 1536, 8192)),
    "small": ("InternViT-300M", (256, 1024, 6, 4), "Qwen3", (384, 1024, 8, 6, 2, 64, 1536, 16384)),
    # InternVL3-38B in small: beyond so few positions the rotary frequencies are scaled
    "tiny-qwen2": ("InternViT-6B", (64, 128, 2, 4), "Qwen2", (64, 160, 3, 4, 2, 16, 1536, 2280)),
    # InternVL2.5-8B in small
    "tiny-internlm2": ("InternViT-300M", (64, 128, 2, 4), "InternLM2", (64, 160, 3, 4, 2, 16, 640, 3000)),
}
TOKENIZER_FILES = ["vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json",
                   "tokenizer.model"]
MASK = (1 << 64) - 1


def language_config(family, sizes, tied):
    h, i, layers, heads, kv, width, vocabulary, positions = sizes
    names = {"Qwen3": ("Qwen3ForCausalLM", "qwen3"), "Qwen2": ("Qwen2ForCausalLM", "qwen2"),
             "InternLM2": ("InternLM2ForCausalLM", "internlm2")}[family]
    config = {
        "architectures": [names[0]],
        "model_type": names[1],
        "hidden_size": h,
        "intermediate_size": i,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "head_dim": width,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000,
        "rope_scaling": None,
        "attention_bias": False,
        "max_position_embeddings": positions,
        "tie_word_embeddings": tied,
        "vocab_size": vocabulary,
    }
    if family != "Qwen3":  # the width of a head follows from the others
        assert h == heads * config.pop("head_dim")
        config.pop("attention_bias")
        config["rope_scaling"] = {"factor": 2.0, "type": "dynamic"}
    if family == "InternLM2":
        config["bias"] = False
    return config


def config(shape, dtype, tied=False):
    tower, (vh, vi, vl, vheads), family, language = SHAPES[shape]
    return {
        "_name_or_path": "random",
        "architectures": ["InternVLChatModel"],
        "model_type": "internvl_chat",
        "template": "internvl2_5",
        "force_image_size": 448,
        "downsample_ratio": 0.5,
        "ps_version": "v2",
        "select_layer": -1,
        "dynamic_image_size": True,
        "use_thumbnail": True,
        "min_dynamic_patch": 1,
        "max_dynamic_patch": 12,
        "tie_word_embeddings": tied,
        "torch_dtype": {"F32": "float32", "BF16": "bfloat16"}[dtype],
        "llm_config": language_config(family, language, tied),
        "vision_config": {
            "architectures": ["InternVisionModel"],
            "model_type": "intern_vit_6b",
            "image_size": 448,
            "patch_size": 14,
            "num_channels": 3,
            "hidden_size": vh,
            "intermediate_size": vi,
            "num_hidden_layers": vl,
            "num_attention_heads": vheads,
            "hidden_act": "gelu",
            "norm_type": "layer_norm" if tower == "InternViT-300M" else "rms_norm",
            "layer_norm_eps": 1e-06,
            "qkv_bias": tower == "InternViT-300M",
            "qk_normalization": tower == "InternViT-6B",
        },
    }


def hf_config(chat):
    """The same model as transformers' InternVLConfig says it."""
    vision, text = chat["vision_config"], dict(chat["llm_config"])
    side, patch = vision["image_size"], vision["patch_size"]
    return {
        "architectures": ["InternVLForConditionalGeneration"],
        "model_type": "internvl",
        "downsample_ratio": chat["downsample_ratio"],
        "image_seq_length": 256,
        "image_token_id": 1284,
        "projector_hidden_act": "gelu",
        "vision_feature_layer": -1,
        "vision_feature_select_strategy": "default",
        "torch_dtype": chat["torch_dtype"],
        "text_config": text,
        "vision_config": {
            "architectures": ["InternVLVisionModel"],
            "model_type": "internvl_vision",
            "attention_bias": vision["qkv_bias"],
            "hidden_act": "gelu",
            "hidden_size": vision["hidden_size"],
            "image_size": [side, side],
            "intermediate_size": vision["intermediate_size"],
            "layer_norm_eps": vision["layer_norm_eps"],
            "norm_type": vision["norm_type"],
            "num_attention_heads": vision["num_attention_heads"],
            "num_channels": 3,
            "num_hidden_layers": vision["num_hidden_layers"],
            "patch_size": [patch, patch],
            "use_absolute_position_embeddings": True,
            "use_mask_token": False,
            "use_mean_pooling": True,
            "use_qk_norm": vision["qk_normalization"],
        },
    }


def tensor_shapes(settings):
    """Names and shapes in the order of the files, from the model specification, section 4.1."""
    v, t = settings["vision_config"], settings["llm_config"]
    c, side = v["hidden_size"], v["image_size"] // v["patch_size"]
    out = [
        ("vision_model.embeddings.class_embedding", [1, 1, c]),
        ("vision_model.embeddings.patch_embedding.weight", [c, 3, v["patch_size"], v["patch_size"]]),
        ("vision_model.embeddings.patch_embedding.bias", [c]),
        ("vision_model.embeddings.position_embedding", [1, side * side + 1, c]),
    ]
    for n in range(v["num_hidden_layers"]):
        p = f"vision_model.encoder.layers.{n}."
        out.append((p + "attn.qkv.weight", [3 * c, c]))
        if v["qkv_bias"]:
            out.append((p + "attn.qkv.bias", [3 * c]))
        if v["qk_normalization"]:
            out += [(p + "attn.q_norm.weight", [c]), (p + "attn.k_norm.weight", [c])]
        for name, rows, columns in [("attn.proj", c, c), ("mlp.fc1", v["intermediate_size"], c),
                                    ("mlp.fc2", c, v["intermediate_size"])]:
            out += [(p + name + ".weight", [rows, columns]), (p + name + ".bias", [rows])]
        for name in ["norm1", "norm2"]:
            out.append((p + name + ".weight", [c]))
            if v["norm_type"] == "layer_norm":
                out.append((p + name + ".bias", [c]))
        out += [(p + "ls1", [c]), (p + "ls2", [c])]
    h = t["hidden_size"]
    out += [("mlp1.0.weight", [4 * c]), ("mlp1.0.bias", [4 * c]),
            ("mlp1.1.weight", [h, 4 * c]), ("mlp1.1.bias", [h]),
            ("mlp1.3.weight", [h, h]), ("mlp1.3.bias", [h])]
    return out + (internlm2_shapes(t) if t["model_type"] == "internlm2" else qwen_shapes(t))


def internlm2_shapes(t):
    h, i, heads, kv = t["hidden_size"], t["intermediate_size"], t["num_attention_heads"], t["num_key_value_heads"]
    out = [("language_model.model.tok_embeddings.weight", [t["vocab_size"], h])]
    for n in range(t["num_hidden_layers"]):
        p = f"language_model.model.layers.{n}."
        out += [
            (p + "attention_norm.weight", [h]),
            (p + "attention.wqkv.weight", [(heads + 2 * kv) * (h // heads), h]),
            (p + "attention.wo.weight", [h, h]),
            (p + "ffn_norm.weight", [h]),
            (p + "feed_forward.w1.weight", [i, h]),
            (p + "feed_forward.w3.weight", [i, h]),
            (p + "feed_forward.w2.weight", [h, i]),
        ]
    return out + [("language_model.model.norm.weight", [h]), ("language_model.output.weight", [t["vocab_size"], h])]


def qwen_shapes(t):
    h, i = t["hidden_size"], t["intermediate_size"]
    width = t.get("head_dim", h // t["num_attention_heads"])
    q, kv = t["num_attention_heads"] * width, t["num_key_value_heads"] * width
    out = [("language_model.model.embed_tokens.weight", [t["vocab_size"], h])]
    for n in range(t["num_hidden_layers"]):
        p = f"language_model.model.layers.{n}."
        out.append((p + "input_layernorm.weight", [h]))
        for name, rows in [("q", q), ("k", kv), ("v", kv)]:
            out.append((p + f"self_attn.{name}_proj.weight", [rows, h]))
            if t["model_type"] == "qwen2":
                out.append((p + f"self_attn.{name}_proj.bias", [rows]))
        out.append((p + "self_attn.o_proj.weight", [h, q]))
        if t["model_type"] == "qwen3":
            out += [(p + "self_attn.q_norm.weight", [width]), (p + "self_attn.k_norm.weight", [width])]
        out += [
            (p + "post_attention_layernorm.weight", [h]),
            (p + "mlp.gate_proj.weight", [i, h]),
            (p + "mlp.up_proj.weight", [i, h]),
            (p + "mlp.down_proj.weight", [h, i]),
        ]
    out.append(("language_model.model.norm.weight", [h]))
    return out + ([] if t["tie_word_embeddings"] else [("language_model.lm_head.weight", [t["vocab_size"], h])])


HF_NAMES = [  # model specification 4.2
    ("vision_model.embeddings.class_embedding", "vision_tower.embeddings.cls_token"),
    ("vision_model.embeddings.patch_embedding.", "vision_tower.embeddings.patch_embeddings.projection."),
    ("vision_model.embeddings.position_embedding", "vision_tower.embeddings.position_embeddings"),
    ("vision_model.encoder.layers.", "vision_tower.encoder.layer."),
    (".attn.proj.", ".attention.projection_layer."), (".attn.", ".attention."),
    (".norm1.", ".layernorm_before."), (".norm2.", ".layernorm_after."),
    (".ls1", ".lambda_1"), (".ls2", ".lambda_2"),
    ("mlp1.0.", "multi_modal_projector.layer_norm."), ("mlp1.1.", "multi_modal_projector.linear_1."),
    ("mlp1.3.", "multi_modal_projector.linear_2."),
]


def stored(name, values, layout):
    """What is written for a tensor: [(name, values)]; layout "chat", "hf" or, older, "hf-without-model"."""
    if layout == "chat":
        return [(name, values)]
    if ".attn.qkv." in name:
        parts = zip("qkv", np.split(values, 3))
        return [one for part, third in parts for one in stored(name.replace(".qkv.", f".{part}_proj."), third, layout)]
    if name.startswith("language_model."):
        if layout == "hf":
            inner = name.removeprefix("language_model.")
            name = "model.language_model." + inner.removeprefix("model.") if inner.startswith("model.") else inner
        return [(name, values)]
    for chat, hf in HF_NAMES:
        name = name.replace(chat, hf)
    return [(("model." if layout == "hf" else "") + name, values)]


def scale(name, shape):
    """base and exponent of base + value * 2^-exponent."""
    if name.endswith((".ls1", ".ls2")):
        return 0.5, 2
    if name.endswith(".bias"):
        return 0.0, 3
    if len(shape) == 1:
        return 1.0, 2
    if name.endswith("_embedding"):
        return 0.0, 1
    if name.endswith(("embed_tokens.weight", "tok_embeddings.weight")):
        return 0.0, 0
    fan_in = int(np.prod(shape[1:]))
    return 0.0, (fan_in.bit_length() - 1) // 2 - (3 if name.endswith(("lm_head.weight", ".output.weight")) else 1)


def weights(name, shape, seed):
    """float32, exact but for one rounding where the base is not 0."""
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = ((key ^ byte) * 0x100000001B3) & MASK
    key ^= (seed * 0x9E3779B97F4A7C15) & MASK
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(key) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    value = (2 * (z >> np.uint64(40)).astype(np.int64) - 0xFFFFFF).astype(np.float32) * np.float32(2.0**-24)
    base, exponent = scale(name, shape)
    return (np.float32(base) + value * np.float32(2.0**-exponent)).reshape(shape)


def to_bytes(values, dtype):
    if dtype == "F32":
        return values.astype("<f4").tobytes()
    bits = values.astype("<f4").view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()  # to nearest even


def write(folder, shape, seed, dtype, shards, tokenizer, layout="chat", tied=False):
    """Writes the files and returns their sha256 by name (the tokenizer's left out)."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (pathlib.Path(tokenizer) / name).exists():
            shutil.copyfile(pathlib.Path(tokenizer) / name, folder / name)
    settings = config(shape, dtype, tied)
    written = settings if layout == "chat" else hf_config(settings)
    files = {"config.json": (json.dumps(written, indent=2) + "\n").encode()}
    tensors = tensor_shapes(settings)
    places, groups = {}, [[] for _ in range(shards)]
    for i, (name, sizes) in enumerate(tensors):
        shard = i * shards // len(tensors)
        for one in stored(name, weights(name, sizes, seed), layout):
            groups[shard].append(one)
            places[one[0]] = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
    total = 0
    for n, group in enumerate(groups):
        header, data = {"__metadata__": {"format": "pt"}}, b""
        for name, values in group:
            part = to_bytes(values, dtype)
            header[name] = {"dtype": dtype, "shape": list(values.shape),
                            "data_offsets": [len(data), len(data) + len(part)]}
            data += part
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        file = "model.safetensors" if shards == 1 else f"model-{n + 1:05}-of-{shards:05}.safetensors"
        files[file] = len(text).to_bytes(8, "little") + text + data
        total += len(data)
    if shards > 1:
        index = {"metadata": {"total_size": total}, "weight_map": places}
        files["model.safetensors.index.json"] = (json.dumps(index, indent=2) + "\n").encode()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
