"""The clock of a sound device, read from its callbacks, and the law that steers by two of them.

A callback tells how many samples there were so far and what the time is. It comes late, each time
by another amount, and never early, so the least late of many is close to the truth. One thread
owns a `DeviceClock`; its `line` is immutable and may be read by any thread. Times are given to
it, in seconds of any one clock: nothing here knows the time.
"""

from __future__ import annotations

import collections
import math
from typing import NamedTuple

import numpy as np

FIRST_WINDOW_SECONDS = 0.3
"""Callbacks come in bursts 20 ms apart on some servers: fifteen of them tell a first line,"""

WINDOW_SECONDS = 1.0
"""and the least late of each such window corrects it from then on."""

HISTORY = 120
"""Windows a line is fitted to: in two minutes a crystal wanders by less than a millionth."""

LATENESS_SECONDS = 1e-4
"""What the least late callback of a window is expected to differ from one window to the next;
it weighs as much as `EXPECTED` windows that were seen."""

EXPECTED = 2

DRIFT = 3e-4
"""How far a sound card's crystal is off what it says: seldom more."""

MOST_DRIFT = 5e-4
"""No crystal is farther off: what looks so are bursts that beat with blocks."""

PAUSE_SECONDS = 0.25
"""So much more time went by between two callbacks than was counted: they may never make up for
it."""

SHIFT_SECONDS = 5e-3
"""All callbacks of a window this far from the line: it is another line. A device dropped a block,
or a server changed its buffer; taken for drift, that would bend the line for minutes."""

SHIFT_SPREADS = 5.0
"""But where bursts beat with blocks, so much is usual each time the beat comes round."""


class Line(NamedTuple):
    """Samples are counted along a line: `count` at `seconds`, and `rate` more each second."""

    seconds: float
    count: float
    rate: float
    """Samples a second."""
    rate_error: float
    """How far `rate` is expected to be wrong (standard deviation), as a part of it."""
    spread: float
    """Seconds by which the least late of a window lie off the line (standard deviation)."""
    opened: float
    """When this line began to be learnt, in seconds."""

    def count_at(self, seconds: float) -> float:
        return self.count + (seconds - self.seconds) * self.rate

    def seconds_at(self, count: float) -> float:
        return self.seconds + (count - self.count) / self.rate


