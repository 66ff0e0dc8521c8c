#!/usr/bin/env python3
"""Records what the reference computes from random checkpoints: tests/data/model.json.

    make_model.py [--search]

With --search looks for a seed whose 64 greedy tokens are all clear of near-ties. A file in
tests/data/model.json is named by its sha256, so the C++ writer is held to the same bytes.
"""
import argparse
import hashlib
import json
import pathlib
import tempfile

import numpy as np
import torch
from PIL import Image
from transformers import Qwen2Tokenizer
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

import checkpoint
from internvl import InternVL, cut_tiles, to_pixels

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
TOKENIZER = DATA / "tokenizer-small"
SYSTEM = "你是书生·万象，英文名是InternVL，是由上海人工智能实验室、清华大学及多家合作单位联合开发的多模态大语言模型。"
NEW_TOKENS = 64
CASES = [
    {"name": "text only", "system": "default", "question": "What can be seen on a radiograph of the chest?", "images": []},
    {"name": "one tile", "system": "none", "question": "Describe this image in detail.", "images": [(300, 280, 7)]},
    {"name": "thirteen tiles", "system": "default", "question": "Is there a fracture? Answer briefly.", "images": [(640, 480, 3)]},
]


def seeded_image(width, height, seed):
    """The generator of the model specification's check values (5.5)."""
    state, samples = seed, bytearray(3 * width * height)
    for i in range(len(samples)):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        samples[i] = state >> 24
    return Image.frombytes("RGB", (width, height), bytes(samples))


def samples(tensor, count=96):
    """Values at i * n // count of the flattened tensor."""
    flat = tensor.detach().float().flatten()
    return [float(np.float32(flat[i * flat.numel() // count])) for i in range(count)]


def prompt_text(case, tiles):
    text = "" if case["system"] == "none" else f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
    images = "".join(f"<img>{'<IMG_CONTEXT>' * 256 * n}</img>\n" for n in tiles)
    return text + f"<|im_start|>user\n{images}{case['question']}<|im_end|>\n<|im_start|>assistant\n"


@torch.no_grad()
def run(model, tokenizer, case):
    tiles = [cut_tiles(seeded_image(*image), 12) for image in case["images"]]
    ids = tokenizer(prompt_text(case, [len(t) for t in tiles]))["input_ids"]
    record = dict(case, prompt_ids=run_lengths(ids))
    tokens = None
    if tiles:
        flat = [tile for group in tiles for tile in group]
        record["tiles_sha256"] = hashlib.sha256(b"".join(tile.tobytes() for tile in flat)).hexdigest()
        pixels = to_pixels(flat)
        features = model.vit(pixels)
        tokens = model.project(features)
        record.update(tiles=len(flat), pixels=samples(pixels), vit=samples(features), projector=samples(tokens))
    x = model.embed(ids, tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"), tokens)
    hidden = []
    hooks = [layer.register_forward_hook(lambda _, __, out: hidden.append(out[0] if isinstance(out, tuple) else out))
             for layer in model.language.model.layers]
    out = model.language(inputs_embeds=x, use_cache=True)
    for hook in hooks:
        hook.remove()
    record["hidden"] = [samples(h[0]) for h in hidden]
    record["logits"] = [float(v) for v in out.logits[0, -1]]
    new, gap = [], float("inf")
    while True:
        logits = out.logits[0, -1]
        top = logits.topk(2)
        gap = min(gap, float((top.values[0] - top.values[1]) / logits.abs().max()))
        new.append(int(top.indices[0]))
        if len(new) == NEW_TOKENS:
            break
        out = model.language(input_ids=torch.tensor([[new[-1]]]), past_key_values=out.past_key_values, use_cache=True)
    record.update(new_ids=new, smallest_gap=gap)
    return record


def run_lengths(ids):
    """[[id, times], ...]: hundreds of image tokens in a row."""
    out = []
    for one in ids:
        if out and out[-1][0] == one:
            out[-1][1] += 1
        else:
            out.append([one, 1])
    return out


@torch.no_grad()
def small_tile(model):
    """The vision tower on a tile of 224 pixels: 16 x 16 of the 32 x 32 positions, resized."""
    features = model.vit(to_pixels([seeded_image(224, 224, 11)]))
    return {"image": [224, 224, 11], "vit": samples(features), "projector": samples(model.project(features))}


def sampler_cases():
    """What transformers' warpers leave, by id. `ties`: scores are multiples of 1/8, for top_k alone;
    which of several equals top_p drops depends on torch's unstable sort."""
    key = checkpoint.weights("sampler", [600], 1).ravel()  # 1-d: base 1, exponent 2
    cases = []
    for temperature, top_k, top_p in [(1, 50, 1), (0.6, 50, 0.95), (0.6, 0, 0.5), (2, 7, 0.8), (1, 0, 0.02), (0.25, 3, 1), (1, 600, 0.999)]:
        ties = top_p == 1
        scores = torch.from_numpy((key - 1) * 4 * 6)
        left = (torch.round(scores * 8) / 8 if ties else scores)[None]
        if temperature != 1:
            left = TemperatureLogitsWarper(float(temperature))(None, left)
        if top_k:
            left = TopKLogitsWarper(top_k)(None, left)
        if top_p < 1:
            left = TopPLogitsWarper(top_p)(None, left)
        kept = torch.isfinite(left[0]).nonzero().flatten().tolist()
        cases.append({"temperature": temperature, "top_k": top_k, "top_p": top_p, "ties": ties, "kept": kept,
                      "probabilities": [float(p) for p in left[0].softmax(0)[kept][:20]]})
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    tokenizer = Qwen2Tokenizer.from_pretrained(TOKENIZER)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    for seed in range(1, 400) if options.search else [SEED]:
        with tempfile.TemporaryDirectory() as folder:
            sums = checkpoint.write(folder, "tiny", seed, "F32", 2, TOKENIZER)
            model = InternVL(folder)
        records = []
        for case in CASES:
            records.append(run(model, tokenizer, case))
            ids, gap = records[-1]["new_ids"], records[-1]["smallest_gap"]
            print(seed, case["name"], f"gap {gap:.4f}", len(set(ids)), "distinct", end in ids)
            if options.search and (gap < 9e-4 or end in ids or len(set(ids)) < 8):
                break
        else:
            break
    with tempfile.TemporaryDirectory() as folder:
        single = checkpoint.write(folder, "tiny", seed, "BF16", 1, TOKENIZER)
    result = {"seed": seed, "sha256": sums, "sha256_bf16_single": single, "small_tile": small_tile(model), "cases": records, "sampler": sampler_cases()}
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    text = text.replace('{"name"', '\n{"name"').replace('{"temperature"', '\n{"temperature"').replace('"sampler"', '\n"sampler"')
    (DATA / "model.json").write_text(text + "\n")


SEED = 1  # of --search: the nearest two logits are 9e-4 of the largest apart

if __name__ == "__main__":
    main()
