"""Stretch: captured sound, slower or faster at its own pitch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from realtime.dsp.processors.base import LAST_SAMPLE, Processor
from realtime.dsp.processors.mask import LONGEST_SECONDS, seamless
from realtime.dsp.processors.parameters import Number
from realtime.dsp.processors.registry import register
from realtime.dsp.vocoder import (
    Attack,
    find_regions,
    frame_power,
    heard_window,
    middle,
    unit,
)
from realtime.errors import RequestError

CATCH_UP = 1 / 8
"""Of the distance from where the sound should be, made good in each frame."""

MOST_HURRY = 2.0
"""So much slower or faster at most, to get there."""

FARTHEST = 2.0
"""Of n_fft: a sound farther than this from where it should be does not wait for attacks."""

PASSED = 0.5
"""Of half a synthesis window: so far behind the middle an attack is as good as gone."""

LOOK = 1 / 4
"""Of n_fft: the longest step that steps over no attack."""


@register("stretch")
class Stretch(Processor):
    """The captured samples from `start` to `stop`, again and again, `factor` times as long.

    The pitch stays, and attacks stay sharp: they pass at their own speed, and what lies between
    them takes the rest of the time. The factor may change while it plays. With `start` and
    `stop` both 0, what is heard now passes. The samples are copied when they are set, and play
    on when the capture no longer holds them; their end fades into their beginning, which makes a
    round 20 ms shorter.
    Raises RequestError for a span that is gone, not there yet, too long, or empty.
    Source: Laroche & Dolson 1999 (phases locked to peaks); Puckette 1995 (phases by two frames
    of the source, a hop apart); Röbel 2003 (attacks).
    Cost: 0.14 ms a frame, at factor 0.5 0.31, at 0.1 1 ms, 1.3, 3 and 10 % of a core (2048/512,
    two channels, one AMD EPYC core). No latency.
    """

    start = Number(0, 0, LAST_SAMPLE, "samples", whole=True)
    stop = Number(0, 0, LAST_SAMPLE, "samples", whole=True)
    factor = Number(2, 0.1, 16, "times", logarithmic=True)

    _round = np.zeros((0, 0), np.float32)
    """What goes round, (n_channels, n)."""
    _span = (0, 0)

    def prepare(self) -> None:
        span = (int(self.start), int(self.stop))
        if span != self._span:
            self._round = self._copied(*span)
            self._span = span
            self.reset()
        self._samples = np.arange(self.format.n_fft) - round(middle(heard_window(self.format)))
        """Of a frame, counted from the middle of what is heard of it."""
        self._window = self.format.window.astype(np.float32)

    def reset(self) -> None:
        frame = self.format
        self._step = frame.hop / self.factor
        """Samples of the round from the last frame to the next one."""
        self._at = -self._step
        """Sample of the round in the middle of what is heard of the last frame."""
        self._lead = 0.0
        """Samples by which it is later than `factor` says."""
        self._last = np.zeros((frame.n_channels, frame.n_bins), np.complex64)
        self._attack = Attack(frame)

    def process(self, frames: NDArray) -> NDArray:
        if not self._span[1] or not len(frames):
            return frames
        return np.stack([self._next_frame() for _ in frames])

    def _next_frame(self) -> NDArray:
        """complex64 (n_channels, n_bins)."""
        frame = self.format
        # In parts, none of which steps over an attack; where one has entered, the rest is left.
        left, most = self._step, max(frame.hop, LOOK * frame.n_fft)
        while True:
            part = min(left, most)
            left -= part
            self._at = (self._at + part) % self._round.shape[1]
            now = self._spectrum(round(self._at))
            power = frame_power(now)
            regions = find_regions(power)
            attacked = self._attack.find(now, power, regions, part)
            if left <= 0 or self._keeps_pace():
                break
        # Each peak goes on from the last frame as it did in the hop before `now`.
        peaks = regions.peaks
        before = self._spectrum(round(self._at) - frame.hop)[:, peaks]
        turn = unit((self._last[:, peaks] * before.conj()).sum(axis=0))
        turn[attacked] = 1
        self._last = now * turn[regions.of_bin]
        self._step = self._next_step(self._step - left)
        return self._last

    def _next_step(self, done: float) -> float:
        """Samples of the round from this frame to the next; `done` from the last to this one."""
        due = self.format.hop / self.factor
        self._lead += done - due
        if self._keeps_pace():
            return float(self.format.hop)
        # An attack enters before it is heard in the middle, and is right in time there.
        off = self._lead - self._attack.reach * (1 / self.factor - 1)
        return float(np.clip(due - CATCH_UP * off, due / MOST_HURRY, due * MOST_HURRY))

    def _keeps_pace(self) -> bool:
        """Whether an attack is inside, and is to pass at its own speed."""
        inside = self._attack.ahead > -PASSED * self._attack.reach
        return inside and abs(self._lead) < FARTHEST * self.format.n_fft

    def _spectrum(self, at: int) -> NDArray:
        """Of the frame in the middle of which sample `at` of the round is heard, complex64
        (n_channels, n_bins)."""
        samples = self._round.take(self._samples + at, axis=1, mode="wrap")
        return np.asarray(fft.rfft(samples * self._window))

    def _copied(self, start: int, stop: int) -> NDArray:
        """What goes round, float32 (n_channels, n). Raises RequestError."""
        if not stop:
            return np.zeros((self.format.n_channels, 0), np.float32)
        seconds = (stop - start) / self.format.sample_rate
        if not 0 < seconds <= LONGEST_SECONDS:
            raise RequestError(
                f"stretch:start = {start} and stop = {stop} hold {seconds:.1f} s; stop must come "
                f"after start, by {LONGEST_SECONDS:g} s at most"
            )
        samples = self.captured(start, stop)
        copied = np.ascontiguousarray(seamless(samples, self.format.sample_rate).T)
        copied.setflags(write=False)
        return copied
