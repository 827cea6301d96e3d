"""Playback on a device with a stream of its own: straight through while both clocks agree.

Two devices may run on one clock or on two; which, only time tells. So samples go straight through
at first, to the bit, and both clocks are watched. Where they surely differ, or the devices run at
different rates, sound is resampled from then on, and the latency stays.

The same face, and the same threads, as `DirectPlayback`, which measures the delay for both ways.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from realtime.audio.speaker import LONGEST_BLOCK
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.playback import Breaks, DirectPlayback
from realtime.engine.steered import LOOK_AHEAD, SteeredPlayback

SURE = 5.0
"""Standard deviations by which the clocks must differ: by chance they never do."""

LEAST_DRIFT = 2e-6
"""Less than this is no drift: 2 ms would take a quarter of an hour, and crystals wander as far."""

DRIFTED_SECONDS = 0.0035
"""So far must they have drifted apart, too: bursts beat with each other, which moves what is seen
of a clock by up to 3 ms for minutes. Kept in reserve."""

BLOCKS = 4
"""Of latency for callbacks that are late and come in bunches, where no slots could be counted."""

FADE_SECONDS = 0.01
"""From the one way to the other: they are apart by a fraction of a millisecond."""


WARM_SECONDS = 5.0
"""A server moves its buffers while a stream is young: what was seen of its clock until then is
forgotten."""

MOST_DOUBT = 2e-5
"""Nothing is sure before the clocks are known to this, after some 20 s."""


def clocks_differ(drift: float, doubt: float) -> bool:
    """drift : how much faster one clock runs, as a part of it. doubt : its standard deviation."""
    return doubt <= MOST_DOUBT and abs(drift) > max(SURE * doubt, LEAST_DRIFT)


class TwoClockPlayback:
    """sample_rate, out_rate : Hz, of capture and playback. block : samples of a callback."""

    def __init__(
        self,
        n_channels: int,
        sample_rate: int,
        out_rate: int,
        block: int,
        status: MonitorStatus,
        clock: Callable[[], int] = time.monotonic_ns,
    ):
        self._status, self._clock = status, clock
        self._block, self._rate = block, sample_rate
        reserve = block + LOOK_AHEAD + round(DRIFTED_SECONDS * sample_rate)
        self._direct = DirectPlayback(n_channels, sample_rate, reserve, status)
        self._steered = SteeredPlayback(n_channels, sample_rate, out_rate, 0)
        self._same_rate = sample_rate == out_rate
        self._steers = False
        """What is pushed goes to the resampler. The worker's."""
        self._heard = 0.0
        """Share of the resampled way in what is played, 0..1. The playback callback's."""
        self._fade = 1 / (FADE_SECONDS * out_rate)
        self._room = np.empty((LONGEST_BLOCK, n_channels), np.float32)
        self._missing = self._underflows = 0
        self._watched: int | None = None
        """The shift for which `_delay` was seen,"""
        self._warm = 0
        """and samples pushed since then."""
        self._delay = 0
        """Samples between the newest captured and the one played, as it shall stay."""
        self._too_short = False
        """The callback's word to the worker: samples come too late again and again."""
        self._breaks = Breaks(out_rate)
        self._shift = 0
        """The direct way fills slot s of the device with sample s + shift."""

    def captured(self, index: int) -> None:
        self._direct.captured(index)
        self._steered.captured(index, self._clock())

    def push(self, samples: NDArray) -> None:
        if not self._steers and self._direct.settled and self._must_steer(len(samples)):
            self._steered.retime(self._delay)
            self._steers = True
        if self._too_short:
            self._too_short = False
            self._delay += self._block
            self._steered.retime(self._delay)
        self._direct.push(samples)
        if self._steers:
            self._steered.push(samples)
        else:
            self._steered.skip(len(samples))

    def _must_steer(self, n: int) -> bool:
        """n : samples that are pushed now."""
        clocks = self._steered.clocks
        if clocks is None:
            return False
        if not self._same_rate:
            self._delay = self._direct.latest + BLOCKS * self._block + LOOK_AHEAD
            return True
        behind = self._steered.behind(self._shift)
        if self._watched != self._shift:
            self._watched, self._warm = self._shift, 0
        self._warm += n
        if self._warm <= WARM_SECONDS * self._rate:
            self._delay = round(behind)
            return False
        drifted = abs(behind - self._delay) > DRIFTED_SECONDS * self._rate
        return drifted and clocks_differ(*clocks)

    def resettle(self) -> None:
        self._steers, self._watched = False, None
        self._direct.resettle()

    def fill(self, out: NDArray) -> None:
        now_ns, n = self._clock(), len(out)
        resampled = self._room[:n]
        self._steered.fill(resampled, now_ns)
        steers = self._steers and (self._steered.sounding or self._heard == 1.0)
        if steers and self._heard == 1.0:
            out[:] = resampled
            self._count()
            return
        self._direct.fill(out)
        self._shift = self._direct.place - self._steered.asked
        if self._direct.settled and self._same_rate and self._steered.clocks is not None:
            behind = round(self._steered.behind(self._shift))
            self._status.show_playback(Playing.SOUND, behind, self._steered.asked)
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
