"""Tick marks around a box, and the labels that stand beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.picture.read.boxes import Box, unsnapped
from realtime.picture.read.glyphs import DIGIT_HEIGHT, STRETCHES, Word, extent, read_word

INKED = 0.4
"""Coverage from which a pixel belongs to a mark or a letter."""
FAINT = 0.15
"""Coverage from which a pixel is an edge of a letter."""
SPACE = 0.33
"""em: a wider gap parts words; the sign before a 1 is 0.23 em from it, a space is 0.45."""
LABEL_GAP = 0.62
"""em: a wider gap parts labels that stand in one line."""
FAINT_MARK = 0.25
"""Coverage from which a pixel belongs to a mark, which may be thinner than one."""
LONG = 0.8
"""Of the longest mark."""
NEAR_MARK = 0.75
"""em: a label belongs to the mark nearest to its middle, if it is that near."""
LEAST_EXPONENT = 0.25
"""Of the height of digits: its width."""
EXPONENT = 0.7
"""Its size against the number's."""
SMALLEST_DIGITS = 5
"""Pixels: below that 3, 6, 8 and 9 are one blot."""

NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([kHzdBsm]*)")
UNITS = {"": 1.0, "dB": 1.0, "Hz": 1.0, "kHz": 1000.0, "k": 1000.0, "s": 1.0, "ms": 0.001}
"""And what they are of dB, Hz and s."""
LOST_POINT = re.compile(r"[+-]?0\d")
"""No program prints 05: a point was not seen."""
CLOCK = re.compile(r"(\d+):(\d\d)(?::(\d\d))?")


class Tick(NamedTuple):
    """One labelled place on a side.

    place : pixels from the picture's left or top edge; a pixel's middle has a half
    value : as labelled, times of a clock in seconds; None where the label is no number
    marked : a mark stands there; else the place is the label's middle
    """

    place: float
    value: float | None
    text: str
    unit: str
    cost: float
    marked: bool


class Side(NamedTuple):
    """What stands beside one side of a box. marks : every mark, labelled or not, in pixels."""

    ticks: list[Tick]
    marks: NDArray[np.float64]
    digits: float
    """Height of the labels' digits in pixels; 0 where there are none."""


