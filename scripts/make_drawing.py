"""Draws docs/drawing.png, which the README makes sound of: `python scripts/make_drawing.py`."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 360, 240
FINE = 4
"""Drawn so many times larger, for smooth edges."""

OUT = Path(__file__).parent.parent / "docs" / "drawing.png"


def drawing() -> Image.Image:
    """A cat that sits under the moon, white on black."""
    image = Image.new("L", (SIZE[0] * FINE, SIZE[1] * FINE))
    draw = ImageDraw.Draw(image)

    def ellipse(x: float, y: float, width: float, height: float, shade: int) -> None:
        box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        draw.ellipse([side * FINE for side in box], fill=shade)

    def shape(*points: tuple[float, float], shade: int) -> None:
        draw.polygon([(x * FINE, y * FINE) for x, y in points], fill=shade)

    ellipse(300, 48, 56, 56, 255)  # the moon, and what hides some of it
    ellipse(284, 40, 48, 48, 0)
    for x, y in ((36, 40), (92, 22), (210, 30), (338, 110), (24, 120), (246, 84)):
        arms = [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]
        star = [(x + (6, 2)[k % 2] * a, y + (6, 2)[k % 2] * b) for k, (a, b) in enumerate(arms)]
        shape(*star, shade=200)

    tail = [(230 + 40 * math.sin(t * 2.2), 206 - 84 * t) for t in [k / 40 for k in range(41)]]
    for x, y in tail:
        ellipse(x, y, 15, 15, 255)
    ellipse(160, 186, 150, 96, 255)
    shape((88, 52), (100, 112), (138, 84), shade=255)
    shape((192, 52), (180, 112), (142, 84), shade=255)
    ellipse(140, 114, 116, 96, 255)
    shape((95, 68), (102, 92), (118, 82), shade=70)
    shape((185, 68), (178, 92), (162, 82), shade=70)
    for x in (116, 164):
        ellipse(x, 108, 24, 28, 0)
        ellipse(x, 108, 7, 24, 160)
    shape((133, 128), (147, 128), (140, 137), shade=0)
    for x in (131, 149):
        draw.arc(
            [(x - 9) * FINE, 130 * FINE, (x + 9) * FINE, 146 * FINE], 20, 160, 0, width=3 * FINE
        )
    for side in (-1, 1):
        for rise in (-8, 0, 8):
            ends = (140 + side * 30, 134 + rise / 2), (140 + side * 92, 134 + rise * 1.6)
            shade = [0, 255]
            middle = (140 + side * 56, 134 + rise)
            for part, grey in zip(((ends[0], middle), (middle, ends[1])), shade, strict=True):
                draw.line([(x * FINE, y * FINE) for x, y in part], fill=grey, width=2 * FINE)
    for x in (112, 136, 184, 208):
        ellipse(x, 230, 26, 14, 255)
    draw.line([0, 237 * FINE, SIZE[0] * FINE, 237 * FINE], fill=255, width=4 * FINE)
    return image.resize(SIZE, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    drawing().save(OUT, optimize=True)
