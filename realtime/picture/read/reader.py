"""A foreign spectrogram read back: the order in which its parts are found, and what comes out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import SourceError
from realtime.picture.format import PictureFormat, picture_format
from realtime.picture.read.boxes import Box, find_boxes
from realtime.picture.read.cells import Changes, changes_along
from realtime.picture.read.chosen import chosen_plot
from realtime.picture.read.colours import STRAY, truncated_or_rounded, values_of
from realtime.picture.read.fits import (
    FREQUENCY_SCALES,
    LINEAR,
    Axis,
    Scale,
    decades,
    fit_axes,
    fit_axis,
)
from realtime.picture.read.frames import Frames, find_frames
from realtime.picture.read.levels import read_levels
from realtime.picture.read.own_sheet import LIKE, OWN_SCALES, as_own, own_frames, own_rows
from realtime.picture.read.pixels import Pixels, load_pixels
from realtime.picture.read.report import Report
from realtime.picture.read.rows import Rows, find_rows
from realtime.picture.read.scale import DbScale, find_db
from realtime.picture.read.ticks import Side, read_side

ASSUMED_N_FFT = 2048
AS_DRAWN, ON_MAP = 1.0, 0.97
"""Of 255, how near to its map a colour is as drawn; and the share of a plot's colours that are."""
MOST_STRAY, FEW_STRAY = 0.02, 0.002
"""Of a plot's colours may be none of the bar's, and what they hide is taken from beside them; and
of one such colour where others were mixed, so that cells beside it were too."""
LOWEST_TOP_HZ = 100.0
"""No sound's axis ends below: its labels are kHz."""
KNEE_HZ = 1000.0
"""Where mel axes begin to bend."""
UNSEEN, SURE = 0.5, 0.75
"""Certainty of rows and frames that are smaller than pixels, and of those that fit."""
ALTERED = 0.7
"""Certainty of a picture that was compressed or scaled."""


@dataclass(frozen=True)
class Reading:
    """A foreign picture's content.

    db : float32 (1, n_frames, n_rows), dB, the lowest row first
    format : what it settled on; `ref` is None, for a picture does not tell how loud 0 dB was
    frames_seen, rows_seen : bool (n_frames,), (n_rows,), which surely have a pixel of their
        own; the others may be their neighbours, or lie between them
    report : what was read, how, and how surely, ready for JSON
    certainty : 0..1, of the weakest part
    """

    db: NDArray[np.float32]
    format: PictureFormat
    frames_seen: NDArray[np.bool_]
    rows_seen: NDArray[np.bool_]
    report: dict[str, Any]
    certainty: float


def read_foreign(
    path: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None
) -> Reading:
    """Read a spectrogram with axes and a colour bar that another program drew.

    overrides : what the caller knows better, by the names in `report.OVERRIDES`
    Raises SourceError where the file is no such picture or cannot be read with certainty, and
    RequestError for an override that is none.
    """
    report = Report(Path(path).name, overrides or {})
    pixels = load_pixels(path)
    height, width = pixels.rgb.shape[:2]
    layout = as_own(find_boxes(pixels.rgb), width, height)
    plot = chosen_plot(report, layout, pixels)
    below = read_side(pixels.rgb, plot, "bottom", layout.background)
    beside = read_side(pixels.rgb, plot, "left", layout.background, below.digits)
    scale = find_db(report, pixels, layout, plot, below.digits or beside.digits)
    left, _, right, _ = plot.sides()
    time = _time_axis(report, below, left, right)
    axes = _frequency_axes(report, beside, OWN_SCALES if plot.around else FREQUENCY_SCALES)
    rows, frames, altered = _cells(report, plot, pixels, scale, time, axes)
    if altered:
        how = "colours changed by compression or scaling: values are less exact"
        report.add("picture", "altered", how, ALTERED)
    levels = read_levels(report, pixels, plot, scale, rows.grid, frames.grid, altered=altered)
    made = _format(report, rows, frames, scale)
    report.check()
    return Reading(
        levels.db[None], made, levels.frames, levels.rows, report.as_dict(), report.certainty
    )


def _cells(
    report: Report, plot: Box, pixels: Pixels, scale: DbScale, time: Axis, axes: list[Axis]
) -> tuple[Rows, Frames, bool]:
    """Rows and frames, and whether the picture was altered since it was drawn: then they are
    looked for in another way. Of several frequency axes the one counts whose rows fit best."""
    best: tuple[Rows, Frames, bool, Report] | None = None
    refusal, far = None, 0
    for axis in axes:
        own = report.copy()
        how = f"{axis.agree} of {axis.labels} labels agree"
        own.add("frequency_axis", axis.scale.name, how, axis.certainty)
        try:
            rows, frames, altered = _cells_on(own, plot, pixels, scale, time, axis)
        except SourceError as fault:
            if refusal is None or len(own.found) > far:  # of several the one that came farthest
                refusal, far = fault, len(own.found)
            continue
        if best is None or own.certainty > best[3].certainty + 0.01:
            best = rows, frames, altered, own
    if best is None:
        assert refusal is not None
        raise refusal
    report.found = best[3].found
    return best[:3]


