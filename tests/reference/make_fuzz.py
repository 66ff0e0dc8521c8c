"""Golden ids of 20,000 seeded texts (fuzz_text.py) with every tokenizer: tests/data/tokenizer_fuzz.json.

    python make_fuzz.py

For each block of 100 texts the first 16 hexadecimal digits of SHA-256 over the texts, and over their
ids with control tokens recognised and as text, by Hugging Face's slow tokenizers; the ids of some
texts in full. Also which texts the fast Qwen2 tokenizer reads in another way: it normalises after it
has cut out added tokens, the slow one before, and its tables are of another Unicode version.
"""

import hashlib
import json

import make_sentencepiece
import make_tokenizer
from fuzz_text import BLOCK, COUNT, DATA, texts

SAMPLES = range(0, COUNT, 1000)


def digests(rows):
    return [hashlib.sha256("\n".join(rows[i:i + BLOCK]).encode()).hexdigest()[:16] for i in range(0, COUNT, BLOCK)]


def joined(ids):
    return " ".join(map(str, ids))


def main():
    from transformers import Qwen2TokenizerFast

    all_texts = texts()
    result = {"texts": digests(all_texts), "tokenizers": {}, "samples": {}}
    qwen = make_tokenizer.qwen()
    tokenizers = {"qwen": (qwen, make_tokenizer.ids_of), "qwen25": (make_tokenizer.qwen25(), make_tokenizer.ids_of),
                  "small": (make_tokenizer.qwen(small=True), make_tokenizer.ids_of)}
    for folder in (make_sentencepiece.BPE, make_sentencepiece.UNIGRAM):
        tokenizers[folder.name] = (make_sentencepiece.load(folder), make_sentencepiece.ids_of)
    for name, (tokenizer, ids_of) in tokenizers.items():
        rows = [ids_of(tokenizer, text) for text in all_texts]
        result["tokenizers"][name] = {"recognised": digests([joined(row[0]) for row in rows]),
                                      "text": digests([joined(row[1]) for row in rows])}
        if name in ("qwen", "small"):
            result["samples"][name] = {str(i): joined(rows[i][0]) for i in SAMPLES}
        if name == "qwen":
            fast = Qwen2TokenizerFast.from_pretrained(str(make_tokenizer.QWEN))
            result["fast_differs"] = [i for i in range(COUNT)
                                      if fast.encode(all_texts[i], add_special_tokens=False) != rows[i][0]]
        print(name, "done")
    (DATA / "tokenizer_fuzz.json").write_text(json.dumps(result, separators=(",", ":")).replace("],", "],\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
