"""InternVLChat in plain PyTorch, from the model specification, sections 2 and 3; Qwen3 and Qwen2 are transformers'
own, InternLM2 is its Llama with query, key and value taken out of wqkv.

Slow and short on purpose: this is what inference/ is compared with.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open
from transformers import (LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
                          Qwen3ForCausalLM)

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def read_tensors(folder):
    index = folder / "model.safetensors.index.json"
    shards = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    tensors = {}
    for shard in shards:
        with safe_open(folder / shard, "pt") as file:
            tensors.update({name: file.get_tensor(name) for name in file.keys()})
    return tensors


def choose_grid(width, height, max_num, side=448):
    """(columns, rows), section 5.3."""
    candidates = sorted({(i, j) for i in range(1, max_num + 1) for j in range(1, max_num + 1) if i * j <= max_num},
                        key=lambda grid: grid[0] * grid[1])
    best, choice, ratio = float("inf"), (1, 1), width / height
    for i, j in candidates:
        difference = abs(ratio - i / j)
        if difference < best:
            best, choice = difference, (i, j)
        elif difference == best and width * height > 0.5 * side * side * i * j:
            choice = (i, j)
    return choice


def cut_tiles(image, max_num, side=448):
    """PIL images, the thumbnail last (section 5.4)."""
    columns, rows = choose_grid(*image.size, max_num, side)
    resized = image.resize((side * columns, side * rows))
    tiles = [resized.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)) for y in range(rows) for x in range(columns)]
    return tiles + ([image.resize((side, side))] if len(tiles) > 1 else [])


def to_pixels(tiles):
    """[n, 3, side, side] in float32, as torchvision's ToTensor and Normalize."""
    return torch.stack([(torch.from_numpy(np.array(tile)).permute(2, 0, 1).float() / 255 - MEAN) / STD for tile in tiles])


FAMILIES = {"qwen3": (Qwen3Config, Qwen3ForCausalLM), "qwen2": (Qwen2Config, Qwen2ForCausalLM),
            "internlm2": (LlamaConfig, LlamaForCausalLM)}
LLAMA_NAMES = [("tok_embeddings.", "embed_tokens."), (".attention.wo.", ".self_attn.o_proj."),
               (".feed_forward.w1.", ".mlp.gate_proj."), (".feed_forward.w2.", ".mlp.down_proj."),
               (".feed_forward.w3.", ".mlp.up_proj."), (".attention_norm.", ".input_layernorm."),
               (".ffn_norm.", ".post_attention_layernorm."), ("output.", "lm_head.")]


def llama_tensors(tensors, heads, kv_heads):
    """InternLM2's tensors under Llama's names. wqkv has, for each key head, the rows of its query heads, of the
    key, of the value."""
    out, group = {}, heads // kv_heads
    for name, value in tensors.items():
        if name.endswith(".attention.wqkv.weight"):
            prefix = name.removesuffix("attention.wqkv.weight") + "self_attn."
            width = len(value) // (heads + 2 * kv_heads)
            rows = [row for row in value.split(width)]
            groups = [rows[i:i + group + 2] for i in range(0, len(rows), group + 2)]
            out[prefix + "q_proj.weight"] = torch.cat([row for one in groups for row in one[:group]])
            out[prefix + "k_proj.weight"] = torch.cat([one[group] for one in groups])
            out[prefix + "v_proj.weight"] = torch.cat([one[group + 1] for one in groups])
            continue
        for internlm2, llama in LLAMA_NAMES:
            name = name.replace(internlm2, llama)
        out[name] = value
    return out


