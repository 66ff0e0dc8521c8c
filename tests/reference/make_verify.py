#!/usr/bin/env python3
"""Writes what `kvl verify` expects: inference/verify_reference.cpp.

    make_verify.py --tokenizer FOLDER

From the second sources: token ids of transformers' Qwen2Tokenizer over FOLDER (the files that Qwen2.5,
Qwen3 and so InternVL 2.5 to 3.5 share), and what PyTorch and transformers compute from the random
checkpoint of make_model.py, in fp32 and in bf16: samples of the first logits, 64 greedy tokens, and for bf16
how many bf16 steps the best logit leads by.
"""
import argparse
import json
import math
import pathlib
import tempfile
import textwrap

import torch
from transformers import Qwen2Tokenizer

import checkpoint
import make_model
from internvl import InternVL, cut_tiles, to_pixels

OUT = pathlib.Path(__file__).resolve().parents[2] / "inference" / "verify_reference.cpp"
TEXTS = ["#######", "Describe this image in detail.", "Image-1: ", "Frame1: ", make_model.SYSTEM,
         "It's 12,345.67 mg/dL; don't round.", "e\u0301 \u00e9 \ufb01 \u212b \u0928\u0940 \u1100\u1161", "  two  spaces\t\ttabs\r\n\r\n  end ",
         "for (int i = 0; i < n; ++i) {\n        x[i] *= 2;  // twice\n}", "\U0001fac1 \U0001f468\u200d\u2695\ufe0f 肺结节 μ ± ≤"]


def escaped(text):
    """As C++ spells it, in pieces that fit on a line."""
    pieces = [""]
    for c in text:
        one = c if " " <= c <= "~" and c not in '"\\?' else "".join(f"\\{b:03o}" for b in c.encode())
        if len(pieces[-1]) + len(one) > 80:
            pieces.append("")
        pieces[-1] += one
    return "\n         ".join(f'"{piece}"' for piece in pieces)


def step(value):
    """Of bf16 at this size: 8 bits of mantissa."""
    return 2.0 ** (math.floor(math.log2(abs(value))) - 7)


@torch.no_grad()
def run(model, tokenizer, case, dtype):
    tiles = [tile for image in case["images"] for tile in cut_tiles(make_model.seeded_image(*image), 12)]
    ids = tokenizer(make_model.prompt_text(case, [len(tiles)] if tiles else []))["input_ids"]
    tokens = model.project(model.vit(to_pixels(tiles).to(dtype))) if tiles else None
    out = model.language(inputs_embeds=model.embed(ids, tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"), tokens), use_cache=True)
    samples, new, leads = make_model.samples(out.logits[0, -1]), [], []
    while True:
        top = out.logits[0, -1].float().topk(2)
        new.append(int(out.logits[0, -1].argmax()))  # the lower id of equals
        leads.append(float(top.values[0] - top.values[1]) / step(float(top.values[0])))
        if len(new) == make_model.NEW_TOKENS:
            return ids, samples, new, leads
        out = model.language(input_ids=torch.tensor([[new[-1]]]), past_key_values=out.past_key_values, use_cache=True)


def numbers(values, show):
    return textwrap.fill("{" + ", ".join(show(v) for v in values) + "}", 84).replace("\n", "\n" + 10 * " ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", required=True)
    options = parser.parse_args()
    qwen = Qwen2Tokenizer.from_pretrained(options.tokenizer)
    texts = [f"        {{{escaped(text)},\n         {numbers(qwen(text)['input_ids'], str)}}}," for text in TEXTS]

    tokenizer = Qwen2Tokenizer.from_pretrained(make_model.TOKENIZER)
    recorded = json.loads((make_model.DATA / "model.json").read_text())["cases"]
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint.write(folder, "tiny", make_model.SEED, "F32", 2, make_model.TOKENIZER)
        for case, record in zip(make_model.CASES, recorded):
            ids, logits, new, _ = run(InternVL(folder), tokenizer, case, torch.float32)
            assert new == record["new_ids"], "model.json is of another checkpoint"
            _, _, half, leads = run(InternVL(folder, torch.bfloat16), tokenizer, case, torch.bfloat16)
            print(case["name"], "smallest lead in bf16 steps:", min(leads), flush=True)
            image = case["images"][0] if case["images"] else (0, 0, 0)
            runs = numbers(make_model.run_lengths(ids), lambda run: f"{{{run[0]},\u00a0{run[1]}}}").replace("\u00a0", " ")
            cases.append(f"""        {{.name = "{case['name']}",
         .image = {{{image[0]}, {image[1]}, {image[2]}}},
         .tilesSha256 = "{record.get('tiles_sha256', '')}",
         .prompt = {runs},
         .logits = {numbers(logits, lambda v: f"{v:.9g}F" if '.' in f"{v:.9g}" or 'e' in f"{v:.9g}" else f"{v:.9g}.0F")},
         .tokens = {numbers(new, str)},
         .bf16Tokens = {numbers(half, str)},
         .bf16Leads = {numbers(leads, lambda v: f"{v:.9g}")}}},""")
    OUT.write_text("""#include "inference/verify_reference.h"

// Made by tests/reference/make_verify.py from transformers and PyTorch. Not to be edited.
// clang-format off
namespace inference {

const std::vector<TokenVector>& qwenVectors()
{
    static const std::vector<TokenVector> all{
""" + "\n".join(texts) + """
    };
    return all;
}

const std::vector<ReferenceCase>& referenceCases()
{
    static const std::vector<ReferenceCase> all{
""" + "\n".join(cases) + """
    };
    return all;
}

}  // namespace inference
""")


if __name__ == "__main__":
    main()
