"""Streaming short-time Fourier transform and its inverse.

Samples go in as they come, frames come out as they are complete; the only state is a tail of
samples. Any way of cutting the input gives the same frames to the last bit. Frames are
time-major, `(n_frames, n_bins)`: the transpose of librosa's. A frame starts at its first sample
(librosa's `center=False`, scipy's `phase_shift=None`).
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike, DTypeLike, NDArray

from realtime.dsp.windows import dual_window, window
from realtime.errors import RequestError

BATCH_POINTS = 2**17
"""Points windowed and transformed at a time: 512 KiB of float32 stay in a core's L2 cache."""


class StreamingStft:
    """Samples in, complex frames out.

    Parameters
    ----------
    n_fft : samples in a frame, at least 2.
    hop : samples between frames, 1 to `n_fft`.
    window : a name of `realtime.dsp.windows.WINDOWS` or an array (n_fft,).
    zero_pad : each frame is padded with zeros to `n_fft * zero_pad` points.
    n_channels : None for mono, `(n,)` to `(n_frames, n_bins)`; k for `(n, k)` to
        `(n_frames, k, n_bins)`.
    dtype : of the samples, float32 or float64; frames are complex64 or complex128.

    Raises `RequestError` for parameters that do not fit. Method: Allen & Rabiner (1977).
    """

    def __init__(
        self,
        n_fft: int,
        hop: int,
        window: str | ArrayLike = "hann",
        *,
        zero_pad: int = 1,
        n_channels: int | None = None,
        dtype: DTypeLike = np.float32,
    ):
        self._window = _window_array(window, n_fft).astype(dtype)
        _check_hop(hop, n_fft)
        if zero_pad < 1:
            raise RequestError(f"zero_pad = {zero_pad} must be at least 1 (1 pads nothing)")
        _check_channels(n_channels)
        self.n_fft, self.hop, self.zero_pad = n_fft, hop, zero_pad
        self.n_channels = n_channels
        self._points = n_fft * zero_pad
        self.n_bins = self._points // 2 + 1
        channels = n_channels or 1
        self._batch = max(1, BATCH_POINTS // (self._points * channels))
        self._work = np.zeros((self._batch, channels, self._points), dtype)
        # Room for a tail and a batch, and for moving the tail to the front only now and then.
        self._samples = np.zeros((channels, 2 * n_fft + (self._batch + 1) * hop), dtype)
        self._begin = self._end = 0

    @property
    def latency(self) -> int:
        """Samples until a frame is complete: `n_fft - hop` (and up to a hop for the next one)."""
        return self.n_fft - self.hop

    def reset(self) -> None:
        """As new: the next sample is the first of the next frame."""
        self._begin = self._end = 0

    def push(self, samples: ArrayLike) -> NDArray[np.complexfloating]:
        """Frames completed by `samples`, complex (n_frames, n_bins) or (n_frames, k, n_bins)."""
        block = _block(samples, self.n_channels)
        n_frames = max(0, (self._end - self._begin + len(block) - self.n_fft) // self.hop + 1)
        if n_frames <= self._batch and len(block) <= self._samples.shape[1] - self.n_fft:
            self._take(block)
            frames = self._transform(n_frames)
        else:
            frames = np.empty(
                (n_frames, self._samples.shape[0], self.n_bins),
                np.result_type(self._work, np.complex64),
            )
            done = at = 0
            while at < len(block):
                stop = at + self._batch * self.hop
                self._take(block[at:stop])
                at = stop
                part = self._transform((self._end - self._begin - self.n_fft) // self.hop + 1)
                frames[done : done + len(part)] = part
                done += len(part)
        return frames[:, 0] if self.n_channels is None else frames

    def _take(self, block: NDArray) -> None:
        if self._end + len(block) > self._samples.shape[1]:
            tail = self._end - self._begin
            self._samples[:, :tail] = self._samples[:, self._begin : self._end]
            self._begin, self._end = 0, tail
        self._samples[:, self._end : self._end + len(block)] = block.T
        self._end += len(block)

    def _transform(self, n_frames: int) -> NDArray[np.complexfloating]:
        n_frames = max(0, n_frames)
        channels, item = self._samples.shape[0], self._samples.itemsize
        windowed = self._work[:n_frames]
        if n_frames == 0:
            return np.empty((0, channels, self.n_bins), np.result_type(self._work, np.complex64))
        sliding = as_strided(
            self._samples[:, self._begin :],
            (n_frames, channels, self.n_fft),
            (self.hop * item, self._samples.strides[0], item),
            writeable=False,
        )
        np.multiply(sliding, self._window, out=windowed[:, :, : self.n_fft])
        self._begin += n_frames * self.hop
        return scipy.fft.rfft(windowed, axis=-1)


class StreamingIstft:
    """Frames in, samples out: the exact inverse of `StreamingStft` by weighted overlap-add.

    Sample k that comes out is sample k that went into the STFT, to rounding, from sample
    `n_fft - hop` on; before it not all frames overlap and the sound fades in. It comes out
    `latency` samples after it went in (and up to a hop more, for the hop is collected first).

    Parameters
    ----------
    n_fft, hop, window : those of the `StreamingStft`.
    synthesis_window : None for the dual of `window`; or an array (n_fft,), which is scaled to be a
        dual. One that begins with zeros shortens the latency (`asymmetric_windows`).
    n_channels, dtype : as in `StreamingStft`.

    Raises `RequestError` where the overlapped windows leave samples uncovered.
    Method: Griffin & Lim (1984); asymmetric windows after Mauler & Martin (2007).
    """

    def __init__(
        self,
        n_fft: int,
        hop: int,
        window: str | ArrayLike = "hann",
        *,
        synthesis_window: ArrayLike | None = None,
        n_channels: int | None = None,
        dtype: DTypeLike = np.float32,
    ):
        analysis = _window_array(window, n_fft)
        _check_hop(hop, n_fft)
        _check_channels(n_channels)
        synthesis = dual_window(analysis, hop, synthesis_window)
        self.n_fft, self.hop, self.n_channels = n_fft, hop, n_channels
        self.n_bins = n_fft // 2 + 1
        self._lead = int(np.flatnonzero(synthesis)[0])
        """Leading zeros of the synthesis window: samples a frame can say nothing more about."""
        self._window = synthesis[self._lead :].astype(dtype)
        self._segments = -(-len(self._window) // hop)
        self._channels = n_channels or 1
        self._dtype = np.dtype(dtype)
        self.reset()

    @property
    def latency(self) -> int:
        """Samples between the going in and the coming out of a sample: n_fft - hop, or the support
        of a shorter synthesis window less a hop."""
        return len(self._window) - self.hop

    def reset(self) -> None:
        """As new."""
        self._sum = np.zeros((self._segments - 1, self._channels, self.hop), self._dtype)
        self._led = False

    def push(self, frames: NDArray[np.complexfloating]) -> NDArray[np.floating]:
        """Samples, `hop` for each frame, float (n_samples,) or (n_samples, k).

        frames : complex (n_frames, n_bins) or (n_frames, k, n_bins).
        Raises `RequestError` for another shape.
        """
        frames = np.asarray(frames)
        expected = (self.n_bins,) if self.n_channels is None else (self._channels, self.n_bins)
        if frames.shape[1:] != expected:
            raise RequestError(
                f"frames have shape {frames.shape} and must have (n_frames, "
                f"{', '.join(map(str, expected))}): use the n_fft and n_channels of the STFT"
            )
        n = len(frames)
        lead = np.zeros((0 if self._led or not n else self._lead, self._channels), self._dtype)
        self._led = self._led or n > 0
        sums = np.zeros((n + self._segments - 1, self._channels, self.hop), self._dtype)
        sums[: self._segments - 1] = self._sum
        if n:
            self._overlap_add(frames.reshape(n, self._channels, self.n_bins), sums)
        self._sum = sums[n:].copy()
        samples = sums[:n].transpose(0, 2, 1).reshape(n * self.hop, self._channels)
        samples = np.concatenate([lead, samples]) if len(lead) else samples
        return samples[:, 0].copy() if self.n_channels is None else samples

    def _overlap_add(self, frames: NDArray, sums: NDArray) -> None:
        n = len(frames)
        pieces = np.zeros((n, self._channels, self._segments * self.hop), self._dtype)
        times = scipy.fft.irfft(frames, n=self.n_fft, axis=-1)[:, :, self._lead :]
        np.multiply(times, self._window, out=pieces[:, :, : len(self._window)])
        # The last segment first: each sample then sums its frames oldest first, as it would if
        # they came one by one, and the result does not depend on how they were cut.
        for k in reversed(range(self._segments)):
            sums[k : k + n] += pieces[:, :, k * self.hop : (k + 1) * self.hop]


def _window_array(shape: str | ArrayLike, n_fft: int) -> NDArray[np.float64]:
    if isinstance(shape, str):
        return window(shape, n_fft, np.float64)
    values = np.array(shape, np.float64)
    if values.shape != (n_fft,):
        raise RequestError(
            f"the window has shape {values.shape} and must have (n_fft,) = ({n_fft},): make it "
            "that long or change n_fft"
        )
    return values


def _check_hop(hop: int, n_fft: int) -> None:
    if not 1 <= hop <= n_fft:
        raise RequestError(
            f"hop = {hop} must be from 1 to n_fft = {n_fft}, or samples between the frames are "
            f"lost (try {max(1, n_fft // 4)})"
        )


def _check_channels(n_channels: int | None) -> None:
    if n_channels is not None and n_channels < 1:
        raise RequestError(f"n_channels = {n_channels} must be at least 1, or None for mono")


def _block(samples: ArrayLike, n_channels: int | None) -> NDArray:
    block = np.asarray(samples)
    if n_channels is None and block.ndim == 1:
        return block[:, None]
    if n_channels is not None and block.ndim == 2 and block.shape[1] == n_channels:
        return block
    expected = "(n_samples,)" if n_channels is None else f"(n_samples, {n_channels})"
    raise RequestError(
        f"samples have shape {block.shape} and must have {expected}: set n_channels to match"
    )