class InternVL:
    """In float32 both halves attend as the equations say. In bfloat16 the published code has two ways (2.5, 3): with
    flash-attn, as the card runs it, scores and softmax stay float32 in tower and language model; without it both
    round the scores to bfloat16, and the tower the softmax, too. The first is the reference: it is the nearer to the
    equations, and PyTorch's scaled_dot_product_attention computes it without a GPU. One tower with one way and a
    language model with the other would be neither."""

    def __init__(self, folder, dtype=torch.float32):
        folder = pathlib.Path(folder)
        attention = "eager" if dtype == torch.float32 else "sdpa"
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = {name: value.to(dtype) for name, value in read_tensors(folder).items()}
        prefix = "language_model."
        llm = dict(self.config["llm_config"])
        llm.pop("architectures")
        config, model = FAMILIES[llm.pop("model_type")]
        llm["attention_bias"] = llm.pop("bias", llm.get("attention_bias", False))
        torch.set_default_dtype(dtype)  # not .to(dtype): the rotary frequencies stay float32
        self.language = model(config(**llm, attn_implementation=attention)).eval()
        torch.set_default_dtype(torch.float32)
        weights = {n[len(prefix):]: t for n, t in self.tensors.items() if n.startswith(prefix)}
        if model is LlamaForCausalLM:
            weights = llama_tensors(weights, llm["num_attention_heads"], llm["num_key_value_heads"])
        if llm["tie_word_embeddings"]:
            weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        self.language.load_state_dict(weights)

    def linear(self, name, x):
        return F.linear(x, self.tensors[name + ".weight"], self.tensors.get(name + ".bias"))

    def norm(self, name, x, eps):
        """LayerNorm; RMSNorm where there is no bias: statistics in float32, then the weight."""
        weight, bias = self.tensors[name + ".weight"], self.tensors.get(name + ".bias")
        if bias is not None:
            return F.layer_norm(x, x.shape[-1:], weight, bias, eps)
        wide = x.float()
        return weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype)

    def vit(self, pixels):
        """[n, 3, s, s] -> [n, patches, c], class token dropped."""
        v, t, e = self.config["vision_config"], self.tensors, "vision_model.embeddings."
        heads = v["num_attention_heads"]
        x = F.conv2d(pixels.to(t[e + "class_embedding"].dtype), t[e + "patch_embedding.weight"], t[e + "patch_embedding.bias"], stride=v["patch_size"])
        x = x.flatten(2).transpose(1, 2)
        side = int((x.shape[1]) ** 0.5)
        positions = t[e + "position_embedding"]
        stored = int((positions.shape[1] - 1) ** 0.5)
        grid = positions[:, 1:].float().reshape(1, stored, stored, -1).permute(0, 3, 1, 2)
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
        grid = grid.reshape(1, -1, side * side).permute(0, 2, 1).to(x.dtype)
        x = torch.cat([t[e + "class_embedding"].expand(len(x), -1, -1), x], 1) + torch.cat([positions[:, :1], grid], 1)
        n, length, c = x.shape
        for i in range(v["num_hidden_layers"]):
            p = f"vision_model.encoder.layers.{i}."
            qkv = self.linear(p + "attn.qkv", self.norm(p + "norm1", x, v["layer_norm_eps"]))
            q, k, value = qkv.split(c, -1)
            if v["qk_normalization"]:  # all heads at once
                q = self.norm(p + "attn.q_norm", q, v["layer_norm_eps"])
                k = self.norm(p + "attn.k_norm", k, v["layer_norm_eps"])
            q, k, value = [part.reshape(n, length, heads, c // heads).transpose(1, 2) for part in (q, k, value)]
            if x.dtype == torch.bfloat16:
                seen = F.scaled_dot_product_attention(q, k, value)
            else:
                seen = ((q * (c // heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ value
            x = x + t[p + "ls1"] * self.linear(p + "attn.proj", seen.transpose(1, 2).reshape(n, length, c))
            hidden = F.gelu(self.linear(p + "mlp.fc1", self.norm(p + "norm2", x, v["layer_norm_eps"])))
            x = x + t[p + "ls2"] * self.linear(p + "mlp.fc2", hidden)
        return x[:, 1:]

    def project(self, features):
        """Pixel shuffle v2 by its definition, element by element over the blocks, and mlp1."""
        n, patches, c = features.shape
        side = int(patches**0.5)
        grid = features.reshape(n, side, side, c)
        blocks = [grid[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        x = torch.cat(blocks, -1).reshape(-1, 4 * c)
        x = self.norm("mlp1.0", x, 1e-5)
        return self.linear("mlp1.3", F.gelu(self.linear("mlp1.1", x)))

    def embed(self, ids, image_token, tokens):
        """Prompt embeddings [1, t, hidden] with the pictures' tokens in their places."""
        x = self.language.get_input_embeddings()(torch.tensor([ids])).clone()
        if tokens is not None:
            places = torch.tensor(ids) == image_token
            assert int(places.sum()) == len(tokens)
            x[0, places] = tokens
        return x