def _cells_on(
    report: Report, plot: Box, pixels: Pixels, scale: DbScale, time: Axis, frequency: Axis
) -> tuple[Rows, Frames, bool]:
    """`_cells` on one frequency axis."""
    left, top, right, bottom = plot.sides()
    inside, margin = plot.inside(pixels.rgb), plot.margin
    rows_of, frames_of = (own_rows, own_frames) if plot.around else (find_rows, find_frames)

    def seen(altered: bool) -> tuple[Changes, Changes]:
        turned = inside.swapaxes(0, 1), plot.left + margin, plane.swapaxes(0, 1)
        upward = changes_along(inside, plot.top + margin, plane, altered=altered)
        return upward, changes_along(*turned, altered=altered)

    def tried(upward: Changes, across: Changes) -> tuple[Rows, Frames, Report]:
        own = report.copy()
        try:
            rows = rows_of(own, frequency, upward, bottom, top)
            frames = frames_of(own, time, rows, across, left, right)
        except SourceError:
            report.found = own.found  # how far it came
            raise
        return rows, frames, own

    off_map = _off_map(report, inside, scale)
    altered = pixels.lossy or off_map
    if altered and plot.around:
        report.refuse(f"colours were changed by compression, scaling or painting: {LIKE}")
    plane = inside if off_map else 255 * values_of(inside, scale.table).levels[..., None]
    gray = float(np.ptp(scale.table.colours, axis=1).max()) <= 1  # scaled, it is still on its map
    gray = gray and not (altered or plot.around)
    found, refusal = None, None
    as_drawn = seen(False)
    if not altered or (not pixels.lossy and frequency.scale is LINEAR):  # it may be blended
        try:
            rows, frames, own = found = tried(*as_drawn)
        except SourceError as fault:
            refusal = fault
        else:
            if rows.grid.blended or not (altered or (gray and _least(own) < SURE)):
                report.found = own.found
                return rows, frames, False
        blocks = all(changes.exact for changes in as_drawn)
        if refusal is not None and not (altered or (gray and not blocks)):
            raise refusal
    try:
        rows, frames, own = tried(*seen(True))
    except SourceError as fault:
        if found is None or altered:
            raise refusal or fault from None
        own = found[2]
    if gray and found is not None and _least(own) <= UNSEEN:  # smaller than pixels, not scaled
        rows, frames, own = found
    report.found = own.found
    return rows, frames, found is None or own is not found[2]


def _least(report: Report) -> float:
    """How sure the cells were counted."""
    return min(report.found[key].certainty or 0 for key in ("n_rows", "n_frames"))


def _off_map(report: Report, inside: NDArray[np.uint8], scale: DbScale) -> bool:
    """Whether more than a few colours are near the map, and not on it: they were altered."""
    some = inside[::3, ::3]
    off = values_of(some, truncated_or_rounded(some, scale.table)).off
    stray = off > STRAY
    on_map = float((off[~stray] <= AS_DRAWN).mean()) if not stray.all() else 0.0
    alike = np.unique(some[stray], axis=0, return_counts=True)[1].max(initial=0) / stray.size
    if on_map >= ON_MAP:
        alike = float(stray.mean())
    if alike > (MOST_STRAY if on_map >= ON_MAP else FEW_STRAY):
        report.refuse(
            f"{alike:.1%} of the plot have colours that the bar has not (empty cells, grid lines, "
            "marks): draw it without them"
        )
    return on_map < ON_MAP


def _time_axis(report: Report, side: Side, left: float, right: float) -> Axis:
    seconds = report.say("seconds")
    if seconds is not None:
        slope = (right - left) / seconds
        return Axis(LINEAR, slope, left, 2, 2, 0.0)
    axis = fit_axis(side.ticks, printed=lambda value: f"{value:.2g}")
    if axis is None:
        report.refuse(
            f"the time axis could not be read ({_labels(side)}): give --seconds, its length"
        )
    start, stop = axis.value_at([left, right])
    how = f"{axis.agree} of {axis.labels} labels agree"
    report.add("time_axis", [round(float(start), 4), round(float(stop), 4)], how, axis.certainty)
    return axis


def _frequency_axes(report: Report, side: Side, scales: Sequence[Scale]) -> list[Axis]:
    """What the frequency axis may be: from few labels it may be more than one scale."""
    ticks = side.ticks
    top = max((tick.value or 0 for tick in ticks), default=0)
    if 0 < top < LOWEST_TOP_HZ:
        ticks = [tick._replace(value=tick.value and 1000 * tick.value) for tick in ticks]
        report.add("frequency_unit", "kHz", f"no sound's axis ends at {top:g} Hz", 0.9)
    axes = fit_axes(ticks, scales, rising=False)
    decade = None if axes else decades(side.marks, ticks)
    axes = axes if decade is None else [decade]
    if not axes:
        report.refuse(
            f"the frequency axis could not be read ({_labels(side)}): a scale in Hz is needed"
        )
    if axes[0].scale is LINEAR and max(tick.value or 0 for tick in ticks) < KNEE_HZ:
        return axes[:1]  # mel and symlog are straight there too
    return axes


def _labels(side: Side) -> str:
    read = ", ".join(tick.text for tick in side.ticks[:8])
    return f"labels read: {read}" if read else "no labels found"


def _format(report: Report, rows: Rows, frames: Frames, scale: DbScale) -> PictureFormat:
    n_fft = 2 * (rows.grid.n - 1) if rows.kind == "stft" else report.say("n_fft")
    if n_fft is None:
        n_fft = max(ASSUMED_N_FFT, 1 << (frames.hop * 2 - 1).bit_length())
        report.add("n_fft", n_fft, "assumed: a picture does not show it", None)
    elif rows.kind == "stft":
        report.add("n_fft", n_fft, "from the number of rows", None)
    if frames.hop > n_fft:
        report.refuse(
            f"hop = {frames.hop} is more than n_fft = {n_fft}, so one of them was misread, or rows "
            "are no bins: give --kind, --hop or --n-fft"
        )
    return picture_format(
        rows.kind,
        sample_rate=frames.sample_rate,
        n_fft=n_fft,
        hop=frames.hop,
        n_rows=rows.grid.n,
        fmin=rows.fmin,
        fmax=rows.fmax,
        htk=rows.htk,
        ref=None,
        db_low=scale.low,
        db_high=scale.high,
    )
