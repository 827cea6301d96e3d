"""Frames of a plot: how many, and the hop and sample rate that their spacing in time means."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from realtime.picture.read.blend import blended_grid
from realtime.picture.read.cells import (
    LEAST_CELLS,
    MOST_ALTERED,
    Changes,
    Grid,
    certainty_of,
    even_edges,
    even_grid,
)
from realtime.picture.read.fits import Axis
from realtime.picture.read.report import Report
from realtime.picture.read.rows import MOST_PER_PIXEL, POOR, RIVAL, SAME, Rows
from realtime.picture.read.usual import HOPS, RATES

ASSUMED_HOP = 512
"""librosa's default."""
FEW_EDGES = 0.3
"""Of frames: where fewer differ from the one before, their number is held against others."""
LIKELY_RATES = (22050, 16000, 48000)
"""Hz, likelier than others where hops are the same time apart: librosa's, of speech, of video."""


class Frames(NamedTuple):
    grid: Grid
    sample_rate: int
    hop: int
    seen: bool
    """Frames were seen; else there are more than pixels, and hop is a choice."""


def find_frames(
    report: Report, axis: Axis, rows: Rows, changes: Changes, low: float, high: float
) -> Frames:
    """Settle the frames between the pixels `low` and `high` of a time axis in seconds."""
    given = report.given
    length = high - low
    seconds = float(np.diff(axis.value_at([low, high]))[0])
    rates = _rates(report, rows)
    most = MOST_ALTERED if changes.altered else MOST_PER_PIXEL
    counts = _counts(seconds, rates, given.get("hop"), length, most)
    every = changes.exact and "hop" not in given
    zero = float(axis.place_of(0.0))
    grid = even_grid(changes, low, high, zero, None if every else counts)
    if rows.grid.blended:
        grid = blended_grid(changes.plane, changes.first - 1, low, high, counts) or grid
    mixed = not (changes.exact or changes.altered or (grid and grid.blended))
    if grid is None or mixed or certainty_of(grid.fit, exact=changes.exact) < POOR:
        return _assumed(report, seconds, rates, changes, low, high)
    if changes.exact and "hop" not in given:
        _check_rivals(report, grid, changes, low, high, zero, counts)
    step = abs(grid.edges[-1] - grid.edges[0]) / grid.n
    longest = step
    if abs(zero - low) < 0.3 * step or step < 2:
        longest *= grid.n / (grid.n - 1)  # an extent from 0 to the sound's end, a hop too long
    return named_frames(report, axis, rows, grid, step, longest, exact=changes.exact)


def _check_rivals(
    report: Report,
    grid: Grid,
    changes: Changes,
    low: float,
    high: float,
    zero: float,
    counts: list[int],
) -> None:
    """Refuses where so little changes, a click in a tone, that other frames fit as well."""
    if changes.seen[changes.counted].sum() >= FEW_EDGES * grid.n:
        return
    other = even_grid(
        changes, low, high, zero, [n for n in counts if abs(n - grid.n) > SAME * grid.n]
    )
    if other is not None and other.fit > grid.fit - RIVAL:
        report.refuse(f"so little changes that frames may be {grid.n} or {other.n}: give --hop")


def named_frames(
    report: Report,
    axis: Axis,
    rows: Rows,
    grid: Grid,
    shortest: float,
    longest: float,
    *,
    exact: bool,
) -> Frames:
    """Frames whose spacing in pixels lies between two, by rate and hop."""
    given, rates = report.given, _rates(report, rows)
    length = abs(grid.edges[-1] - grid.edges[0])
    seconds, step = length / abs(axis.slope), shortest / abs(axis.slope)
    tolerance = 1.5 / length + 1e-4
    shortest, longest = step * (1 - tolerance), longest / abs(axis.slope) * (1 + tolerance)
    found = _pairs(given.get("hop"), rates, shortest, longest)
    if not found:
        report.refuse(
            f"{grid.n} frames in {seconds:.3f} s are {step * 1000:.3f} ms apart, no usual hop at "
            f"{' or '.join(str(rate) for rate in rates[:2])} Hz: give --sample-rate and --hop"
        )
    if found[0][0] != rows.sample_rate:
        found.sort(key=lambda pair: _unlikely(pair, found))
    rate, hop, sure = found[0]
    others = [f"{hop} at {rate} Hz" for rate, hop, _ in found[1:5]]
    also = f"; so are {' or '.join(others)}" if others else ""
    guessed = bool(others) and rate != rows.sample_rate  # up to fmax they are the same sound
    fit = certainty_of(grid.fit, exact=exact)
    report.add("n_frames", grid.n, f"colours change where they begin ({grid.fit:.2f})", fit)
    if report.say("hop") is None:
        how = f"frames are {step * 1000:.3f} ms apart{also}"
        report.add("hop", hop, how, None if guessed and sure == 1 else sure)
    if report.say("sample_rate") is None:
        natural = rate == rows.sample_rate
        how = "half of it ends the frequency axis" if natural else "fits the hop"
        how += ", as others do" if guessed else ""
        report.add("sample_rate", rate, how, 1.0 if natural else None if guessed else 0.8)
    return Frames(grid, rate, hop, True)


