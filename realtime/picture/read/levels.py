"""The value of each cell, from the pixels that show it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.picture.read.blend import unblend
from realtime.picture.read.boxes import Box
from realtime.picture.read.cells import Grid, places
from realtime.picture.read.colours import EXACT, STRAY, slope_of, truncated_or_rounded, values_of
from realtime.picture.read.pixels import Pixels
from realtime.picture.read.report import Report
from realtime.picture.read.scale import DbScale

ON_MAP = 0.97
"""Share of colours that are on the map though neighbours were blended: before colouring, then."""
SOME_STRAY = 0.7
"""Certainty of a plot that something was drawn on."""
HIDDEN = 0.5
"""Of a row: more, and a line was drawn along it."""
LOST_DB = 12.0
"""Mean error, as far as colours tell, from which nothing useful is left."""


class Levels(NamedTuple):
    """db : float32 (n_frames, n_rows). frames, rows : bool, which of them a pixel surely
    shows; the others are their neighbours' or lie between them."""

    db: NDArray[np.float32]
    frames: NDArray[np.bool_]
    rows: NDArray[np.bool_]


def read_levels(
    report: Report,
    pixels: Pixels,
    plot: Box,
    scale: DbScale,
    rows: Grid,
    frames: Grid,
    *,
    altered: bool,
) -> Levels:
    """dB of every cell. altered : colours are no longer what the program drew."""
    margin = plot.margin
    inside = plot.inside(pixels.rgb)
    up = places(rows, plot.top + margin, plot.bottom - margin)
    along = places(frames, plot.left + margin, plot.right - margin)
    y, x = up.pixel - plot.top - margin, along.pixel - plot.left - margin
    blended = rows.blended or frames.blended
    table = scale.table
    if not blended:
        colours = inside[np.ix_(y, x)]
        table = table if altered else truncated_or_rounded(colours, table)
        values = values_of(colours, table, between=altered, by_light=altered)
        stray = values.off > (np.inf if altered else STRAY)
        if stray.any():
            values = values._replace(levels=_beside(values.levels, stray), off=values.off * ~stray)
            how = "of the cells have colours that the bar has not: taken from those beside"
            report.add("stray", round(float(stray.mean()), 4), how, SOME_STRAY)
    else:
        corner = plot.top + margin, plot.left + margin
        table = truncated_or_rounded(inside[::3, ::3], table)
        values = values_of(inside[::3, ::3], table)
        on_map = float((values.off <= EXACT).mean()) > ON_MAP
        if on_map:  # levels were blended, then coloured
            plane = values_of(inside, table).levels[..., None]
            solved = _solved(plane, rows, frames, y, x, corner)[..., 0]
            values = values._replace(levels=np.clip(solved, 0, 1).astype(np.float32))
        else:
            values = values_of(_solved(inside, rows, frames, y, x, corner), table, between=True)
    off = float(values.off.mean())
    exact = float((values.off <= EXACT).mean())
    error = off / slope_of(table) * (scale.high - scale.low)
    seen = float(along.some.mean() * up.some.mean())
    report.add(
        "colours",
        round(error, 2),
        f"dB that they lie off the map, mean; {exact:.0%} lie on it",
        float(np.clip(1 - error / LOST_DB, 0, 1)) * (1.0 if exact > 0.9 else 0.9),
    )
    report.add(
        "cells", round(seen, 3), "share that has a pixel of its own", min(1.0, 0.55 + 0.5 * seen)
    )
    db = scale.low + (scale.high - scale.low) * values.levels.T  # (n_frames, n_rows)
    db = _filled(_filled(db, along.some, 0), up.some, 1)
    return Levels(np.ascontiguousarray(db, np.float32), along.own, up.own)


def _solved(
    plane: NDArray,
    rows: Grid,
    frames: Grid,
    y: NDArray[np.intp],
    x: NDArray[np.intp],
    corner: tuple[int, int],
) -> NDArray[np.float64]:
    """Cells (n_rows, n_frames, k) of a blended plane, (height, width, k); along an axis whose
    cells could not be counted, its pixels y or x."""
    k = plane.shape[2]
    upright = plane.reshape(len(plane), -1)
    part = unblend(upright, rows.edges, corner[0])[0] if rows.blended else upright[y]
    part = part.reshape(len(part), -1, k).swapaxes(0, 1)
    flat = part.reshape(len(part), -1)
    part = unblend(flat, frames.edges, corner[1])[0] if frames.blended else flat[x]
    return part.reshape(len(part), -1, k).swapaxes(0, 1)


def _beside(levels: NDArray[np.float32], stray: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Levels, (n_rows, n_frames), those of stray cells between the frames before and after; of a
    row that a line hides, between the rows."""
    levels = levels.copy()
    lines = stray.mean(axis=1) > HIDDEN
    frames = np.arange(levels.shape[1])
    for k in np.flatnonzero(stray.any(axis=1) & ~lines):
        hidden = stray[k]
        levels[k, hidden] = np.interp(frames[hidden], frames[~hidden], levels[k, ~hidden])
    return _filled(levels, ~lines, 0)


def _filled(db: NDArray[np.float32], own: NDArray[np.bool_], axis: int) -> NDArray[np.float32]:
    """Cells without a pixel of their own, between their neighbours that have one."""
    if own.all() or not own.any():
        return db
    there = np.flatnonzero(own)
    place = np.interp(np.arange(len(own)), there, np.arange(len(there)))
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, len(there) - 1)
    share = (place - below).astype(np.float32)
    share = share[:, None] if axis == 0 else share
    shown = np.take(db, there, axis)
    filled = np.take(shown, below, axis) * (1 - share) + np.take(shown, above, axis) * share
    return filled.astype(np.float32)
