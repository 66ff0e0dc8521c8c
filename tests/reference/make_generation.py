#!/usr/bin/env python3
"""Records what transformers chooses and how probable it holds given texts: tests/data/generation.json.

    make_generation.py

The checkpoint and the three cases are those of make_model.py. `choices`: what is left of logits when
transformers' own list of processors is through, in its own order. `repetition`: greedy answers of
generate() with a repetition penalty, and the raw logits' log-softmax at each step. `scores`: log-softmax
of given continuations, teacher-forced in one forward pass over prompt and continuation.
"""
import json
import tempfile

import numpy as np
import torch
from transformers import GenerationConfig, Qwen2Tokenizer
from transformers.generation.logits_process import LogitsProcessorList

import checkpoint
from internvl import InternVL, cut_tiles, to_pixels
from make_model import CASES, DATA, SEED, TOKENIZER, prompt_text, seeded_image

TEXTS = ["yes", "no", "The answer is yes", "The answer is no", " The answer is yes",
         "<think>\nThe left side is brighter.\n</think>\nYes, there is.",
         "There is no fracture. " * 20]
# temperature, top_k, top_p, min_p, repetition penalty, chosen before, the logits
CHOICES = [
    (1.0, 50, 1.0, 0.0, 1.0, [], "text only"),
    (0.6, 50, 0.95, 0.0, 1.0, [], "one tile"),
    (0.7, 0, 0.9, 0.05, 1.0, [], "thirteen tiles"),
    (1.0, 0, 1.0, 0.1, 1.0, [], "text only"),
    (1.0, 0, 1.0, 1.0, 1.0, [], "text only"),
    (1.0, 0, 0.0, 0.0, 1.0, [], "one tile"),
    (2.0, 7, 0.8, 0.2, 1.3, [0, 5, 5, 77, 900], "one tile"),
    (0.5, 1, 1.0, 0.0, 0.5, [1, 2, 3], "thirteen tiles"),
    (1.5, 100000, 0.999, 0.001, 1.1, list(range(0, 1200, 7)), "text only"),
    (1.0, 20, 1.0, 0.0, 1.0, [], "ties"),
    (1.0, 20, 1.0, 0.3, 1.5, [3, 4, 10, 10], "ties"),
    (1.0, 0, 0.5, 0.0, 1.0, [], "ties"),
    (1.0, 0, 0.0, 0.0, 1.0, [], "ties"),
    (1.0, 0, 1.0, 1.0, 1.0, [], "ties"),
    (0.8, 50, 0.9, 0.02, 1.0, [], "mostly ruled out"),
    (1.0, 3, 1.0, 0.0, 2.0, [10, 20, 30, 31], "mostly ruled out"),
    (1.0, 50, 0.95, 0.05, 1.0, [], "one left"),
    (1.0, 0, 0.9, 0.0, 1.2, [4, 9], "extreme"),
    (100.0, 5, 0.9, 0.5, 1.2, [4, 9], "extreme"),
    (1e-4, 50, 0.95, 0.05, 1.0, [], "text only"),
    (1.0, 50, 0.95, 0.05, 1.1, [2, 3], "all equal"),
]


def logits_of(name, recorded):
    """Repeated by tests/inference/sampler_test.cpp."""
    if name in recorded:
        return recorded[name]
    scores = recorded["text only"].clone()
    if name == "ties":
        scores = torch.round(scores)
    elif name == "mostly ruled out":
        scores[torch.arange(len(scores)) % 10 != 0] = -float("inf")
    elif name == "one left":
        scores[torch.arange(len(scores)) != 123] = -float("inf")
    elif name == "extreme":
        scores *= 1e35
    elif name == "all equal":
        scores = torch.zeros(40)
    return scores


