"""From the worker to the playback callback, where both devices run on one clock.

Playback stands at a place on the capture's time line, a fixed delay behind the newest captured
sample, and moves on with every callback whether sound is there or not: so the latency stays,
and what comes too late is left out. Missing sound is silence with soft edges, and is counted.

How long the delay must be is measured in the first moments, in silence: as late as samples came
then for a slot of the device, and a reserve. If that proves too short again and again, it grows
by a block.

Threads: `captured` is called by the capture callback, `push` by the worker, `fill` by the playback
callback, `resettle` by whoever has changed the path. None waits for another.
"""

from __future__ import annotations

import collections
import sys
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.audio.fifo import SampleFifo
from realtime.engine.monitor_status import MonitorStatus, Playing

SETTLE_SECONDS = 0.3
"""A server's bursts come every 20 to 100 ms: the longest wait shows several times in this."""

FADE_SECONDS = 0.004
"""Edges of silence: short enough to lose little, long enough not to click."""

HELD_SECONDS = 2.0
HELD_RESERVES = 8
"""Room for samples between worker and callback, the longer of the two; no delay is as long."""

GROW_AFTER, GROW_SECONDS = 3, 5.0
"""So many underflows within so long, and the delay is too short. One or two are accidents."""

RESYNC_SECONDS = 0.01
"""When the place has been off by more than this for a window, a device stood still: jump."""

WINDOW_SECONDS = 1.0
"""The nearest approach in this time tells where the place is: bursts only lengthen the way."""


class Playback(Protocol):
    """The face of every playback."""

    def captured(self, index: int) -> None: ...

    def push(self, samples: NDArray) -> None: ...

    def resettle(self) -> None: ...

    def fill(self, out: NDArray) -> None: ...


class DirectPlayback:
    """sample_rate : Hz, of both devices. reserve : samples that may come later than they did
    while the delay was measured; a block is usual."""

    def __init__(self, n_channels: int, sample_rate: int, reserve: int, status: MonitorStatus):
        self._status = status
        self._reserve = reserve
        self._rate = sample_rate
        held = max(int(HELD_SECONDS * sample_rate), HELD_RESERVES * reserve)
        self._fifo = SampleFifo(held, n_channels)
        self._captured = 0
        self._settling = True
        self._settled_at = 0
        self._earliest = self._least_ready = 0
        self.latest = 0
        """Samples by which what was pushed stayed behind the capture, at most, while the delay was
        measured."""
        self.place = 0
        """Index of the sample that is played next."""
        self.delay = 0
        """Samples between the newest captured one and the one that is played, where they were
        nearest: a server's bursts only lengthen the way for a moment."""
        self._nearest: int | None = None
        self._window_left = 0
        self._fade = int(FADE_SECONDS * sample_rate)
        self._gain_steps = 0  # of `_fade`: how far the sound has been faded in
        self._residue = np.zeros(n_channels, np.float32)
        self._residue_steps = 0
        self._last = np.zeros(n_channels, np.float32)
        self._played = 0
        self._breaks = Breaks(sample_rate)
        self._short = False

    @property
    def settled(self) -> bool:
        """The delay is known."""
        return not self._settling

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
        """Count slots of the device, and see how far from them samples are ready and captured."""
        written, slot = self._fifo.written, self._played - n
        if not self._settled_at:
            self._settled_at = self._played + int(SETTLE_SECONDS * self._rate)
            self.latest, self._least_ready, self._earliest = 0, sys.maxsize, sys.maxsize
        if written == 0:  # the worker has not begun
            self._settled_at += n
        else:
            self.latest = max(self.latest, self._captured - written)
            self._least_ready = min(self._least_ready, written - self._played)
            self._earliest = min(self._earliest, self._captured - slot)
        if self._played >= self._settled_at:
            shift = self._least_ready - self._reserve
            self.place, self.delay = self._played + shift, self._earliest - shift
            self._settling = False
            self._nearest, self._window_left = None, int(WINDOW_SECONDS * self._rate)
            self._breaks.clear()

    def _play(self, out: NDArray) -> int:
        """Returns where in `out` the sound broke off, 0 where it did not."""
        n, place = len(out), self.place
        self.place += n
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
        if not self._short and self._breaks.too_many(self._played):
            self.delay += n
            self.place -= n

    def _resync(self, n: int) -> None:
        distance = self._captured - self.place
        self._nearest = distance if self._nearest is None else min(self._nearest, distance)
        self._window_left -= n
        if self._window_left > 0:
            return
        self._window_left = int(WINDOW_SECONDS * self._rate)
        off = self._nearest - self.delay
        self._nearest = None
        if abs(off) > RESYNC_SECONDS * self._rate:
            self.place += off
            self._break_off()
            self._status.count_missing(0, 1)  # the device had none, whatever it told

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


class Breaks:
    """Underflows of late, to tell a delay that is too short from an accident."""

    def __init__(self, sample_rate: int):
        self._within = int(GROW_SECONDS * sample_rate)
        self._recent: collections.deque[int] = collections.deque(maxlen=GROW_AFTER)

    def clear(self) -> None:
        self._recent.clear()

    def too_many(self, played: int) -> bool:
        """Count one more, when so many samples were played; True begins to count anew."""
        self._recent.append(played)
        if len(self._recent) < GROW_AFTER or played - self._recent[0] > self._within:
            return False
        self._recent.clear()
        return True
