"""The noise floor: how much of the power in each bin is noise, followed frame by frame.

`NoiseFloor.hear` takes one frame's power and gives the presence of a signal in each bin; `floor`
is what the noise alone would have. It starts from the first full frame, be there speech in it or
not, or from what `learn` is given. All is computed for channels and bins at once and depends on
nothing but the frames before, in their order. One thread owns an object.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.base import FrameFormat

SIGNAL_TO_NOISE = 16.0
"""Power of a signal over the noise (12 dB) in a bin that has one: what its presence is judged
by. More takes soft speech for noise, less takes peaks of noise for speech."""

LOOKS = 2.0
"""Independent values in the mean over five neighbours by which presence is judged (2.3 for white
noise behind a Hann window)."""

REGION_BINS = 24
"""To each side, over which a region is heard: a single bin that stands out of a region of noise
is noise, and let through it would tinkle."""

REGION_SIGNAL_TO_NOISE, REGION_LOOKS = 2.2, 12.0
"""The same of a region (3.4 dB); half the looks that so many bins are in white noise."""

REGION_RATIO = 20.0
"""Over the floor, to which bins are clipped in the mean of a region: one line is not all of it."""

LEVEL_SECONDS = 0.05
"""In which all bins together follow noise that swells: hundreds of bins judge, so it may be
short."""

SHAPE_SECONDS = 0.5
"""In which each bin follows for itself, on one periodogram a frame."""

LEARNED_SHAPE_SECONDS = 2.0
"""The same where the noise was learned, and is known better than by one moment."""

FIRST_SHAPE_SECONDS = 0.03
"""The same at the start, where little is known; it grows with the time heard."""

GROWTH = 0.3
"""Of the time heard: of a running mean with equal weights it would be 1, but that trusts the first
guess too long."""

MINIMUM_SECONDS = 0.06
"""Over which power is averaged before its minimum is taken."""

HOLD_SECONDS = 1.0
"""A bin never quieter for one to two times as long holds noise: no vowel lasts so long."""

JUMP_SECONDS = 0.25
"""Where three quarters of all bins are over the floor for one to two times as long, the noise has
grown: between two syllables they would not be."""

QUIET_SHARE = 0.25
"""Of neighbouring bins, the quietest, that hold noise alone even while somebody speaks: they lie
between the harmonics and the formants."""

QUIET_MEAN = -math.log(1 - QUIET_SHARE)
"""That quantile of noise whose mean is 1 (exponentially distributed power)."""

START_SECONDS = 0.15
"""For which the floor is guessed at from each frame, and then known: in a syllable's time."""

START_BINS, START_SHARE = 16, 0.5
"""The first floor is read in bands of so many bins, or so large a share of their frequency: wider
than a formant, narrower than what most noises change in."""

QUIETEST = 1e-14
"""Power of white noise (-140 dBFS, the last bit of 24) under which there is nothing to follow."""

LOUDEST_RATIO = 1e6
"""To which power over the floor is clipped: what is louder, a click, would fill the averages for
longer than HOLD_SECONDS."""

CERTAIN = 1 - 1e-9
"""Greatest presence: something is left to divide by, too little for a click to count."""


