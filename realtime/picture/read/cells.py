"""How many cells a plot has along one side, and where each begins: from where its colours change.

Programs draw a cell as a block of like pixels. Every number of cells predicts at which pixels
colours may change; the number whose prediction fits what is seen is the number there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLED = 400
"""Lines across that are looked at: more tell nothing new."""
LEAST_STILL, SHARE_STILL, MOSTLY_STILL = 4, 0.015, 0.6
"""Stretches of like lines, in number and to all lines, or the share of all lines that are like
the one before: from there on cells are blocks of one colour."""
SILENT = 3.0
"""Times the usual stretch of like lines: a longer one is silence."""
CROWDED = 0.8
"""Of neighbouring pixels that differ: with more, cells may be smaller than pixels."""
SOFT, SOFT_OVER = 0.36, 4
"""Of the difference of pixels that far apart: neighbours of crowded frames differ by 0.39 and
more, of pictures scaled to 150 % and more by 0.3 to 0.36."""
LEAST_CELLS = 8
MOST_PER_PIXEL = 1.6
"""Cells a pixel: beyond, nothing of them can be seen."""
CANDIDATES = 48
COARSE = np.arange(-2, 3) / 4
FINE = np.arange(-6, 7) / 8
"""Pixels: how well the ends of an axis are known from its frame."""
FINEST = np.arange(-3, 4) / 32
FINALISTS = 10
NEIGHBOURS = 2
GOOD_FIT = 0.85
"""Correlation of predicted and seen edges from which no other number is tried."""
MOST_ALTERED = 0.8
"""Cells a pixel where pixels were mixed: of more, none can be told from its neighbours."""
RELUCTANCE = 0.03
"""Of correlation, a pixel."""


LEAST_SHOWN = 0.4
"""Of a cell at an end of an axis; librosa once drew half of it."""
DOUBT, DOUBTS = 3.0, (0.03, 0.35)
"""Pixels by which an edge may be off, of what is lacking from a perfect fit; least and most."""
BLURRED = 1.1
"""Pixels over which an altered edge falls to 1/e."""
LEAST_SOLVED = 0.6
"""Of a blended cell must be seen for it to be solved for."""
NARROW = 1.6
"""Pixels: on a logarithmic axis neighbouring edges of such cells may all be one off, and fit."""
MISPLACED = 0.05
"""Of correlation, a pixel that 0 lies off its place."""


class Changes(NamedTuple):
    """Of colours, from pixel first + k - 1 to pixel first + k, for k = 0 .. n - 1.

    exact : cells are blocks of one colour
    seen : float64 (n,), what a prediction is held against: 1 where colours change, else 0; where
    they change everywhere, as in a picture that was scaled, how much
    counted : bool (n,), False in long silence, where nothing changes though cells do."""

    first: int
    exact: bool
    seen: NDArray[np.float64]
    counted: NDArray[np.bool_]
    unit: NDArray[np.float64]
    """What is seen and counted, of mean 0 and length 1."""
    plane: NDArray
    """What may have been blended, this axis first."""
    altered: bool
    soft: bool
    """Neighbours are much more alike than what is farther apart: cells are larger than pixels."""

    @property
    def blocks(self) -> bool:
        """Cells are surely larger than pixels: there are neighbours that are alike."""
        return self.exact and float(self.seen[self.counted].mean()) < CROWDED


def certainty_of(fit: float, *, exact: bool) -> float:
    """How sure a number of cells is: blocks of one colour fit all but perfectly or not at all."""
    low, high = (0.8, 0.95) if exact else (0.1, 0.35)
    return float(np.clip((fit - low) / (high - low), 0, 1))


class Grid(NamedTuple):
    """edges : float64 (n_cells + 1,), pixels, lowest cell first (a vertical axis falls).
    fit : correlation of predicted and seen changes, at most 1."""

    edges: NDArray[np.float64]
    fit: float
    blended: bool = False
    """Pixels are means of two cells, as `blend` has it."""

    @property
    def n(self) -> int:
        return len(self.edges) - 1


def changes_along(
    pixels: NDArray[np.uint8], first: int, plane: NDArray, *, altered: bool = False
) -> Changes:
    """Changes along axis 0 of `pixels`, (n, m, 3), whose first row is the picture's `first`.

    plane : (n, m, k), what was blended where cells are: colours, or levels as 0..255
    altered : colours are no longer what the program drew, so none are exactly alike
    """
    step = max(1, pixels.shape[1] // SAMPLED)
    part = pixels[:, ::step].astype(np.int16)
    apart = np.abs(np.diff(part, axis=0)).sum(axis=2)
    strength = apart.mean(axis=1)
    still = strength == 0
    starts = np.flatnonzero(np.diff(np.concatenate([[0], still, [0]])) == 1)
    stops = np.flatnonzero(np.diff(np.concatenate([[0], still, [0]])) == -1)
    lengths = stops - starts
    many = len(lengths) >= SHARE_STILL * len(strength) or still.mean() > MOSTLY_STILL
    blocks = bool(len(lengths) >= LEAST_STILL and many)
    exact = blocks and not altered
    counted = np.ones(len(strength), bool)
    if lengths.size:
        longest = (SILENT * np.median(lengths) if blocks else 0) + 2
        for start, stop in zip(starts, stops, strict=True):
            counted[start:stop] = stop - start <= longest
    seen = (~still).astype(np.float64) if exact else np.log(strength + 0.05)
    unit = seen[counted] - seen[counted].mean() if counted.any() else seen[counted]
    unit = unit / max(float(unit @ unit) ** 0.5, 1e-6)
    farther = np.abs(part[SOFT_OVER:] - part[:-SOFT_OVER]).sum(axis=2).mean()
    soft = bool(apart.mean() < SOFT * farther)
    return Changes(first + 1, exact, seen, counted, unit, plane, altered, soft)


def fit_grid(changes: Changes, edges: NDArray[np.float64]) -> float:
    """Correlation of where `edges` let colours change and where they do."""
    predicted = _predicted(edges, changes.first, len(changes.seen), exact=changes.exact)
    predicted = predicted[changes.counted]
    predicted -= predicted.sum() / max(len(predicted), 1)
    power = float(predicted @ predicted) ** 0.5
    return float(predicted @ changes.unit) / power if power > 1e-6 else 0.0


def _predicted(
    edges: NDArray[np.float64], first: int, n: int, *, exact: bool
) -> NDArray[np.float64]:
    """1 where an edge lies before a pixel, else 0. Edges are brought to whole pixels, as programs
    do, or where the picture was altered since, reach over their neighbours."""
    flags = np.zeros(n)
    if exact:
        at = np.floor(edges + 0.5).astype(np.int64) - first
        flags[at[(at >= 0) & (at < n)]] = 1
        return flags
    for step in (-2, -1, 0, 1, 2):
        at = np.floor(edges + 0.5).astype(np.int64) + step
        near = np.exp(-(((at - edges) / BLURRED) ** 2))
        within = (at >= first) & (at < first + n)
        np.maximum.at(flags, at[within] - first, near[within])
    return flags


def even_edges(low: float, high: float, n: int, whole: bool) -> NDArray[np.float64]:
    """Edges of `n` cells from `low` to `high`; the first and the last are halves unless `whole`."""
    if whole:
        return low + (high - low) * np.arange(n + 1) / n
    return low + (high - low) * (np.arange(n + 1) - 0.5) / (n - 1)


def even_grid(
    changes: Changes,
    low: float,
    high: float,
    zero: float,
    counts: Iterable[int] | None = None,
) -> Grid | None:
    """The cells of one size that fit best from `low` to `high` (pixels), or None.

    zero : pixel of 0 s or 0 Hz, which programs put into the middle of the first cell or before it
    counts : numbers of cells to choose among; all where None
    """
    numbers = _likely(changes, abs(high - low)) if counts is None else counts
    best = best_grid(changes, _even(numbers, low, high, zero))
    if best is None:
        return None
    if counts is None:  # neighbours differ in the last cell alone: look at each closely
        near = range(max(2, best.n - NEIGHBOURS), best.n + NEIGHBOURS + 1)
        best = best_grid(changes, _even(near, low, high, zero)) or best
    return _shown(best, low, high)


def _even(
    numbers: Iterable[int], low: float, high: float, zero: float
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Edges of each number of cells, both ways, and what speaks against them."""
    for n in numbers:
        for whole in (True, False) if n > 1 else ():
            edges = even_edges(low, high, n, whole)
            off = abs((edges[0] + edges[1]) / 2 - zero)
            off = min(off, abs(edges[0] - zero)) if whole else off
            yield edges, MISPLACED * min(off, 2.0)


