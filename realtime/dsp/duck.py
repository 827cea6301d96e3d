"""Holds the sound back for a while when it howls, and lets it come again slowly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DUCKED = 0.01
"""-40 dB: no loop through a room is alive with that."""

FALL_SECONDS, HOLD_SECONDS, RISE_SECONDS = 0.02, 1.5, 1.0
"""Down at once but without a click; held until a room has died away; back so slowly that one can
turn the volume down."""


class Duck:
    """`start`, then `push` for each run of samples. One thread owns an object."""

    def __init__(self, sample_rate: int):
        self._fall, self._hold, self._rise = (
            max(1, round(seconds * sample_rate))
            for seconds in (FALL_SECONDS, HOLD_SECONDS, RISE_SECONDS)
        )
        self._held = 0
        self.gain = 1.0
        """Of the newest sample."""

    def start(self) -> None:
        self._held = self._fall + self._hold

    def push(self, n: int) -> NDArray | None:
        """Gains for the next `n` samples, float64 (n,), or None for no change at all."""
        if not self._held and self.gain == 1.0:
            return None
        held = min(n, self._held)
        self._held -= held
        down = np.maximum(self.gain - np.arange(1, held + 1) / self._fall, DUCKED)
        start = float(down[-1]) if held else self.gain
        up = np.minimum(start + np.arange(1, n - held + 1) / self._rise, 1.0)
        gains = np.concatenate([np.minimum(down, self.gain) if held else down, up])
        self.gain = float(gains[-1])
        return gains
