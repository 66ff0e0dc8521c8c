#!/usr/bin/env python3
"""Writes tests/data/cli_tiles.csv: what the reference preprocessing makes of real files.

    make_tiles.py SHARED_DATA_FOLDER

Pillow's convert('RGB') and resize, and the grid choice of the model card, for each file: width,
height, grid, and the SHA-256 over all tiles' RGB bytes in order, thumbnail last.
"""
import csv
import hashlib
import pathlib
import sys

from PIL import Image

FILES = """endoscopy/polyp-01.png endoscopy/polyp-04-two.png images/alpha.png images/bilevel.png images/gray16.png
images/exif-orientation-6.jpg images/progressive.jpg images/cmyk.jpg images/lzw.tif images/still.bmp images/still.webp
images/extreme-aspect.png images/one-pixel.png images/wrong-extension.jpg
figures/natcomm-44806-1_fig2_alignment-bars-protein.png figures/diabetologia-06103_table1.png""".split()


def grid(width, height, most, size=448):
    candidates = sorted({(i, j) for n in range(1, most + 1) for i in range(1, n + 1) for j in range(1, n + 1) if i * j <= most},
                        key=lambda g: g[0] * g[1])
    best, choice = float("inf"), (1, 1)
    for columns, rows in candidates:
        difference = abs(width / height - columns / rows)
        if difference < best:
            best, choice = difference, (columns, rows)
        elif difference == best and width * height > 0.5 * size * size * columns * rows:
            choice = (columns, rows)
    return choice


def tiles(image, most, size=448):
    columns, rows = grid(*image.size, most)
    resized = image.resize((size * columns, size * rows))
    made = [resized.crop((size * x, size * y, size * (x + 1), size * (y + 1))) for y in range(rows) for x in range(columns)]
    return (columns, rows), made + ([image.resize((size, size))] if len(made) > 1 else [])


def main():
    folder = pathlib.Path(sys.argv[1])
    with open(pathlib.Path(__file__).parent.parent / "data" / "cli_tiles.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["file", "max_tiles", "width", "height", "columns", "rows", "tiles", "sha256"])
        for name in FILES:
            for most in (12, 6):
                image = Image.open(folder / name).convert("RGB")
                (columns, rows), made = tiles(image, most)
                digest = hashlib.sha256(b"".join(tile.tobytes() for tile in made)).hexdigest()
                writer.writerow([name, most, *image.size, columns, rows, len(made), digest])


if __name__ == "__main__":
    main()
