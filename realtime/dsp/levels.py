"""Levels in dBFS: of spectra, as 16-bit codes, and of blocks for a meter.

0 dBFS is the peak of a full-scale sine, in the spectrum as in the meter's peak; the meter's rms of
that sine is -3.01 dBFS.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

DB_FLOOR = -144.0
"""dBFS shown at the least: 24-bit sound has no more."""

DB_CEIL = 12.0
"""dBFS shown at most: float sound may exceed full scale by as much."""

CODES = 65535
"""Steps of a uint16 code between `DB_FLOOR` and `DB_CEIL`: 0.0024 dB each."""

_DB_PER_NEPER = np.float32(10 / np.log(10))
_STEP = np.float32((DB_CEIL - DB_FLOOR) / CODES)

HOLD_SECONDS = 1.5
"""The meter's peak mark stays for this long,"""

FALL_DB = 20.0 / 1.7
"""and then falls by so many dB a second, as does its bar (IEC 60268-10, type I)."""

CLIP_LEVEL = 1.0 - 2**-15
"""Full scale of 16-bit sound: a sample there was clipped, or is about to be."""


def column_db(frames: NDArray[np.complexfloating], window_sum: float, n_fft: int) -> NDArray:
    """Level of each bin in dBFS, float32, in the shape of `frames` (..., n_fft // 2 + 1).

    frames : complex, unscaled spectra of windowed samples
    window_sum : sum of the window
    n_fft : points of the transform, zero padding included

    A sine on a bin centre reads its own level. What is not finite reads `DB_FLOOR` or `DB_CEIL`.
    """
    parts = np.ascontiguousarray(frames)
    parts = parts.view(parts.real.dtype).reshape(*parts.shape, 2)
    with np.errstate(over="ignore", invalid="ignore"):
        power = np.square(parts[..., 0])
        power += np.square(parts[..., 1])
    # fmax takes the number where the other is NaN
    power = np.fmax(power, np.finfo(np.float32).tiny, dtype=np.float32, casting="same_kind")
    db = np.log(power, out=power)
    db *= _DB_PER_NEPER
    db += np.float32(20 * np.log10(2 / window_sum))
    both_sides = np.float32(20 * np.log10(2))  # the outermost bins have no mirror image
    db[..., 0] -= both_sides
    if n_fft % 2 == 0:
        db[..., -1] -= both_sides
    return np.clip(db, DB_FLOOR, DB_CEIL, out=db)


def encode(db: ArrayLike) -> NDArray[np.uint16]:
    """dB as codes 0..65535 over `DB_FLOOR`..`DB_CEIL`; NaN becomes 0."""
    steps = np.asarray(db, np.float32) - np.float32(DB_FLOOR)
    steps *= np.float32(1) / _STEP
    steps += np.float32(0.5)
    np.fmax(steps, np.float32(0), out=steps)
    np.minimum(steps, np.float32(CODES), out=steps)
    return steps.astype(np.uint16)


def decode(codes: ArrayLike) -> NDArray[np.float32]:
    """dB of codes, float32; within half a step of what was encoded."""
    return np.asarray(codes).astype(np.float32) * _STEP + np.float32(DB_FLOOR)


class LevelMeter:
    """Peak, rms, peak mark and clip latch of each channel, all arrays (n_channels,).

    Owner: one thread. Times are those of the samples, so it needs no clock.
    """

    def __init__(self, n_channels: int, sample_rate: int):
        self._rate = sample_rate
        self.peak: NDArray = np.full(n_channels, DB_FLOOR)
        """dBFS of the bar: rises at once, falls by `FALL_DB` a second."""
        self.rms: NDArray = np.full(n_channels, DB_FLOOR)
        """dBFS of the newest samples."""
        self.hold: NDArray = np.full(n_channels, DB_FLOOR)
        """dBFS of the peak mark."""
        self.clipped: NDArray = np.zeros(n_channels, bool)
        """Latched until `reset_clip`."""
        self.zero_run = 0
        """Newest samples in a row that are exactly zero in every channel."""
        self._held = np.zeros(n_channels)

    def push(self, block: NDArray[np.float32]) -> None:
        """Take in samples, float32 (n_samples, n_channels). What is not finite counts as clipped."""
        n = len(block)
        if not n:
            return
        level = np.abs(block)
        sound = np.flatnonzero(level.any(axis=1))
        self.zero_run = n - 1 - int(sound[-1]) if len(sound) else self.zero_run + n
        finite = np.isfinite(level)
        if not finite.all():
            self.clipped |= ~finite.all(axis=0)
            level = np.where(finite, level, 1.0)
        peak = _db(level.max(axis=0))
        self.rms = _db(np.sqrt(np.mean(np.square(level, dtype=np.float64), axis=0)))
        self.clipped |= level.max(axis=0) >= CLIP_LEVEL
        seconds = n / self._rate
        self.peak = np.maximum(peak, np.maximum(self.peak - FALL_DB * seconds, DB_FLOOR))
        self._held += seconds
        falling = np.where(self._held > HOLD_SECONDS, self.hold - FALL_DB * seconds, self.hold)
        self._held[peak >= falling] = 0.0
        self.hold = np.maximum(peak, np.maximum(falling, DB_FLOOR))

    def reset_clip(self) -> None:
        self.clipped[:] = False


def _db(amplitude: NDArray) -> NDArray:
    floor = 10 ** (DB_FLOOR / 20)
    return 20 * np.log10(np.maximum(amplitude, floor))