class DeviceClock:
    """Fit the line on which the counts of a callback lie in time.

    Least squares through the least late callback of each of the last `HISTORY` windows, and what
    is known of the rate beforehand: that crystals are seldom off by more than `DRIFT`, or what
    the line before told.

    sample_rate : of the device, as it says, in Hz
    Source: Moon, Skelly & Towsley 1999 (clocks from the least late); Gauss 1809 (the rest).
    """

    def __init__(self, sample_rate: float):
        self._nominal = float(sample_rate)
        self._rate, self._rate_error = self._nominal, DRIFT
        self._line: Line | None = None
        self._windows: collections.deque[tuple[float, float, float]] = collections.deque(
            maxlen=HISTORY
        )
        """(count, seconds, weight) of each window's least late, after `_origin`."""
        self._origin = (0, 0.0)
        self._last, self._last_count = 0.0, 0
        self._begin = self._end = 0.0
        self._least, self._least_at = math.inf, (0, 0.0)
        self._forget = True

    @property
    def line(self) -> Line | None:
        """None until the first window has passed."""
        return self._line

    def update(self, count: int, seconds: float) -> None:
        """A callback at `seconds`, when there were `count` samples."""
        uncounted = seconds - self._last - (count - self._last_count) / self._nominal
        if self._forget or uncounted > PAUSE_SECONDS:
            self._open(count, seconds)
            self._end = seconds + FIRST_WINDOW_SECONDS
        self._last, self._last_count = seconds, count
        late = seconds - self._origin[1] - (count - self._origin[0]) / self._rate
        if late < self._least:
            self._least, self._least_at = late, (count, seconds)
        if seconds >= self._end:
            self._close(seconds)

    def reopen(self) -> None:
        """Learn anew when samples are counted; how fast they are is known.

        Again and again is as good as once: what is being learnt is not begun anew.
        """
        self._forget |= self._last - self._origin[1] > WINDOW_SECONDS

    def _open(self, count: int, seconds: float) -> None:
        if self._line is not None:
            self._rate, self._rate_error = self._line.rate, self._line.rate_error
        self._origin, self._begin = (count, seconds), seconds
        self._least, self._forget = math.inf, False
        self._windows.clear()

    def _close(self, seconds: float) -> None:
        """Correct the line by the least late callback of the window, and begin another."""
        count, least_at = self._least_at
        elapsed = seconds - self._begin
        if self._windows and self._line is not None:
            usual = SHIFT_SPREADS * self._line.spread
            if abs(least_at - self._line.seconds_at(count)) > max(SHIFT_SECONDS, usual):
                self._open(count, least_at)
        self._windows.append((count - self._origin[0], least_at - self._origin[1], elapsed**2))
        self._line = self._fit()
        self._begin, self._end, self._least = seconds, seconds + WINDOW_SECONDS, math.inf

    def _fit(self) -> Line:
        """Lateness behind the nominal rate grows along a line."""
        counts, seconds, weights = np.array(self._windows).T
        x = counts / self._nominal
        late = seconds - x
        weights = weights / weights.sum()
        middle, latest = weights @ x, weights @ late
        n, dx, dy = len(x), x - middle, late - latest
        xx, xy, yy = n * weights @ dx**2, n * weights @ (dx * dy), n * weights @ dy**2
        least = yy - xy**2 / xx if n > 1 else 0.0
        known = _variance(least, n) / self._rate_error**2
        before = self._nominal / self._rate - 1
        slope = min(max((xy + known * before) / (xx + known), -MOST_DRIFT), MOST_DRIFT)
        variance = _variance(yy - 2 * slope * xy + slope**2 * xx, n)
        return Line(
            float(self._origin[1] + middle + latest),
            float(self._origin[0] + middle * self._nominal),
            float(self._nominal / (1 + slope)),
            math.sqrt(variance / (xx + known)),
            math.sqrt(variance),
            self._origin[1],
        )


def _variance(squares: float, n: int) -> float:
    """Of the least late around a line. squares : summed over `n` windows"""
    return (squares + EXPECTED * LATENESS_SECONDS**2) / (max(n - 2, 0) + EXPECTED)


OMEGA = 0.01
"""Of the loop, in radians a second (0.0016 Hz): slow beside what is still wrong of the clocks."""

SLEW = 3e-7
"""The ratio changes by at most this part a second, which bends a 1 kHz tone by 7e-5 radian within
a second: 83 dB."""

FAR_RATIO = 1.2e-5
"""A ratio farther off than this goes to its place in a step, a fraction of a cent: latency would
go astray by more than half a millisecond meanwhile."""

FAR_SECONDS = 1.75e-3
"""A latency farther from its place than this is pulled there faster,"""

NEAR_SECONDS = 1.25e-3
"""until it is as near as this;"""

PULL_SECONDS = 1.0
"""in about this time, but"""

STEEPEST = 2e-3
"""never faster or slower than the clocks ask for by more than this: 3.5 cents."""


def steer(ratio: float, error: float, measured: float, seconds: float) -> float:
    """The ratio for the next `seconds`, with a latency too long by `error` seconds.

    ratio : device samples for one captured sample, up to now. measured : the same of the clocks
    A double integrator, damped critically, within bounds: latency is pulled to its place too slowly
    to be measured in a tone. Where that would not do, the ratio goes to its place in a step.
    """
    growth = ratio / measured - 1
    if abs(error) > FAR_SECONDS or abs(growth) > FAR_RATIO:
        beyond = max(abs(error) - NEAR_SECONDS, 0.0)
        return measured * (1 - math.copysign(min(beyond / PULL_SECONDS, STEEPEST), error))
    change = -OMEGA * (OMEGA * error + 2 * growth)
    return ratio + measured * seconds * min(max(change, -SLEW), SLEW)
