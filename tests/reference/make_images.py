#!/usr/bin/env python3
"""Makes tests/data/images and tests/data/images.tsv: small pictures of every pixel mode, and what
PIL's Image.open(file).convert("RGB") makes of them and of the shared test pictures.

    python make_images.py [shared data folder]

Needs Pillow 11.3 and numpy. images.tsv: set (own, shared), file, frame, width, height, sha256 of the
packed RGB bytes, or "error" where PIL refuses the file.
"""
import hashlib
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "data" / "images"
WIDTH, HEIGHT = 37, 23  # odd on purpose: padding, partial bytes, partial MCUs


def noise(channels, high=256, dtype=np.uint8, seed=1):
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = (x * high // WIDTH)[..., None] + np.arange(channels) * (y[..., None] * high // HEIGHT) // 2
    return ((smooth + random.integers(0, max(high // 8, 1), (HEIGHT, WIDTH, channels))) % high).astype(dtype)


def png(name, bits, color, rows, palette=None, transparency=None, interlace=0, exif=None):
    """A PNG written by hand: Pillow can't write every bit depth."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    body = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, color, 0, 0, interlace))
    body += chunk(b"gAMA", struct.pack(">I", 100000))  # must be ignored
    if palette is not None:
        body += chunk(b"PLTE", palette)
    if transparency is not None:
        body += chunk(b"tRNS", transparency)
    if exif is not None:
        body += chunk(b"eXIf", exif)
    raw = b"".join(b"\0" + row for row in rows)
    body += chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    (OUT / name).write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def packed(values, bits):
    """Rows of samples below 8 bits, packed from the high bits."""
    rows = []
    for row in values:
        text = "".join(format(v, f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return rows


def make_png():
    for bits in (1, 2, 4):
        png(f"gray{bits}.png", bits, 0, packed(noise(1, 1 << bits)[..., 0], bits))
        palette = noise(3, seed=bits + 5).reshape(-1, 3)[: 1 << bits]
        png(f"palette{bits}.png", bits, 3, packed(noise(1, 1 << bits)[..., 0], bits), palette.tobytes())
    png("gray1-trns.png", 1, 0, packed(noise(1, 2)[..., 0], 1), transparency=b"\0\1")
    png("gray4-trns.png", 4, 0, packed(noise(1, 16)[..., 0], 4), transparency=b"\0\5")
    png("gray8.png", 8, 0, [r.tobytes() for r in noise(1)])
    png("gray8-trns.png", 8, 0, [r.tobytes() for r in noise(1)], transparency=b"\0\x20")
    png("gray16.png", 16, 0, [r.astype(">u2").tobytes() for r in noise(1, 65536, np.uint16)])
    png("gray16-low.png", 16, 0, [r.astype(">u2").tobytes() for r in noise(1, 400, np.uint16)])
    png("gray16-trns.png", 16, 0, [r.astype(">u2").tobytes() for r in noise(1, 600, np.uint16)],
        transparency=b"\0\x20")
    png("la8.png", 8, 4, [r.tobytes() for r in noise(2)])
    png("la16.png", 16, 4, [r.astype(">u2").tobytes() for r in noise(2, 65536, np.uint16)])
    png("rgb8.png", 8, 2, [r.tobytes() for r in noise(3)])
    png("rgb8-trns.png", 8, 2, [r.tobytes() for r in noise(3)], transparency=b"\0\1\0\2\0\3")
    png("rgb16.png", 16, 2, [r.astype(">u2").tobytes() for r in noise(3, 65536, np.uint16)])
    png("rgba8.png", 8, 6, [r.tobytes() for r in noise(4)])
    png("rgba16.png", 16, 6, [r.astype(">u2").tobytes() for r in noise(4, 65536, np.uint16)])
    palette = noise(3, seed=9).reshape(-1, 3)[:200]
    png("palette8-trns.png", 8, 3, [r.tobytes() for r in noise(1, 200)], palette.tobytes(),
        transparency=bytes(range(0, 200)))
    exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0\0\0\0\0"
    png("rgb8-exif8.png", 8, 2, [r.tobytes() for r in noise(3)], exif=exif)


def make_jpeg():
    rgb = Image.fromarray(noise(3))
    for name, options in {
        "444.jpg": dict(quality=92, subsampling=0),
        "422.jpg": dict(quality=85, subsampling=1),
        "420.jpg": dict(quality=75, subsampling=2),
        "progressive.jpg": dict(quality=80, progressive=True),
        "low.jpg": dict(quality=20),
        "restart.jpg": dict(quality=70, restart_marker_blocks=2),
        "keep-rgb.jpg": dict(quality=90, keep_rgb=True),
    }.items():
        rgb.save(OUT / name, **options)
    Image.fromarray(noise(1)[..., 0]).save(OUT / "gray.jpg", quality=80)
    Image.fromarray(noise(4), "CMYK").save(OUT / "cmyk.jpg", quality=85)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(OUT / f"exif-{orientation}.jpg", quality=60, exif=exif)
    data = (OUT / "420.jpg").read_bytes()
    (OUT / "cut.jpg").write_bytes(data[: len(data) * 2 // 3])


def make_tiff():
    rgb, rgba = Image.fromarray(noise(3)), Image.fromarray(noise(4))
    gray, gray16 = Image.fromarray(noise(1)[..., 0]), Image.fromarray(noise(1, 65536, np.uint16)[..., 0])
    for name, image, options in [
        ("rgb-raw.tif", rgb, {}),
        ("rgb-lzw.tif", rgb, dict(compression="tiff_lzw")),
        ("rgb-deflate.tif", rgb, dict(compression="tiff_adobe_deflate")),
        ("rgb-packbits.tif", rgb, dict(compression="packbits")),
        ("rgb-jpeg.tif", rgb, dict(compression="jpeg", quality=85)),
        ("rgba.tif", rgba, dict(compression="tiff_lzw")),
        ("gray8.tif", gray, dict(compression="tiff_lzw")),
        ("gray16.tif", gray16, {}),
        ("la8.tif", Image.fromarray(noise(2), "LA"), {}),
        ("int32.tif", Image.fromarray(noise(1, 700, np.int32)[..., 0] - 200, "I"), {}),
        ("float32.tif", Image.fromarray((noise(1, 700, np.int32)[..., 0] - 200).astype(np.float32) * 0.77, "F"), {}),
        ("bilevel.tif", gray.convert("1"), dict(compression="group4")),
        ("cmyk.tif", Image.fromarray(noise(4), "CMYK"), {}),
        ("palette.tif", rgb.quantize(64), dict(compression="tiff_lzw")),
    ]:
        image.save(OUT / name, **options)
    white = gray.copy()
    white.save(OUT / "miniswhite.tif", tiffinfo={262: 0})
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.save(OUT / "orientation-6.tif", exif=exif)
    rgb.save(OUT / "pages.tif", save_all=True, append_images=[rgba.convert("RGB"), gray])
    tiff16 = noise(3, 65536, np.uint16)
    write_tiff("rgb16.tif", tiff16.astype("<u2").tobytes(), 16, 3, 2)
    write_tiff("rgb16-big.tif", tiff16.astype(">u2").tobytes(), 16, 3, 2, order=">")
    write_tiff("rgba16-associated.tif", noise(4, 65536, np.uint16).astype("<u2").tobytes(), 16, 4, 2, extra=1)
    write_tiff("rgba8-associated.tif", noise(4).tobytes(), 8, 4, 2, extra=1)
    write_tiff("int16.tif", (noise(1, 700, np.int32) - 200).astype("<i2").tobytes(), 16, 1, 1, kind=2)
    write_tiff("gray16-big.tif", noise(1, 600, np.uint16).astype(">u2").tobytes(), 16, 1, 1, order=">")
    write_tiff("planar.tif", noise(3).transpose(2, 0, 1).tobytes(), 8, 3, 2, planar=2)
    data = (OUT / "rgb-lzw.tif").read_bytes()
    (OUT / "cut.tif").write_bytes(data[: len(data) // 2])


def write_tiff(name, data, bits, samples, photometric, order="<", extra=None, kind=1, planar=1):
    """An uncompressed TIFF of one strip (one a plane) with fields Pillow does not write."""
    strips = samples if planar == 2 else 1
    size = len(data) // strips
    fields = [(256, 3, [WIDTH]), (257, 3, [HEIGHT]), (258, 3, [bits] * samples), (259, 3, [1]),
              (262, 3, [photometric]), (273, 4, [None] * strips), (277, 3, [samples]), (278, 3, [HEIGHT]),
              (279, 4, [size] * strips), (284, 3, [planar])]
    if extra is not None:
        fields.append((338, 3, [extra]))
    fields.append((339, 3, [kind] * samples))
    tail_at = 8 + 2 + 12 * len(fields) + 4
    tail, entries = b"", b""
    tail_size = sum(len(v) * (2 if t == 3 else 4) for _, t, v in fields if len(v) * (2 if t == 3 else 4) > 4)
    for tag, kind_, values in fields:
        values = [tail_at + tail_size + i * size for i in range(strips)] if tag == 273 else values
        raw = struct.pack(order + str(len(values)) + ("H" if kind_ == 3 else "I"), *values)
        if len(raw) > 4:
            field = struct.pack(order + "I", tail_at + len(tail))
            tail += raw
        else:
            field = raw.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind_, len(values)) + field
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    head += struct.pack(order + "H", len(fields)) + entries + struct.pack(order + "I", 0)
    (OUT / name).write_bytes(head + tail + data)


def make_others():
    rgb, rgba = Image.fromarray(noise(3)), Image.fromarray(noise(4))
    rgb.save(OUT / "lossless.webp", lossless=True)
    rgb.save(OUT / "lossy.webp", quality=70)
    rgba.save(OUT / "alpha-lossless.webp", lossless=True, exact=True)
    rgba.save(OUT / "alpha-lossy.webp", quality=70)
    moving = [Image.fromarray(noise(3, seed=s)) for s in (1, 2, 3)]
    moving[0].save(OUT / "moving.webp", save_all=True, append_images=moving[1:], lossless=True, duration=100)
    rgb.save(OUT / "rgb24.bmp")
    rgb.quantize(256).save(OUT / "palette8.bmp")
    rgb.convert("1").save(OUT / "bilevel.bmp")
    Image.fromarray(noise(1)[..., 0]).save(OUT / "gray8.bmp")
    rgba.save(OUT / "rgba32.bmp")
    write_bmp("rgb555.bmp", 16, [r.astype("<u2").tobytes() for r in noise(1, 32768, np.uint16)[..., 0]])
    write_bmp("rgb565.bmp", 16, [r.astype("<u2").tobytes() for r in noise(1, 65536, np.uint16)[..., 0]],
              struct.pack("<III", 0xF800, 0x7E0, 0x1F), compression=3)
    colors = b"".join(bytes(c[::-1]) + b"\0" for c in noise(3, seed=4).reshape(-1, 3)[:16].tolist())
    write_bmp("palette4.bmp", 4, packed(noise(1, 16)[..., 0], 4), colors, used=16)
    runs = [b"".join(bytes((1, v)) for v in row) + b"\0\0" for row in noise(1, 16)[..., 0]]
    write_bmp("rle8.bmp", 8, runs, colors, compression=1, used=16, align=1)
    rgb.quantize(128).save(OUT / "palette.gif")
    rgb.quantize(16).save(OUT / "interlaced.gif", interlace=1)
    Image.fromarray(noise(1)[..., 0]).save(OUT / "gray.gif")
    clear = rgb.quantize(32)
    clear.save(OUT / "transparent.gif", transparency=3)
    small = [im.quantize(32) for im in moving]
    small[0].save(OUT / "moving.gif", save_all=True, append_images=small[1:], duration=100, disposal=1)
    data = (OUT / "palette.gif").read_bytes()
    (OUT / "cut.gif").write_bytes(data[: len(data) // 2])


def write_bmp(name, bits, rows, table=b"", compression=0, used=0, align=4):
    data = b"".join(row + b"\0" * (-len(row) % align) for row in reversed(rows))
    if compression == 1:
        data += b"\0\1"
    info = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, bits, compression, len(data), 0, 0, used, 0)
    start = 14 + 40 + len(table)
    head = b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start)
    (OUT / name).write_bytes(head + info + table + data)


def rows_of(name, path):
    try:
        with Image.open(path) as image:
            frames = getattr(image, "n_frames", 1) if name[0] == "own" else 1
            for frame in range(frames):
                image.seek(frame)
                rgb = image.convert("RGB")
                yield (*name, str(frame), str(rgb.width), str(rgb.height), hashlib.sha256(rgb.tobytes()).hexdigest())
    except Exception:
        yield (*name, "0", "0", "0", "error")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    make_png()
    make_jpeg()
    make_tiff()
    make_others()
    lines = []
    for path in sorted(OUT.iterdir()):
        lines += rows_of(("own", path.name), path)
    table = OUT.parent / "images.tsv"
    if len(sys.argv) > 1:
        shared = Path(sys.argv[1])
        endings = {".png", ".jpg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".svs"}
        files = [p for p in shared.rglob("*") if p.suffix in endings] + [shared / "dicom/malformed/png.dcm"]
        for path in sorted(files):
            lines += rows_of(("shared", path.relative_to(shared).as_posix()), path)
    elif table.exists():
        lines += [tuple(l.split("\t")) for l in table.read_text().splitlines() if l.startswith("shared\t")]
    table.write_text("".join("\t".join(line) + "\n" for line in lines))


if __name__ == "__main__":
    main()