def _rates(report: Report, rows: Rows) -> list[int]:
    """Sample rates there may be, most likely first."""
    if "sample_rate" in report.given:
        return [report.given["sample_rate"]]
    if rows.kind == "stft":
        if rows.sample_rate is None:
            report.refuse(
                f"the frequency axis ends at {rows.fmax:.0f} Hz, half of no usual sample rate: "
                "give --sample-rate"
            )
        return [rows.sample_rate]
    above = [rate for rate in RATES if rate >= 2 * rows.fmax * 0.999 and rate != rows.sample_rate]
    return [rows.sample_rate, *above] if rows.sample_rate else above


def _counts(
    seconds: float, rates: list[int], hop: int | None, length: float, most: float
) -> list[int]:
    """Numbers of frames that usual hops make, at most `most` a pixel."""
    counts: set[int] = set()
    for rate in rates:
        for step in (hop,) if hop else HOPS:
            exact = seconds * rate / step
            slack = 1 + round(exact * (0.8 / length))
            if LEAST_CELLS <= exact <= most * length:
                counts.update(range(round(exact) - slack, round(exact) + slack + 1))
    return sorted(counts)


def _pairs(
    given: int | None, rates: list[int], shortest: float, longest: float
) -> list[tuple[int, int, float]]:
    """Rate, hop and certainty for frames that far apart in seconds: one for each rate that has a
    usual hop there."""
    pairs = []
    for rate in rates:
        low, high = shortest * rate, longest * rate
        usual = [hop for hop in ((given,) if given else HOPS) if low <= hop <= high]
        if usual:
            middle = (low + high) / 2
            best = min(usual, key=lambda hop: (hop & (hop - 1) != 0, abs(hop - middle)))
            pairs.append((rate, best, 1.0 if len(usual) == 1 else 0.7))
    if not pairs and given and len(rates) == 1:  # the axis is wrong, and the caller knows
        return [(rates[0], given, 1.0)]
    return pairs


def _unlikely(
    pair: tuple[int, int, float], pairs: list[tuple[int, int, float]]
) -> tuple[bool, int, int]:
    """What speaks against a rate and hop: powers of two come first, then hops that are a time apart
    which many rates have (10 ms), then the likely rates."""
    rate, hop, _ = pair
    alike = sum(hop * other == step * rate for other, step, _ in pairs)
    order = LIKELY_RATES.index(rate) if rate in LIKELY_RATES else len(LIKELY_RATES)
    return hop & (hop - 1) != 0, -alike, order


def _assumed(
    report: Report, seconds: float, rates: list[int], changes: Changes, low: float, high: float
) -> Frames:
    """More frames than pixels: none is seen, and any hop that makes them so is as true."""
    rate = rates[0]
    hop = report.given.get("hop", ASSUMED_HOP)
    fewer = changes.altered and seconds * rate / hop < 0.95 * (high - low)
    if "hop" not in report.given and (fewer or changes.blocks or changes.soft):
        report.refuse(
            "frames cannot be told apart, for compression or scaling mixed them or they are of no "
            "usual hop: give --hop, or the picture as it was first saved"
        )
    while "hop" not in report.given and seconds * rate / hop < 0.95 * (high - low) and hop > 1:
        hop //= 2
    n = max(2, round(seconds * rate / hop))
    report.add(
        "n_frames", n, f"more than the {high - low:.0f} pixels there are: fine detail is lost", 0.5
    )
    if report.say("hop") is None:
        report.add("hop", hop, "assumed: frames are smaller than pixels", None)
    if report.say("sample_rate") is None:
        report.add("sample_rate", rate, "half of it ends the frequency axis", 0.9)
    return Frames(Grid(even_edges(low, high, n, True), 0.0), rate, hop, False)