def _shown(grid: Grid, low: float, high: float) -> Grid:
    """Without cells at the ends that would lie mostly under the frame: they fit any picture."""
    edges = np.sort(grid.edges)
    first, last = min(low, high), max(low, high)
    shown = np.minimum(edges[1:], last) - np.maximum(edges[:-1], first)
    kept = np.flatnonzero(shown >= LEAST_SHOWN * np.diff(edges))
    edges = edges[kept[0] : kept[-1] + 2]
    return grid._replace(edges=edges if low < high else edges[::-1])


def best_grid(changes: Changes, grids: Iterable[tuple[NDArray[np.float64], float]]) -> Grid | None:
    """The one of many edges, each with what speaks against it, that fits best, its ends moved to
    where it does; None of none."""
    coarse = COARSE if changes.exact else COARSE[::2]
    tried = [
        (_moved(changes, edges, coarse).fit - against, edges, against) for edges, against in grids
    ]
    tried.sort(key=lambda entry: -entry[0])
    best, most = None, -np.inf
    for _, edges, against in tried[:FINALISTS]:
        fine = Grid(edges, 0.0)
        for shifts in (FINE, FINEST, FINEST / 4):
            fine = _moved(changes, fine.edges, shifts)
        moved = np.abs(fine.edges[[0, -1]] - edges[[0, -1]]).sum()
        score = fine.fit - against - RELUCTANCE * moved
        if score > most:
            best, most = fine, score
    return best


