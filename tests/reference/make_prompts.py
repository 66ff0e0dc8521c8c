"""Golden prompts: tests/data/prompts.json.

The conversation template internvl2_5 and the <image> rules of InternVL's chat(), written here from
their description (model specification 6), with the slow tokenizers: Qwen's with the added tokens of
InternVL3.5, of InternVL2.5 and 3, the small one, and InternLM2's, which puts <s> in front. Needs
transformers 4.57.1 and the files in ../shared beside the clone.
"""

import json
import pathlib

import make_sentencepiece
from make_preprocessing import choose_grid
from make_tokenizer import QWEN, qwen, qwen25

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
PROMPTS = json.loads((QWEN.parent / "prompts" / "internvl-prompts.json").read_text(encoding="utf-8"))
SYSTEMS = {"default": PROMPTS["system_internvl2_5"]["text"], "none": None,
           "thinking": PROMPTS["r1_system_prompt"]["text"]}
TOKENS_PER_TILE = 256


def conversation(system, messages):
    text = "" if system is None else f"<|im_start|>system\n{system}<|im_end|>\n"
    for role, message in messages + [("assistant", "")]:
        text += f"<|im_start|>{role}\n" + (message + "<|im_end|>\n" if message else "")
    return text


def tiles(size, most):
    columns, rows = choose_grid(*size, most)
    return 1 if columns * rows == 1 else columns * rows + 1


def marked(question, sizes, video, before):
    """The question with marks in front where it has pictures and none: chat()'s in the first turn, the
    numbered ones where there are several or were some before, those of frames for a video."""
    if not sizes or "<image>" in question:
        return question
    if video:
        return "".join(f"Frame{i + 1}: <image>\n" for i in range(len(sizes))) + question
    if before + len(sizes) == 1:
        return "<image>\n" + question
    return "".join(f"Image-{before + i + 1}: <image>\n" for i in range(len(sizes))) + question


def prompt(system, turns, most):
    """turns: (question, answer, sizes of its pictures, whether they are frames), the last answer None."""
    messages, all_tiles = [], []
    for question, answer, sizes, video in turns:
        messages.append(("user", marked(question, sizes, video, len(all_tiles))))
        all_tiles += [1 if video else tiles(size, most) for size in sizes]
        if answer is not None:
            messages.append(("assistant", answer))
    text = conversation(SYSTEMS.get(system, system), messages)
    for count in all_tiles:
        text = text.replace("<image>", "<img>" + "<IMG_CONTEXT>" * (TOKENS_PER_TILE * count) + "</img>", 1)
    return text


def runs(ids):
    """151671 151671 151671 to 151671*3, joined by spaces."""
    out = []
    for id in ids:
        if out and out[-1][0] == id:
            out[-1][1] += 1
        else:
            out.append([id, 1])
    return " ".join(f"{id}*{count}" if count > 1 else str(id) for id, count in out)


def one(question, sizes=(), video=False):
    return [(question, None, sizes, video)]


CASES = [
    ("one tile", "default", one("Describe this image in detail.", [(448, 448)]), 12),
    ("thirteen tiles", "default", one("Describe this image in detail.", [(640, 480)]), 12),
    ("text only", "default", one("What is a pneumothorax?"), 12),
    ("no system", "none", one("<image>\nIs there an effusion?", [(1920, 1080)]), 12),
    ("thinking", "thinking", one("Is the heart enlarged?", [(1000, 1000)]), 12),
    ("own system", "You are a radiologist. Use <think> tags.", one("Describe.", [(500, 400)]), 6),
    ("three images", "default", one("Which differs?", [(640, 480), (448, 448), (100, 1200)]), 12),
    ("marks in the text", "default", one("Left <image> and right <image>: the same?", [(10, 10), (20, 10)]), 2),
    ("two turns", "default", [("What is this?", "A chest film.", [(640, 480)], False), *one("  Any nodule?\n")], 12),
    ("history with thinking", "thinking",
     [("What is this?", "<think>\nIt shows ribs.\n</think>\nA chest film.", [(448, 448)], False),
      ("Sure?", "Yes.", [], False), *one("Why?")], 12),
    ("an empty answer", "default", [("Hello", "", [], False), *one("Again")], 12),
    ("typed frames", "none", one("Frame1: <image>\nFrame2: <image>\nFrame3: <image>\nWhat happens?", [(1280, 720)] * 3), 1),
    ("video", "none", one("What happens?", [(1280, 720)] * 8, True), 12),
    ("video and a later picture", "default", [("What happens?", "A polyp.", [(1280, 720)] * 2, True),
                                              *one("And this?", [(640, 480)])], 12),
    ("pictures of every turn", "default", [("What is this?", "A chest film.", [(640, 480)], False),
                                           ("And <image>?", "A lateral one.", [(448, 448)], False),
                                           ("Now?", "The same.", [(100, 1200), (10, 10)], False), *one("Compare them.")], 12),
    ("a picture in a later turn only", "none", [("Hello", "Hi.", [], False), *one("What is this?", [(448, 448)])], 12),
    ("grounding", "default", one(PROMPTS["grounding_request"]["text"].replace("{}", "the left lung"), [(640, 480)]), 12),
    ("box in the question", "none", one("What is at <box>[[10, 20, 300, 400]]</box>?", [(448, 448)]), 12),
    ("marks of composition", "none", one("A\u030angstro\u0308m \u1112\u1161\u11ab 5\u00b5m"), 12),
]

if __name__ == "__main__":
    tokenizers = {"qwen": qwen(), "qwen25": qwen25(), "small": qwen(small=True), "sentencepiece-small": make_sentencepiece.load(
        make_sentencepiece.BPE)}
    rows = []
    for name, system, turns, most in CASES:
        text = prompt(system, turns, most)
        # with what chat() lets the tokenizer put in front
        ids = {key: runs(tokenizer(text)["input_ids"]) for key, tokenizer in tokenizers.items()}
        rows.append({"name": name, "system": system, "max_tiles": most, "ids": ids, "turns": [
            {"question": question, "answer": answer, "sizes": sizes, "video": video} for question, answer, sizes, video in turns]})
    (DATA / "prompts.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
