"""From settings to pictures: which cells of a `ColumnHistory` lie under which pixel.

Pure numpy, no GL and no Qt. The shader of `waterfall.py` computes the same, and
`render_reference` is its oracle as well as the renderer of the terminal view.

Rows count from the top (highest frequency), columns of pixels from the left (oldest sound).
A *cell position* is a bin plus one half, so that bin b reaches from b to b + 1.

Zoomed in, a pixel shows the one cell under its centre. Zoomed out, the level is taken at which a
pixel is one to two cells wide, and each cell belongs to the pixel in which its centre lies: no
peak is lost, none is drawn wider than it is, and a pixel never needs more than two cells an axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log2
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.config import DisplaySettings
from realtime.dsp.levels import DB_CEIL, DB_FLOOR
from realtime.dsp.scales import LOWEST_LOG_HZ, SCALES
from realtime.view.history import GAP, ColumnHistory, power_of_two

TILT_PIVOT_HZ = 1000.0
"""Hz; the frequency that `display.tilt` leaves as it is."""
OCTAVE_LIMIT = 16.0
"""Octaves from the pivot beyond which the tilt stays the same (1000 Hz / 2**16 is 0.015 Hz)."""
CODE_MAX = 65535
DB_SPAN = DB_CEIL - DB_FLOOR
FAR = 1 << 20
"""Cells; further from the picture's edge than any cell in it, and exact in float32."""
ROUNDING = 2.0**-20
"""A pixel this much (a share) short of two cells counts as two: float32 could not tell them."""
NEPER_PER_CODE = DB_SPAN / CODE_MAX * np.log(10.0) / 10.0


# ---------------------------------------------------------------------- frequency


def frequency_range(display: DisplaySettings, sample_rate: int) -> tuple[float, float]:
    """Hz at the lower and the upper edge of the picture."""
    low = display.f_low
    if display.scale in ("log", "notes"):
        low = max(low, LOWEST_LOG_HZ)
    high = sample_rate / 2 if display.f_high is None else display.f_high
    return low, max(high, low + 1.0)


def share_of_hz(hz: ArrayLike, display: DisplaySettings, sample_rate: int) -> NDArray[np.float64]:
    """Height of frequencies in the picture, 0 at the lower edge to 1 at the upper one."""
    scale = SCALES[display.scale]
    low, high = (float(scale.forward(edge)) for edge in frequency_range(display, sample_rate))
    floor_hz = LOWEST_LOG_HZ if display.scale in ("log", "notes") else 0.0
    units = scale.forward(np.maximum(np.asarray(hz, np.float64), floor_hz))
    return np.asarray((units - low) / (high - low), np.float64)


def hz_of_share(
    share: ArrayLike, display: DisplaySettings, sample_rate: int
) -> NDArray[np.float64]:
    """Hz at heights of the picture, the inverse of `share_of_hz`."""
    scale = SCALES[display.scale]
    low, high = (float(scale.forward(edge)) for edge in frequency_range(display, sample_rate))
    units = low + np.asarray(share, np.float64) * (high - low)
    return np.asarray(scale.inverse(units), np.float64)


def row_to_hz(row: float, n_rows: int, display: DisplaySettings, sample_rate: int) -> float:
    """Hz at the centre of a row of pixels."""
    return float(hz_of_share(1.0 - (row + 0.5) / n_rows, display, sample_rate))


@dataclass(frozen=True)
class RowTable:
    """What each row of pixels shows; arrays of (n_rows,), row 0 at the top.

    first, last : int64, positions in a row of `ColumnHistory.cells`, frequency level included.
    octaves : float32, distance from `TILT_PIVOT_HZ`.
    valid : bool, False where there is no sound above half the sample rate.
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    octaves: NDArray[np.float32]
    valid: NDArray[np.bool_]


def row_table(
    n_rows: int, display: DisplaySettings, sample_rate: int, n_bins: int, bins_per_cell: int = 1
) -> RowTable:
    """Find the cells of each row of pixels.

    n_bins, bins_per_cell : of the `ColumnHistory`.
    """
    edges_hz = hz_of_share(np.linspace(1.0, 0.0, n_rows + 1), display, sample_rate)
    centres_hz = hz_of_share(1.0 - (np.arange(n_rows) + 0.5) / n_rows, display, sample_rate)
    bins_per_hz = 2.0 * n_bins * bins_per_cell / sample_rate
    edges = (edges_hz * bins_per_hz + 0.5) / bins_per_cell
    centres = (centres_hz * bins_per_hz + 0.5) / bins_per_cell
    first, last, level = _cells_between(edges[::-1], centres[::-1], n_bins)
    row = 2 * power_of_two(n_bins)
    offset = row - (row >> level)
    octaves = np.log2(np.maximum(centres_hz, 1e-3) / TILT_PIVOT_HZ)
    return RowTable(
        first=(offset + first)[::-1],
        last=(offset + last)[::-1],
        octaves=np.clip(octaves, -OCTAVE_LIMIT, OCTAVE_LIMIT).astype(np.float32),
        valid=edges_hz[1:] < sample_rate / 2,
    )


def _cells_between(
    edges: NDArray[np.float64], centres: NDArray[np.float64], n_bins: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First and last cell, and their level, of pixels with rising edges in cell positions.

    An edge between two pixels is moved to the nearest border of cells of the coarser of their
    levels, so both sides agree who has which bin. Where the level changes, the two cells may
    reach over a bit more than the pixel; a pixel left with nothing shows the cell at its centre.
    (Pixels whose neighbour is more than twice as large, on axes of a few rows, reach further.)
    """
    extent = np.diff(edges)
    wide = extent > 1.0
    size = np.exp2(np.floor(np.log2(np.maximum(extent, 1.0))))
    below, above = np.concatenate([size[:1], size]), np.concatenate([size, size[-1:]])
    grid = np.minimum(np.maximum(below, above), 2.0 * np.minimum(below, above))
    borders = (np.floor(edges / grid + 0.5) * grid).astype(np.int64)
    begin, end = borders[:-1], borders[1:]
    near = np.floor(centres).astype(np.int64)
    alone = ~wide | (end <= begin)
    begin = np.clip(np.where(alone, near, begin), 0, n_bins - 1)
    end = np.clip(np.where(alone, near, end - 1), begin, n_bins - 1)
    level = np.zeros(len(extent), np.int64)
    for _ in range(n_bins.bit_length()):
        level += (end >> level) - (begin >> level) > 1
    return begin >> level, end >> level, level


