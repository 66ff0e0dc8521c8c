"""Golden splits of answers into thinking and answer: tests/data/thinking.json.

The rule of VLMEvalKit (model specification 6.8), written here from its words: with `</think>` in the
text, the answer is what follows the last one; the thinking is what follows `<think>` where each comes
once, else all before the last `</think>`. Tags left inside are dropped, both parts stripped. The texts
are seeded; what the rule leaves open (`<think>` twice before a single end, or again behind the last
end) is left out.
"""

import json
import pathlib
import random

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
PARTS = ["<think>", "</think>", "</think>", "\n", " ", "ribs", "a < b", "<think", "</thi", "\u4f60\u597d", "\U0001f600 ", "<b>", "[[1, 2, 3, 4]]"]


def split(text):
    *before, answer = text.split("</think>")
    if not before:
        return "", answer
    if len(before) == 1 and "<think>" in before[0]:
        return before[0].split("<think>")[1], answer
    return "</think>".join(before), answer


def main():
    rng = random.Random(11)
    rows = []
    while len(rows) < 400:
        text = "".join(rng.choice(PARTS) for _ in range(rng.randint(1, 9)))
        behind = text.rpartition("</think>")[2]
        if "<think>" in behind or (text.count("</think>") == 1 and text.count("<think>") > 1):
            continue
        thinking, answer = split(text)
        rows.append([text, thinking.replace("<think>", "").replace("</think>", "").strip(), answer.strip()])
    (DATA / "thinking.json").write_text(
        "[" + ",\n".join(json.dumps(row) for row in rows) + "]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
