"""An axis from its labels: the scale and the straight line that most labels agree upon.

A label is never believed alone. One that was misread, or rounded by the program that drew it
(librosa prints 10.5 s as 10), disagrees with the others and is outvoted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.scales import SCALES, SLANEY, Curve
from realtime.picture.read.ticks import Tick

NEAR = 1.2
"""Pixels from the line: marks are drawn on whole pixels."""
NO_WORSE = 0.3
"""Pixels, rms: a scale that fits so much worse than another may still be the axis'."""
LEAST_LABELS = 3
LEAST_SHARE = 0.5
"""Of the labels must agree."""


LEAST_MARKS, SHARE_MARKS = 8, 0.8
"""Marks of a logarithmic axis that must be there, and of a decade's that must be in place."""
OTHER_SLOPE = 0.1
"""Lines whose slopes are farther apart, relative, are two readings of one axis."""


class Scale(NamedTuple):
    """What an axis is straight in: `forward(value) -> u`, `inverse(u) -> value`."""

    name: str
    forward: Curve
    inverse: Curve


def _symlog(name: str, threshold: float, linear: float) -> Scale:
    """matplotlib's symlog with base 2: `linear` octaves' width from 0 to `threshold` Hz."""

    def forward(hz: ArrayLike) -> NDArray[np.float64]:
        ratio = np.asarray(hz, np.float64) / threshold
        return np.where(ratio <= 1, linear * ratio, linear + np.log2(np.maximum(ratio, 1)))

    def inverse(u: ArrayLike) -> NDArray[np.float64]:
        u = np.asarray(u, np.float64)
        return threshold * np.where(u <= linear, u / linear, np.exp2(np.maximum(u - linear, 0)))

    return Scale(name, forward, inverse)


C2 = 440 * 2 ** (-33 / 12)
"""Hz, 65.4: where librosa's log axis becomes linear."""

LINEAR = Scale("linear", SCALES["linear"].forward, SCALES["linear"].inverse)
LOG = Scale("log", SCALES["log"].forward, SCALES["log"].inverse)
FREQUENCY_SCALES = (
    LINEAR,
    LOG,
    _symlog("librosa mel", 1000.0, 2.0),
    _symlog("librosa log", C2, 1.0),
    Scale("mel", SLANEY.forward, SLANEY.inverse),
    Scale("htk mel", SCALES["mel"].forward, SCALES["mel"].inverse),
)


class Axis(NamedTuple):
    """place = slope * scale.forward(value) + start, in pixels.

    agree : labels on the line. labels : all there are. error : pixels, rms of those that agree
    rival : labels on the best line of quite another slope
    on : place and value of those that agree
    """

    scale: Scale
    slope: float
    start: float
    agree: int
    labels: int
    error: float
    rival: int = 0
    on: tuple[tuple[float, float], ...] = ()

    def value_at(self, place: ArrayLike) -> NDArray[np.float64]:
        return self.scale.inverse((np.asarray(place, np.float64) - self.start) / self.slope)

    def place_of(self, value: ArrayLike) -> NDArray[np.float64]:
        return self.slope * self.scale.forward(value) + self.start

    @property
    def certainty(self) -> float:
        """0..1: by how many labels agree, and how well."""
        share = self.agree / max(self.labels, 1)
        few = 1.0 if self.agree > LEAST_LABELS else 0.8
        if self.rival >= max(self.agree - 1, LEAST_LABELS):
            return 0.3
        return float(few * min(1.0, 0.4 + 0.6 * share) * np.clip(1.6 - self.error, 0.3, 1))


def fit_axis(
    ticks: Iterable[Tick],
    *,
    rising: bool = True,
    printed: Callable[[float], str] | None = None,
) -> Axis | None:
    """The linear axis on which most labels lie, or None where too few agree.

    rising : values grow with the place (to the right); else they grow upward
    printed : how a program may print a value; a label that reads so agrees too, though rounded
    """
    axes = fit_axes(ticks, (LINEAR,), rising=rising, printed=printed)
    return axes[0] if axes else None