def ink_of(
    rgb: NDArray[np.uint8], background: NDArray[np.uint8], colour: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """How much of each pixel is drawn in `colour`: float32, 0..1."""
    way = colour.astype(np.float32) - background
    ink = (rgb.astype(np.float32) - background) @ way / max(float(way @ way), 1.0)
    return np.clip(ink, 0, 1).astype(np.float32)


def read_side(
    rgb: NDArray[np.uint8],
    box: Box,
    side: str,
    background: NDArray[np.uint8],
    digits: float = 0,
) -> Side:
    """Marks and labels at "bottom", "left" or "right" of `box`.

    digits : their height in pixels, where another side told it; labels of one picture are alike
    """
    colour = np.median(rgb[box.top : box.bottom + 1, box.left], axis=0).astype(np.uint8)
    height, width = rgb.shape[:2]
    margin = max(12, int(2.5 * digits))
    if side == "bottom":
        start, stop = max(box.left - margin * 3, 0), min(box.right + margin * 3, width)
        region = rgb[box.bottom + 1 :, start:stop]
        along, first = slice(box.left - start, box.right + 1 - start), start
    else:
        start, stop = max(box.top - margin, 0), min(box.bottom + 1 + margin, height)
        part = (
            rgb[start:stop, : box.left][:, ::-1]
            if side == "left"
            else rgb[start:stop, box.right + 1 :]
        )
        region = part.swapaxes(0, 1)
        along, first = slice(box.top - start, box.bottom + 1 - start), start
    reach = max(60, int(0.25 * max(height, width)))
    ink = ink_of(region[:reach], background, colour)  # (outward, along)
    ink = np.where(ink > 0.06, ink, 0)
    marks, major = _marks(ink, around=box.around)
    marks += first
    band = _band(ink[:, along], digits, upright=side == "bottom")
    if band is None:
        return Side([], marks, 0)
    near, far = band
    if side == "bottom":
        line = ink[near:far]
        runs = _runs(line.max(axis=0) > INKED, LABEL_GAP * (far - near) / DIGIT_HEIGHT)
        runs = [piece for run in runs for piece in _split(run, marks[major] - first)]
        placed = [((a + b) / 2, line[:, a:b]) for a, b in runs if line[:, a:b].max() > INKED]
        size = float(np.median([_height(part) for _, part in placed])) if placed else 0.0
    else:
        lying = ink[near:far, :]
        rows = _runs(lying.max(axis=0) > INKED, 1)
        upright = [lying[:, a:b].swapaxes(0, 1) for a, b in rows]
        if side == "left":
            upright = [part[:, ::-1] for part in upright]
        placed = [((a + b) / 2, part) for (a, b), part in zip(rows, upright, strict=True)]
        size = digits or float(np.median([_height(part) for _, part in placed] or [0]))
    if size < SMALLEST_DIGITS:
        return Side([], marks, size)
    ticks = [_tick(place + first, words, marks, size) for place, words in _read(placed, size)]
    return Side(sorted(ticks, key=lambda tick: tick.place), marks, size)


def _marks(
    ink: NDArray[np.float32], *, around: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Middles of the marks that touch the box, in pixels along it, and which are the longest:
    only those have labels, where others are shorter."""
    if len(ink) < 2:
        return np.empty(0), np.empty(0, bool)
    middles, lengths = [], []
    for a, b in _runs(ink[1] > FAINT_MARK, 1):
        middle = float(np.average(np.arange(a, b) + 0.5, weights=ink[1, a:b]))
        middles.append(middle if around else unsnapped(middle))
        lengths.append(int((ink[:, a:b].max(axis=1) <= FAINT_MARK).argmax()) or len(ink))
    return np.array(middles), np.array(lengths) > LONG * max(lengths, default=0)


def _band(ink: NDArray[np.float32], digits: float, *, upright: bool) -> tuple[int, int] | None:
    """From where to where, outward, the labels reach. Marks, if any, touch the box before them."""
    profile = ink.max(axis=1) > INKED
    gap = 1 if upright or not digits else max(2, SPACE * digits / DIGIT_HEIGHT)
    runs = list(_runs(profile, 1))
    if runs and runs[0][0] <= 2:
        runs = runs[1:]
    if not runs:
        return None
    near, far = runs[0]
    for a, b in runs[1:]:
        if a - far > gap:
            break
        far = b
    return near, far


def _runs(flags: NDArray[np.bool_], gap: float) -> list[tuple[int, int]]:
    """Stretches of True, [start, stop); those at most `gap` apart, or less than 1, are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    runs: list[tuple[int, int]] = []
    for a, b in edges.reshape(-1, 2).tolist():
        if runs and a - runs[-1][1] < gap:
            runs[-1] = (runs[-1][0], b)
        else:
            runs.append((a, b))
    return runs


def _split(run: tuple[int, int], marks: NDArray[np.float64]) -> list[tuple[int, int]]:
    """A stretch of ink that reaches over several marks is several labels in a crowd."""
    within = np.sort(marks[(marks > run[0]) & (marks < run[1])])
    cuts = ((within[1:] + within[:-1]) / 2).round().astype(int).tolist()
    return list(zip([run[0], *cuts], [*cuts, run[1]], strict=True))


def _height(part: NDArray[np.float32]) -> float:
    top, bottom = extent(_cropped(part))
    return bottom - top


def _read(
    placed: list[tuple[float, NDArray[np.float32]]], size: float
) -> Iterator[tuple[float, list[Word]]]:
    """Words of each label, all read with the width of letters that suits most of them."""
    labels = [(place, list(_words(part, size))) for place, part in placed]
    parts = [part for _, words in labels for part, _ in words]
    if not parts:
        return
    sample = sorted(parts, key=lambda part: -part.shape[1])[:4]
    stretch = min(STRETCHES, key=lambda s: sum(read_word(part, size, s).cost for part in sample))
    for place, words in labels:
        read = []
        for part, raised in words:
            word = read_word(part, EXPONENT * size if raised else size, stretch)
            read.append(word._replace(text="^" + word.text) if raised else word)
        yield place, read


def _words(part: NDArray[np.float32], size: float) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """Each word's ink, cropped, and whether it stands raised, as an exponent: nothing else ends
    without ink near the base line."""
    rows = np.flatnonzero(part.max(axis=1) > INKED)
    low = slice(rows[-1] - max(int(0.4 * size), 1), rows[-1] + 1) if rows.size else slice(0)
    for a, b in _runs(part.max(axis=0) > INKED / 2, SPACE * size / DIGIT_HEIGHT):
        word = part[:, a:b]
        on_line = np.flatnonzero(part[low, a:b].max(axis=0, initial=0) > FAINT)
        end = int(on_line[-1]) + 1 if on_line.size else b - a
        if end < b - a - LEAST_EXPONENT * size:
            yield _cropped(word[:, :end]), False
            yield _cropped(word[:, end:]), True
        else:
            yield _cropped(word), False


def _cropped(word: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = np.flatnonzero(word.max(axis=1) > FAINT)
    columns = np.flatnonzero(word.max(axis=0) > FAINT)
    if not rows.size or not columns.size:
        return np.zeros((1, 1), np.float32)
    return word[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _tick(middle: float, words: list[Word], marks: NDArray[np.float64], size: float) -> Tick:
    marked = (
        bool(marks.size) and float(np.abs(marks - middle).min()) < NEAR_MARK * size / DIGIT_HEIGHT
    )
    place = float(marks[np.abs(marks - middle).argmin()]) if marked else middle
    value, used = number(words)
    unit = "".join(word.text for word in words[used:])
    if value is not None:
        value *= UNITS.get(unit, 1.0)
    text = " ".join(word.text for word in words)
    cost = max((word.cost for word in words[: max(used, 1)]), default=1.0)
    return Tick(place, value, text, unit, cost, marked)


def number(words: list[Word]) -> tuple[float | None, int]:
    """The value that words begin with, and how many words it took; None where it is none."""
    if not words:
        return None, 0
    text = words[0].text
    if len(words) > 1 and words[1].text.startswith("^"):
        exponent = words[1].text[1:].replace(".", "")
        if text == "10" and re.fullmatch(r"-?\d", exponent):
            return 10.0 ** int(exponent), 2
        return None, 2
    clock = CLOCK.fullmatch(text)
    if clock:
        value = 0.0
        for part in clock.groups():
            value = value if part is None else value * 60 + int(part)
        return value, 1
    found = NUMBER.fullmatch(text)  # a narrow space leaves number and unit one word
    if found is None or found[2] not in UNITS or LOST_POINT.match(text):
        return None, 1
    return float(found[1]) * UNITS[found[2]], 1
