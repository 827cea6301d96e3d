"""Hears a howl begin: a loudspeaker that feeds its own microphone makes one bin grow and grow.

Each time round the loop the level rises by the same number of dB, so a howl is a narrow peak
whose level is a straight, rising line in dB. A note played louder and louder seldom is one for
long, its attack is over within a tenth of a second, and a steady tone does not rise at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOOK_SECONDS = 0.04
"""Between two looks at the spectrum: a loop through the air takes about as long."""

GROWTHS = ((0.4, 12.0), (1.6, 16.0))
"""(seconds, dB): a rise by so much, all the way without a step back, is a howl. The first is a
loop with much too much gain (a dB in 33 ms), the last one only just unstable."""

EVEN_SHARE = 0.25
"""Each half of the rise has at least this share of it; the attack of a note has not."""

STEP_BACK_DB = 2.0
"""A fall by more than this between two looks ends the line: noise in the loop shakes it so far."""

LEAST_DB = -50.0
"""dBFS: below this no howl is loud enough to matter yet."""

PROMINENCE_DB = 15.0
"""Above all that is not within `LOBE_BINS` of it: a howl is one line, a note has partials."""

LOWEST_HZ = 80.0
"""No loudspeaker small enough to stand beside a microphone howls below."""

LOBE_BINS = 5
"""On each side: the main lobe of the widest windows, and a line that wavers."""


class HowlDetector:
    """`push` every frame of what the microphone hears. One thread owns an object.

    frames_per_second : of what is pushed
    window_sum : of the analysis window: a full-scale sine is 0 dBFS

    Source: the criteria of peak-to-average ratio and of growth in van Waterschoot & Moonen 2011.
    """

    def __init__(self, frames_per_second: float, bin_hz: float, window_sum: float):
        self._stride = max(1, round(LOOK_SECONDS * frames_per_second))
        look_seconds = self._stride / frames_per_second
        self._spans = [(max(2, round(seconds / look_seconds)), db) for seconds, db in GROWTHS]
        self._bin_hz = bin_hz
        self._lowest = max(int(LOWEST_HZ / bin_hz), LOBE_BINS) + 1
        self._scale = 2 / window_sum
        self.reset()

    def reset(self) -> None:
        self._looks: list[NDArray] = []
        self._wait = 0

    def push(self, frames: NDArray) -> float | None:
        """Look at frames, complex (n_frames, n_channels, n_bins); Hz of a howl, or None."""
        howl = None
        at = self._wait
        while at < len(frames):
            howl = howl or self._look(np.abs(frames[at]).max(axis=0))
            at += self._stride
        self._wait = at - len(frames)
        return howl

    def _look(self, magnitudes: NDArray) -> float | None:
        """magnitudes : (n_bins,) of the loudest channel."""
        level = 20 * np.log10(np.maximum(magnitudes * self._scale, 1e-7))
        # The peak may move by a bin as it grows: compare with the neighbours, too.
        wide = np.maximum(level, np.maximum(np.roll(level, 1), np.roll(level, -1)))
        self._looks.append(wide)
        del self._looks[: -self._spans[-1][0] - 1]
        peak = self._lowest + int(np.argmax(level[self._lowest :]))
        others = max(
            level[: max(0, peak - LOBE_BINS)].max(initial=-140.0),
            level[peak + LOBE_BINS + 1 :].max(initial=-140.0),
        )
        if level[peak] < max(LEAST_DB, others + PROMINENCE_DB):
            return None
        line = np.array([look[peak] for look in self._looks])
        if any(is_howl(line[-n - 1 :], db) for n, db in self._spans if len(line) > n):
            self.reset()
            return peak * self._bin_hz
        return None


def is_howl(line: NDArray, least_db: float) -> bool:
    """Whether levels in dB, oldest first, rise by `least_db`, evenly and without a step back."""
    rise = line[-1] - line[0]
    half = line[len(line) // 2] - line[0]
    return bool(
        rise >= least_db
        and np.diff(line).min() >= -STEP_BACK_DB
        and EVEN_SHARE <= half / rise <= 1 - EVEN_SHARE
    )
