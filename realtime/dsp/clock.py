"""The clock of a sound device, read from its callbacks, and the law that steers by two of them.

A callback tells how many samples there were so far and what the time is. It comes late, each time
by another amount, and never early, so the least late of many is close to the truth. One thread
owns a `DelayLockedLoop`; its `line` is immutable and may be read by any thread. Times are given
to it, in seconds of any one clock: nothing here knows the time.
"""

from __future__ import annotations

import math
from typing import NamedTuple

FIRST_WINDOW_SECONDS = 0.3
"""Callbacks come in bursts 20 ms apart on some servers: fifteen of them tell a first line,"""

WINDOW_SECONDS = 1.0
"""and once there is time, longer windows: the least of twice as many is twice as true."""

WINDOW_GROWTH = 1 / 3
"""Windows grow with the time the line is known: as a part of it."""

LATENESS_SECONDS = 2e-4
"""What the least late callback of `WINDOW_SECONDS` differs from one window to the next: a few
times what 3 ms of even jitter at 20 ms intervals give."""

DRIFT = 3e-4
"""How far a sound card's crystal is off what it says: seldom more."""

WANDER = 3e-8
"""How far it wanders in a second (in T seconds, sqrt(T) times as far): warming up, mostly."""

PAUSE_SECONDS = 0.25
"""So much more time went by between two callbacks than was counted: they may never make up for
it."""

SHIFT_SECONDS = 5e-3
"""All callbacks of a window this far from the line: it is another line. A device dropped a block,
or a server changed its buffer; taken for drift, that would bend the line for minutes. (Bursts
that beat with blocks, as every 20 ms of another clock with blocks of 480 samples, look the same
each time the beat comes round, and latency then goes along by a block.)"""


class Line(NamedTuple):
    """Samples are counted along a line: `count` at `seconds`, and `rate` more each second."""

    seconds: float
    count: float
    rate: float
    """Samples a second."""
    rate_error: float
    """How far `rate` is expected to be wrong (standard deviation), as a part of it."""

    def count_at(self, seconds: float) -> float:
        return self.count + (seconds - self.seconds) * self.rate

    def seconds_at(self, count: float) -> float:
        return self.seconds + (count - self.count) / self.rate


class DelayLockedLoop:
    """Fit the line on which the counts of a callback lie in time.

    A loop of second order (time and rate), which the least late callback of each window corrects.
    Its bandwidth is not set: the gains follow from the constants above and from what is known so
    far, so that it opens wide, narrows as a fit through all it has seen would, and rests near
    0.002 Hz, where it forgets at the pace at which crystals wander.

    sample_rate : of the device, as it says, in Hz
    Source: Adriaensen 2005 (the loop); Kalman 1960 (its gains).
    """

    def __init__(self, sample_rate: float):
        self._nominal = float(sample_rate)
        self._line: Line | None = None
        self._last, self._last_count = 0.0, 0
        self._opened = self._begin = self._end = 0.0
        self._least = math.inf
        # Of the line's time and rate: variances and covariance.
        self._time_variance = 0.0
        self._covariance = 0.0
        self._rate_variance = DRIFT**2
        self._known = False
        self._forget = True

    @property
    def line(self) -> Line | None:
        """None until the first window has passed."""
        return self._line if self._known else None

    def update(self, count: int, seconds: float) -> None:
        """A callback at `seconds`, when there were `count` samples."""
        if self._line is None:
            self._line = Line(seconds, count, self._nominal, DRIFT)
        uncounted = seconds - self._last - (count - self._last_count) / self._nominal
        if self._forget or uncounted > PAUSE_SECONDS:
            self._open(seconds)
        self._last, self._last_count = seconds, count
        self._least = min(self._least, seconds - self._line.seconds_at(count))
        if seconds >= self._end:
            self._close(seconds)

    def reopen(self) -> None:
        """Learn anew when samples are counted; how fast they are is known.

        Again and again is as good as once: what is being learnt is not begun anew.
        """
        self._forget |= self._last - self._opened > WINDOW_SECONDS

    def _open(self, seconds: float) -> None:
        self._forget = False
        self._time_variance, self._covariance = 1.0, 0.0
        self._opened = self._begin = seconds
        self._end = seconds + FIRST_WINDOW_SECONDS
        self._least = math.inf

    def _close(self, seconds: float) -> None:
        """Correct the line by the least late callback of the window, and begin another."""
        assert self._line is not None
        elapsed, late = seconds - self._begin, self._least
        if abs(late) > SHIFT_SECONDS:
            self._time_variance, self._covariance = 1.0, 0.0
            self._opened = self._begin
        self._time_variance += elapsed * (2 * self._covariance + elapsed * self._rate_variance)
        self._covariance += elapsed * self._rate_variance
        self._rate_variance += elapsed * WANDER**2
        noise = LATENESS_SECONDS * WINDOW_SECONDS / elapsed
        total = self._time_variance + noise**2
        time_gain, rate_gain = self._time_variance / total, self._covariance / total
        self._rate_variance -= rate_gain * self._covariance
        self._time_variance *= 1 - time_gain
        self._covariance *= 1 - time_gain
        period = 1 / self._line.rate + rate_gain * late / self._nominal
        self._line = Line(
            seconds + time_gain * late,
            self._line.count_at(seconds),
            1 / period,
            math.sqrt(self._rate_variance),
        )
        self._known = True
        grown = max(FIRST_WINDOW_SECONDS, WINDOW_GROWTH * (seconds - self._opened))
        self._begin, self._end = seconds, seconds + min(grown, WINDOW_SECONDS)
        self._least = math.inf


FAST_HZ = 0.02
"""Bandwidth with which latency is pulled to its place until the clocks are known,"""

SLOW_HZ = 0.0006
"""and from then on. What is left of 3 ms of jitter then bends a 1 kHz tone by less than 1e-4
radian within seconds: 80 dB. With 0.0015 Hz it was 70 dB."""

KNOWN = 1.5e-6
"""The clocks are known when the rate of each is, to this: after a minute. What is still wrong
then is steered out within that bend."""

FAR_SECONDS = 1.5e-3
"""Farther from its place than this, latency is pulled with the fast bandwidth again."""

LAG = 0.33
"""The slow loop looks at the error through a lag of this many of its 1 / (2 pi SLOW_HZ)."""

STEEPEST = 2e-3
"""Never faster or slower than the clocks ask for by more than this: 3.5 cents."""


class Steering(NamedTuple):
    """Where the loop that steers the resampling stands."""

    ratio: float
    """Device samples for one captured sample: what is to be done."""
    integral: float
    """What the ratio is in the long run."""
    smooth: float
    """The error as the slow loop sees it, in seconds."""


def steer(
    before: Steering, error: float, measured: float, rate_error: float, seconds: float
) -> Steering:
    """The ratio for the next `seconds`, with a latency too long by `error` seconds.

    A proportional-integral loop that sees the error through a lag. Until the clocks are known it
    is the faster one, and its integral follows their ratio `measured` (`rate_error` off, as a
    part of it); from then on it no longer listens to that.
    """
    fast = rate_error > KNOWN or abs(error) > FAR_SECONDS
    omega = 2 * math.pi * (FAST_HZ if fast else SLOW_HZ)
    lag = min(1.0, seconds * omega / LAG)
    smooth = before.smooth + (error - before.smooth) * lag
    if fast:
        integral = before.integral + (measured - before.integral) * lag
    else:
        integral = before.integral * (1 - omega**2 * smooth * seconds)
    pull = min(max(math.sqrt(2) * omega * smooth, -STEEPEST), STEEPEST)
    return Steering(integral * (1 - pull), integral, smooth)
