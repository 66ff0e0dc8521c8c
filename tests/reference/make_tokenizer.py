"""Golden data of the tokenizer.

    python make_tokenizer.py small   tests/data/tokenizer-small, a tokenizer of 1,291 ids, and
                                     tokenizer-small.json, the same as Hugging Face saves it
    python make_tokenizer.py golden  tests/data/tokenizer_*.jsonl, from Hugging Face
    python make_tokenizer.py qwen25  tests/data/tokenizer-qwen25, what InternVL2.5 and 3 add to Qwen2.5's
    python make_tokenizer.py fuzz N  N texts with their ids to standard output, for a long check

Needs transformers 4.57.1 and the Qwen tokenizer files in ../shared/tokenizer-qwen beside the clone.

The small tokenizer has the first 1,000 merges of Qwen's: ids 0..255 bytes, 256..1255 merges by
rank, 1256..1290 the 35 added tokens of InternVL3.5 in their order (<|endoftext|> 1256,
<|im_start|> 1257, <|im_end|> 1258, <think> 1280, </think> 1281, <img> 1282, </img> 1283,
<IMG_CONTEXT> 1284, <ref> 1287, </ref> 1288, <box> 1289, </box> 1290).
"""

import hashlib
import json
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
QWEN = ROOT.parent / "shared" / "tokenizer-qwen"
DATA = ROOT / "tests" / "data"
SMALL = DATA / "tokenizer-small"
QWEN25 = DATA / "tokenizer-qwen25"
SMALL_MERGES = 1000
QWEN_BASE = 151643


def write_small():
    """Cuts the Qwen files down; nothing is trained."""
    base = 256 + SMALL_MERGES
    shift = base - QWEN_BASE
    SMALL.mkdir(parents=True, exist_ok=True)

    vocab = json.loads((QWEN / "vocab.json").read_text(encoding="utf-8"))
    vocab = {token: id for token, id in sorted(vocab.items(), key=lambda item: item[1]) if id < base}
    assert list(vocab.values()) == list(range(base))
    (SMALL / "vocab.json").write_text(
        json.dumps(vocab, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")

    merges = (QWEN / "merges.txt").read_text(encoding="utf-8").split("\n")
    (SMALL / "merges.txt").write_text("\n".join(merges[:1 + SMALL_MERGES]) + "\n", encoding="utf-8")

    added = json.loads((QWEN / "added_tokens.json").read_text(encoding="utf-8"))
    added = {token: id + shift for token, id in sorted(added.items(), key=lambda item: item[1])}
    (SMALL / "added_tokens.json").write_text(json.dumps(added, indent=1) + "\n", encoding="utf-8")

    config = json.loads((QWEN / "tokenizer_config.json").read_text(encoding="utf-8"))
    config["added_tokens_decoder"] = {
        str(int(id) + shift): entry for id, entry in config["added_tokens_decoder"].items()}
    (SMALL / "tokenizer_config.json").write_text(
        json.dumps(config, indent=1) + "\n", encoding="utf-8")

    # the one file that the fast tokenizer is saved as
    from transformers import Qwen2TokenizerFast
    fast = json.loads(Qwen2TokenizerFast.from_pretrained(str(SMALL)).backend_tokenizer.to_str())
    (DATA / "tokenizer-small.json").write_text(
        json.dumps(fast, separators=(",", ":")) + "\n", encoding="utf-8")


def write_qwen25():
    """The added tokens of the Qwen2.5-based families: those of InternVL3.5 without Qwen3's four, so
    <img> is 151665 and <IMG_CONTEXT> 151667 (model specification 1.3)."""
    QWEN25.mkdir(parents=True, exist_ok=True)
    added = json.loads((QWEN / "added_tokens.json").read_text(encoding="utf-8"))
    kept = [token for token, id in sorted(added.items(), key=lambda item: item[1])
            if token not in ("<tool_response>", "</tool_response>", "<think>", "</think>")]
    added = {token: QWEN_BASE + i for i, token in enumerate(kept)}
    assert added["<IMG_CONTEXT>"] == 151667 and len(added) + QWEN_BASE == 151674
    (QWEN25 / "added_tokens.json").write_text(json.dumps(added, indent=1) + "\n", encoding="utf-8")
    config = json.loads((QWEN / "tokenizer_config.json").read_text(encoding="utf-8"))
    entries = {entry["content"]: entry for entry in config["added_tokens_decoder"].values()}
    config["added_tokens_decoder"] = {str(id): entries[token] for token, id in added.items()}
    (QWEN25 / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def qwen(small=False):
    """The slow tokenizer, the one that InternVL's card loads."""
    from transformers import Qwen2Tokenizer
    return Qwen2Tokenizer.from_pretrained(str(SMALL if small else QWEN))


def qwen25():
    """The vocabulary and merges of Qwen2.5 are those of Qwen3."""
    import shutil
    import tempfile
    from transformers import Qwen2Tokenizer
    with tempfile.TemporaryDirectory() as folder:
        for file in (QWEN / "vocab.json", QWEN / "merges.txt", *QWEN25.glob("*.json")):
            shutil.copy(file, folder)
        return Qwen2Tokenizer.from_pretrained(folder)


ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " ", "\n", "\r\n\t ",
    ".,;:!?'\"()[]{}<>|/\\@#$%^&*-_=+~`", "\u00e0\u00e9\u00ef\u00f5\u00fc\u00df\u00f1\u0153\u017f",
    "\u0391\u03b2\u03b3\u03b4\u03c9\u0416\u0438\u0439\u0434\u0451", "\u05d0\u05d1\u05b8\u0627\u0644\u0639\u0650\u0651",
    "\u0915\u094d\u0937\u093f\u0928\u093c\u0bb2\u0bca\u0e01\u0e33\u0e49",
    "\u4f60\u662f\u4e66\u751f\u4e07\u8c61\uff0c\u3002\u3042\u30ab\u3099\u3071",
    "\ud55c\uad6d\uc5b4\u1112\u1161\u11ab\u1100\u1173", "\u0300\u0301\u0323\u0338\u0327\u0345\u1dce",
    "\U0001f600\U0001f468\u200d\U0001f469\ufe0f\U0001f1e9\U0001f3fd", "\u00a0\u2003\u2028\u3000\u0085\u200b\ufeff\u180e",
    "\x00\x01\x1c\x1f\x7f\u0090", "\u00b2\u00bd\u2167\u0665\u096b\u2460\u3007", "\ufb01\u212b\u2126\u0958\uf900\u1e9b\U0001d11e\U0002f800",
]
WORDS = ["don't", "I'LL", "we'Ve", "'s", "'S", "x're", "def f(x):\n    return x", "for (int i = 0; i < n; ++i) {\n\t",
         "https://a.b/c?d=e", "<ref>", "<|im_", "end|>", "#######", "    ", "\n\n\n", " \n ", "The left lung",
         "5 x 10\u207b\u00b3 mm\u00b2", "pneumothorax", "\u6c14\u80f8", "-----", "=====", "...", "\\boxed{A}", "100,000.50"]


def fuzz(rng, added):
    """One text: runs of one alphabet, words, added tokens, long runs of one character."""
    parts = []
    for _ in range(rng.randint(1, 8)):
        kind = rng.random()
        if kind < 0.55:
            alphabet = rng.choice(ALPHABETS)
            parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 10))))
        elif kind < 0.75:
            parts.append(rng.choice(WORDS))
        elif kind < 0.85:
            parts.append(rng.choice(added))
        elif kind < 0.92:
            parts.append(rng.choice(" \n=-aA0\u4f60\t") * rng.choice([1, 2, 3, 5, 17, 64, 130]))
        else:
            parts.append("".join(chr(rng.choice([c for c in (rng.randrange(0x20, 0x3000), rng.randrange(0x4e00, 0xd7a0),
                                                            rng.randrange(0x1f300, 0x1f700))]))
                                 for _ in range(rng.randint(1, 6))))
        if rng.random() < 0.3:
            parts.append(" ")
    return "".join(parts)


