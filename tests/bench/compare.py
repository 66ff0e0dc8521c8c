#!/usr/bin/env python3
"""Runs `bench` and its peers in one go on one machine and prints the ratios.

    compare.py --bench build/release/bin/bench preprocess
    compare.py --bench build/release/bin/bench tokenize --model FOLDER
    compare.py --bench build/release/bin/bench engine --model FOLDER

`preprocess` puts our tiling beside Pillow's, one thread each, and checks that the bytes agree.
`tokenize` puts our encoding beside Hugging Face's tokenizers, or sentencepiece where the folder has a
tokenizer.model, one thread each.
`engine` puts our decoder and tower beside transformers' on the same weights, and beside the measured
read bandwidth. The peers need the virtual environment of tests/reference/requirements.txt.
"""
import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
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


class Ours:
    """`bench serve`, asked line by line."""

    def __init__(self, options):
        self.process = subprocess.Popen([options.bench, "serve", options.model, options.dtype], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        json.loads(self.process.stdout.readline())

    def ask(self, what, n):
        """(count, seconds): of tokens or of tiles."""
        self.process.stdin.write(f"{what} {n}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["count"], answer["seconds"]


def peer_model(options, dtype):
    """transformers' decoder and tower with the checkpoint's weights, mapped where they have the dtype."""
    import torch
    import transformers

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference"))
    import compare_transformers

    config = json.load(open(os.path.join(options.model, "config.json")))
    with torch.device("meta"):
        model = transformers.InternVLForConditionalGeneration(compare_transformers.native_config(config, "sdpa"))
    state = {name: value.to(dtype) for stored, tensor in compare_transformers.tensors_of(pathlib.Path(options.model))
             for name, value in compare_transformers.native_names(stored, tensor)}
    model.load_state_dict(state, strict=True, assign=True)
    rotary = model.model.language_model.rotary_emb
    model.model.language_model.rotary_emb = type(rotary)(model.config.text_config)
    return model.eval()


def engine(options):
    """Prefill, decode and tower, turn by turn: what one machine does in one minute."""
    import torch
    import transformers

    torch.set_grad_enabled(False)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
    model = peer_model(options, dtype)
    ours = Ours(options)
    language, head = model.model.language_model, model.lm_head

    def timed(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    def their_prefill(count):
        ids = torch.arange(1000, 1000 + count)[None]
        return timed(lambda: head(language(input_ids=ids, use_cache=True).last_hidden_state[:, -1:]).argmax(-1))

    def their_decode(count):
        out = language(input_ids=torch.arange(1000, 1030)[None], use_cache=True)
        cache, token = out.past_key_values, head(out.last_hidden_state[:, -1:]).argmax(-1)

        def loop():
            nonlocal token
            for _ in range(count):
                out = language(input_ids=token, past_key_values=cache, use_cache=True)
                token = head(out.last_hidden_state[:, -1:]).argmax(-1)

        return timed(loop)

    def their_tower(count):
        side = model.config.vision_config.image_size[0]
        pixels = torch.rand(count, 3, side, side).to(dtype)
        return timed(lambda: model.model.get_image_features(pixel_values=pixels, vision_feature_layer=-1,
                                                            vision_feature_select_strategy="default"))

    measures = [("prefill", n, their_prefill) for n in options.prefill]
    measures += [("decode", options.tokens, their_decode), ("see", 448, their_tower), ("see", 1000, their_tower)]
    for what, n, theirs in measures:
        best_ours, best_theirs = 1e30, 1e30
        for _ in range(options.repeats):
            count, seconds = ours.ask(what, n)
            best_ours = min(best_ours, seconds)
            best_theirs = min(best_theirs, theirs(count))
        line = {"bench": what, "dtype": options.dtype, "count": count, "threads": torch.get_num_threads(),
                "ours_per_second": round(count / best_ours, 2), "peer": f"transformers {transformers.__version__}",
                "peer_per_second": round(count / best_theirs, 2), "ratio": round(best_theirs / best_ours, 2)}
        width = dtype.itemsize
        weights = sum(p.numel() for n, p in model.named_parameters() if "language_model.layers" in n or "lm_head" in n)
        if what == "decode":
            bandwidth = max(run([options.bench, "bandwidth"])["bytes_per_second"] for _ in range(3))
            line["share_of_read_bandwidth"] = round(count / best_ours * weights * width / bandwidth, 2)
            line["read_bandwidth_GB_per_second"] = round(bandwidth / 1e9, 1)
        if what == "prefill":
            # matrix products of the layers alone; the rate at::mm reaches on their largest shape
            layer = sum(p.numel() for n, p in model.named_parameters() if "language_model.layers" in n and p.dim() == 2)
            text = model.config.text_config
            a = torch.rand(count, text.hidden_size).to(dtype)
            b = torch.rand(text.hidden_size, text.intermediate_size).to(dtype)
            rate = 2 * count * b.numel() / min(timed(lambda: torch.mm(a, b)) for _ in range(20))
            line["share_of_matrix_rate"] = round(2 * count * layer / best_ours / rate, 2)
            line["matrix_rate_GFLOP_per_second"] = round(rate / 1e9)
        print(json.dumps(line), flush=True)
    ours.process.stdin.close()
    ours.process.wait()
    return 0


def corpora():
    """Prose, code and many scripts, from this repository and what lies beside it; in paragraphs, as
    questions come."""
    root = pathlib.Path(__file__).resolve().parents[2]
    shared = root.parent / "shared"

    def paragraphs(files):
        whole = "\n\n".join(file.read_text(encoding="utf-8") for file in sorted(files))
        return [part for part in whole.split("\n\n") if part]

    sys.path.insert(0, str(root / "tests" / "reference"))
    import fuzz_text
    return {"prose": paragraphs([*root.glob("**/README.md"), *shared.glob("*.md")]),
            "code": paragraphs([*root.glob("inference/*.cpp"), *root.glob("ui/*/*.cpp")]),
            "scripts": [text.replace("\0", "") for text in fuzz_text.texts()]}


def tokenizer_peers(folder):
    """By name: what makes a fresh encoder, text to ids."""
    import tokenizers
    import transformers
    peers = {}
    if os.path.exists(os.path.join(folder, "tokenizer.model")):
        import sentencepiece
        processor = sentencepiece.SentencePieceProcessor(model_file=os.path.join(folder, "tokenizer.model"))
        peers[f"sentencepiece {sentencepiece.__version__}"] = lambda: processor.encode
        if json.load(open(os.path.join(folder, "tokenizer_config.json"))).get("add_bos_token"):  # InternLM2's kind
            fast = transformers.LlamaTokenizerFast.from_pretrained(folder, from_slow=True, legacy=True)
        else:
            return peers
    else:
        fast = transformers.Qwen2TokenizerFast.from_pretrained(folder)
    saved = fast.backend_tokenizer.to_str()

    def load():
        copy = tokenizers.Tokenizer.from_str(saved)
        return lambda text: copy.encode(text, add_special_tokens=False).ids

    peers[f"tokenizers {tokenizers.__version__}"] = load
    return peers


def tokenize(options):
    """`ours` and the peer encode the same texts on one thread; the ids must agree."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["RAYON_NUM_THREADS"] = "1"
    one_thread()
    peers = tokenizer_peers(options.model)
    sentencepiece_there = any(name.startswith("sentencepiece") for name in peers)
    status = 0
    for corpus, texts in corpora().items():
        if sentencepiece_there:  # it does not know added tokens
            texts = [text for text in texts if "<" not in text]
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"".join(text.encode() + b"\0" for text in texts))
            file.flush()
            ours, seconds, ids = {"seconds": 1e30}, dict.fromkeys(peers, 1e30), {}
            for _ in range(4):  # in turns, so that a busy machine slows all of them down
                ours = min(ours, run([options.bench, "tokenize", options.model, file.name]), key=lambda one: one["seconds"])
                for name, load in peers.items():
                    encode = load()
                    for again in range(2):  # then with its words remembered
                        start = time.perf_counter()
                        ids[name] = [encode(text) for text in texts]
                        seconds[name] = min(seconds[name], time.perf_counter() - start)
        for name in peers:
            digest = hashlib.sha256("".join(f"{id} " for row in ids[name] for id in row).encode()).hexdigest()
            equal = digest == ours["sha256"]
            status |= not (equal or corpus == "scripts")  # where fast tokenizers differ from the slow ones
            megabytes = ours["bytes"] / 1e6
            print(json.dumps({"bench": "tokenize", "corpus": corpus, "megabytes": round(megabytes, 2),
                              "tokens": ours["tokens"], "ours_MB_per_second": round(megabytes / ours["seconds"], 2),
                              "peer": name, "peer_MB_per_second": round(megabytes / seconds[name], 2),
                              "ratio": round(seconds[name] / ours["seconds"], 2), "ids_equal": equal}))
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["preprocess", "tokenize", "engine"])
    parser.add_argument("--bench", required=True)
    parser.add_argument("--model")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--prefill", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.what != "preprocess" and not options.model:
        parser.error(f"{options.what} needs --model")
    return {"preprocess": preprocess, "tokenize": tokenize, "engine": engine}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
