"""SentencePiece models for tests, and what InternLM2's tokenizer makes of texts with them.

    python make_sentencepiece.py model   tests/data/sentencepiece-small and -unigram, trained here
    python make_sentencepiece.py golden  tests/data/sentencepiece_*.jsonl

sentencepiece-small is laid out as InternLM2's: BPE with byte fallback, text left as it is, control
tokens at the places of placeholder pieces, the added tokens of InternVL2.5 behind the model's own,
<s> in front of every prompt. sentencepiece-unigram has the other choices: unigram, NFKC, spaces
joined, no <s>, and its added tokens in added_tokens.json alone.
"""

import io
import json
import random
import sys

from make_tokenizer import DATA, QWEN, fuzz

BPE, UNIGRAM = DATA / "sentencepiece-small", DATA / "sentencepiece-unigram"
PLACEHOLDERS = ["[UNUSED_TOKEN_145]", "[UNUSED_TOKEN_146]"]
BEHIND = ["<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>"]


def train(folder, **options):
    import sentencepiece
    prompts = json.loads((QWEN.parent / "prompts" / "internvl-prompts.json").read_text(encoding="utf-8"))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for entry in prompts.values() for line in entry["text"].split("\n") if line]),
        model_writer=model, vocab_size=400, byte_fallback=True, character_coverage=0.98, num_threads=1, minloglevel=2,
        **options)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(model.getvalue())


def write(folder, name, content):
    (folder / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_models():
    train(BPE, model_type="bpe", normalization_rule_name="identity", remove_extra_whitespaces=False,
          user_defined_symbols=PLACEHOLDERS)
    added = {"<unk>": 0, "<s>": 1, "</s>": 2, "<|im_end|>": 3, "<|im_start|>": 4}
    behind = {token: 400 + i for i, token in enumerate(BEHIND)}
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    write(BPE, "added_tokens.json", behind)
    write(BPE, "tokenizer_config.json", {
        "add_bos_token": True, "add_eos_token": False,
        "added_tokens_decoder": {str(id): {"content": token, **flags} for token, id in (added | behind).items()},
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>", *BEHIND],
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False, "tokenizer_class": "InternLM2Tokenizer"})

    train(UNIGRAM, model_type="unigram")
    write(UNIGRAM, "added_tokens.json",
          {token: 400 + i for i, token in enumerate(["<|im_start|>", "<|im_end|>", *BEHIND, "<think>", "</think>"])})
    write(UNIGRAM, "special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                                               "additional_special_tokens": ["<|im_start|>", "<|im_end|>", *BEHIND]})
    write(UNIGRAM, "tokenizer_config.json", {"add_bos_token": False, "tokenizer_class": "InternLM2Tokenizer"})


def tokenizer_class():
    """The tokenizer of InternLM2's repositories, by what it does: a slow tokenizer of transformers
    over sentencepiece, with no legacy switches; special tokens get a space in front when shown, the
    text is cleaned up, its first space goes."""
    import sentencepiece
    from transformers import PreTrainedTokenizer

    class InternLM2Tokenizer(PreTrainedTokenizer):
        vocab_files_names = {"vocab_file": "tokenizer.model"}

        def __init__(self, vocab_file, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>",
                     add_bos_token=True, clean_up_tokenization_spaces=False, **more):
            self.pieces = sentencepiece.SentencePieceProcessor(model_file=vocab_file)
            self.add_bos_token = add_bos_token
            super().__init__(unk_token=unk_token, bos_token=bos_token, eos_token=eos_token, pad_token=pad_token,
                             clean_up_tokenization_spaces=clean_up_tokenization_spaces, **more)

        @property
        def vocab_size(self):
            return self.pieces.get_piece_size()

        def get_vocab(self):
            return {self.pieces.id_to_piece(i): i for i in range(self.vocab_size)} | self.added_tokens_encoder

        def _tokenize(self, text):
            return self.pieces.encode(text, out_type=str)

        def _convert_token_to_id(self, token):
            return self.pieces.piece_to_id(token)

        def _convert_id_to_token(self, id):
            return self.pieces.id_to_piece(id)

        def build_inputs_with_special_tokens(self, ids, others=None):
            return [self.bos_token_id] * self.add_bos_token + ids + (others or [])

        def convert_tokens_to_string(self, tokens):
            text, run, after_special = "", [], False
            for token in tokens:
                special = token in self.all_special_tokens
                if special:
                    text += ("" if after_special else " ") + self.pieces.decode(run) + token
                    run = []
                else:
                    run.append(token)
                after_special = special
            text = self.clean_up_tokenization(text + self.pieces.decode(run))
            return (" " + text if tokens else text)[1:]

    return InternLM2Tokenizer


def load(folder):
    return tokenizer_class().from_pretrained(str(folder))


def ids_of(tokenizer, text):
    """With control tokens recognised, and as text."""
    recognised = tokenizer.encode(text, add_special_tokens=False)
    pieces = tokenizer.tokenize(text, split_special_tokens=True)
    return recognised, tokenizer.convert_tokens_to_ids(pieces)


def check_against_llama(folder, texts):
    """transformers' own slow LlamaTokenizer, legacy, encodes the same way."""
    from transformers import LlamaTokenizer
    ours, llama = load(folder), LlamaTokenizer.from_pretrained(str(folder), legacy=True)
    for text in texts:
        assert ours.encode(text, add_special_tokens=False) == llama.encode(text, add_special_tokens=False), text


def write_golden():
    """sentencepiece_golden.jsonl: [model, text, ids with control tokens recognised, ids as text];
    sentencepiece_decoding.jsonl: [model, ids, text without special tokens, text with them]."""
    rng = random.Random(9)
    texts = ["", " ", "\n", "a", " a", "a  b ", "<s>", "</s>a", "a<|im_end|> b", "<img><IMG_CONTEXT></img>", "[UNUSED_TOKEN_145]",
             "x [UNUSED_TOKEN_146]\n", "<0x41>", "\u2581a", "\0", "<unk>", "\ufb01 \u2460 a\u0301"]
    texts += [fuzz(rng, ["</s>", "<s>", "<|im_start|>", "<|im_end|>", *BEHIND]) for _ in range(40)]
    with open(DATA / "sentencepiece_golden.jsonl", "w", encoding="utf-8", newline="\n") as out, \
            open(DATA / "sentencepiece_decoding.jsonl", "w", encoding="utf-8", newline="\n") as decoding:
        for folder in (BPE, UNIGRAM):
            check_against_llama(folder, texts)
            tokenizer = load(folder)
            top = max(tokenizer.added_tokens_decoder) + 1
            for text in texts:
                out.write(json.dumps([folder.name, text, *ids_of(tokenizer, text)], separators=(",", ":")) + "\n")
            sequences = [tokenizer.encode(text, add_special_tokens=False) for text in
                         ("It is n't here . Is it ? ' Yes ' , I 've !", "We 're 's 'm n ' t .", "a . \u4f60 , b !")]
            sequences += [[rng.randrange(400, top) if rng.random() < 0.1 else rng.randrange(260) if rng.random() < 0.4 else
                           rng.randrange(260, 400) for _ in range(rng.randint(1, 12))] for _ in range(150)]
            for ids in sequences:
                decoding.write(json.dumps([folder.name, ids, tokenizer.decode(ids, skip_special_tokens=True),
                                           tokenizer.decode(ids, skip_special_tokens=False)], separators=(",", ":")) + "\n")


if __name__ == "__main__":
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "model":
        write_models()
    elif command == "golden":
        write_golden()
    else:
        sys.exit(__doc__)
