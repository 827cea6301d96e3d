"""Draw realtime/picture/read/glyphs.png: what digits look like, for reading labels of axes.

One row of cells, each CELL wide, in the order of GLYPHS, white on black; the upper edge of the
picture is the height of a capital letter, its lower edge the base line. Run it again only to add
a sign: `python scripts/make_glyphs.py FONT.ttf` with DejaVu Sans, matplotlib's own font.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from realtime.picture.read.glyphs import CELL, EM, GLYPHS, HEIGHT, SHEET


def main(font_path: str) -> None:
    font = ImageFont.truetype(font_path, EM)
    sheet = Image.new("L", (CELL * len(GLYPHS), HEIGHT))
    for k, glyph in enumerate(GLYPHS):
        cell = Image.new("L", (CELL, HEIGHT))
        ImageDraw.Draw(cell).text((2, HEIGHT), glyph, font=font, fill=255, anchor="ls")
        sheet.paste(cell, (k * CELL, 0))
    sheet.save(Path(SHEET), optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