def choices(language, recorded):
    out = []
    for temperature, top_k, top_p, min_p, penalty, before, name in CHOICES:
        config = GenerationConfig(do_sample=True, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=penalty)
        processors = language._get_logits_processor(
            generation_config=config, input_ids_seq_length=0, encoder_input_ids=torch.zeros((1, 0), dtype=torch.long),
            prefix_allowed_tokens_fn=None, logits_processor=LogitsProcessorList(), device="cpu", model_kwargs={})
        # which of several equals top_p drops is left to torch's unstable sort: without ties it is not
        scores = logits_of(name, recorded)[None]
        left = processors(torch.tensor([before], dtype=torch.long), scores.clone())[0]
        kept = torch.isfinite(left).nonzero().flatten()
        probabilities = left.softmax(0)[kept]
        equals = top_p < 1 and name in ("ties", "all equal")
        out.append({"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p, "penalty": penalty,
                    "before": before, "logits": name, "order": [type(p).__name__ for p in processors],
                    "kept": len(kept) if equals else kept.tolist(),
                    "probabilities": [float(p) for p in probabilities.sort(descending=True).values[:20]]})
    return out


def top(row, count=3):
    best = row.topk(count)
    return [[int(i), float(v)] for v, i in zip(best.values, best.indices)]


@torch.no_grad()
def repetition(model, x, penalty):
    out = model.language.generate(
        inputs_embeds=x, attention_mask=torch.ones(x.shape[:2], dtype=torch.long), do_sample=False, repetition_penalty=penalty,
        max_new_tokens=48, output_logits=True, output_scores=True, return_dict_in_generate=True, pad_token_id=0)
    steps = [logits[0].float().log_softmax(0) for logits in out.logits]
    gaps = [float((s[0].topk(2).values[0] - s[0].topk(2).values[1]) / s[0].abs().max()) for s in out.scores]
    ids = out.sequences[0].tolist()
    print("  penalty", penalty, len(set(ids)), "distinct of", len(ids), "gap", min(gaps))
    return {"penalty": penalty, "new_ids": ids, "smallest_gap": min(gaps),
            "logprobs": [float(step[i]) for step, i in zip(steps, ids)], "top": [top(step) for step in steps]}


@torch.no_grad()
def score(model, x, ids):
    """Log-softmax of ids behind the embeddings x, in one forward pass."""
    whole = torch.cat([x, model.language.get_input_embeddings()(torch.tensor([ids]))], 1)
    logits = model.language(inputs_embeds=whole).logits[0].float().log_softmax(-1)
    n = x.shape[1]
    return [float(logits[n - 1 + i, one]) for i, one in enumerate(ids)]


def main():
    torch.manual_seed(0)
    tokenizer = Qwen2Tokenizer.from_pretrained(TOKENIZER)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    golden = json.loads((DATA / "model.json").read_text())
    recorded = {one["name"]: torch.tensor(one["logits"]) for one in golden["cases"]}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.write(folder, "tiny", SEED, "F32", 2, TOKENIZER)
        model = InternVL(folder)
    scores, answers = [], []
    for case, known in zip(CASES, golden["cases"]):
        print(case["name"])
        tiles = [cut_tiles(seeded_image(*image), 12) for image in case["images"]]
        prompt = tokenizer(prompt_text(case, [len(t) for t in tiles]))["input_ids"]
        tokens = None
        if tiles:
            with torch.no_grad():
                tokens = model.project(model.vit(to_pixels([tile for group in tiles for tile in group])))
        x = model.embed(prompt, tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"), tokens).detach()
        texts = [{"text": text, "ids": tokenizer(text)["input_ids"]} for text in TEXTS]
        texts.append({"text": "", "ids": known["new_ids"]})
        for one in texts:
            one["logprobs"] = score(model, x, one["ids"] + [end])
        scores.append({"name": case["name"], "continuations": texts})
        answers.append({"name": case["name"], "penalties": [repetition(model, x, penalty) for penalty in (1.0, 1.3, 0.8)]})
    result = {"choices": choices(model.language, recorded), "repetition": answers, "scores": scores}
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    for key in ('{"temperature"', '{"penalty"', '{"text"', '"repetition"', '"scores"'):
        text = text.replace(key, "\n" + key)
    (DATA / "generation.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
