"""Where the axes and the colour bar are: frames of straight lines on a plain background."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

FOREGROUND = 40
"""Of 255, in any of R, G, B: more than this from the background is drawn."""
FRAMED = 0.93
"""Of a side that must be drawn for it to be a side."""
LINE_COLOUR = 60.0
"""Of 255, mean along a side: farther from the line's colour a column of pixels is no line."""
LINE_VARIES = 60.0
"""Of 255, mean along a line: scaling makes up to 46 of it, colours along a bar 77 and more."""
LEAST_AXES = (40, 30)
"""Pixels, width and height."""
SLENDER = 4.0
"""A colour bar is that many times longer than wide; matplotlib's is 20."""
LIKE_ACROSS = 6.0
"""Of 255: mean difference across a colour bar, which JPEG blurs."""
LEAST_LEVELS = 24
"""Colours along a bar: fewer are a box of something else."""
MOST_BOXES = 200
"""More frames are a table or a wall, and any of them may be looked at: all are refused."""
SECOND_PLOT = 0.25
"""Of the largest plot's area: another box that large is a plot too."""


class Box(NamedTuple):
    """Pixels of a frame, its lines included: columns left..right and rows top..bottom."""

    left: int
    top: int
    right: int
    bottom: int
    line: int = 1
    """Width of its lines."""
    around: bool = False
    """Its lines stand around what it shows, as in our own pictures, not over its ends."""

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def height(self) -> int:
        return self.bottom - self.top + 1

    @property
    def margin(self) -> int:
        """Pixels from its edge to the first that surely shows values."""
        return self.line + (not self.around)

    def sides(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the axes in pixels: the middles of the lines, or where lines
        that stand around them end."""
        half = self.line if self.around else self.line / 2
        ends = (self.left + half, self.top + half, self.right + 1 - half, self.bottom + 1 - half)
        left, top, right, bottom = (unsnapped(end) for end in ends)
        return left, top, right, bottom

    def inside(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the frame encloses, without what its lines may have touched."""
        m = self.margin
        return rgb[self.top + m : self.bottom + 1 - m, self.left + m : self.right + 1 - m]


def unsnapped(middle: float) -> float:
    """Where a line was meant whose middle was drawn at `middle`, to half a pixel: matplotlib
    brings a place to a whole pixel, then adds half a one for lines of odd width."""
    fraction = middle % 1
    return middle - 0.5 if abs(fraction - 0.5) < 0.1 else middle


class Layout(NamedTuple):
    """Of a picture with axes."""

    plots: list[Box]
    """Largest first; more than one where there are several of like size."""
    bars: list[Box]
    background: NDArray[np.uint8]

    def bar(self, plot: Box) -> Box | None:
        """The colour bar nearest to a plot; None where there is none."""

        def distance(bar: Box) -> int:
            across = max(bar.left - plot.right, plot.left - bar.right, 0)
            return across + max(bar.top - plot.bottom, plot.top - bar.bottom, 0)

        return min(self.bars, key=distance, default=None)


def background_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colour most frequent on the outermost pixels, uint8 (3,)."""
    rim = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    colours, counts = np.unique(rim, axis=0, return_counts=True)
    return colours[counts.argmax()]


def drawn(rgb: NDArray[np.uint8], background: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels are not background."""
    mask = np.zeros(rgb.shape[:2], bool)
    for channel in range(3):  # one at a time: a large picture as int16 would be held twice
        level = int(background[channel])
        low, high = max(level - FOREGROUND, 0), min(level + FOREGROUND, 255)
        mask |= (rgb[..., channel] < low) | (rgb[..., channel] > high)
    return mask


def find_boxes(rgb: NDArray[np.uint8]) -> Layout:
    """Frames in a picture, told apart into plots and a colour bar."""
    background = background_of(rgb)
    parts = np.asarray(label(drawn(rgb, background), np.ones((3, 3)))[0])  # type: ignore[index]
    height, width = parts.shape
    boxes = []
    found: list[tuple[slice, slice]] = find_objects(parts)
    for number, (rows, columns) in enumerate(found, 1):
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        if max(tall, wide) < LEAST_AXES[1] or min(tall, wide) < 6:
            continue
        if tall > height - 2 or wide > width - 2:
            continue
        box = _framed(parts[rows, columns] == number, columns.start, rows.start)
        if box is not None:
            boxes.append(box)
        if len(boxes) > MOST_BOXES:
            break
    boxes = [box for box in boxes if not any(_encloses(other, box) for other in boxes)]
    boxes = [_measured(rgb, box, background) for box in boxes]
    largest = max((min(box.width, box.height) for box in boxes), default=0)
    boxes = [box for box in boxes if max(box.width, box.height) >= largest / 2]  # no letters
    line = min((box.line for box in boxes), default=1)
    boxes = [box._replace(line=line) for box in boxes]
    bars = [box for box in boxes if is_bar(box.inside(rgb))]
    plots = [
        box
        for box in boxes
        if box not in bars and box.width >= LEAST_AXES[0] and box.height >= LEAST_AXES[1]
    ]
    plots.sort(key=lambda box: -box.width * box.height)
    if plots:
        least = SECOND_PLOT * plots[0].width * plots[0].height
        plots = [box for box in plots if box.width * box.height >= least]
    return Layout(plots, bars, background)


def _encloses(outer: Box, inner: Box) -> bool:
    return (
        outer != inner
        and outer.left <= inner.left
        and outer.right >= inner.right
        and outer.top <= inner.top
        and outer.bottom >= inner.bottom
    )


def _framed(mask: NDArray[np.bool_], left: int, top: int) -> Box | None:
    """The frame of a connected part: its ticks, which stand out, are trimmed away."""
    columns = np.flatnonzero(mask.mean(axis=0) >= 0.8)
    if columns.size < 2:
        return None
    rows = np.flatnonzero(mask[:, columns[0] : columns[-1] + 1].mean(axis=1) >= FRAMED)
    if rows.size < 2:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].mean(axis=0) >= FRAMED)
    if columns.size < 2 or columns[-1] - columns[0] < 5 or rows[-1] - rows[0] < 5:
        return None
    return Box(
        left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]), top + int(rows[-1])
    )


