"""Levels of what a ring holds, taken a piece at a time by a process that may be late."""

from __future__ import annotations

import numpy as np

from realtime.audio.ring import AudioRing
from realtime.dsp.levels import LevelMeter
from realtime.errors import Overrun

LONGEST_SECONDS = 1.0
"""What a process that stood still does not meter afterwards."""


class RingMeter:
    """Meters what is written to `ring` from now on. One thread owns an object."""

    def __init__(self, ring: AudioRing):
        self._ring = ring
        self._next = ring.written
        self.levels = LevelMeter(ring.n_channels, ring.sample_rate)

    def update(self, volume: float | None = None) -> None:
        """Take in what is new; with a volume, as it is played: so loud, and within full scale."""
        written = self._ring.written
        longest = int(LONGEST_SECONDS * self._ring.sample_rate)
        try:
            block = self._ring.read(max(self._next, written - longest), written)
        except Overrun:  # it came round while this process stood still
            block = np.zeros((0, self._ring.n_channels), np.float32)
        self._next = written
        if len(block):
            played = volume is not None
            self.levels.push(np.clip(block * np.float32(volume), -1, 1) if played else block)
