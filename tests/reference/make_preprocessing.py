"""Golden data of tiling and resizing: tests/data/grids.csv, resize.csv, tiles.csv.

Needs Pillow 11.3 (later versions change the order of the passes for very tall pictures). The grid
rule is InternVL's dynamic_preprocess, written here from its description (model specification 5.3).
"""

import csv
import hashlib
import pathlib
import random

import PIL
from PIL import Image

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
TILE = 448


def choose_grid(width, height, most):
    """(columns, rows); the candidates come from a set, as in the reference."""
    grids = {(i, j) for n in range(1, most + 1) for i in range(1, n + 1) for j in range(1, n + 1)
             if 1 <= i * j <= most}
    best, chosen = float("inf"), (1, 1)
    for i, j in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        difference = abs(width / height - i / j)
        if difference < best:
            best, chosen = difference, (i, j)
        elif difference == best and width * height > 0.5 * TILE * TILE * i * j:
            chosen = (i, j)
    return chosen


def noise(width, height):
    """The generator of the model specification, 5.5."""
    s, out = 12345, bytearray()
    for _ in range(width * height * 3):
        s = (s * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(s >> 24)
    return Image.frombytes("RGB", (width, height), bytes(out))


def sha(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def write(name, header, rows):
    with open(DATA / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def grid_rows():
    rng = random.Random(5)
    sizes = [(448, 448), (640, 480), (1000, 1000), (633, 633), (634, 634), (1920, 1080),
             (1080, 1920), (2480, 3508), (100, 1200), (896, 448), (500, 400), (1250, 1000),
             (1, 1), (1, 100000), (100000, 1), (64, 1), (1, 64), (2147483647, 1),
             (2147483647, 2147483647)]
    sizes += [(rng.randint(1, 5000), rng.randint(1, 5000)) for _ in range(60)]
    # exact ratios and ties: multiples of i/j and of midpoints between neighbouring ratios
    sizes += [(i * s, j * s) for i in range(1, 9) for j in range(1, 9) for s in (1, 317)][::3]
    for width, height in sizes:
        for most in range(1, 25):
            yield (width, height, most, *choose_grid(width, height, most))


def resize_rows():
    rng = random.Random(6)
    cases = [(37, 23, 448, 448), (640, 481, 448, 448), (3, 3, 7, 5), (1, 1, 448, 448),
             (1, 1, 1, 1), (1, 1, 3, 1), (2, 2, 1, 1), (640, 10, 10, 10), (10, 640, 10, 10),
             (64, 1, 448, 448), (1, 64, 448, 448), (448, 300, 448, 448), (300, 448, 448, 448),
             (448, 448, 448, 448), (449, 447, 448, 448), (6400, 5, 100, 448), (5, 6400, 448, 100),
             (17, 33, 16, 32), (33, 17, 32, 16), (16, 16, 17, 17), (15, 15, 5, 5),
             (1000, 30, 1, 1), (30, 1000, 1, 1), (500, 400, 1792, 1344), (99, 101, 100, 100)]
    while len(cases) < 64:
        cases.append(tuple(rng.randint(1, 400) for _ in range(4)))
    for w, h, to_w, to_h in cases:
        yield (w, h, to_w, to_h, "bicubic", sha(noise(w, h).resize((to_w, to_h))))
    for w, h, to_w, to_h in [(100, 60, 200, 120), (61, 47, 448, 448), (300, 200, 33, 45)]:
        image = noise(w, h).resize((to_w, to_h), Image.Resampling.BILINEAR)
        yield (w, h, to_w, to_h, "bilinear", sha(image))


def tile_rows():
    """One line a tile, the thumbnail last."""
    for w, h, most in [(640, 480, 12), (448, 448, 12), (100, 300, 12), (500, 400, 6), (321, 123, 24)]:
        image = noise(w, h)
        columns, rows = choose_grid(w, h, most)
        whole = image.resize((columns * TILE, rows * TILE))
        tiles = [whole.crop((x * TILE, y * TILE, (x + 1) * TILE, (y + 1) * TILE))
                 for y in range(rows) for x in range(columns)]
        if len(tiles) != 1:
            tiles.append(image.resize((TILE, TILE)))
        for index, tile in enumerate(tiles):
            yield (w, h, most, index, sha(tile))


if __name__ == "__main__":
    assert PIL.__version__.startswith("11.3."), PIL.__version__
    write("grids.csv", ["width", "height", "max_tiles", "columns", "rows"], grid_rows())
    write("resize.csv", ["width", "height", "to_width", "to_height", "filter", "sha256"], resize_rows())
    write("tiles.csv", ["width", "height", "max_tiles", "tile", "sha256"], tile_rows())
