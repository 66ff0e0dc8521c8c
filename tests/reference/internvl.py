"""InternVLChat in plain PyTorch, from the model specification, sections 2 and 3; Qwen3 is transformers' own.

Slow and short on purpose: this is what inference/ is compared with.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open
from transformers import Qwen3Config, Qwen3ForCausalLM

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


class InternVL:
    def __init__(self, folder, dtype=torch.float32):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = {name: value.to(dtype) for name, value in read_tensors(folder).items()}
        prefix = "language_model."
        llm = dict(self.config["llm_config"])
        llm.pop("architectures")
        self.language = Qwen3ForCausalLM(Qwen3Config(**llm, attn_implementation="eager")).to(dtype).eval()
        self.language.load_state_dict({n[len(prefix):]: t for n, t in self.tensors.items() if n.startswith(prefix)})

    def linear(self, name, x):
        return F.linear(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def norm(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self.tensors[name + ".weight"], self.tensors[name + ".bias"], eps)

    def vit(self, pixels):
        """[n, 3, s, s] -> [n, patches, c], class token dropped."""
        v, t, e = self.config["vision_config"], self.tensors, "vision_model.embeddings."
        heads = v["num_attention_heads"]
        x = F.conv2d(pixels, t[e + "patch_embedding.weight"], t[e + "patch_embedding.bias"], stride=v["patch_size"])
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
            q, k, value = qkv.reshape(n, length, 3, heads, c // heads).permute(2, 0, 3, 1, 4).unbind(0)
            weights = ((q * (c // heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
            x = x + t[p + "ls1"] * self.linear(p + "attn.proj", (weights @ value).transpose(1, 2).reshape(n, length, c))
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
