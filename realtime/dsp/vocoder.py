"""What processors that move sound in pitch or time share: partials, attacks, the envelope.

Pure functions, and one small state (`Attack`). A frame here is complex64 (n_channels, n_bins). Its
power is summed over the channels, so that all of them are cut at the same bins and turned by the
same phases, and a sound keeps its place between them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from realtime.dsp.processors.base import FrameFormat

COMPACT = 0.4
"""How far towards that of a single sample (1) from that of a steady sine (0) the concentration
of energy in time has to be where an attack is taken for one moment."""

EARLY = 1 / 8
"""Of n_fft: how far behind the middle of the window the energy lies where an attack enters it."""

NEAR = 1 / 8
"""Of n_fft: energy no farther than this from an attack is part of it."""

AGAIN = 1 / 4
"""Of n_fft: the least distance between two attacks in one frame."""

SHARE = 0.3
"""Of the energy, or of the bins, that an attack takes: a quiet one over a loud tone has many bins,
a deep drum has few."""

ENVELOPE_HZ = 94
"""The loudest of so many Hz stands for all: there is a harmonic in each, and less to do."""

ENVELOPE_SECONDS = 0.0023
"""Of the cepstrum that the envelope keeps: half a period of 217 Hz. A voice below that has
formants in its envelope and no harmonics (Röbel & Rodet 2005); one of 400 Hz still has few."""

ENVELOPE_ROUNDS = 6
"""The envelope of made vowels is then right within 1.2 to 2.3 dB (standard deviation over the
harmonics), and more rounds do not better it."""

ENVELOPE_DEPTH = 1e-7
"""Power against the loudest bin below which the envelope does not fall (-70 dB)."""


class Regions(NamedTuple):
    """The bins of a frame, shared out among its peaks."""

    peaks: NDArray
    """Bin of each peak, int (n_peaks,), at least one."""
    starts: NDArray
    """First bin of each peak's region, int (n_peaks,): behind the valley before the peak."""
    of_bin: NDArray
    """Which region each bin belongs to, int (n_bins,)."""


def find_regions(power: NDArray) -> Regions:
    """Find the peaks of a frame and how far the influence of each reaches.

    power : float (n_bins,), finite, not negative
    Source: Laroche & Dolson 1999.
    """
    n_bins = len(power)
    # Beyond both ends there is less than nothing, so that even silence has a peak.
    padded = np.full(n_bins + 2, -1, power.dtype)
    padded[1:-1] = power
    peaks = np.flatnonzero((power > padded[:-2]) & (power >= padded[2:]))
    first = peaks[0]
    least = np.minimum.reduceat(power, peaks)
    lowest = first + np.flatnonzero(
        power[first:] == np.repeat(least, np.diff(peaks, append=n_bins))
    )
    valleys = lowest[np.searchsorted(lowest, peaks[:-1])]
    starts = np.concatenate([[0], valleys + 1])
    return Regions(peaks, starts, np.repeat(np.arange(len(peaks)), np.diff(starts, append=n_bins)))


def frame_power(frame: NDArray) -> NDArray:
    """Of all channels together, float32 (n_bins,)."""
    return (np.square(frame.real) + np.square(frame.imag)).sum(axis=0)


def unit(values: NDArray) -> NDArray:
    """`values` with magnitude 1, and 1 for 0: what phases can always be turned by."""
    magnitude = np.abs(values)
    return np.divide(values, magnitude, out=np.ones_like(values), where=magnitude > 0)


def heard_window(format: FrameFormat) -> NDArray:
    """What a frame adds to the sound, sample by sample: both windows' product, (n_fft,)."""
    product = np.zeros(format.n_fft)
    product[-len(format.synthesis_window) :] = format.synthesis_window
    return product * format.window


def middle(weights: NDArray) -> float:
    """Centre of gravity of `weights`, (n,), in samples from the first."""
    return float(np.arange(len(weights)) @ weights / weights.sum())


class Attack:
    """Where in the frame the newest attack is, and which regions belong to it.

    A region's energy has its centre in time at its mean group delay. Where that of many regions
    is far behind the window's middle, sharply, an attack has entered the window. It is placed by
    that once, and moves with the frames from then on (Röbel 2003, "Transient detection and
    preservation in the phase vocoder", by the centre of gravity).
    """

    def __init__(self, format: FrameFormat):
        n_fft = format.n_fft
        heard = heard_window(format)
        energy = np.square(format.window, dtype=np.float64)
        steady = abs(energy @ np.exp(2j * np.pi * np.arange(n_fft) / n_fft)) / energy.sum()
        self._n_fft = n_fft
        self._concentration = steady + COMPACT * (1 - steady)
        self._back = middle(energy) - middle(heard)
        self._turn = np.complex64(np.exp(2j * np.pi * middle(energy) / n_fft))
        self.reach = len(format.synthesis_window) / 2
        self.ahead = -np.inf
        """Samples by which it comes after the middle of what the frame adds to the sound."""

    @property
    def inside(self) -> bool:
        """Whether it can be heard in the frame."""
        return self.ahead > -self.reach

    def find(self, frame: NDArray, power: NDArray, regions: Regions, step: float) -> NDArray:
        """Regions that belong to an attack, bool (n_peaks,).

        step : samples since the frame before
        """
        self.ahead -= step
        lags = np.zeros(len(power), np.complex64)
        lags[:-1] = (frame[:, 1:] * frame[:, :-1].conj()).sum(axis=0) * self._turn
        lags = np.add.reduceat(lags, regions.starts)
        energy = np.add.reduceat(power, regions.starts)
        compact = np.abs(lags) > self._concentration * energy
        behind = -np.angle(lags) * (self._n_fft / (2 * np.pi))
        entering = compact & (behind > EARLY * self._n_fft)
        sizes = np.diff(regions.starts, append=len(power))
        if energy @ entering > SHARE * energy.sum() or sizes @ entering > SHARE * len(power):
            place = -np.angle(lags[entering].sum()) * (self._n_fft / (2 * np.pi)) + self._back
            if self.ahead <= 0 or place > self.ahead + AGAIN * self._n_fft:
                self.ahead = float(place)
        if not self.inside:
            return np.zeros(len(energy), bool)
        return compact & (np.abs(behind + self._back - self.ahead) < NEAR * self._n_fft)


def spectral_envelope(power: NDArray, sample_rate: int) -> NDArray:
    """The smooth curve that lies on the harmonics, as power, float64 (n_bins,).

    power : float (n_bins,), not all 0
    Source: Röbel & Rodet 2005 (true envelope).
    """
    n_bins = len(power)
    band = max(1, round(ENVELOPE_HZ * 2 * (n_bins - 1) / sample_rate))
    firsts = np.arange(0, n_bins, band)
    loudest = np.maximum.reduceat(power, firsts)
    n_all = 2 * (len(firsts) - 1)
    n_kept = round(ENVELOPE_SECONDS * sample_rate * n_all * band / (2 * (n_bins - 1)))
    n_kept = min(max(2, n_kept), n_all // 2)
    levels = np.log(np.maximum(loudest, ENVELOPE_DEPTH * loudest.max()))
    smooth = levels
    for _ in range(ENVELOPE_ROUNDS):
        cepstrum = np.asarray(fft.irfft(np.maximum(levels, smooth), n_all))
        cepstrum[n_kept : n_all - n_kept + 1] = 0
        smooth = np.asarray(fft.rfft(cepstrum)).real
    return np.exp(np.interp(np.arange(n_bins), firsts + (band - 1) / 2, smooth))
