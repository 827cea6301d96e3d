"""How long the windows of a constant-Q transform are. Light to import: the transform is `cqt`."""

from __future__ import annotations

import math

from realtime.dsp.scales import LOWEST_LOG_HZ
from realtime.errors import RequestError

CQT_FMIN = 440 * 2 ** (-45 / 12)
"""Hz of C1, where librosa begins too."""
CQT_ROWS = 84
"""Seven octaves of semitones, as in librosa."""

LONGEST_N_FFT = 1 << 20
"""Samples; a million are 22 s at 48000 Hz."""


def quality(bins_per_octave: int) -> float:
    """Cycles of a row's frequency in its window, so that neighbours meet half way.

    17.3 at 12 rows an octave. Source: Brown 1991; tanh makes the bandwidth exact, as in librosa.
    """
    return 1 / math.tanh(math.log(2) / bins_per_octave)


def cqt_n_fft(sample_rate: int, fmin: float, bins_per_octave: int) -> int:
    """Samples of the frame that holds the longest window: the next power of two.

    Raises RequestError where that is more than `LONGEST_N_FFT`, or fmin below `LOWEST_LOG_HZ`.
    """
    if sample_rate > 0 and fmin >= LOWEST_LOG_HZ and bins_per_octave > 0:
        length = quality(bins_per_octave) * sample_rate / fmin
        if length <= LONGEST_N_FFT:
            return power_of_two(length)
    raise RequestError(
        f"fmin={fmin:g} Hz with {bins_per_octave} rows an octave at {sample_rate} Hz takes windows "
        f"of more than {LONGEST_N_FFT} samples, or lies below {LOWEST_LOG_HZ:g} Hz; "
        "try a higher fmin or fewer rows an octave"
    )


def power_of_two(length: float) -> int:
    """The next one, at least 2."""
    return 1 << max(1, math.ceil(math.log2(length)))
