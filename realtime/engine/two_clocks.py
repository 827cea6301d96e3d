"""Playback on a device with a stream of its own: straight through while both clocks agree.

Two devices may run on one clock or on two; which, only time tells. So samples go straight through
at first, to the bit, and both clocks are watched. Where they surely differ, or the devices run at
different rates, sound is resampled from then on. Both ways play the same at the moment of change,
and latency goes back from there to where it was.

The same face, and the same threads, as `DirectPlayback`, which measures the delay for both ways.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from realtime.audio.speaker import LONGEST_BLOCK
from realtime.dsp.clock import Line
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.playback import Breaks, DirectPlayback
from realtime.engine.steered import LOOK_AHEAD, SteeredPlayback

SURE = 5.0
"""Standard deviations by which the rates of the clocks must differ: by chance they never do."""

DRIFTED_SECONDS = 1.2e-3
"""So far must the clocks have drifted apart: less is left for what is not known of them then, if
latency is to stay within 2 ms,"""

SPREADS = 7.0
"""and so many spreads of what is seen of them: where bursts beat with blocks, twice the beat has
come round. Once, it comes to one of two clocks that agree, and not yet to the other."""

RESERVE_SECONDS = 0.0035
"""Kept for what clocks drift apart before that."""

BLOCKS = 4
"""Of latency for callbacks that are late and come in bunches, where no slots could be counted."""

FADE_SECONDS = 0.01
"""From the one way to the other, which are apart by a millionth."""


def clocks_differ(capture: Line, output: Line, moved: float) -> bool:
    """moved : seconds by which these lines, of the same rate by name, drifted apart."""
    drift = output.rate / capture.rate - 1
    doubt = math.hypot(capture.rate_error, output.rate_error)
    spread = math.hypot(capture.spread, output.spread)
    return abs(drift) > SURE * doubt and abs(moved) > max(DRIFTED_SECONDS, SPREADS * spread)


class TwoClockPlayback:
    """sample_rate, out_rate : Hz, of capture and playback. block : samples of a callback."""

    def __init__(
        self,
        n_channels: int,
        sample_rate: int,
        out_rate: int,
        block: int,
        status: MonitorStatus,
        clock: Callable[[], int] = time.perf_counter_ns,
    ):
        self._status, self._clock = status, clock
        self._block, self._rate = block, sample_rate
        reserve = block + LOOK_AHEAD + round(RESERVE_SECONDS * sample_rate)
        self._direct = DirectPlayback(n_channels, sample_rate, reserve, status)
        self._steered = SteeredPlayback(n_channels, sample_rate, out_rate, BLOCKS * block)
        self._same_rate = sample_rate == out_rate
        self._steers = False
        """What is pushed goes to the resampler. The worker's."""
        self._heard = 0.0
        """Share of the resampled way in what is played, 0..1. The playback callback's."""
        self._fade = 1 / (FADE_SECONDS * out_rate)
        self._room = np.empty((LONGEST_BLOCK, n_channels), np.float32)
        self._missing = self._underflows = 0
        self._watched: int | None = None
        """The shift that is watched,"""
        self._since = 0
        """and from which slot on."""
        self._delay = 0.0
        """Samples between the newest captured and the one played, then."""
        self._too_short = False
        """The callback's word to the worker: samples come too late again and again."""
        self._breaks = Breaks(out_rate)
        self._shift = 0
        """The direct way fills slot s of the device with sample s + shift."""

    def captured(self, index: int) -> None:
        self._direct.captured(index)
        self._steered.captured(index, self._clock())

    def push(self, samples: NDArray) -> None:
        if not self._steers and self._direct.settled:
            self._watch()
        if self._too_short:
            self._too_short = False
            self._steered.retime(self._steered.delay + self._block)
        self._direct.push(samples)
        if self._steers:
            self._steered.push(samples)
        else:
            self._steered.skip(len(samples))

    def _watch(self) -> None:
        """See how far the clocks have drifted apart, and whether to steer from now on."""
        lines = self._steered.lines
        if lines is None:
            return
        if not self._same_rate:
            self._steered.retime(self._direct.latest + BLOCKS * self._block + LOOK_AHEAD)
            self._steers = True
            return
        shift, now = self._shift, self._steered.asked
        if self._watched != shift:
            self._watched, self._since = shift, now
        self._since = max(self._since, self._steered.opened)
        if self._steered.remembers(self._since):
            self._delay = self._steered.behind(self._since, self._since + shift)
        moved = (self._steered.behind(now, now + shift) - self._delay) / self._rate
        if clocks_differ(*lines, moved):
            self._steered.join(self._since, shift, self._delay)
            self._steers = True

    def resettle(self) -> None:
        self._steers, self._watched = False, None
        self._direct.resettle()

    def fill(self, out: NDArray) -> None:
        now_ns, n = self._clock(), len(out)
        resampled, steady = self._room[:n], self._steered.steady
        self._steered.fill(resampled, now_ns)
        steers = self._steers and (steady or self._heard == 1.0)
        if steers and self._heard == 1.0:
            out[:] = resampled
            self._count()
            return
        self._direct.fill(out)
        self._shift = self._direct.place - self._steered.asked
        if self._direct.settled and self._same_rate and self._steered.lines is not None:
            asked = self._steered.asked
            behind = round(self._steered.behind(asked, asked + self._shift))
            self._status.show_playback(Playing.SOUND, behind, asked)
        if not self._same_rate:
            out[:] = 0
        if steers or self._heard:
            target = 1.0 if steers else 0.0
            most = self._fade * np.arange(1, n + 1)
            share = self._heard + np.clip(target - self._heard, -most, most)
            self._heard = float(share[-1])
            out += share[:, None].astype(np.float32) * (resampled - out)
        self._missing, self._underflows = self._steered.missing, self._steered.underflows

    def _count(self) -> None:
        steered = self._steered
        if steered.missing != self._missing:
            self._status.count_missing(
                steered.missing - self._missing, steered.underflows - self._underflows
            )
            if steered.underflows != self._underflows and self._breaks.too_many(steered.asked):
                self._too_short = True
            self._missing, self._underflows = steered.missing, steered.underflows
        self._status.show_playback(Playing.SOUND, round(steered.latency), steered.asked)
