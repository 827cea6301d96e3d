"""From the worker to the playback callback, where both devices run on one clock.

Playback stands at a place on the capture's time line, a fixed delay behind the newest captured
sample, and moves on with every callback whether sound is there or not: so the latency stays,
and what comes too late is left out. Missing sound is silence with soft edges, and is counted.

How long the delay must be is measured in the first moments, in silence: as late as samples came
then, and a block more. If that proves too short again and again, it grows by a block.

Threads: `captured` is called by the capture callback, `push` and `pause` by the worker, `fill` by
the playback callback. None waits for another.
"""

from __future__ import annotations

import collections

import numpy as np
from numpy.typing import NDArray

from realtime.audio.fifo import SampleFifo
from realtime.engine.monitor_status import MonitorStatus, Playing

SETTLE_SECONDS = 0.3
"""A server's bursts come every 20 to 100 ms: the longest wait shows several times in this."""

FADE_SECONDS = 0.004
"""Edges of silence: short enough to lose little, long enough not to click."""

HELD_SECONDS = 2.0
"""Room for samples between worker and callback; no delay is as long."""

GROW_AFTER, GROW_SECONDS = 3, 5.0
"""So many underflows within so long, and the delay is too short. One or two are accidents."""

RESYNC_SECONDS = 0.01
"""When the place has been off by more than this for a window, a device stood still: jump."""

WINDOW_SECONDS = 1.0
"""The nearest approach in this time tells where the place is: bursts only lengthen the way."""


class DirectPlayback:
    """sample_rate : Hz, of both devices. block : samples of a callback, at most."""

    def __init__(self, n_channels: int, sample_rate: int, block: int, status: MonitorStatus):
        self._status = status
        self._block = block
        self._rate = sample_rate
        self._fifo = SampleFifo(int(HELD_SECONDS * sample_rate), n_channels)
        self._captured = 0
        self._settling = True
        self._settled_at = 0
        self._farthest = 0
        self._place = 0
        self.delay = 0
        """Samples between the newest captured one and the one that is played."""
        self._nearest: int | None = None
        self._window_left = 0
        self._fade = int(FADE_SECONDS * sample_rate)
        self._gain_steps = 0  # of `_fade`: how far the sound has been faded in
        self._residue = np.zeros(n_channels, np.float32)
        self._residue_steps = 0
        self._last = np.zeros(n_channels, np.float32)
        self._played = 0
        self._recent: collections.deque[int] = collections.deque(maxlen=GROW_AFTER)
        self._short = False

    def captured(self, index: int) -> None:
        """Samples captured so far, the newest block included."""
        self._captured = index

    def push(self, samples: NDArray) -> None:
        """The next samples for the loudspeaker, float32 (n, n_channels), from index 0 on."""
        self._fifo.write(samples)

    def resettle(self) -> None:
        """The path before has another delay now: fade out, measure again, fade in."""
        self._settled_at = 0
        self._settling = True

    def fill(self, out: NDArray) -> None:
        """Fill `out`, float32 (n, n_channels), whatever there is."""
        self._played += len(out)
        broken_at = 0
        if self._settling:
            self._break_off()
            out[:] = 0
            self._settle(len(out))
        else:
            self._resync(len(out))
            broken_at = self._play(out)
        self._add_residue(out[broken_at:])
        self._last = out[-1].copy()
        state = Playing.SETTLING if self._settling else Playing.SOUND
        self._status.show_playback(state, self.delay, self._played)

    def _settle(self, n: int) -> None:
        written = self._fifo.written
        if not self._settled_at:
            self._settled_at = self._played + int(SETTLE_SECONDS * self._rate)
            self._farthest = 0
        if written == 0:  # the worker has not begun
            self._settled_at += n
        else:
            self._farthest = max(self._farthest, self._captured - written)
        if self._played >= self._settled_at:
            self.delay = self._farthest + n + self._block
            self._place = self._captured - self.delay + n
            self._settling = False
            self._nearest, self._window_left = None, int(WINDOW_SECONDS * self._rate)
            self._recent.clear()

    def _play(self, out: NDArray) -> int:
        """Returns where in `out` the sound broke off, 0 where it did not."""
        n, place = len(out), self._place
        self._place += n
        have = min(max(self._fifo.written - place, 0), n) if place >= 0 else 0
        if have:
            self._fifo.read_into(place, out[:have])
            self._fade_in(out[:have])
            self._last = out[have - 1].copy()
        broken_at = have if have < n and self._gain_steps else 0
        if have < n:
            out[have:] = 0
            self._break_off()
            if place >= 0:
                self._count_missing(n, n - have)
        self._short = have < n
        return broken_at

    def _count_missing(self, n: int, missing: int) -> None:
        self._status.count_missing(missing, 0 if self._short else 1)
        if self._short:
            return
        self._recent.append(self._played)
        if len(self._recent) < GROW_AFTER:
            return
        if too_short(self._played - self._recent[0], self._rate):
            self.delay += n
            self._place -= n
            self._recent.clear()

    def _resync(self, n: int) -> None:
        distance = self._captured - self._place
        self._nearest = distance if self._nearest is None else min(self._nearest, distance)
        self._window_left -= n
        if self._window_left > 0:
            return
        self._window_left = int(WINDOW_SECONDS * self._rate)
        off = self._nearest - self.delay
        self._nearest = None
        if abs(off) > RESYNC_SECONDS * self._rate:
            self._place += off
            self._break_off()

    def _break_off(self) -> None:
        """What was played last goes to zero from here, and what comes next is faded in."""
        if self._gain_steps:
            self._residue, self._residue_steps = self._last, self._fade
            self._gain_steps = 0

    def _fade_in(self, out: NDArray) -> None:
        if self._gain_steps < self._fade:
            steps = np.arange(self._gain_steps + 1, self._gain_steps + len(out) + 1)
            out *= np.minimum(steps / self._fade, 1).astype(np.float32)[:, None]
            self._gain_steps = min(self._fade, int(steps[-1]))

    def _add_residue(self, out: NDArray) -> None:
        if self._residue_steps:
            n = min(len(out), self._residue_steps)
            steps = np.arange(self._residue_steps - 1, self._residue_steps - 1 - n, -1)
            out[:n] += (steps / self._fade).astype(np.float32)[:, None] * self._residue
            self._residue_steps -= n


def too_short(samples: int, sample_rate: int) -> bool:
    """Whether `GROW_AFTER` underflows within `samples` mean that the delay is too short."""
    return samples <= GROW_SECONDS * sample_rate
