"""The last thing before the loudspeaker: nothing beyond full scale, and no NaN, ever goes out.

A limiter without delay. Inside the samples of one push it looks ahead, so its gain falls before
a peak; only where a peak stands at the very beginning does it fall at once. What stays within
full scale passes unchanged to the bit. One thread owns an object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CEILING = 1.0
"""Full scale."""

ATTACK_SECONDS = 0.001
"""From full gain to none: shorter is heard as a click, longer would need a delay."""

RELEASE_SECONDS = 0.2
"""From none to full gain: shorter makes a low tone's level follow its own wave."""


class Limiter:
    """`push` samples in order. Raises nothing.

    Source: the usual look-ahead limiter (McNally 1984), its look-ahead cut to what is there.
    """

    def __init__(self, sample_rate: int):
        self._attack = 1 / (ATTACK_SECONDS * sample_rate)
        self._release = 1 / (RELEASE_SECONDS * sample_rate)
        self.reset()

    def reset(self) -> None:
        self.gain = 1.0
        """Of the newest sample, 0..1."""

    def push(self, samples: NDArray) -> NDArray[np.float32]:
        """Limit samples, float32 (n, n_channels), all channels alike.

        Returns float32 of the same shape, within ±1 and finite: `samples` itself where there is
        nothing to do. A sample that is not finite becomes 0.
        """
        if not len(samples):
            return samples
        peaks = np.abs(samples).max(axis=1)
        greatest = float(peaks.max())
        if not np.isfinite(greatest):
            samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
            peaks = np.abs(samples).max(axis=1)
            greatest = float(peaks.max())
        if greatest <= CEILING and self.gain == 1.0:
            return samples
        gain = self._gains(peaks.astype(np.float64))
        self.gain = float(gain[-1])
        limited = (samples * gain[:, None]).astype(np.float32)
        return np.clip(limited, -CEILING, CEILING)  # rounding

    def _gains(self, peaks: NDArray) -> NDArray:
        """The largest gain that keeps each peak in bounds and moves no faster than it may."""
        need = np.minimum(1.0, CEILING / np.maximum(peaks, CEILING))
        steps = np.arange(len(need))
        fall = self._attack * steps
        ahead = np.minimum.accumulate((need + fall)[::-1])[::-1] - fall
        rise = self._release * steps
        start = self.gain + self._release
        behind = np.minimum.accumulate(np.minimum(ahead - rise, start)) + rise
        return np.minimum(behind, 1.0)