def texts(count, added):
    """Every prompt, every added token alone and between letters, then seeded fuzz."""
    prompts = json.loads((QWEN.parent / "prompts" / "internvl-prompts.json").read_text(encoding="utf-8"))
    yield from ("", " ", "\n", "#######", ">\u0338", "<img>\u0338", "a" * 300, "\u4f60" * 200, " " * 300)
    yield from (entry["text"] for entry in prompts.values())
    for token in added:
        yield from (token, "a" + token + "b", " " + token + " \n", token[:-1])
    yield "".join(added)
    rng = random.Random(7)
    for _ in range(count):
        yield fuzz(rng, added)


def ids_of(tokenizer, text):
    """With control tokens recognised, and as text."""
    tokenizer.split_special_tokens = False
    recognised = tokenizer.encode(text, add_special_tokens=False)
    pieces = tokenizer.tokenize(text, split_special_tokens=True)
    return recognised, tokenizer.convert_tokens_to_ids(pieces)


def digest(ids):
    return hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest()[:16]


def lines(tokenizer, count):
    added = list(tokenizer.get_added_vocab())
    for text in texts(count, added):
        yield (text, *ids_of(tokenizer, text))


def write_golden():
    """A line a text: [text, digest of the ids with control tokens recognised, digest as text] with
    the first 16 hexadecimal digits of SHA-256 over the ids joined by spaces; short ones in full."""
    for small, count, name in ((False, 900, "tokenizer_golden.jsonl"), (True, 300, "tokenizer_small_golden.jsonl")):
        tokenizer = qwen(small)
        with open(DATA / name, "w", encoding="utf-8", newline="\n") as file:
            for text, recognised, plain in lines(tokenizer, count):
                row = [text, digest(recognised), digest(plain)]
                if len(recognised) <= 6:
                    row.append(recognised)
                file.write(json.dumps(row, separators=(",", ":")) + "\n")


def write_decoding():
    """A line a sequence: [ids, text without special tokens, text with them]: random ids, so that
    characters are cut and bytes are bad."""
    rng = random.Random(8)
    for small, count, name in ((False, 200, "tokenizer_decoding.jsonl"), (True, 150, "tokenizer_small_decoding.jsonl")):
        tokenizer = qwen(small)
        top = len(tokenizer)
        base = top - 35
        with open(DATA / name, "w", encoding="utf-8", newline="\n") as file:
            for _ in range(count):
                ids = [rng.randrange(base, top) if rng.random() < 0.1 else
                       rng.randrange(base) if rng.random() < 0.4 else rng.randrange(256)
                       for _ in range(rng.randint(1, 12))]
                file.write(json.dumps([ids, tokenizer.decode(ids, skip_special_tokens=True),
                                       tokenizer.decode(ids, skip_special_tokens=False)],
                                      separators=(",", ":")) + "\n")


if __name__ == "__main__":
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "small":
        write_small()
    elif command == "golden":
        write_golden()
        write_decoding()
    elif command == "qwen25":
        write_qwen25()
    elif command == "fuzz":
        for line in lines(qwen(), int(sys.argv[2])):
            print(json.dumps(line))
    else:
        sys.exit(__doc__)
