#!/usr/bin/env python3
"""Losses, gradients and 20 steps of training by PyTorch: tests/data/training.json.

    make_training.py

Conversations are cut into pieces as InternVL's own training does it (preprocess_internvl2_5): what
is read and what is learnt are encoded apart, only the answers with <|im_end|> count. Each runs
alone, without packing or padding; autograd, torch.optim.AdamW, torch.nn.utils.clip_grad_norm_ and
transformers' cosine schedule and rule of weight decay do the rest.
"""
import json
import pathlib
import re
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from transformers import Qwen2Tokenizer, get_cosine_schedule_with_warmup

import checkpoint
from internvl import InternVL, cut_tiles, to_pixels
from make_model import DATA, TOKENIZER, run_lengths, seeded_image

ROWS = [
    {"image": [300, 280, 7], "turns": [
        ["<image>\nWhat is seen?", "<think>\nA disc at 31 44 size 12.\n</think>\nOne <ref>disc</ref><box>[[100, 200, 300, 400]]</box>."],
        ["Are you sure?", "Yes."]]},
    {"image": None, "turns": [["What can be seen on a radiograph of the chest?", "The lungs and the heart."]]},
    {"image": [90, 120, 3], "turns": [["<image>\nIs there a legend?", "There is no legend."]]},
    {"image": None, "turns": [["How many bones has a hand?", "27"]]},
]
SIDE = 112  # of a tile: quick, and the gradient of the positions goes through their resizing
STEPS, WARMUP, RATE, DECAY, BETAS, EPSILON, LONGEST = 20, 4, 2e-3, 0.1, (0.9, 0.95), 1e-8, 1.0
# transformers' Trainer.get_decay_parameter_names(); nn.LayerNorm there goes by type, here by name
NO_DECAY = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)|norm1\.|norm2\.|mlp1\.0\.")


def encode(tokenizer, row):
    """ids, whether each is learnt, tiles."""
    tiles = cut_tiles(seeded_image(*row["image"]), 12, SIDE) if row["image"] else []
    ids, learnt = [], []
    for question, answer in row["turns"]:
        question = question.replace("<image>", f"<img>{'<IMG_CONTEXT>' * (SIDE // 28) ** 2 * len(tiles)}</img>")
        for text, counts in [(f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n", False),
                             (f"{answer}<|im_end|>", True), ("\n", False)]:
            part = tokenizer(text)["input_ids"]
            ids += part
            learnt += [counts] * len(part)
    return ids, learnt, tiles


def main():
    torch.manual_seed(0)
    tokenizer = Qwen2Tokenizer.from_pretrained(TOKENIZER)
    image_token = tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>")
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.write(folder, "tiny", 1, "F32", 2, TOKENIZER)
        config = pathlib.Path(folder) / "config.json"
        config.write_text(json.dumps(dict(json.loads(config.read_text()), force_image_size=SIDE)))
        model = InternVL(folder)
    model.language.train()  # no dropout in it
    named = {}
    for name in model.tensors:
        if name.startswith("language_model."):
            named[name] = model.language.get_parameter(name[len("language_model."):])
        else:
            named[name] = model.tensors[name] = torch.nn.Parameter(model.tensors[name].clone())
    examples = [encode(tokenizer, row) for row in ROWS]

    def loss_sum(example):
        ids, learnt, tiles = example
        tokens = model.project(model.vit(to_pixels(tiles))) if tiles else None
        x = model.language.get_input_embeddings()(torch.tensor([ids]))
        if tokens is not None:
            x = x.masked_scatter((torch.tensor([ids]) == image_token)[..., None], tokens)
        logits = model.language(inputs_embeds=x, use_cache=False).logits[0, :-1]
        labels = torch.where(torch.tensor(learnt[1:]), torch.tensor(ids[1:]), -100)
        return F.cross_entropy(logits.float(), labels, ignore_index=-100, reduction="sum")

    count = sum(sum(learnt[1:]) for _, learnt, _ in examples)
    sums = [loss_sum(example) for example in examples]
    (sum(sums) / count).backward()
    rng = np.random.default_rng(5)
    gradients = {}
    for name, parameter in named.items():
        flat = parameter.grad.flatten()
        places = sorted(set(flat.abs().topk(min(6, len(flat))).indices.tolist() + rng.integers(0, len(flat), 6).tolist()))
        gradients[name] = {"length": float(flat.norm()), "largest": float(flat.abs().max()),
                           "places": places, "values": [float(flat[i]) for i in places]}
    result = {"seed": 1, "side": SIDE, "rows": [dict(row, ids=run_lengths(ids), learnt=run_lengths([int(one) for one in learnt]))
                                  for row, (ids, learnt, _) in zip(ROWS, examples)],
              "targets": count, "sums": [float(one.detach()) for one in sums], "gradients": gradients}

    groups = [{"params": [p for n, p in named.items() if not NO_DECAY.search(n)], "weight_decay": DECAY},
              {"params": [p for n, p in named.items() if NO_DECAY.search(n)], "weight_decay": 0.0}]
    result["no_decay"] = sorted(n for n in named if NO_DECAY.search(n))
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS, eps=EPSILON)
    schedule = get_cosine_schedule_with_warmup(optimizer, WARMUP, STEPS)
    steps = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for example in examples:
            loss = loss_sum(example) / count
            loss.backward()
            total += float(loss.detach())
        length = float(torch.nn.utils.clip_grad_norm_(named.values(), LONGEST))
        steps.append({"loss": total, "rate": schedule.get_last_lr()[0], "length": length})
        print(steps[-1])
        optimizer.step()
        schedule.step()
    result.update(steps=steps, options={"steps": STEPS, "warmup": WARMUP, "rate": RATE, "decay": DECAY, "beta1": BETAS[0],
                                        "beta2": BETAS[1], "epsilon": EPSILON, "longest": LONGEST})
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    text = re.sub(r'("(?:vision_model|mlp1|language_model)[^"]*":\{)', r"\n\1", text).replace('{"loss"', '\n{"loss"')
    (DATA / "training.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
