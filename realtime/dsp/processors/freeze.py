"""Freeze: the sound of one moment, held."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from realtime.dsp.processors.base import FrameFormat, Processor
from realtime.dsp.processors.parameters import Switch
from realtime.dsp.processors.registry import register
from realtime.dsp.vocoder import find_regions, frame_power

MOMENTS = 9
"""Frames, a quarter of n_fft apart, that tell tones from noise: 128 ms at n_fft 2048 and 48000 Hz.
In more of them a voice has moved on; in fewer, noise looks steady too."""

NOISE_BELOW, TONE_ABOVE = 0.75, 0.95
"""Steadiness of what is all noise, and all tone. Peaks of white noise stay below 0.75 in 9 of 10
cases; a tone 20 dB above the noise of its bin is at 0.98, the partial at 1 kHz of a voice with
vibrato at 0.95."""

NOISE_BINS = 2
"""To each side, over which the level of noise is evened out: what is left of the ripple of a few
frames' noise would sound like bells."""

SEED = 1
"""Any number: the same sound gives the same held sound."""


@register("freeze")
class Freeze(Processor):
    """While `on`, the moment of switching on sounds for ever.

    Tones keep their levels and go on at their own frequencies, each with the bins around it in
    step, so that nothing flutters; noise goes on as noise of the same spectrum. Both are told
    apart by whether phases ran steadily just before. Noise keeps what its channels had in common.
    What is switched on before as much has been heard (128 ms at n_fft 2048 and 48000 Hz) waits
    for it.
    Source: Laroche & Dolson 1999 (phases locked to peaks); Serra & Smith 1990 (tones and noise).
    Cost: 0.05 ms a frame, 0.5 % of a core, the first that is held 1 or 2 ms (2048/512, two
    channels, one AMD EPYC core). No latency.
    """

    on = Switch(False)

    def prepare(self) -> None:
        self._stride = max(1, self.format.n_fft // (4 * self.format.hop))
        """Frames from one moment to the next."""
        self._n_past = (MOMENTS - 1) * self._stride + 1

    def reset(self) -> None:
        self._past: deque[NDArray] = deque(maxlen=self._n_past)
        """The newest frames, each complex64 (n_channels, n_bins)."""
        self._held: Held | None = None

    def process(self, frames: NDArray) -> NDArray:
        if not self.on:
            self._held = None
            self._past.extend(frame.copy() for frame in frames[-self._n_past :])
            return frames
        return np.stack([self._next(frame) for frame in frames]) if len(frames) else frames

    def _next(self, frame: NDArray) -> NDArray:
        self._past.append(frame.copy())
        if self._held is None:
            if len(self._past) < self._n_past:
                return frame
            self._held = Held(self.format, np.array(self._past)[:: self._stride], self._stride)
        return self._held.next_frame()


class Held:
    """The sound of the last of `moments`, complex64 (MOMENTS, n_channels, n_bins), each `stride`
    hops after the one before."""

    def __init__(self, format: FrameFormat, moments: NDArray, stride: int):
        self._format = format
        newest, power = moments[-1], np.square(np.abs(moments))
        regions = find_regions(frame_power(newest))
        # The newest counts most.
        weights = np.sin(np.pi / 2 * np.arange(1, len(moments) + 1) / len(moments))
        weights = (weights / weights.sum())[:, None, None]
        motion, advance = _motion(moments[:, :, regions.peaks], weights)
        steady = (moments * np.exp(-1j * motion)[:, None, regions.of_bin] * weights).sum(axis=0)
        mean = (power * weights).sum(axis=0)
        steadiness = np.divide(
            np.square(np.abs(steady)).sum(axis=0),
            mean.sum(axis=0),
            out=np.zeros(format.n_bins),
            where=mean.any(axis=0),
        )
        tonal = np.clip((steadiness - NOISE_BELOW) / (TONE_ABOVE - NOISE_BELOW), 0, 1)
        self._tones = newest * np.sqrt(tonal)
        self._of_bin = regions.of_bin
        centred = 2 * np.pi * stride * format.hop / format.n_fft * regions.peaks
        turns = np.round((advance - centred) / (2 * np.pi))
        self._advance = (advance - 2 * np.pi * turns) / stride
        """Radians in a hop, of each region."""
        self._turned = np.zeros(len(regions.peaks))
        even = np.hanning(2 * NOISE_BINS + 3)
        noise = np.array(
            [np.convolve(each, even / even.sum(), "same") for each in mean * (1 - tonal)]
        )
        self._noise_level = np.sqrt(noise / np.square(format.window).sum())
        self._mixture = _mixture(moments * np.sqrt(1 - tonal))
        self._window = format.window.astype(np.float32)
        self._rng = np.random.default_rng(SEED)
        self._noise = self._rng.standard_normal((format.n_channels, format.n_fft), np.float32)

    def next_frame(self) -> NDArray:
        """complex64 (n_channels, n_bins)."""
        frame = self._format
        tones = self._tones * np.exp(1j * self._turned)[self._of_bin]
        self._turned = np.remainder(self._turned + self._advance, 2 * np.pi)
        new = self._rng.standard_normal((frame.n_channels, frame.hop), np.float32)
        self._noise = np.concatenate([self._noise[:, frame.hop :], new], axis=1)
        noise = self._mixture @ np.asarray(fft.rfft(self._noise * self._window))
        return (tones + noise * self._noise_level).astype(np.complex64)


def _motion(peaks: NDArray, weights: NDArray) -> tuple[NDArray, NDArray]:
    """How the phase of each peak ran to its value in the newest moment, straight or in a bend.

    peaks : (n, n_channels, n_peaks)
    Returns radians before that value (n, n_peaks), and in a moment, at the newest (n_peaks,).
    """
    weights = weights[1:, 0]
    lags = (peaks[1:] * peaks[:-1].conj()).sum(axis=1)
    bend = np.angle((lags[1:] * lags[:-1].conj() * weights[1:]).sum(axis=0))
    ago = np.arange(1 - len(peaks), 1)[:, None]
    advance = np.angle((lags * np.exp(-1j * bend * (ago[1:] - 0.5)) * weights).sum(axis=0))
    return advance * ago + bend / 2 * np.square(ago), advance


def _mixture(frames: NDArray) -> NDArray:
    """What makes independent noise of power 1 as alike, between channels, as `frames` are.

    frames : (n, n_channels, n_bins)
    Returns float64 (n_channels, n_channels).
    """
    flat = frames.swapaxes(0, 1).reshape(frames.shape[1], -1)
    alike = (flat @ flat.conj().T).real
    level = np.sqrt(np.diag(alike))
    level = np.where(level > 0, level, 1)
    alike = alike / np.outer(level, level)
    np.fill_diagonal(alike, 1)
    values, vectors = np.linalg.eigh(alike)
    return vectors * np.sqrt(np.maximum(values, 0))
