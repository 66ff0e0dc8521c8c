"""Golden prompts: tests/data/prompts.json.

The conversation template internvl2_5 and the <image> rules of InternVL's chat(), written here from
their description (model specification 6), with Hugging Face's slow Qwen2Tokenizer. Needs
transformers 4.57.1 and the files in ../shared beside the clone.
"""

import json
import pathlib

from make_preprocessing import choose_grid
from make_tokenizer import QWEN, qwen

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


def prompt(system, turns, question, sizes, most):
    """chat() with a list of (question, answer) turns; all pictures belong to the first question."""
    messages = [(role, text) for turn in turns for role, text in zip(("user", "assistant"), turn)]
    messages.append(("user", question))
    if sizes and "<image>" not in messages[0][1]:
        marks = "<image>\n" if len(sizes) == 1 else "".join(
            f"Image-{i + 1}: <image>\n" for i in range(len(sizes)))
        messages[0] = ("user", marks + messages[0][1])
    text = conversation(SYSTEMS.get(system, system), messages)
    for size in sizes:
        context = "<IMG_CONTEXT>" * (TOKENS_PER_TILE * tiles(size, most))
        text = text.replace("<image>", f"<img>{context}</img>", 1)
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


CASES = [
    ("one tile", "default", [], "Describe this image in detail.", [(448, 448)], 12),
    ("thirteen tiles", "default", [], "Describe this image in detail.", [(640, 480)], 12),
    ("text only", "default", [], "What is a pneumothorax?", [], 12),
    ("no system", "none", [], "<image>\nIs there an effusion?", [(1920, 1080)], 12),
    ("thinking", "thinking", [], "Is the heart enlarged?", [(1000, 1000)], 12),
    ("own system", "You are a radiologist. Use <think> tags.", [], "Describe.", [(500, 400)], 6),
    ("three images", "default", [], "Which differs?", [(640, 480), (448, 448), (100, 1200)], 12),
    ("marks in the text", "default", [], "Left <image> and right <image>: the same?", [(10, 10), (20, 10)], 2),
    ("two turns", "default", [("What is this?", "A chest film.")], "  Any nodule?\n", [(640, 480)], 12),
    ("history with thinking", "thinking",
     [("What is this?", "<think>\nIt shows ribs.\n</think>\nA chest film."), ("Sure?", "Yes.")], "Why?", [(448, 448)], 12),
    ("an empty answer", "default", [("Hello", "")], "Again", [], 12),
    ("video", "none", [], "Frame1: <image>\nFrame2: <image>\nFrame3: <image>\nWhat happens?", [(1280, 720)] * 3, 1),
    ("grounding", "default", [], PROMPTS["grounding_request"]["text"].replace("{}", "the left lung"), [(640, 480)], 12),
    ("box in the question", "none", [], "What is at <box>[[10, 20, 300, 400]]</box>?", [(448, 448)], 12),
    ("marks of composition", "none", [], "A\u030angstro\u0308m \u1112\u1161\u11ab 5\u00b5m", [], 12),
]

if __name__ == "__main__":
    tokenizer = qwen()
    rows = []
    for name, system, turns, question, sizes, most in CASES:
        ids = tokenizer.encode(prompt(system, turns, question, sizes, most), add_special_tokens=False)
        rows.append({"name": name, "system": system, "history": turns, "question": question,
                     "sizes": sizes, "max_tiles": most, "count": len(ids), "ids": runs(ids)})
    (DATA / "prompts.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
