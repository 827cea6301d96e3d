"""Reading one word of a label: digits, signs and units, as matplotlib's DejaVu Sans draws them.

The word is laid out by dynamic programming: of all ways to cover its columns by glyphs and blanks
the one that explains its ink best. A misread word has a high cost, and is outvoted where labels
are fitted together. The shapes are in `glyphs.png`, drawn by scripts/make_glyphs.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter1d

GLYPHS = "0123456789.+-−:kHzdBsm"
SHEET = Path(__file__).with_name("glyphs.png")
EM, CELL, HEIGHT = 96, 100, 70
"""Pixels of the sheet: the font's em, one glyph's cell, and a capital letter (0.729 em)."""

ROWS = 20
"""Every word is brought to this height, from base line to the top of a digit."""
DIGIT_HEIGHT = 0.742
"""em: what a row of digits measures."""
TAIL = 0.045
"""em of blank that belongs to a glyph on either side: two digits are 0.12 em apart."""
STRETCHES = (0.94, 1.0, 1.06)
"""Hinting brings digits to whole pixels of height; widths stay."""
LETTERS = "kHzdBsm"
GLYPH_COST, LETTER_COST = 0.3, 0.8
"""A glyph more has to explain that much more ink (of ROWS in a full column)."""


FAINTEST_POINT = 0.35


class Word(NamedTuple):
    """text : minus signs as "-". cost : unexplained ink, 0..1 of all ink and shape."""

    text: str
    cost: float


@cache
def _shapes(pixels: int, stretch: float) -> list[tuple[str, NDArray[np.float32]]]:
    """Glyphs as a picture with digits `pixels` high would show them, each ROWS high; a minus
    also where hinting moved it to the nearest row."""
    sheet = np.asarray(Image.open(SHEET), np.float32) / 255
    per_pixel = HEIGHT / pixels
    shapes = []
    for k, glyph in enumerate(GLYPHS):
        cell = sheet[:, k * CELL : (k + 1) * CELL]
        inked = np.flatnonzero(cell.max(axis=0) > 0.3)
        tail = round(TAIL * EM)
        cell = np.pad(cell, ((0, 0), (tail, tail)))[:, inked[0] : inked[-1] + 1 + 2 * tail]
        soft = uniform_filter1d(cell, max(1, int(per_pixel)), axis=1, mode="constant")
        soft = uniform_filter1d(soft, max(1, int(per_pixel / 2)), axis=0, mode="constant")
        wide = max(2, round(stretch * cell.shape[1] * ROWS / HEIGHT))
        shape = _resized(soft, wide)
        moves = (-2, 0, 2) if glyph in "-−" else (0,)
        shapes += [(glyph, np.roll(shape, move, axis=0)) for move in moves]
    return shapes


def _resized(cell: NDArray, wide: int) -> NDArray[np.float32]:
    """To ROWS x `wide`, each value the mean of what it covers."""
    size = (wide, ROWS)
    return np.asarray(Image.fromarray(cell).resize(size, Image.Resampling.BOX), np.float32)


def extent(ink: NDArray[np.float32]) -> tuple[float, float]:
    """Upper and lower edge of the ink in rows, between pixels: outermost rows are drawn in part."""
    rows = ink.max(axis=1)
    most = max(float(rows.max()), 1e-6)
    return 1 - float(rows[0]) / most, len(rows) - 1 + float(rows[-1]) / most


def read_word(ink: NDArray[np.float32], digits: float, stretch: float = 1.0) -> Word:
    """Read the word whose ink just fits into `ink`.

    ink : float32 (n_rows, n_columns), 0 background, 1 ink
    digits : height of a digit in pixels
    stretch : width of the glyphs against the font's own
    """
    top, bottom = extent(ink)
    middle = (top + bottom) / 2
    choices = {  # a d is taller than a digit, and round digits reach below the line
        (top, bottom),
        (max(bottom - digits, 0.0), bottom),
        (max(middle - digits / 2, 0.0), min(middle + digits / 2, float(len(ink)))),
    }
    if not 0.7 * digits < bottom - top < 1.4 * digits or ink.shape[1] > 40 * digits:
        return Word("", 1.0)
    tail = int(np.ceil(2 * TAIL * digits / DIGIT_HEIGHT))
    padded = np.pad(ink, ((0, 0), (tail, tail)))
    words = [_read(padded, rows, digits, stretch) for rows in choices]
    return min(words, key=lambda word: word.cost)


def _read(
    padded: NDArray[np.float32], rows: tuple[float, float], digits: float, stretch: float
) -> Word:
    """The word between two rows, the top of its digits and its base line."""
    n = max(2, round(padded.shape[1] * ROWS / digits))
    box = (0, rows[0], padded.shape[1], rows[1])
    resized = Image.fromarray(padded).resize((n, ROWS), Image.Resampling.BILINEAR, box)
    strip = np.clip(np.asarray(resized, np.float32), 0, 1)
    square = (strip**2).sum(axis=0)
    upto = np.concatenate([[0], np.cumsum(square)])
    names, widths, costs = [], [], []
    for glyph, shape in _shapes(round(digits), stretch):
        w = shape.shape[1]
        if w > n:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(strip, w, axis=1)  # (ROWS, n-w+1, w)
        match = np.tensordot(windows, shape, axes=((0, 2), (0, 1)))
        energy, strength = float((shape**2).sum()), 1.0
        if glyph == ".":  # in small letters a point is grey, how grey depends on where it fell
            strength = np.clip(match / energy, FAINTEST_POINT, 1)
        cost = np.full(n + 1, np.inf)
        cost[w:] = upto[w:] - upto[:-w] - 2 * strength * match + strength**2 * energy
        cost += LETTER_COST if glyph in LETTERS else GLYPH_COST
        names.append(glyph)
        widths.append(w)
        costs.append(cost)
    text, left = _cheapest(names, np.array(widths, int), np.array(costs), square)
    text = text.replace("−", "-").replace("--", "-")  # a minus sign is as wide as two hyphens
    return Word(text, float(left / max(square.sum(), 1.0)))


def _cheapest(
    names: list[str], widths: NDArray[np.intp], costs: NDArray[np.float64], blank: NDArray
) -> tuple[str, float]:
    """Cover all columns by glyphs and blanks: letters only after the number.

    costs : (n_glyphs, n + 1), of each glyph whose last column is one before
    blank : (n,), of each column left blank
    """
    n = len(blank)
    if not names:
        return "", float(blank.sum())
    letters = np.array([name in LETTERS for name in names])
    total = np.full((2, n + 1), np.inf)  # after a number, and after letters too
    total[0, 0] = 0
    back: list[list[tuple[int, int]]] = [[], []]
    for end in range(1, n + 1):
        before = np.maximum(end - widths, 0)
        figures = np.where(letters, np.inf, costs[:, end] + total[0, before])
        either = np.minimum(total[0], total[1])
        words = np.where(letters, costs[:, end] + either[before], np.inf)
        for state, options in ((0, figures), (1, words)):
            best = int(options.argmin())
            still = total[state, end - 1] + blank[end - 1]
            total[state, end] = min(still, options[best])
            back[state].append((-1, state) if still <= options[best] else (best, state))
    text, end = "", n
    state = int(total[1, n] < total[0, n])
    left = float(total[state, n])
    while end > 0:
        glyph = back[state][end - 1][0]
        if glyph < 0:
            end -= 1
            continue
        text, end = names[glyph] + text, end - int(widths[glyph])
        if state == 1 and total[0, end] <= total[1, end]:
            state = 0
    return text, left
