"""What stands around the panes of a picture, as pixels: black on white, by Pillow."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from realtime.picture.sheet import Line, Sheet, Text

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FONT = "DejaVuSans.ttf"
"""Latin, Greek, Cyrillic; made by scripts/make_font.sh."""

WHITE, BLACK = 255, 0


def inked(sheet: Sheet, first: int, stop: int) -> NDArray[np.uint8]:
    """The lines and texts of a sheet from row `first` of pixels to before `stop`, uint8
    (stop - first, width), 255 where there is nothing."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (sheet.width, stop - first), WHITE)
    draw = ImageDraw.Draw(canvas)
    for line in sheet.lines:
        left, top, right, bottom = _line_box(line, sheet.line)
        if top < stop and bottom >= first:
            draw.rectangle((left, top - first, right, bottom - first), fill=BLACK)
    for text in sheet.texts:
        if text.turned:
            _turn(canvas, text, first)
        elif first - text.size < text.y < stop + text.size:
            place, font = (text.x, text.y - first), font_of(text.size)
            draw.text(place, text.text, BLACK, font, anchor=f"{text.align}s")
    return np.asarray(canvas)


def _line_box(line: Line, thin: float) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a line's pixels, the last ones included."""
    side = round(thin)
    if line.y0 == line.y1:
        top = round(line.y0 - thin / 2)
        return round(line.x0), top, round(line.x1) - 1, top + side - 1
    left = round(line.x0 - thin / 2)
    return left, round(line.y0), left + side - 1, round(line.y1) - 1


def font_bytes() -> bytes:
    """The font's file."""
    return (resources.files("realtime.picture") / "fonts" / FONT).read_bytes()


@cache
def font_of(size: float) -> FreeTypeFont:
    """size : pixels"""
    from io import BytesIO

    from PIL import ImageFont

    return ImageFont.truetype(BytesIO(font_bytes()), size, layout_engine=ImageFont.Layout.BASIC)


def unknown_letters(text: str) -> str:
    """Those of a text that the font has not: nothing is drawn for them."""
    font = font_of(16)
    return "".join(
        letter
        for letter in dict.fromkeys(text)
        if letter.isprintable() and not letter.isspace() and font.getmask(letter).getbbox() is None
    )


def _turn(canvas, text: Text, first: int) -> None:  # type: ignore[no-untyped-def] # a Pillow image
    from PIL import Image, ImageDraw

    font = font_of(text.size)
    width, height = round(font.getlength(text.text)) + 2, round(2 * text.size)
    flat = Image.new("L", (width, height), WHITE)
    base = round(1.5 * text.size)
    ImageDraw.Draw(flat).text((width / 2, base), text.text, BLACK, font, anchor="ms")
    upright = flat.transpose(Image.Transpose.ROTATE_90)
    canvas.paste(upright, (round(text.x) - base, round(text.y - width / 2) - first))
