"""Cells that were blended into each other: matplotlib's `imshow` where a cell has less than three
pixels. Each pixel is a mean of the two cells nearest to its middle, weighted by a raised cosine
(the "hanning" filter), which can be solved for the cells as long as there are more pixels.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solveh_banded
from scipy.sparse import csr_array

from realtime.picture.read.cells import LEAST_CELLS, Grid, even_edges

LINES = 24
"""Lines across that a number of cells is tried on."""
THINNED = 7
"""Of those columns, one in so many while many numbers are tried."""
CROWDED = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.75, 0.9)
"""Cells a pixel, tried in turn; with more, any picture can be explained."""
MOST_CELLS = CROWDED[-1]
FINALISTS = 4
EXPLAINED = 0.45
"""Of 255, rms: rounding to 8 bits leaves 0.3. Nearly as many cells as pixels leave 0.6 and more of
any picture that is smooth."""
COARSELY = 6.0
"""Times that, a hundredth of a pixel may still be found."""
RELUCTANCE = 0.4
"""Of that, a pixel: one cell less, and it hidden by the frame, explains as much."""
ROUGH, FAR, NEAR = np.arange(-1, 2) / 2, np.arange(-4, 5) / 6, np.arange(-2, 3) / 20
NEAREST = np.arange(-2, 3) / 80
"""Pixels by which both ends are moved, one after the other."""


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
    step = max(1, plane.shape[1] // LINES)
    lines = plane[:, ::step][:, :LINES].reshape(len(plane), -1).astype(np.float64)
    few = lines[:, ::THINNED]
    numbers = sorted({n for n in counts if LEAST_CELLS <= n <= MOST_CELLS * len(plane)})
    for share in CROWDED:  # what few cells explain, more would explain too
        some = [n for n in numbers if n <= share * len(plane)]
        numbers = numbers[len(some) :]
        tried = [_moved(few, first, even_edges(low, high, n, True), ROUGH) for n in some]
        tried.sort(key=lambda pair: pair[0])
        best, least = None, np.inf
        for _, edges in tried[:FINALISTS]:
            _, edges = _moved(lines, first, edges, FAR)
            error, edges = _moved(lines, first, edges, NEAR)
            if error < COARSELY * EXPLAINED:
                error, edges = _moved(lines, first, edges, NEAREST)
            against = error + RELUCTANCE * (abs(edges[0] - low) + abs(edges[-1] - high))
            if error < EXPLAINED and against < least:
                best, least = Grid(edges, 1.0, True), against
        if best is not None:
            return best
    return None


def _moved(
    lines: NDArray[np.float64], first: int, edges: NDArray[np.float64], shifts: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    share = np.arange(len(edges)) / (len(edges) - 1)
    options = [edges + a * (1 - share) + b * share for a in shifts for b in shifts]
    errors = [unblend(lines, option, first)[1] for option in options]
    best = int(np.argmin(errors))
    return errors[best], options[best]
