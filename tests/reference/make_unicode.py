"""Writes inference/unicode_tables.cpp.

    python make_unicode.py

Letters, numbers and white space come from the `regex` module (2026.11.15, Unicode 17.0),
normalisation from Python's unicodedata (3.11, Unicode 14.0): the two that Qwen2Tokenizer uses.
"""

import pathlib
import unicodedata

import regex

OUT = pathlib.Path(__file__).resolve().parents[2] / "inference" / "unicode_tables.cpp"
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(members):
    """Sorted code points to [first, last] pairs."""
    out = []
    for c in members:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def matching(pattern):
    compiled = regex.compile(pattern)
    return ranges(c for c in POINTS if compiled.match(chr(c)))


def table(kind, name, rows):
    text = f"const std::vector<{kind}>& {name}()\n{{\n    static const std::vector<{kind}> table {{\n"
    line = "       "
    for row in rows:
        cell = " {" + ", ".join(f"0x{value:x}" if value > 9 else str(value) for value in row) + "},"
        if len(line) + len(cell) > 100:
            text, line = text + line + "\n", "       "
        line += cell
    return text + line + "\n    };\n    return table;\n}\n"


def classes():
    runs = []
    for c in POINTS:
        ccc = unicodedata.combining(chr(c))
        if ccc == 0:
            continue
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == ccc:
            runs[-1][1] = c
        else:
            runs.append([c, c, ccc])
    return runs


def decompositions():
    """(point, first, second or 0, may be composed again); Hangul is done by arithmetic."""
    for c in POINTS:
        text = unicodedata.decomposition(chr(c))
        if not text or text.startswith("<"):
            continue
        parts = [int(part, 16) for part in text.split()]
        composes = len(parts) == 2 and unicodedata.normalize("NFC", chr(c)) == chr(c)
        yield (c, parts[0], parts[1] if len(parts) == 2 else 0, int(composes))


if __name__ == "__main__":
    assert unicodedata.unidata_version == "14.0.0", unicodedata.unidata_version
    assert regex.match(r"\p{L}", "\u088f"), "this regex module is older than Unicode 17.0"
    OUT.write_text(
        '#include "inference/unicode_tables.h"\n\n'
        "// Made by tests/reference/make_unicode.py: letters, numbers and white space of Unicode 17.0,\n"
        "// normalisation of Unicode 14.0. Not to be edited.\n"
        "// clang-format off\n"
        "namespace inference::tables {\n\n"
        + table("Range", "letters", matching(r"\p{L}")) + "\n"
        + table("Range", "numbers", matching(r"\p{N}")) + "\n"
        + table("Range", "whiteSpace", matching(r"\s")) + "\n"
        + table("ClassRange", "combiningClasses", classes()) + "\n"
        + table("Decomposition", "decompositions", decompositions())
        + "\n}  // namespace inference::tables\n", encoding="utf-8")
