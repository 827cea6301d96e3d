"""From frames to the nearest ones that a sound can have: one overlap-add and one analysis.

Most arrays of frames belong to no sound: neighbours overlap, and contradict each other. Taking
them to samples by overlap-add with the dual window and back gives the nearest frames that a sound
has (Griffin & Lim 1984). Methods that look for a sound whose frames have some property go to and
fro between the two. Only samples are kept from round to round; frames live in blocks that stay in
the cache. One thread owns an object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy import fft

from realtime.dsp.windows import MIN_OVERLAP_POWER, check_hop
from realtime.errors import RequestError

BLOCK_BYTES = 1 << 19
"""Windowed samples transformed in one call, as in `realtime.dsp.stft`."""

Change = Callable[[NDArray[np.complexfloating], int], NDArray[np.complexfloating]]
"""Frames (n, n_bins) that may be overwritten, and the number of the first; returns as many."""


class Projector:
    """One channel of a sound of known length, seen through its frames.

    window : analysis window (n_fft,), n_fft and hop as in `realtime.dsp.spectra.stft`
    n_frames : at least 1
    n_samples : of the sound, 0 outside; None: all that its frames say, with as much silence
        behind as before, as in `istft`
    lead : samples of silence that the first frame begins with, before the sound
    dtype : of samples, float32 or float64; frames are complex64 or complex128
    Raises RequestError for arguments that do not fit.

    Samples lie in arrays (n_padded,), whose part `sound` is the sound: silence around it.
    """

    def __init__(
        self,
        window: ArrayLike,
        hop: int,
        n_frames: int,
        n_samples: int | None = None,
        *,
        lead: int = 0,
        dtype: DTypeLike = np.float32,
    ):
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._window = np.array(window, self.dtype)
        self.n_fft, self.hop, self.n_frames = len(self._window), hop, n_frames
        check_hop(hop, self.n_fft)
        if n_frames < 1 or (n_samples is not None and n_samples < 0):
            raise RequestError(
                f"n_frames={n_frames} must be at least 1 and n_samples={n_samples} at least 0"
            )
        self._n_steps = -(-self.n_fft // hop)
        self._n_hops = n_frames + self._n_steps - 1
        if n_samples is None:
            n_samples = (n_frames - 1) * hop + self.n_fft - 2 * lead
        self.n_padded = max(self._n_hops * hop, lead + n_samples)
        self.sound = slice(lead, lead + n_samples)
        # The power of all windows over each sample, which overlap-add divides by.
        squared = np.zeros(self._n_steps * hop)
        squared[: self.n_fft] = self._window.astype(np.float64) ** 2
        power = np.zeros((self._n_hops, hop))
        for step, part in enumerate(squared.reshape(self._n_steps, hop)):
            power[step : step + n_frames] += part
        power = power.reshape(-1)
        self._share = np.zeros(self.n_padded, self.dtype)
        self._share[: len(power)] = 1 / np.maximum(power, MIN_OVERLAP_POWER * power.max())
        self._share[: self.sound.start] = 0
        self._share[self.sound.stop :] = 0
        self.power = np.divide(1, self._share, out=self.silence(), where=self._share > 0)
        """Of all windows over each sample, (n_padded,), 0 outside the sound: where inner products
        of samples are weighted by it, overlap-add is the adjoint of the analysis."""
        self._block = max(1, min(n_frames, BLOCK_BYTES // (self.dtype.itemsize * self.n_fft)))
        # A block of windows, not one broadcast over it: twice as quick.
        self._windows = np.broadcast_to(self._window, (self._block, self.n_fft)).copy()
        self._sliced = np.empty((self._block, self.n_fft), self.dtype)
        # The padding behind each frame is zero from here on.
        self._pieces = np.zeros((self._block, self._n_steps * hop), self.dtype)

    def silence(self) -> NDArray[np.floating]:
        """An array for samples, (n_padded,)."""
        return np.zeros(self.n_padded, self.dtype)

    def through(
        self, samples: NDArray[np.floating], change: Change, out: NDArray[np.floating]
    ) -> NDArray[np.floating]:
        """Take `samples` apart, let `change` have the frames block by block, put them together.

        samples, out : (n_padded,), not the same array; `out` is overwritten and returned
        """
        out[:] = 0
        for first in range(0, self.n_frames, self._block):
            self._add(change(self.frames(samples, first), first), first, out)
        out *= self._share
        return out

    def frames(self, samples: NDArray[np.floating], first: int) -> NDArray[np.complexfloating]:
        """Frames of `samples` from `first` on, as many as a block holds: (n, n_bins)."""
        n = min(self._block, self.n_frames - first)
        slices = as_strided(
            samples[first * self.hop :],
            (n, self.n_fft),
            (self.hop * samples.itemsize, samples.itemsize),
        )
        sliced = self._sliced[:n]
        np.copyto(sliced, slices)
        sliced *= self._windows[:n]
        return np.asarray(fft.rfft(sliced))

    def samples(self, frames: NDArray[np.complexfloating]) -> NDArray[np.floating]:
        """The sound nearest to `frames`, (n_frames, n_bins), in a new array (n_padded,)."""
        out = self.silence()
        for first in range(0, self.n_frames, self._block):
            self._add(frames[first : first + self._block], first, out)
        out *= self._share
        return out

    def reach(self, frames: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Samples under the window of one of `frames`, (n_frames,), or more: (n_padded,)."""
        begin = np.flatnonzero(frames) * self.hop
        edges = np.zeros(self.n_padded + 1, np.intp)
        edges[begin] += 1
        edges[begin + self.n_fft] -= 1
        return np.asarray(np.cumsum(edges[:-1]) > 0)

    def _add(self, frames: NDArray, first: int, out: NDArray[np.floating]) -> None:
        n = len(frames)
        pieces = self._pieces[:n]
        whole = np.asarray(fft.irfft(frames, self.n_fft))
        np.multiply(whole, self._windows[:n], out=pieces[:, : self.n_fft])
        hops = out[: self._n_hops * self.hop].reshape(self._n_hops, self.hop)
        for step in range(self._n_steps):
            hops[first + step : first + step + n] += pieces[
                :, step * self.hop : (step + 1) * self.hop
            ]
