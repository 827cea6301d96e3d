"""A terminal's screen as numbers, and the shortest text that turns one screen into the next.

A cell is (code point, foreground, background), int32; a colour is a step 0..255 of the colour
map, or `PLAIN`, the terminal's own. Screens are (n_rows, n_columns, 3). Pure: no terminal here.
"""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import category, east_asian_width, normalize

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int32]

PLAIN = 256
"""The colour that is the terminal's own: text, and where nothing is known."""
BLANK = (ord(" "), PLAIN, PLAIN)
UPPER, LOWER = ord("▀"), ord("▄")
RAMP = " .:-=+*#%@"
"""From dark to bright, for terminals without colours or without half blocks."""
PLACEHOLDER = "?"
"""For what does not fill one cell of a terminal."""
WORTH_JUMPING = 8
"""Cells; to move the cursor costs about as many bytes as so many cells of one colour."""
STEPS = 64
"""Shades used of the 256: a terminal's cells are too coarse for more, and fewer changes of colour
save a quarter of the text."""

RESET = "\x1b[0m"
CUBE = np.array([0, 95, 135, 175, 215, 255])
"""Levels of red, green and blue in the 6 x 6 x 6 colours 16..231 of xterm (then 24 grays)."""


@dataclass(frozen=True)
class Palette:
    """The control sequences of each colour, `PLAIN` last; empty texts without colours."""

    foreground: tuple[str, ...]
    background: tuple[str, ...]
    colours: int

    @classmethod
    def of(cls, lut: NDArray[np.uint8], colours: int) -> Palette:
        """lut : uint8 (256, 3 or more), RGB. colours : how many the terminal can show."""
        rgb = lut[:, :3].astype(int)
        if colours >= 1 << 24:
            codes = [f"2;{r};{g};{b}" for r, g, b in rgb]
        elif colours >= 256:
            codes = [f"5;{code}" for code in _xterm256(rgb)]
        else:
            return cls(("",) * (PLAIN + 1), ("",) * (PLAIN + 1), colours)
        return cls(
            (*(f"38;{code}" for code in codes), "39"),
            (*(f"48;{code}" for code in codes), "49"),
            colours,
        )


def _xterm256(rgb: NDArray[np.int_]) -> NDArray[np.int_]:
    """The nearest of xterm's colours 16..255 by Euclidean distance in RGB."""
    r, g, b = np.meshgrid(CUBE, CUBE, CUBE, indexing="ij")
    grays = np.repeat(8 + 10 * np.arange(24)[:, None], 3, axis=1)
    table = np.concatenate([np.stack([r, g, b], axis=-1).reshape(-1, 3), grays])
    return 16 + ((rgb[:, None] - table[None]) ** 2).sum(axis=-1).argmin(axis=1)


def blank(n_rows: int, n_columns: int) -> Cells:
    return np.tile(np.array(BLANK, np.int32), (n_rows, n_columns, 1))


def half_blocks(levels: NDArray[np.int_]) -> Cells:
    """A picture of (2 n_rows, n_columns) colour steps, two to a cell, one above the other."""
    levels = np.where(levels == PLAIN, PLAIN, levels * STEPS // 256 * (255 // (STEPS - 1)))
    upper, lower = levels[0::2], levels[1::2]
    only_lower = (upper == PLAIN) & (lower != PLAIN)
    same = upper == lower
    glyph = np.where(same, ord(" "), np.where(only_lower, LOWER, UPPER))
    front = np.where(same, PLAIN, np.where(only_lower, lower, upper))
    back = np.where(only_lower, PLAIN, lower)
    return np.stack([glyph, front, back], axis=-1).astype(np.int32)


def shades(levels: NDArray[np.int_]) -> Cells:
    """The same picture in characters of `RAMP`, the brighter of the two in each cell."""
    steps = np.where(levels == PLAIN, 0, levels)
    brightest = np.maximum(steps[0::2], steps[1::2]) * len(RAMP) // 256
    cells = blank(*brightest.shape)
    cells[..., 0] = np.array([ord(sign) for sign in RAMP])[brightest]
    return cells


def write(cells: Cells, row: int, column: int, text: str) -> None:
    """Put text into a screen, one sign a cell, cut at its edges."""
    if not 0 <= row < len(cells):
        return
    start = max(column, 0)
    text = normalize("NFC", text)[start - column : max(cells.shape[1] - column, 0)]
    if text:
        cells[row, start : start + len(text), 0] = [_glyph(sign) for sign in text]
        cells[row, start : start + len(text), 1:] = PLAIN


def _glyph(sign: str) -> int:
    """The code point of a sign that fills exactly one cell, else of a blank or `PLACEHOLDER`: names
    of devices and files may hold line breaks, control codes, and letters of two cells or none."""
    if " " <= sign <= "~":
        return ord(sign)
    if sign.isspace():
        return ord(" ")
    wide = east_asian_width(sign) in ("W", "F")
    fills = sign.isprintable() and not wide and not category(sign).startswith("M")
    return ord(sign if fills else PLACEHOLDER)


def scrolled(cells: Cells, n_rows: int, height: int) -> Cells:
    """What a terminal shows after `scroll_text` of the same numbers; unknown cells are -1."""
    moved = cells.copy()
    moved[n_rows:height] = cells[: height - n_rows]
    moved[:n_rows] = -1
    return moved


def scroll_text(n_rows: int, height: int) -> str:
    """Moves the upper `height` rows down by `n_rows`; a few bytes for a whole screen."""
    return f"{RESET}\x1b[1;{height}r\x1b[1;1H\x1b[{n_rows}L\x1b[r"


def difference(old: Cells, new: Cells, palette: Palette) -> str:
    """The text that turns `old` into `new` on the terminal; empty when they are equal.

    Colours are named only where they change, also from row to row.
    """
    changed = (old != new).any(axis=-1)
    if not changed.any():
        return ""
    parts = [RESET]
    front = back = PLAIN
    for row in np.flatnonzero(changed.any(axis=1)):
        for start, stop in _runs(changed[row]):
            parts.append(f"\x1b[{row + 1};{start + 1}H")
            for glyph, foreground, background in new[row, start:stop].tolist():
                codes = []
                if foreground != front and glyph != 32:
                    codes.append(palette.foreground[foreground])
                    front = foreground
                if background != back:
                    codes.append(palette.background[background])
                    back = background
                if codes and palette.foreground[PLAIN]:
                    parts.append(f"\x1b[{';'.join(codes)}m")
                parts.append(chr(glyph))
    parts.append(RESET)
    return "".join(parts)


def _runs(changed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges that hold every changed cell, joined where a jump would cost more than the cells."""
    places = np.flatnonzero(changed)
    breaks = np.flatnonzero(np.diff(places) > WORTH_JUMPING)
    starts = [places[0], *places[breaks + 1]]
    stops = [*places[breaks], places[-1]]
    return [(int(a), int(b) + 1) for a, b in zip(starts, stops, strict=True)]
