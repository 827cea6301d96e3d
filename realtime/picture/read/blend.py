"""Cells that were blended into each other: matplotlib's `imshow` where a cell has less than three
pixels. Each pixel is a mean of the two cells nearest to its middle, weighted by a raised cosine
(the "hanning" filter), which can be solved for the cells as long as there are more pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solveh_banded
from scipy.sparse import csr_array

from realtime.picture.read.cells import LEAST_CELLS, Grid, even_edges

LINES, AMONG = 24, 96
"""Lines across that a number of cells is tried on, the liveliest of so many: silence tells none."""
THINNED = 7
"""Of those columns, one in so many while many numbers are tried."""
CROWDED = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.75, 0.9)
"""Cells a pixel, tried in turn; with more, any picture can be explained."""
MOST_CELLS = CROWDED[-1]
FINALISTS = 4
EXPLAINED, EXPLAINED_MOVED = 0.7, 0.45
"""Of 255, rms. With ends on whole pixels rounding leaves 0.3 to 0.57, the next number of cells 1.7
and more; with ends that were looked for, 0.2 to 0.35."""
RELUCTANCE = 0.4
"""Of that, a pixel: one cell less, and it hidden by the frame, explains as much."""
COARSELY = 6.0
"""Times that, a hundredth of a pixel may still be found."""
WHOLE = ((0.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (-1.0, -1.0), (1.0, 1.0), (1.0, 2.0))
"""Pixels by which an image starts and ends behind its axes: matplotlib 3.8 begins it on a whole
pixel and stretches it to a whole number of them; 3.11 does not."""
ROUGH, FAR, NEAR, NEAREST = (
    tuple(product(shifts, shifts))
    for shifts in (
        np.arange(-1, 2) / 2, np.arange(-4, 5) / 6, np.arange(-2, 3) / 20, np.arange(-2, 3) / 80
    )
)  # fmt: skip
"""Pixels by which the ends are moved else, one after the other."""


Ends = tuple[tuple[float, float], ...]


class Fit(NamedTuple):
    """error : rms, of 255, that cells with these edges leave."""

    error: float
    edges: NDArray[np.float64]


def weights(edges: NDArray[np.float64], first: int, n_pixels: int) -> tuple[NDArray, NDArray]:
    """Of each pixel from `first` on: the cell before its middle, and the next one's share."""
    size = (edges[-1] - edges[0]) / (len(edges) - 1)
    place = (first + np.arange(n_pixels) + 0.5 - edges[0]) / size - 0.5
    cell = np.clip(np.floor(place).astype(int), 0, len(edges) - 3)
    return cell, 0.5 - 0.5 * np.cos(np.pi * np.clip(place - cell, 0, 1))


def unblend(pixels: ArrayLike, edges: NDArray[np.float64], first: int) -> tuple[NDArray, float]:
    """Cells, float64 (n_cells, m), from `pixels`, (n_pixels, m), by least squares; and the rms of
    what they leave, a degree of freedom."""
    seen = np.asarray(pixels, np.float64)
    n, pixel = len(edges) - 1, np.arange(len(seen))
    cell, after = weights(edges, first, len(seen))
    share = np.concatenate([1 - after, after])
    mix = csr_array((share, (np.tile(pixel, 2), np.concatenate([cell, cell + 1]))), (len(seen), n))
    band = np.zeros((2, n))
    band[1] = np.bincount(cell, (1 - after) ** 2, n) + np.bincount(cell + 1, after**2, n) + 1e-6
    band[0] = np.bincount(cell + 1, after * (1 - after), n)
    cells = solveh_banded(band, mix.T @ seen, overwrite_b=True, check_finite=False)
    left = seen - mix @ cells
    return cells, float(np.sqrt((left**2).sum() / (left.shape[1] * max(len(seen) - n, 1))))


def blended_grid(
    plane: NDArray, first: int, low: float, high: float, counts: Iterable[int]
) -> Grid | None:
    """The number of cells whose blending explains `plane`, or None.

    plane : float (n_pixels, m, k), 0..255: colours, or levels where the program blended those
    low, high : pixels, where the axis begins and ends
    """
    lines = _liveliest(plane)
    few = lines[:, ::THINNED]
    way = 1 if low < high else -1
    whole = tuple((way * start, way * end) for start, end in WHOLE)

    def fit(n: int, ends: Ends, lines: NDArray[np.float64] = lines) -> Fit:
        return _moved(lines, first, even_edges(low, high, n, True), ends)

    def alone(found: Fit, ends: Ends, most: float) -> Grid | None:
        """A picture so smooth that the next numbers of cells explain it too tells none."""
        n = len(found.edges) - 1
        alike = any(fit(other, ends).error < most for other in (n - 1, n + 1))
        return None if alike else Grid(found.edges, 1.0, True)

    def against(found: Fit) -> float:
        return found.error + RELUCTANCE * np.abs(found.edges[[0, -1]] - (low, high)).sum()

    numbers = sorted({n for n in counts if LEAST_CELLS <= n <= MOST_CELLS * len(plane)})
    for share in CROWDED:  # what few cells explain, more would explain too
        some = [n for n in numbers if n <= share * len(plane)]
        numbers = numbers[len(some) :]
        if not some:
            continue
        some.sort(key=lambda n: fit(n, whole, few).error)
        best = min((fit(n, whole) for n in some[:FINALISTS]), key=_error)
        best = _moved(lines, first, best.edges, NEAREST)  # places are rounded to 1/256 of a cell
        if best.error < EXPLAINED:
            return alone(min(best, _closely(lines, first, best), key=_error), whole, EXPLAINED)
        some.sort(key=lambda n: fit(n, ROUGH, few).error)
        tried = [_closely(lines, first, fit(n, ROUGH)) for n in some[:FINALISTS]]
        tried = [found for found in tried if found.error < EXPLAINED_MOVED]
        if tried:
            return alone(min(tried, key=against), ROUGH, EXPLAINED_MOVED)
    return None


def _liveliest(plane: NDArray) -> NDArray[np.float64]:
    """Those lines of `plane` where most changes, (n_pixels, lines of all k)."""
    some = plane[:, :: max(1, plane.shape[1] // AMONG)].astype(np.float64)
    change = np.abs(np.diff(some, axis=0)).sum(axis=(0, 2))
    chosen = np.sort(np.argsort(-change, kind="stable")[:LINES])
    return some[:, chosen].reshape(len(plane), -1)


def _error(fit: Fit) -> float:
    return fit.error


def _closely(lines: NDArray[np.float64], first: int, rough: Fit) -> Fit:
    found = _moved(lines, first, _moved(lines, first, rough.edges, FAR).edges, NEAR)
    if found.error < COARSELY * EXPLAINED_MOVED:
        found = _moved(lines, first, found.edges, NEAREST)
    return found


def _moved(lines: NDArray[np.float64], first: int, edges: NDArray[np.float64], ends: Ends) -> Fit:
    """The same cells, their ends moved by those of `ends` that leave least."""
    share = np.arange(len(edges)) / (len(edges) - 1)
    options = (edges + a * (1 - share) + b * share for a, b in ends)
    return min((Fit(unblend(lines, option, first)[1], option) for option in options), key=_error)
