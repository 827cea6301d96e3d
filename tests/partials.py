"""Sounds of a few partials, and which partials a sound has."""

from __future__ import annotations

import numpy as np
from clicks import SAMPLE_RATE
from scipy import signal


def sines(seconds: float, *partials: float) -> np.ndarray:
    """float64 (n, 1), each of amplitude 0.1."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return 0.1 * np.sin(2 * np.pi * np.outer(t, partials)).sum(axis=1, keepdims=True)


def strongest(samples: np.ndarray, n_partials: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and amplitudes of the loudest partials of (n,), lowest first."""
    n_fft = 4 * len(samples)
    shape = np.blackman(len(samples))
    levels = np.abs(np.fft.rfft(samples * shape, n_fft)) * 2 / shape.sum()
    peaks, _ = signal.find_peaks(levels, distance=64)
    peaks = np.sort(peaks[np.argsort(levels[peaks])[-n_partials:]])
    before, at, after = (np.log(levels[peaks + step]) for step in (-1, 0, 1))
    bins = peaks + (before - after) / 2 / (before - 2 * at + after)
    return bins * SAMPLE_RATE / n_fft, np.exp(at)
