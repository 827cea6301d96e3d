"""From sample indices to UTC: a line fitted to when samples arrived, and each step of the clock.

`UtcClock` is fed every second or so with three numbers and knows no time of its own. What it has
once said of a sample that had arrived it says (to 2 ns) for as long as it remembers: a new fit
bends the line from the newest sample on, never behind it. All is integer nanoseconds but the
differences within one fit, so that a year of samples costs no precision. One thread owns it.

Someone who sets the system's clock makes a step: samples from then on are told in the new UTC,
those before in the old. A clock that is slewed (NTP: 500 ppm) is followed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

POINT_SECONDS = 5.0
"""The earliest arrival in so long makes one point of the fit; the line then takes as long to get
to where the fit is."""

FIT_SECONDS = 600.0
"""The fit looks back so far: crystals wander by less than 0.1 ppm meanwhile, and 3 ms of jitter
are averaged to 0.1 ms and 0.1 ppm."""

SLOPE_SECONDS = 15.0
"""Shorter fits keep the rate that was known; in this time 3 ms of jitter tilt a fit by 50 ppm,
which matters less than 200 ppm not seen."""

KNOWN_SECONDS = 60.0
"""A rate from a fit this long is worth showing: with 3 ms of jitter good to 5 ppm, with the 0.1 ms
usual of a sound server to 0.2 ppm."""

TOLERANCE_NS = 2_500_000
"""No point of a fit may be farther from its line: half of 3 ms of jitter, and something to bend.
Where one is (the clock began to be slewed, the server changed its buffer), the fit looks back
half as far."""

STEP_NS = 50_000_000
"""UTC against the monotonic clock: a greater jump between two feeds is a step,"""

SLEW = 1e-3
"""and this much of the time between them more: twice what NTP slews where it slews UTC alone."""

HISTORY_SECONDS = 7200.0
"""Indices older than this are told by the line through the oldest that is remembered."""

MOST_STEPS = 512
"""Remembered; a clock that steps at every feed must not fill the memory."""

EARLIEST_NS = 315_532_800_000_000_000
"""1980-01-01: a computer without a clock of its own starts in 1970."""

FASTEST = 0.5
"""The line catches up at most by this much of a second a second: time must not go back, whatever
arrivals seem to say."""

_SECOND = 1_000_000_000


class ClockStep(NamedTuple):
    """Samples from `index` on are told in a UTC that is `seconds` ahead of the one before."""

    index: int
    seconds: float


class _Point(NamedTuple):
    index: int
    late_ns: int
    """UTC without its steps, less the time that `index` samples take as the device says."""


class UtcClock:
    """When each sample of a stream was.

    sample_rate : of the stream, as the device says, in Hz
    Source: least squares over the earliest arrivals; the window is the longest that a straight
    line fits.
    """

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self._point_samples = round(POINT_SECONDS * sample_rate)
        self._point_end = 0
        self._points: deque[_Point] = deque(maxlen=round(FIT_SECONDS / POINT_SECONDS))
        self._earliest: _Point | None = None
        self._knots: list[_Point] = []
        """What was told, and last where the line is to be soon."""
        self._slope = 0.0
        """Nanoseconds of lateness a sample: positive where the device is slow."""
        self._drift_ppm: float | None = None
        self._steps: list[ClockStep] = []
        self.n_steps = 0
        """Steps of the system's clock so far, also those that are no longer remembered."""
        self._stepped_ns = [0]
        """What the steps so far sum up to: before the first, after the first ..."""
        self._offset_ns: int | None = None
        self._fed_ns = self._utc_ns = 0

    @property
    def drift_ppm(self) -> float | None:
        """How fast the device is against the system's clock, in millionths; None until known."""
        return self._drift_ppm

    @property
    def steps(self) -> tuple[ClockStep, ...]:
        """The newest steps of the system's clock, oldest first."""
        return tuple(self._steps)

    @property
    def plausible(self) -> bool:
        """Whether the newest UTC is after 1980."""
        return self._utc_ns >= EARLIEST_NS

    def feed(self, index: int, monotonic_ns: int, utc_ns: int) -> None:
        """The sample `index` arrived (or will have, at the earliest) at `monotonic_ns`.

        utc_ns : UTC of that moment, which is `monotonic_ns` plus what the system's UTC is ahead
            of its monotonic clock now (read one directly after the other)
        """
        offset = utc_ns - monotonic_ns
        if self._offset_ns is not None:
            change = offset - self._offset_ns
            if abs(change) > STEP_NS + SLEW * abs(monotonic_ns - self._fed_ns):
                self._step(index, change)
        self._offset_ns, self._fed_ns, self._utc_ns = offset, monotonic_ns, utc_ns
        self._take(_Point(index, utc_ns - self._stepped_ns[-1] - self._nominal_ns(index)))

    def utc_ns(self, index: int) -> int:
        """UTC of sample `index`, in nanoseconds since 1970; never falls from one index to the next
        but at a step. Raises ValueError before the first feed."""
        if not self._knots:
            raise ValueError("a clock that was never fed knows no time: feed it first")
        step = bisect_right(self._steps, index, key=lambda step: step.index)
        return self._nominal_ns(index) + self._late_ns(index) + self._stepped_ns[step]

    def _nominal_ns(self, index: int) -> int:
        return index * _SECOND // self._rate

    def _late_ns(self, index: int) -> int:
        """On the line through the knots, which goes on with the newest slope at both ends."""
        at = self._knot_after(index)
        if 0 < at < len(self._knots):
            a, b = self._knots[at - 1], self._knots[at]
            return a.late_ns + (b.late_ns - a.late_ns) * (index - a.index) // (b.index - a.index)
        end = self._knots[max(at - 1, 0)]
        return end.late_ns + round(self._slope * (index - end.index))

    def _knot_after(self, index: int) -> int:
        return bisect_right(self._knots, index, key=lambda knot: knot.index)

    def _step(self, index: int, change_ns: int) -> None:
        self.n_steps += 1
        self._steps.append(ClockStep(index, change_ns / _SECOND))
        self._stepped_ns.append(self._stepped_ns[-1] + change_ns)
        del self._steps[:-MOST_STEPS], self._stepped_ns[: -MOST_STEPS - 1]

    def _take(self, point: _Point) -> None:
        if not self._knots:
            self._knots.append(point)
            self._point_end = point.index + self._point_samples
        if self._points and point.index <= self._points[-1].index:
            return
        if self._earliest is None or point.late_ns <= self._earliest.late_ns:
            self._earliest = point
        if point.index >= self._point_end:
            self._point_end = point.index + self._point_samples
            self._points.append(self._earliest)
            self._earliest = None
            self._fit(point.index)

    def _fit(self, index: int) -> None:
        """Bend the line at `index`, the newest sample."""
        told = _Point(index, self._late_ns(index))
        points = list(self._points)
        late_ns, self._slope, n_points = longest_fit(points, self._slope, self._rate)
        if points[-1].index - points[-n_points].index >= KNOWN_SECONDS * self._rate:
            late = self._slope * self._rate / _SECOND
            self._drift_ppm = -late / (1 + late) * 1e6
        if self._knots[-1].index >= index:
            self._knots.pop()
        soon = index + self._point_samples
        late_ns += round(self._slope * (soon - points[-1].index))
        most_ns = round(FASTEST * POINT_SECONDS * _SECOND)
        bend_ns = min(max(late_ns - told.late_ns, -most_ns), most_ns)
        self._knots += (told, _Point(soon, told.late_ns + bend_ns))
        oldest = index - round(HISTORY_SECONDS * self._rate)
        del self._knots[: max(self._knot_after(oldest) - 1, 0)]


def longest_fit(points: Sequence[_Point], slope: float, sample_rate: int) -> tuple[int, float, int]:
    """The line through as many of the newest points as it passes within `TOLERANCE_NS`.

    slope : known before, in nanoseconds a sample: kept where the points span too little
    Returns: what the line says of the newest point, its slope, the number of points.
    """
    n_points = len(points)
    while True:
        late_ns, fitted, worst = _line(points[-n_points:], slope, sample_rate)
        if worst <= TOLERANCE_NS or n_points == 1:
            return late_ns, fitted, n_points
        n_points = (n_points + 1) // 2


def _line(points: Sequence[_Point], slope: float, sample_rate: int) -> tuple[int, float, float]:
    """Least squares, in differences to the newest point; the greatest distance from it last."""
    newest = points[-1]
    x = [float(point.index - newest.index) for point in points]
    y = [float(point.late_ns - newest.late_ns) for point in points]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    if -x[0] >= SLOPE_SECONDS * sample_rate:
        above = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
        slope = above / sum((a - x_mean) ** 2 for a in x)
    end = y_mean - slope * x_mean
    worst = max(abs(end + slope * a - b) for a, b in zip(x, y, strict=True))
    return newest.late_ns + round(end), slope, worst