# ---------------------------------------------------------------------- time


@dataclass(frozen=True)
class View:
    """Everything that decides what one pane shows.

    right_edge : absolute column, fractional, at the right edge of the picture.
    columns_per_span : columns from the left to the right edge; at most n_cols times the columns
        of the history, or columns are passed over.
    """

    n_rows: int
    n_cols: int
    right_edge: float
    columns_per_span: float
    display: DisplaySettings
    sample_rate: int


class TimeWalk(NamedTuple):
    """How to walk through the cells of a time level from pixel to pixel.

    Pixel x shows the cells from ceil(start + x * step) on, counted from absolute cell `base`, up
    to the one before ceil(start + (x + 1) * step) where `wide`, else only the first.
    """

    level: int
    base: int
    start: float
    step: float
    wide: bool


def time_walk(right_edge: float, columns_per_span: float, n_cols: int, n_levels: int) -> TimeWalk:
    """Choose the time level and the first cell of a picture `n_cols` pixels wide."""
    columns_per_pixel = columns_per_span / n_cols
    level = 0
    if columns_per_pixel > 1.0:
        level = min(floor(log2(columns_per_pixel * (1.0 + ROUNDING))), n_levels - 1)
    step = columns_per_pixel / (1 << level)
    left = (right_edge - columns_per_span) / (1 << level)
    wide = columns_per_pixel > 1.0
    start = left - 0.5 if wide else left + 0.5 * step - 1.0
    base = floor(start)
    return TimeWalk(level, base, start - base, step, wide)


def x_to_column(x: float, view: View) -> float:
    """Absolute column, fractional, at the centre of pixel `x`."""
    share = (x + 0.5) / view.n_cols
    return view.right_edge - view.columns_per_span * (1.0 - share)


# ---------------------------------------------------------------------- pictures


def render_reference(history: ColumnHistory, view: View) -> NDArray[np.float32]:
    """The levels of a picture, dB float32 (n_rows, n_cols), tilt included.

    NaN where there is nothing to show: no sound yet, a gap, or above half the sample rate.
    """
    walk = time_walk(view.right_edge, view.columns_per_span, view.n_cols, history.n_levels)
    table = row_table(
        view.n_rows, view.display, view.sample_rate, history.n_bins, history.bins_per_cell
    )
    history.settle(walk.level)
    border = np.arange(view.n_cols + 1, dtype=np.float32) * np.float32(walk.step)
    ceiled = np.ceil(np.float32(walk.start) + border).astype(np.int64)
    first = ceiled[:-1]
    last = np.maximum(first, ceiled[1:] - 1) if walk.wide else first
    low, high = history.valid_cells(walk.level)
    ring, offset = history.ring(walk.level), history.first_row(walk.level)
    mean = history.reduce == "mean"

    def slices(cell: NDArray[np.int64]) -> NDArray[np.float32]:
        absolute = walk.base + cell
        shown = (absolute >= low) & (absolute <= high)
        rows = offset + absolute[shown] % ring
        rows = np.where(absolute[shown] == high, history.newest_row, rows)[:, None]
        codes = np.zeros((view.n_cols, view.n_rows), np.float32)
        pair = history.cells[rows, table.first], history.cells[rows, table.last]
        codes[shown] = _joined(*pair, mean)
        return codes

    codes = slices(first)
    if walk.wide:
        codes = _joined(codes, slices(last), mean)
    db = DB_FLOOR + codes.T * np.float32(DB_SPAN / CODE_MAX)
    db += np.float32(view.display.tilt) * table.octaves[:, None]
    db[(codes.T == GAP) | ~table.valid[:, None]] = np.nan
    return db


def _joined(a: NDArray[Any], b: NDArray[Any], mean: bool) -> NDArray[np.float32]:
    """Codes of two cells under one pixel made one: the peak, or the mean power (gaps aside)."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    peak = np.maximum(a, b)
    if not mean:
        return peak
    scale = np.float32(NEPER_PER_CODE)
    least = np.minimum(a, b)
    below = np.log((1 + np.exp((least - peak) * scale)) * np.float32(0.5)) / scale
    return np.where(least == GAP, peak, peak + below)


def colour_index(db: ArrayLike, display: DisplaySettings) -> NDArray[np.uint8]:
    """Step of the colour map, uint8 0..255, for levels in dB (NaN gives 0).

    The share of the dB range is raised to the power of gamma, as in matplotlib's PowerNorm.
    """
    share = (np.asarray(db, np.float32) - display.db_low) / (display.db_high - display.db_low)
    share = np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0) ** np.float32(display.gamma)
    return np.floor(share * np.float32(255.0) + np.float32(0.5)).astype(np.uint8)