def _moved(changes: Changes, edges: NDArray[np.float64], shifts: NDArray[np.float64]) -> Grid:
    """The same cells with both ends moved by any two of `shifts` to where they fit best, as
    little as that takes."""
    low, high = edges[0], edges[-1]
    share = (edges - low) / (high - low)
    best, most = Grid(edges, 0.0), -np.inf
    for a in shifts:
        for b in shifts:
            moved = edges + a * (1 - share) + b * share
            fit = fit_grid(changes, moved)
            score = fit - RELUCTANCE * (abs(a) + abs(b))
            if score > most:
                best, most = Grid(moved, fit), score
    return best


def _likely(changes: Changes, length: float) -> list[int]:
    """Numbers of cells whose period stands out in the changes, most likely first."""
    seen = np.where(changes.counted, changes.seen - changes.seen[changes.counted].mean(), 0)
    size = 1 << int(np.ceil(np.log2(16 * len(seen))))
    strength = np.abs(np.fft.fft(seen, size))
    numbers = np.arange(LEAST_CELLS, int(MOST_PER_PIXEL * length) + 1)
    score = strength[np.round(numbers / length * size).astype(int) % size]
    top = numbers[np.argsort(-score)[:CANDIDATES]]
    return sorted({int(n) + step for n in top for step in (-1, 0, 1) if n + step >= LEAST_CELLS})


class Places(NamedTuple):
    """pixel : int (n_cells,), the one in the middle of each cell. some : bool, the cell has one;
    those less than a pixel wide may not. own : which is surely not its neighbour's."""

    pixel: NDArray[np.intp]
    some: NDArray[np.bool_]
    own: NDArray[np.bool_]


def places(grid: Grid, low: int, high: int) -> Places:
    """Where to look for each cell, within the pixels low..high."""
    edges = np.sort(grid.edges)
    size = np.diff(edges)
    doubt = np.full(len(edges), np.clip(DOUBT * (1 - grid.fit), *DOUBTS))
    if np.ptp(size) > 0.01 * size.mean():  # a logarithmic axis
        narrow = size < NARROW
        small = np.concatenate([[False], narrow]) | np.concatenate([narrow, [False]])
        doubt[small] = DOUBTS[1]
    unsure = np.abs(edges % 1 - 0.5) < doubt  # such an edge may fall before or after a pixel
    at = np.floor(edges + 0.5).astype(int)
    start, stop = np.maximum(at[:-1], low), np.minimum(at[1:], high + 1)
    pixel = np.clip((start + stop - 1) // 2, low, high)
    wide = stop - start
    at_stake = unsure[1:].astype(int) + unsure[:-1]
    some, own = wide > 0, wide > np.where(wide == 2, at_stake // 2 * 2, at_stake)
    if grid.blended:
        inside = np.minimum(edges[1:], high + 1) - np.maximum(edges[:-1], low)
        some = own = inside > LEAST_SOLVED * size
    order = slice(None, None, -1 if grid.edges[0] > grid.edges[-1] else 1)
    return Places(pixel[order], some[order], own[order])