def fit_axes(
    ticks: Iterable[Tick],
    scales: Iterable[Scale],
    *,
    rising: bool = True,
    printed: Callable[[float], str] | None = None,
) -> list[Axis]:
    """Axes of `scales` on which as many labels lie as on any other, and nearly as well: from a few
    labels librosa's mel cannot be told from a logarithm. The plainest comes first."""
    ticks = list(ticks)
    known = [tick for tick in ticks if tick.value is not None]
    places = np.array([tick.place for tick in known])
    values = np.array([tick.value for tick in known], np.float64)
    found = []
    for scale in scales:
        usable = values > 0 if scale.name == "log" else np.ones(len(values), bool)
        axis = _line(scale, places[usable], values[usable], len(ticks), rising)
        if axis is not None and axis.agree >= LEAST_LABELS:
            if printed is not None:
                axis = axis._replace(agree=axis.agree + _rounded(axis, known, printed))
            found.append(axis)
    most = max((axis.agree for axis in found), default=0)
    found = [axis for axis in found if axis.agree == most and most >= LEAST_SHARE * axis.labels]
    least = min((axis.error for axis in found), default=0.0)
    return [axis for axis in found if axis.error <= least + NO_WORSE]


def _line(
    scale: Scale,
    places: NDArray[np.float64],
    values: NDArray[np.float64],
    labels: int,
    rising: bool,
) -> Axis | None:
    if len(values) < LEAST_LABELS:
        return None
    units = scale.forward(values)
    best: tuple[int, float, NDArray[np.bool_]] | None = None
    found: list[tuple[float, int]] = []
    for i, j in combinations(range(len(values)), 2):
        if values[i] == values[j]:
            continue
        slope = (places[i] - places[j]) / (units[i] - units[j])
        if (slope > 0) != rising or slope == 0:
            continue
        off = np.abs(places - places[i] - slope * (units - units[i]))
        near = off <= NEAR
        found.append((slope, int(near.sum())))
        score = (int(near.sum()), -float(off[near].sum()))
        if best is None or score > best[:2]:
            best = (*score, near)
    if best is None:
        return None
    near = best[2]
    if np.unique(values[near]).size < 2:
        return None
    slope, start = np.polyfit(units[near], places[near], 1)
    error = float(np.sqrt(np.mean((slope * units[near] + start - places[near]) ** 2)))
    rival = max((n for other, n in found if abs(other / slope - 1) > OTHER_SLOPE), default=0)
    on = tuple(zip(places[near].tolist(), values[near].tolist(), strict=True))
    return Axis(scale, float(slope), float(start), len(on), labels, error, rival, on)


def _rounded(axis: Axis, ticks: list[Tick], printed: Callable[[float], str]) -> int:
    """Labels off the line that say what the program would print there."""
    count = 0
    for tick in ticks:
        exact = float(axis.value_at(tick.place))
        away = abs(float(axis.place_of(tick.value or 0.0)) - tick.place)
        if away > NEAR:
            step = 2 * NEAR / abs(axis.slope)
            said = {float(printed(exact + shift)) for shift in (-step, 0.0, step)}
            count += tick.value in said
    return count


def decades(marks: NDArray[np.float64], ticks: list[Tick]) -> Axis | None:
    """A logarithmic axis that grows upward with too few labels to be outvoted: two powers of ten
    that agree with the unlabelled marks between them, at 2, 3 .. 9 times the lower one."""
    powers = [
        tick for tick in ticks if tick.value and tick.value > 0 and np.log10(tick.value) % 1 == 0
    ]
    if len(marks) < LEAST_MARKS:
        return None
    for one, other in combinations(powers, 2):
        if one.value == other.value:
            continue
        apart = float(LOG.forward(one.value or 1) - LOG.forward(other.value or 1))
        slope = (one.place - other.place) / apart
        start = float(one.place - slope * LOG.forward(one.value or 1))
        axis = Axis(LOG, slope, start, 2, max(2, len(powers)), 0.0)
        lowest = min(one.value or 1, other.value or 1)
        off = np.abs(marks[:, None] - axis.place_of(lowest * np.arange(2, 10))).min(axis=0)
        if slope < 0 and (off <= NEAR).mean() >= SHARE_MARKS:
            return axis._replace(error=float(off[off <= NEAR].mean()))
    return None
