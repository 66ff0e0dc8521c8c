"""Golden data of the tokenizer.

    python make_tokenizer.py small   tests/data/tokenizer-small, a tokenizer of 1,291 ids
    python make_tokenizer.py golden  tests/data/tokenizer_golden.jsonl, from Hugging Face
    python make_tokenizer.py fuzz N  N more texts with their ids to standard output, for a long check

Needs transformers 4.57.1 and the Qwen tokenizer files in ../shared/tokenizer-qwen beside the clone.

The small tokenizer has the first 1,000 merges of Qwen's: ids 0..255 bytes, 256..1255 merges by
rank, 1256..1290 the 35 added tokens of InternVL3.5 in their order (<|endoftext|> 1256,
<|im_start|> 1257, <|im_end|> 1258, <think> 1280, </think> 1281, <img> 1282, </img> 1283,
<IMG_CONTEXT> 1284, <ref> 1287, </ref> 1288, <box> 1289, </box> 1290).
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
QWEN = ROOT.parent / "shared" / "tokenizer-qwen"
DATA = ROOT / "tests" / "data"
SMALL = DATA / "tokenizer-small"
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


if __name__ == "__main__":
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "small":
        write_small()
    else:
        sys.exit(__doc__)
