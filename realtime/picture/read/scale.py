"""The colour bar: which colours there are, and which dB they mean."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from realtime.picture.read.boxes import Box, Layout
from realtime.picture.read.colours import STEPS, Table, bar_colours, identify, map_colours
from realtime.picture.read.fits import Axis, fit_axis
from realtime.picture.read.pixels import Pixels
from realtime.picture.read.report import Report
from realtime.picture.read.ticks import read_side

FEW_STEPS = 0.4
"""Of the colours that a bar could have: with fewer, the picture was saved with a small palette."""
ROUND_DB = 5.0
"""Ranges end at multiples of it where people chose them."""
ROUND_PIXELS = 1.05
"""How far off their places the labels may be then: marks stand on whole pixels, and so do ends."""
RANGE_DB = (15.0, 200.0)
"""What a dB range spans; less is a linear scale, more is no sound."""


class DbScale(NamedTuple):
    table: Table
    low: float
    high: float


def find_db(report: Report, pixels: Pixels, layout: Layout, plot: Box, digits: float) -> DbScale:
    """Colour map and range, from the bar or from what the caller said."""
    given = report.given
    bar = layout.bar(plot)
    if bar is None and not {"colormap", "db_low", "db_high"} <= given.keys():
        report.refuse(
            "no colour bar was found, so colours have no values: give --colormap, --db-low and "
            "--db-high"
        )
    if bar is not None:
        report.add("bar_box", list(bar[:4]), "a slender frame with one row of colours", 1.0)
    low, high = _range(report, pixels, layout, bar, digits)
    name = report.say("colormap")
    if name is not None:
        return DbScale(Table(name, map_colours(name), 0.0), low, high)
    assert bar is not None
    left, top, right, bottom = bar.sides()
    upright = bar.height > bar.width
    whole = bottom - top if upright else right - left
    inside = bar.inside(pixels.rgb)
    shown = inside.shape[0 if upright else 1]
    colours = bar_colours(inside)
    n_steps = len(np.unique(colours, axis=0))
    if n_steps < FEW_STEPS * min(len(colours), STEPS):
        how = f"colours along the bar: steps of {(high - low) / n_steps:.1f} dB"
        report.add("steps", n_steps, how, 0.7)
    table = identify(colours, (1 - shown / whole) / 2, lossy=pixels.lossy)
    if table.name:
        how = f"the bar's colours are {table.distance:.1f} of 255 from it"
        report.add("colormap", table.name, how, 1.0 if table.distance < 3 else 0.75)
    else:
        report.add("colormap", "", "no map we know: the bar's own colours are used", 0.7)
    return DbScale(table, low, high)


def _range(
    report: Report, pixels: Pixels, layout: Layout, bar: Box | None, digits: float
) -> tuple[float, float]:
    if {"db_low", "db_high"} <= report.given.keys():
        low, high = report.say("db_low"), report.say("db_high")
        if not low < high:
            report.refuse(f"--db-low {low:g} must be below --db-high {high:g}")
        return float(low), float(high)
    assert bar is not None
    upright = bar.height > bar.width
    side = read_side(pixels.rgb, bar, "right" if upright else "bottom", layout.background, digits)
    axis = fit_axis(side.ticks, rising=not upright)
    if axis is None:
        read = ", ".join(tick.text for tick in side.ticks) or "none"
        report.refuse(
            f"the colour bar's labels could not be read (read: {read}): give --db-low and --db-high"
        )
    left, top, right, bottom = bar.sides()
    low, high = _rounded(axis, *((bottom, top) if upright else (left, right)))
    if not RANGE_DB[0] <= high - low <= RANGE_DB[1]:
        report.refuse(
            f"the colour bar reaches from {low:g} to {high:g}, which are no dB: "
            "give --db-low and --db-high if they are"
        )
    how = f"{axis.agree} of {axis.labels} labels agree"
    report.add("db_low", round(low, 3), how, axis.certainty)
    report.add("db_high", round(high, 3), how, axis.certainty)
    return low, high


def _rounded(axis: Axis, first: float, last: float) -> tuple[float, float]:
    """dB at the pixels where a bar ends: round ones where labels stand as near to where those
    would put them as marks can."""
    low, high = (float(value) for value in axis.value_at([first, last]))
    places, values = np.transpose(axis.on)
    for a, b in product(*([ROUND_DB * np.round(end / ROUND_DB), end] for end in (low, high))):
        meant = first + (values - a) / (b - a) * (last - first) if b > a else np.inf
        if np.abs(meant - places).max() <= ROUND_PIXELS:
            return float(a), float(b)
    return low, high
