"""Denoise: what is steady goes, what is said stays."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft, special

from realtime.dsp.noise import LOUDEST_RATIO, NoiseFloor
from realtime.dsp.processors.base import LAST_SAMPLE, Processor
from realtime.dsp.processors.parameters import Number, Switch
from realtime.dsp.processors.registry import register
from realtime.errors import RequestError

SNR_FRAMES = 6
"""Lengths of a frame over which the signal to noise ratio of a bin is averaged, 0.26 s at n_fft
2048 and 48000 Hz: fewer tinkle, more blur."""

HANG_SECONDS = 0.05
"""For which a bin stays open after its signal: the ends of words are soft."""

FULL_HZ, LOWEST_HZ, OCTAVES = 8000.0, 31.25, 20.0
"""From 8 kHz up `reduction` acts in full, in each octave below by 1/20 less, down to 31 Hz: hiss
is heard most, and what goes on beneath keeps voices from standing in a void."""

LONGEST_SECONDS = 10.0
"""Of captured noise: more tells no more, and takes longer than there is between two frames."""

_LEAST_V, _STEP = 1e-4, 1 / 400
_FACTORS = np.exp(special.exp1(_LEAST_V * np.exp(_STEP * np.arange(5000))) / 2)
"""Of `lsa_gain`, by the logarithm of v: the nearest one is off by 0.1 % at most. Under the first v,
40 dB under the noise, it stays as it is there; over the last, 27, it is 1."""


@register("denoise")
class Denoise(Processor):
    """Less noise: what goes on steadily under voices is turned down, by `reduction` at most.

    The noise is found by itself, while somebody speaks too; a tone that stays for two seconds is
    then noise as well. Or it is learned: as noise counts what is heard from `learn` on to `learn`
    off, which meanwhile passes unchanged, or what was captured from `start` to `stop`, whichever
    came last; tones that stay are then kept. With `follow` the level of the noise is followed,
    and more slowly its spectrum; without, what is known of it stays as it is. Noise as short as
    a syllable passes. Frames of 40 ms do best (n_fft 2048 at 48000 Hz): in shorter ones the
    harmonics of a voice are not apart.
    Raises RequestError for a span that is gone, not there yet, too long, or shorter than a frame.
    Source: Ephraim & Malah 1985 (log-spectral amplitude); Plapous, Marro & Scalart 2006 (signal
    to noise in two steps); for the noise see `realtime.dsp.noise`.
    Cost: 0.1 ms a frame, 2 % of a core (1024/256, mono, one AMD EPYC core). No latency.
    """

    reduction = Number(25, 0, 60, "dB")
    learn = Switch(False)
    follow = Switch(True)
    start = Number(0, 0, LAST_SAMPLE, "samples", whole=True)
    stop = Number(0, 0, LAST_SAMPLE, "samples", whole=True)

    _span = (0, 0)
    _given: NDArray | None = None
    """Power of the noise in the span, (n_channels, n_bins)."""
    _profile: NDArray | None = None
    """Power of learned noise that the next frame begins with."""
    _n_learned = 0
    """Frames of which `_learned` is the sum."""

    def prepare(self) -> None:
        frame = self.format
        octaves = np.log2(FULL_HZ / np.clip(frame.frequencies, LOWEST_HZ, FULL_HZ))
        self._least_gain = 10 ** (-self.reduction / 20 * (1 - octaves / OCTAVES))
        self._snr_keep = math.exp(-frame.hop / (frame.n_fft * SNR_FRAMES))
        self._hang_keep = math.exp(-1 / (frame.frames_per_second * HANG_SECONDS))
        span = (int(self.start), int(self.stop))
        if span != self._span:
            self._profile = self._given = self._measured(*span)
            self._span = span
        if self._n_learned and not self.learn:
            self._profile = self._learned / self._n_learned
            self._n_learned = 0

    def reset(self) -> None:
        shape = (self.format.n_channels, self.format.n_bins)
        self._noise = NoiseFloor(self.format)
        self._profile = self._given
        self._signal = np.zeros(shape)
        """Power of what was heard in the last frame, less the noise."""
        self._open = np.zeros(shape)
        self._n_learned = 0

    def process(self, frames: NDArray) -> NDArray:
        finite = np.where(np.isfinite(frames), frames, 0)
        if self.learn:
            self._listen(finite)
            return finite
        if self._profile is not None:
            self._noise.learn(self._profile)
            self._profile = None
        for frame in finite:
            frame *= self._gain(_power(frame))
        return finite

    def _listen(self, frames: NDArray) -> None:
        for frame in frames:
            power = _power(frame)
            self._learned = self._learned + power if self._n_learned else power
            self._n_learned += 1

    def _gain(self, power: NDArray) -> NDArray:
        """Of the next frame, float32 (n_channels, n_bins)."""
        presence = self._noise.hear(power, self.follow)
        noise = self._noise.floor
        ratio = np.minimum(power / noise, LOUDEST_RATIO)
        # First with what was heard before, then once more with what that gives: attacks come
        # without the delay of a frame that the average alone would have.
        snr = self._snr_keep * self._signal / noise
        snr += (1 - self._snr_keep) * np.maximum(ratio - 1, 0)
        snr = np.square(lsa_gain(snr, ratio)) * ratio
        self._signal = snr * noise
        hanging = self._hang_keep * self._open + (1 - self._hang_keep) * presence
        self._open = np.maximum(presence, hanging)
        gain = self._least_gain + self._open * (lsa_gain(snr, ratio) - self._least_gain)
        gain = np.maximum(gain, self._least_gain)
        return (gain**self._noise.known).astype(np.float32)

    def _measured(self, start: int, stop: int) -> NDArray | None:
        """Mean power of what was captured. Raises RequestError."""
        if not stop:
            return None
        frame = self.format
        seconds = (stop - start) / frame.sample_rate
        if stop - start < frame.n_fft or seconds > LONGEST_SECONDS:
            raise RequestError(
                f"denoise:start = {start} and stop = {stop} hold {seconds:.2f} s of noise; take "
                f"{frame.n_fft / frame.sample_rate:.2f} s (n_fft) to {LONGEST_SECONDS:g} s"
            )
        samples = self.captured(start, stop, "learn from")
        pieces = sliding_window_view(samples, frame.n_fft, axis=0)[:: frame.n_fft // 2]
        return np.mean(
            [_power(np.asarray(fft.rfft(piece * frame.window))) for piece in pieces], axis=0
        )


def lsa_gain(snr: NDArray, ratio: NDArray) -> NDArray:
    """The gain that gives the log-spectral amplitude of least expected error.

    snr : power of signal over noise that is expected (a priori)
    ratio : power that is heard over that of the noise (a posteriori), the same shape
    Returns the same shape, 1 at most.
    Source: Ephraim & Malah 1985, equation 20.
    """
    wiener = snr / (1 + snr)
    steps = np.log(np.maximum(wiener * ratio, _LEAST_V) / _LEAST_V) / _STEP
    factors = _FACTORS.take(np.rint(steps).astype(np.intp), mode="clip")
    return np.minimum(wiener * factors, 1)


def _power(frame: NDArray) -> NDArray:
    """Squared magnitudes, float64."""
    real, imag = np.real(frame), np.imag(frame)
    return np.square(real, dtype=np.float64) + np.square(imag, dtype=np.float64)
