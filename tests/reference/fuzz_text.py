"""Seeded texts for tokenizers, the same as tests/support/fuzz_text.h makes.

Each text depends on its number alone. The material is tests/data/fuzz_text.json: alphabets (strings),
ranges of code points, words, control tokens, characters for long runs.

    python fuzz_text.py   writes tests/data/fuzz_text.json
"""

import json
import pathlib

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
MATERIAL = DATA / "fuzz_text.json"
COUNT = 20000
BLOCK = 100  # texts with a digest of their own


class Random:
    """splitmix64"""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return ((z ^ z >> 31) >> 32) % n


RUNS = [1, 2, 3, 5, 17, 64, 130, 400]


def text(number, material):
    random = Random(number * 1000003 + 7)

    def pick(things):
        return things[random.below(len(things))]

    parts = []
    for _ in range(1 + random.below(8)):
        kind = random.below(100)
        if kind < 38:  # one script
            alphabet = pick(material["alphabets"])
            parts += [pick(alphabet) for _ in range(1 + random.below(12))]
        elif kind < 52:
            parts.append(pick(material["words"]))
        elif kind < 60:
            parts.append(pick(material["controls"]))
        elif kind < 63:  # not quite a control token
            control = pick(material["controls"])
            parts.append(control[:random.below(len(control))])
        elif kind < 72:  # the same character again and again
            parts.append(pick(material["runs"]) * pick(RUNS))
        elif kind < 86:  # a corner of Unicode
            first, last = pick(material["ranges"])
            parts += [chr(first + random.below(last - first + 1)) for _ in range(1 + random.below(6))]
        else:  # letters with marks, composed or not
            for _ in range(1 + random.below(3)):
                parts.append(pick(material["bases"]))
                parts += [pick(material["marks"]) for _ in range(random.below(4))]
        if random.below(10) < 3:
            parts.append(" ")
    return "".join(parts)


def texts():
    material = json.loads(MATERIAL.read_text(encoding="utf-8"))
    return [text(number, material) for number in range(COUNT)]


def write_material():
    controls = json.loads((DATA / "tokenizer-small" / "added_tokens.json").read_text(encoding="utf-8"))
    material = {
        "alphabets": [
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "etaoinshrdlu ", "0123456789", "0123456789.,- ",
            "  \n\t", "\r\n\t \u000b\u000c", ".,;:!?'\"()[]{}<>|/\\@#$%^&*-_=+~`",
            "\u00e0\u00e9\u00ef\u00f5\u00fc\u00df\u00f1\u0153\u017f\u0130\u0131", "\u0391\u03b2\u03b3\u03b4\u03c9\u03c2\u1f80\u1fb3",
            "\u0416\u0438\u0439\u0434\u0451\u0407\u0491", "\u05d0\u05d1\u05b8\u05bc\u05e9\u05c1", "\u0627\u0644\u0639\u0650\u0651\u0640\u0622\u0660",
            "\u0915\u094d\u0937\u093f\u0928\u093c\u0958", "\u0bb2\u0bca\u0b95\u0bc6\u0bbe", "\u0e01\u0e33\u0e49\u0e40\u0e32",
            "\u4f60\u662f\u4e66\u751f\u4e07\u8c61\uff0c\u3002\u533b\u5b66", "\u3042\u30ab\u3099\u3071\u30fc\u3093\u3046\u309a",
            "\ud55c\uad6d\uc5b4\u1112\u1161\u11ab\u1100\u1173", "\U0001f600\U0001f468\u200d\U0001f469\ufe0f\U0001f1e9\U0001f1ea\U0001f3fd\u2764",
            "\u00a0\u2003\u2028\u2029\u3000\u0085\u200b\ufeff\u180e\u202f", "\u0000\u0001\u001b\u001c\u001f\u007f\u0090",
            "\u00b2\u00bd\u2167\u0665\u096b\u2460\u3007\u0be7\U0001d7d8", "\ufb01\u212b\u2126\u0958\uf900\u1e9b\U0001d11e\U0002f800\u2460",
            "\u2581\u2581a ", "\u00b5\u2103\u00b0\u00b1\u2264\u2265\u2192\u221a\u03a3 "],
        "ranges": [[0x20, 0x24f], [0x250, 0x36f], [0x370, 0x52f], [0x530, 0x6ff], [0x700, 0x8ff], [0x900, 0xdff], [0xe00, 0x109f],
                   [0x10a0, 0x13ff], [0x1400, 0x17ff], [0x1800, 0x1cff], [0x1d00, 0x1fff], [0x2000, 0x2bff], [0x2c00, 0x2fff],
                   [0x3000, 0x33ff], [0x3400, 0x9fff], [0xa000, 0xabff], [0xac00, 0xd7ff], [0xe000, 0xf8ff], [0xf900, 0xffff],
                   [0x10000, 0x10fff], [0x11000, 0x12fff], [0x13000, 0x18fff], [0x1b000, 0x1cfff], [0x1d000, 0x1dfff],
                   [0x1e000, 0x1efff], [0x1f000, 0x1faff], [0x20000, 0x323af], [0xe0000, 0xe01ef], [0x10ff00, 0x10ffff]],
        "words": ["don't", "I'LL", "we'Ve", "'s", "'S", "'\u017f", "x're", "def f(x):\n    return x\n", "for (int i = 0; i < n; ++i) {\n\t",
                  "SELECT * FROM t WHERE a <> 'b';", "#include <vector>\n", "#######", "    ", "\n\n\n", " \n ", "\t\t",
                  "https://a.b/c?d=e&f=%20", "The left lung", "pneumothorax", "5 x 10\u207b\u00b3 mm\u00b2", "\u6c14\u80f8", "\u304a\u306f\u3088\u3046",
                  "Lungenentz\u00fcndung", "\u043f\u043d\u0435\u0432\u043c\u043e\u043d\u0438\u044f", "\u0627\u0644\u0631\u0626\u0629", "-----", "=====", "...",
                  "\\boxed{A}", "100,000.50", "<image>", "Image-1: <image>\n", "Frame1: ", "[[10, 20, 300, 400]]", "<|im_", "end|>", "<s>", "</s>", "<unk>",
                  "<0x41>", "\U0001f469\u200d\u2695\ufe0f", "\U0001f1eb\U0001f1f7"],
        "controls": list(controls),
        "runs": [" ", "\n", "\t", "=", "-", "a", "A", "0", "#", "\u4f60", "\u0301", "\u3000", "\r\n", "ab", "\U0001f600", "\u2581"],
        "bases": ["a", "e", "o", "A", "E", "O", "s", "q", "x", " ", ">", "<img>", "\u0391", "\u0438", "\u0928", "\u304b", "\u1100\u1161", "\uac00", "\u00c5",
                  "\u1ea5", "\u212b", "\u0627", "\u0d46", "\U0001d157"],
        "marks": ["\u0300", "\u0301", "\u0302", "\u0303", "\u0308", "\u030a", "\u0323", "\u0327", "\u0331", "\u0338", "\u0345", "\u093c", "\u3099", "\u11a8",
                  "\u05bc", "\u0654", "\u0d3e", "\u1dce", "\U0001d165"],
    }
    MATERIAL.write_text(json.dumps(material, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_material()
