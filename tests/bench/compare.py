#!/usr/bin/env python3
"""Runs `bench` and its peers in one go on one machine and prints the ratios.

    compare.py --bench build/release/bin/bench preprocess
    compare.py --bench build/release/bin/bench decode --model FOLDER

`preprocess` puts our tiling beside Pillow's, one thread each, and checks that the bytes agree.
`decode` puts our fp32 decoder beside transformers' on the same weights, and beside the measured
read bandwidth. The peers need the virtual environment of tests/reference/requirements.txt.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import time


def run(arguments):
    out = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def one_thread():
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})


def preprocess(options):
    import numpy
    from PIL import Image, __version__ as pillow

    one_thread()
    ours = run([options.bench, "preprocess"])

    # s = s * 1664525 + 1013904223, the byte is the top one; in blocks by jumping ahead
    count = 4000 * 3000 * 3
    a, c = 1664525, 1013904223
    block = 1 << 12
    multipliers = numpy.empty(block, numpy.uint32)
    increments = numpy.empty(block, numpy.uint32)
    m, i = 1, 0
    for k in range(block):
        m, i = m * a % 2**32, (i * a + c) % 2**32
        multipliers[k], increments[k] = m, i
    state, parts = 12345, []
    for _ in range(-(-count // block)):
        values = multipliers * numpy.uint32(state) + increments
        parts.append((values >> 24).astype(numpy.uint8))
        state = int(values[-1])
    pixels = numpy.concatenate(parts)[:count].reshape(3000, 4000, 3)
    picture = Image.fromarray(pixels)

    def tiles():
        columns, rows = 4, 3
        resized = picture.resize((448 * columns, 448 * rows))
        cut = [resized.crop((448 * x, 448 * y, 448 * (x + 1), 448 * (y + 1))) for y in range(rows) for x in range(columns)]
        return cut + [picture.resize((448, 448))]

    seconds, made = 1e30, None
    for _ in range(5):
        start = time.perf_counter()
        made = tiles()
        seconds = min(seconds, time.perf_counter() - start)
    digest = hashlib.sha256(b"".join(tile.tobytes() for tile in made)).hexdigest()
    print(json.dumps({"bench": "preprocess", "ours_seconds": ours["seconds"], "peer": f"Pillow {pillow}",
                      "peer_seconds": round(seconds, 5), "ratio": round(seconds / ours["seconds"], 2),
                      "bytes_equal": digest == ours["sha256"]}))
    return 0 if digest == ours["sha256"] else 1


def decode(options):
    def measured():
        return run([options.bench, "bandwidth"])["bytes_per_second"]

    bandwidth = measured()
    ours = run([options.bench, "decode", options.model, "fp32", str(options.tokens)])
    bandwidth = max(bandwidth, measured())  # other guests of a machine take their share at times

    import torch
    import transformers
    from safetensors import safe_open

    config = json.load(open(os.path.join(options.model, "config.json")))
    llm = {k: v for k, v in config["llm_config"].items() if k not in ("architectures", "torch_dtype", "dtype")}
    model_config = transformers.Qwen3Config(**llm)
    model_config._attn_implementation = "sdpa"
    torch.set_grad_enabled(False)
    with torch.device("meta"):
        model = transformers.Qwen3ForCausalLM(model_config)
    model = model.to_empty(device="cpu").float().eval()
    index = os.path.join(options.model, "model.safetensors.index.json")
    shards = sorted(set(json.load(open(index))["weight_map"].values())) if os.path.exists(index) else ["model.safetensors"]
    tensors = {}
    for shard in shards:
        with safe_open(os.path.join(options.model, shard), "pt") as file:
            for name in file.keys():
                if name.startswith("language_model."):
                    tensors[name.removeprefix("language_model.")] = file.get_tensor(name).float()
    model.load_state_dict(tensors, strict=True)
    model.model.rotary_emb = type(model.model.rotary_emb)(model_config)
    read = sum(p.numel() * 4 for n, p in model.named_parameters() if "embed_tokens" not in n)
    ids = torch.tensor([list(range(100, 170))])
    seconds = 1e30
    for _ in range(3):
        out = model(ids, use_cache=True)
        cache, token = out.past_key_values, out.logits[:, -1:].argmax(-1)
        start = time.perf_counter()
        for _ in range(options.tokens - 1):
            out = model(token, past_key_values=cache, use_cache=True)
            token = out.logits[:, -1:].argmax(-1)
        seconds = min(seconds, time.perf_counter() - start)
    peer = (options.tokens - 1) / seconds
    print(json.dumps({"bench": "decode", "dtype": "fp32", "tokens": options.tokens, "threads": torch.get_num_threads(),
                      "ours_tokens_per_second": ours["tokens_per_second"],
                      "peer": f"transformers {transformers.__version__}", "peer_tokens_per_second": round(peer, 3),
                      "ratio": round(ours["tokens_per_second"] / peer, 2),
                      "share_of_read_bandwidth": round(ours["tokens_per_second"] * read / bandwidth, 2),
                      "read_bandwidth_GB_per_second": round(bandwidth / 1e9, 1)}))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["preprocess", "decode"])
    parser.add_argument("--bench", required=True)
    parser.add_argument("--model")
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    if options.what == "decode" and not options.model:
        parser.error("decode needs --model")
    return {"preprocess": preprocess, "decode": decode}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