class NoiseFloor:
    """Follows the noise under a sound.

    floor : float64 (n_channels, n_bins), power of the noise in each bin
    Presence from fixed priors, smoothed over neighbours, and the recursive mean it weights:
    Gerkmann & Hendriks 2012, Gerkmann, Breithaupt & Martin 2008. To that comes a common level
    of all bins, which follows ten times faster than each bin could alone. The rise to minima is
    that of Martin 2001, held in two blocks as Cohen 2003 does.
    """

    def __init__(self, format: FrameFormat):
        self._shape = (format.n_channels, format.n_bins)
        self._hop_seconds = format.hop / format.sample_rate
        self._frame_seconds = format.n_fft / format.sample_rate
        self._quietest = QUIETEST * float(np.square(format.window, dtype=np.float64).sum())
        bins = np.arange(format.n_bins)
        self._region_start = np.maximum(bins - REGION_BINS, 0)
        self._region_stop = np.minimum(bins + REGION_BINS + 1, format.n_bins)
        self._region_size = self._region_stop - self._region_start
        self._level_rate = self._rate(LEVEL_SECONDS)
        self._minimum_rate = self._rate(MINIMUM_SECONDS)
        self._jump_frames = max(1, round(JUMP_SECONDS * format.frames_per_second))
        self._hold_frames = max(1, round(HOLD_SECONDS * format.frames_per_second))
        self.reset()

    def reset(self) -> None:
        """Forget all, as if new."""
        self.learned = False
        self.floor = np.full(self._shape, self._quietest)
        self._heard = np.zeros((self._shape[0], 1))
        """Seconds with sound, of each channel."""
        self._n_frames = 0
        self._least_quantile = np.full((self._shape[0], 1), np.inf)
        self._smooth = np.zeros(self._shape)
        self._minimum = np.full(self._shape, np.inf)
        self._newer_minimum = np.full(self._shape, np.inf)

    def learn(self, floor: NDArray) -> None:
        """Take `floor` (n_channels, n_bins) for the noise; from here on its level is followed,
        its shape more slowly, and no lasting tone is taken for noise."""
        self.learned = True
        self.floor = np.maximum(floor, self._quietest)
        self._heard[:] = LEARNED_SHAPE_SECONDS / GROWTH

    @property
    def known(self) -> NDArray:
        """How far the floor may be relied on, 0..1, (n_channels, 1): at first it is a guess."""
        return np.minimum(self._heard / START_SECONDS, 1)

    def hear(self, power: NDArray, follow: bool = True) -> NDArray:
        """Take in the power of one frame.

        power : float64 (n_channels, n_bins), squared magnitudes, finite
        follow : False leaves the floor as it is
        Returns the probability that a bin holds more than noise, float64 (n_channels, n_bins).
        """
        sounding = power.mean(axis=1, keepdims=True) > self._quietest
        if follow:
            self._start(power, sounding)
        ratio = np.minimum(power / self.floor, LOUDEST_RATIO)
        near = over_neighbours(ratio)
        presence = _presence(near, SIGNAL_TO_NOISE, LOOKS)
        if follow and sounding.any():
            floor = self._followed(ratio, 1 - presence)
            floor = self._risen(floor, ratio, near)
            self.floor = np.where(sounding, np.maximum(floor, self._quietest), self.floor)
            self._heard += sounding * self._hop_seconds
        region = self._over_region(near)
        return presence * _presence(region, REGION_SIGNAL_TO_NOISE, REGION_LOOKS)

    def _start(self, power: NDArray, sounding: NDArray) -> None:
        """Guess, anew until the first frame that is full of sound; then lower guesses count."""
        starting = sounding & (self._heard < self._frame_seconds + START_SECONDS)
        for channel in np.flatnonzero(starting):
            guess = np.maximum(first_floor(power[channel]), self._quietest)
            full = self._heard[channel] >= self._frame_seconds
            self.floor[channel] = np.minimum(self.floor[channel], guess) if full else guess

    def _followed(self, ratio: NDArray, absence: NDArray) -> NDArray:
        """The floor after what looks like noise, all bins together and then each for itself."""
        absent = absence.mean(axis=1, keepdims=True)
        level = (absence * ratio).mean(axis=1, keepdims=True) / absent
        floor = self.floor * level ** (self._level_rate * np.minimum(4 * absent, 1))
        longest = LEARNED_SHAPE_SECONDS if self.learned else SHAPE_SECONDS
        seconds = np.clip(GROWTH * self._heard, FIRST_SHAPE_SECONDS, longest)
        return floor + self._rate(seconds) * absence * (ratio * self.floor - floor)

    def _risen(self, floor: NDArray, ratio: NDArray, near: NDArray) -> NDArray:
        """Lift what presence alone would never lift: there, noise and signal look the same."""
        self._n_frames += 1
        quiet = int(QUIET_SHARE * self._shape[1])
        quantile = np.partition(near, quiet, axis=1)[:, quiet, None]
        self._least_quantile = np.minimum(self._least_quantile, quantile)
        if self._n_frames % self._jump_frames == 0:
            floor = floor * np.maximum(self._least_quantile, 1)
            self._least_quantile = np.full_like(quantile, np.inf)
        if self.learned:
            return floor
        self._smooth = self._smooth + self._minimum_rate * (ratio * self.floor - self._smooth)
        self._minimum = np.minimum(self._minimum, self._smooth)
        self._newer_minimum = np.minimum(self._newer_minimum, self._smooth)
        if self._n_frames % self._hold_frames == 0:
            floor = np.maximum(floor, self._minimum)
            self._minimum, self._newer_minimum = self._newer_minimum, self._smooth
        return floor

    def _over_region(self, near: NDArray) -> NDArray:
        """The mean over REGION_BINS to both sides, as many as there are at the ends."""
        sums = np.cumsum(np.minimum(near, REGION_RATIO), axis=1)
        sums = np.concatenate([np.zeros((len(near), 1)), sums], axis=1)
        return (sums[:, self._region_stop] - sums[:, self._region_start]) / self._region_size

    def _rate(self, seconds: Any) -> Any:
        """Share of the way to what is new that a mean over `seconds` goes in a frame."""
        return 1 - np.exp(-self._hop_seconds / seconds)


def first_floor(power: NDArray) -> NDArray:
    """The noise under one frame, by the quietest bins of each band.

    power : float64 (n_bins,)
    Returns the same shape.
    """
    n_bins = len(power)
    edges = [0]
    while n_bins - edges[-1] >= 2 * START_BINS:
        edges.append(edges[-1] + max(START_BINS, int(START_SHARE * edges[-1])))
    edges = [edge for edge in edges if n_bins - edge >= START_BINS] or [0]
    edges.append(n_bins)
    middles = [(start + stop - 1) / 2 for start, stop in pairwise(edges)]
    quiet = [np.quantile(power[start:stop], QUIET_SHARE) for start, stop in pairwise(edges)]
    logs = np.log(np.maximum(quiet, np.finfo(float).tiny) / QUIET_MEAN)
    return np.exp(np.interp(np.arange(n_bins), middles, logs))


def over_neighbours(values: NDArray) -> NDArray:
    """The mean over five bins, the middle ones weighing most."""
    first, last = values[:, :1], values[:, -1:]
    wide = np.concatenate([first, first, values, last, last], axis=1)
    beside = wide[:, 1:-3] + wide[:, 3:-1]
    return (wide[:, 2:-2] + 0.75 * beside + 0.25 * (wide[:, :-4] + wide[:, 4:])) / 3


def _presence(power: NDArray, signal_to_noise: float, looks: float) -> NDArray:
    """The probability of a signal, as likely as not before anything is heard, where the mean of
    so many looks at the power is so much over the noise."""
    surplus = power * (signal_to_noise / (1 + signal_to_noise)) - math.log1p(signal_to_noise)
    return np.minimum(1 / (1 + np.exp(-looks * surplus)), CERTAIN)
