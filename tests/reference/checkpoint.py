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
    "tiny": ((64, 128, 2, 4), (64, 160, 3, 4, 2, 32, 1536, 8192)),
    "small": ((256, 1024, 6, 4), (384, 1024, 8, 6, 2, 64, 1536, 16384)),
}
TOKENIZER_FILES = ["vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json"]
MASK = (1 << 64) - 1


def config(shape, dtype):
    (vh, vi, vl, vheads), (h, i, layers, heads, kv, width, vocabulary, positions) = SHAPES[shape]
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
        "tie_word_embeddings": False,
        "torch_dtype": {"F32": "float32", "BF16": "bfloat16"}[dtype],
        "llm_config": {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
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
            "tie_word_embeddings": False,
            "vocab_size": vocabulary,
        },
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
            "norm_type": "layer_norm",
            "layer_norm_eps": 1e-06,
            "qkv_bias": True,
            "qk_normalization": False,
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
        for name, rows, columns in [("attn.qkv", 3 * c, c), ("attn.proj", c, c),
                                    ("mlp.fc1", v["intermediate_size"], c), ("mlp.fc2", c, v["intermediate_size"])]:
            out += [(p + name + ".weight", [rows, columns]), (p + name + ".bias", [rows])]
        for name in ["norm1", "norm2"]:
            out += [(p + name + ".weight", [c]), (p + name + ".bias", [c])]
        out += [(p + "ls1", [c]), (p + "ls2", [c])]
    h = t["hidden_size"]
    out += [("mlp1.0.weight", [4 * c]), ("mlp1.0.bias", [4 * c]),
            ("mlp1.1.weight", [h, 4 * c]), ("mlp1.1.bias", [h]),
            ("mlp1.3.weight", [h, h]), ("mlp1.3.bias", [h])]
    q, kv = t["num_attention_heads"] * t["head_dim"], t["num_key_value_heads"] * t["head_dim"]
    out.append(("language_model.model.embed_tokens.weight", [t["vocab_size"], h]))
    for n in range(t["num_hidden_layers"]):
        p = f"language_model.model.layers.{n}."
        out += [
            (p + "input_layernorm.weight", [h]),
            (p + "self_attn.q_proj.weight", [q, h]),
            (p + "self_attn.k_proj.weight", [kv, h]),
            (p + "self_attn.v_proj.weight", [kv, h]),
            (p + "self_attn.o_proj.weight", [h, q]),
            (p + "self_attn.q_norm.weight", [t["head_dim"]]),
            (p + "self_attn.k_norm.weight", [t["head_dim"]]),
            (p + "post_attention_layernorm.weight", [h]),
            (p + "mlp.gate_proj.weight", [t["intermediate_size"], h]),
            (p + "mlp.up_proj.weight", [t["intermediate_size"], h]),
            (p + "mlp.down_proj.weight", [h, t["intermediate_size"]]),
        ]
    out += [("language_model.model.norm.weight", [h]), ("language_model.lm_head.weight", [t["vocab_size"], h])]
    return out


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
    if name.endswith("embed_tokens.weight"):
        return 0.0, 0
    fan_in = int(np.prod(shape[1:]))
    return 0.0, (fan_in.bit_length() - 1) // 2 - (3 if name.endswith("lm_head.weight") else 1)


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


def write(folder, shape, seed, dtype, shards, tokenizer):
    """Writes the files and returns their sha256 by name (the tokenizer's left out)."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (pathlib.Path(tokenizer) / name).exists():
            shutil.copyfile(pathlib.Path(tokenizer) / name, folder / name)
    settings = config(shape, dtype)
    files = {"config.json": (json.dumps(settings, indent=2) + "\n").encode()}
    tensors = tensor_shapes(settings)
    places, groups = {}, [[] for _ in range(shards)]
    for i, (name, sizes) in enumerate(tensors):
        shard = i * shards // len(tensors)
        groups[shard].append((name, sizes))
        places[name] = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
    total = 0
    for n, group in enumerate(groups):
        header, data = {"__metadata__": {"format": "pt"}}, b""
        for name, sizes in group:
            part = to_bytes(weights(name, sizes, seed), dtype)
            header[name] = {"dtype": dtype, "shape": sizes, "data_offsets": [len(data), len(data) + len(part)]}
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
