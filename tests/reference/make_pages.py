#!/usr/bin/env python3
"""Makes tests/data/pdf_pages.tsv: the mean grey of an 8 x 8 grid over some pages of the shared PDFs,
drawn by MuPDF at the size PdfDocument draws them.

    python make_pages.py <shared data folder>

Needs PyMuPDF and numpy. Columns: file, page from 0, width, height, 64 means row by row.
"""
import sys
from pathlib import Path

import fitz
import numpy as np

OUT = Path(__file__).resolve().parent.parent / "data" / "pdf_pages.tsv"
PAGES = [("s41467-024-44806-1.pdf", 2), ("s12276-023-01094-x.pdf", 8), ("s00125-024-06103-w.pdf", 4),
         ("simple-multipage.pdf", 0)]

lines = []
for name, number in PAGES:
    page = fitz.open(Path(sys.argv[1]) / "pdf" / name)[number]
    scale = min(2000 / max(page.rect.width, page.rect.height), 300 / 72)
    width, height = round(page.rect.width * scale), round(page.rect.height * scale)
    matrix = fitz.Matrix(width / page.rect.width, height / page.rect.height)
    picture = page.get_pixmap(matrix=matrix, alpha=False, annots=False)
    gray = np.frombuffer(picture.samples, np.uint8).reshape(picture.height, picture.width, 3).mean(axis=2)
    means = [gray[y * height // 8:(y + 1) * height // 8, x * width // 8:(x + 1) * width // 8].mean()
             for y in range(8) for x in range(8)]
    lines.append("\t".join([name, str(number), str(width), str(height)] + [f"{m:.1f}" for m in means]) + "\n")
OUT.write_text("".join(lines))
