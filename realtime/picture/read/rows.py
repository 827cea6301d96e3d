"""Rows of a plot: how many, of what kind, and the frequencies that their edges stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.picture.read.blend import blended_grid
from realtime.picture.read.cells import (
    GOOD_FIT,
    MOST_ALTERED,
    Changes,
    Grid,
    best_grid,
    certainty_of,
    even_edges,
    even_grid,
)
from realtime.picture.read.fits import Axis
from realtime.picture.read.mels import END_PIXELS, Mel, find_mel
from realtime.picture.read.report import Report
from realtime.picture.read.usual import N_FFTS, RATES, nearest

MOST_PER_PIXEL = 1.1
"""Rows: of more, none can be told from its neighbours."""
POOR = 0.4
"""Certainty below which a number of cells was not seen."""
NO_STFT = (
    "rows on this frequency axis are no STFT's (n_fft / 2 + 1), perhaps mel bands on a false axis: "
    "give --kind stft or --kind mel"
)
BETTER = 0.05
"""Of correlation: by so much another number must fit to be the true one."""
SAME, RIVAL = 0.02, 0.1
"""Numbers of rows so near, relative, are read alike; of correlation, what is no better: scaled
pixels make patterns of their own."""
SURE_MEL = 0.97
"""Correlation of edges seen with those of a mel: where all bands differ it is 0.98 and more. With
empty ones among them, for frames were short, two ranges may fit 0.94 of them."""
RATE_SLACK = 0.012
"""A pixel at the top of an axis, relative to its frequency."""


class Rows(NamedTuple):
    """kind : "mel" or "stft". sample_rate : None where the axis does not tell."""

    kind: str
    grid: Grid
    sample_rate: int | None
    fmin: float
    fmax: float
    htk: bool
    sure: float
    """How surely their number was seen, 0..1."""
    others: tuple[Mel, ...] = ()
    """What would put the rows into the same pixels."""

    @property
    def seen(self) -> bool:
        """Their number was seen, not assumed."""
        return self.sure >= POOR


def find_rows(report: Report, axis: Axis, changes: Changes, low: float, high: float) -> Rows:
    """Settle the rows between the pixels `low` (bottom) and `high` (top) of a frequency axis."""
    given = report.given
    top = float(axis.value_at(high))
    kind = given.get("kind") or ("mel" if "mel" in axis.scale.name else "stft")
    if kind == "mel" and axis.scale.name != "linear":
        rows = _mel(report, axis, changes, low, high)
    elif axis.scale.name == "linear":
        rows = _linear(report, kind, axis, changes, low, high)
    else:
        rows = _bins(report, axis, changes, low, high)
    _describe(report, rows, axis, top)
    return rows


def _mel(report: Report, axis: Axis, changes: Changes, low: float, high: float) -> Rows:
    grid, mel, others = find_mel(report, axis, changes, low, high)
    sure = certainty_of(grid.fit, exact=changes.exact)
    if sure < POOR and "n_rows" not in report.given:
        report.refuse(
            f"the mel bands cannot be told apart, or are from no usual fmin to fmax (the axis ends "
            f"at {float(axis.value_at(high)):.0f} Hz): give --n-mels, --fmin and --fmax"
        )
    if changes.exact and grid.fit < SURE_MEL and not {"fmin", "fmax"} & report.given.keys():
        report.add("n_rows", grid.n, "mel bands that fit roughly", None)
        report.refuse(
            f"mel bands from {mel.fmin:g} to {mel.fmax:g} Hz fit only roughly, for some are empty "
            "or alike: give --n-mels, --fmin and --fmax"
        )
    rate = int(2 * mel.fmax) if 2 * mel.fmax in RATES else None
    return Rows("mel", grid, rate, *mel, sure, tuple(others))


def _linear(
    report: Report, kind: str, axis: Axis, changes: Changes, low: float, high: float
) -> Rows:
    bottom, top = float(axis.value_at(low)), float(axis.value_at(high))
    zero = float(axis.place_of(0.0))
    given = report.given
    length = abs(high - low)
    most = MOST_PER_PIXEL if changes.exact else MOST_ALTERED
    usual = [n // 2 + 1 for n in N_FFTS]
    if "n_rows" in given:
        usual = [given["n_rows"]]
    elif "n_fft" in given:
        usual = [given["n_fft"] // 2 + 1]
    told = given.keys() & {"n_rows", "n_fft"}
    wanted = [n for n in usual if told or n - 1 <= most * length]
    grid = even_grid(changes, low, high, zero, wanted)
    if grid is not None and changes.altered:
        far = [n for n in wanted if abs(n - grid.n) > SAME * grid.n]
        other = even_grid(changes, low, high, zero, far)
        if other is not None and other.fit > grid.fit - RIVAL:
            report.refuse(f"rows are {grid.n} or {other.n}, for scaling mixed them: give --n-fft")
    if grid is None or not changes.exact or grid.fit < GOOD_FIT:
        grid = blended_grid(changes.plane, changes.first - 1, low, high, usual) or grid
    if not told and not (grid and grid.blended):
        free = even_grid(changes, low, high, zero)  # mel bands, perhaps, on a false axis
        seen = free is not None and free.n <= most * length
        if free is not None and seen and (grid is None or free.fit > grid.fit + 0.1):
            grid = free
    mixed = not (changes.exact or changes.altered or (grid and grid.blended))
    if grid is None or mixed or certainty_of(grid.fit, exact=changes.exact) < POOR:
        n = given.get("n_rows", given.get("n_fft", 2048) // 2 + 1)
        if (n < 0.9 * length or changes.blocks or changes.soft) and not told:
            report.refuse("the rows cannot be told apart: give --n-fft, or --n-mels of mels")
        grid = Grid(even_edges(low, high, n, True), 0.0)
    hertz = (top - bottom) / grid.n
    if abs(bottom) > 1.5 * hertz + 2 * abs(top - bottom) / length:
        report.refuse(
            f"the frequency axis begins at {bottom:.0f} Hz, not at 0: a part of a spectrogram "
            "cannot be turned back; give the whole"
        )
    if abs(bottom + 0.5) < 0.25 and abs(top + 0.5 - grid.n) < 0.02 * grid.n:
        report.refuse(
            f"the vertical axis counts {grid.n} rows and says no Hz: draw it with frequencies"
        )
    if kind == "mel":
        rate = given.get("sample_rate")
        fmax = given.get("fmax", rate / 2 if rate else top)
        return Rows("mel", grid, rate, given.get("fmin", 0.0), fmax, given.get("htk", False), 1.0)
    rates = [given["sample_rate"]] if "sample_rate" in given else RATES
    whole = nearest(2 * top, rates, RATE_SLACK)
    over = nearest(2 * top / (1 + 0.5 / (grid.n - 1)), rates, RATE_SLACK)
    rate = whole or over
    return Rows(
        "stft",
        grid,
        int(rate) if rate else None,
        0.0,
        (rate or 2 * top) / 2,
        False,
        certainty_of(grid.fit, exact=changes.exact or grid.blended),
    )


def _bins(report: Report, axis: Axis, changes: Changes, low: float, high: float) -> Rows:
    """An STFT on a logarithmic axis: low bins are tall, high ones often less than a pixel."""
    given = report.given
    rates = [given["sample_rate"]] if "sample_rate" in given else RATES
    if "sample_rate" not in given:
        rates = [rate for rate in rates if _ends(axis, rate, high)]
    n_ffts = [given["n_fft"]] if "n_fft" in given else N_FFTS
    best = best_grid(changes, _bin_grids(axis, rates, n_ffts))
    if best is None:
        report.refuse(
            f"the frequency axis ends at {float(axis.value_at(high)):.0f} Hz, half of no usual "
            "rate: give --sample-rate"
        )
    n_fft = 2 * (best.n - 1)
    rate = min(rates, key=lambda rate: abs(axis.place_of(rate / 2 + rate / n_fft / 2) - high))
    if "n_fft" not in given:
        near = range(round(0.47 * n_fft) * 2, round(0.53 * n_fft) * 2 + 1, 2)
        other = best_grid(changes, _bin_grids(axis, [rate], near))
        if other is not None and other.n != best.n and other.fit > best.fit + BETTER:
            report.refuse(f"{other.n} {NO_STFT}")
    sure = certainty_of(best.fit, exact=changes.exact)
    told = given.keys() & {"n_fft", "n_rows"}
    if not told and (sure < POOR or not changes.exact):  # where edges are soft, many numbers fit
        report.refuse("the rows are no bins of a usual n_fft: give --n-fft where they are")
    return Rows("stft", best, int(rate), 0.0, rate / 2, False, sure)


def _ends(axis: Axis, rate: float, high: float) -> bool:
    """Whether the axis ends at half the rate, or at most half a bin above it."""
    return any(
        abs(float(axis.place_of(rate / 2 * (1 + half_bin))) - high) <= END_PIXELS
        for half_bin in (0.0, *(1 / n_fft for n_fft in N_FFTS))
    )


def _bin_grids(
    axis: Axis, rates: Iterable[float], n_ffts: Iterable[int]
) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Edges in pixels of the bins of each STFT; nothing speaks against any."""
    for rate in rates:
        for n_fft in n_ffts:
            hz = (np.arange(n_fft // 2 + 2) - 0.5) * rate / n_fft
            if axis.scale.name == "log":
                hz = np.maximum(hz, rate / n_fft / 64)
            yield axis.place_of(hz), 0.0


def _describe(report: Report, rows: Rows, axis: Axis, top: float) -> None:
    n = rows.grid.n
    sure = rows.sure if rows.seen else 0.5
    if rows.kind == "stft" and rows.seen and 2 * (n - 1) not in N_FFTS:
        sure = min(sure, 0.7)
    how = (
        f"colours change where {n} rows begin (correlation {rows.grid.fit:.2f})"
        if rows.seen
        else f"rows are smaller than pixels: {n} assumed"
    )
    if report.say("kind") is None:
        report.add("kind", rows.kind, f"the frequency axis is {axis.scale.name}", axis.certainty)
    if report.say("n_rows") is None:
        report.add("n_rows", n, how, sure)
    if rows.kind == "stft":
        if 2 * (n - 1) not in N_FFTS and not report.given.keys() & {"kind", "n_rows"}:
            report.refuse(f"{n} {NO_STFT}")
        return
    for key in ("fmin", "fmax", "htk"):
        value = getattr(rows, key)
        also = {getattr(mel, key) for mel in rows.others} - {value}
        how = f"the axis reaches to {top:.0f} Hz" if key != "htk" else "rows fit this mel better"
        if also:  # it is a guess then
            how = f"{' and '.join(f'{other:g}' for other in sorted(also))} put rows there as well"
        if report.say(key) is None:
            report.add(key, value, how, None if also else sure if key == "htk" else axis.certainty)