def _measured(rgb: NDArray[np.uint8], box: Box, background: NDArray[np.uint8]) -> Box:
    """The box without what its lines only touch, and with their width: the least of its four
    sides, for a plot may begin in the lines' colour."""
    part = rgb[box.top : box.bottom + 1, box.left : box.right + 1]
    touched, widths = [], []
    for side in (part, part.swapaxes(0, 1), part[:, ::-1], part[::-1].swapaxes(0, 1)):
        colours = np.median(side[:, : min(12, side.shape[1] // 3)], axis=0)
        drawn_most = np.abs(colours[:3] - background).max(axis=1)
        ink = int(drawn_most.argmax())
        touched.append(int((drawn_most[: ink + 1] < drawn_most[ink] / 2).sum()))
        away = np.abs(side[:, ink : len(colours)].astype(np.int16) - colours[ink])
        beyond = np.flatnonzero(away.max(axis=2).mean(axis=0) > LINE_COLOUR)
        widths.append(ink - touched[-1] + int(beyond[0]) if beyond.size else len(colours))
    left, top, right, bottom = touched
    return Box(
        box.left + left, box.top + top, box.right - right, box.bottom - bottom, max(1, min(widths))
    )


def has_frame(rgb: NDArray[np.uint8], box: Box) -> bool:
    """Whether lines of one colour are at its left and below: some themes draw none, and then where
    its ends are is known to a pixel only."""
    left, below = rgb[box.top : box.bottom + 1, box.left], rgb[box.bottom, box.left : box.right + 1]
    return all(
        float(np.abs(side - np.median(side, axis=0)).max(axis=1).mean()) < LINE_VARIES
        for side in (left.astype(np.float32), below.astype(np.float32))
    )


def is_bar(inside: NDArray[np.uint8]) -> bool:
    """Whether a box holds one smooth row of colours, the same all across."""
    if min(inside.shape[:2]) < 2:
        return False
    tall, wide = inside.shape[:2]
    if max(tall, wide) < SLENDER * min(tall, wide):
        return False
    along = (inside if tall > wide else inside.swapaxes(0, 1)).astype(np.float32)
    middle = np.median(along, axis=1)
    across = np.abs(along - middle[:, None]).mean()
    steps = np.abs(np.diff(middle, axis=0)).sum(axis=1)
    levels = len(np.unique(middle.round(), axis=0))
    return bool(across < LIKE_ACROSS and levels >= LEAST_LEVELS and np.median(steps) < 24)
