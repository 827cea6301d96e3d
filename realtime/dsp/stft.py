"""Streaming STFT and its exact inverse: push samples, get frames; push frames, get samples.

Any cutting of the input, down to one sample a push, gives bit-identical output. The only state
is the tail of samples that later frames (or, in the inverse, later samples) still need. `push`
keeps no reference to its argument and returns a new array each time. One thread owns an object.
Frames are time-major, librosa's transposed. A frame starts at its first sample (librosa's
`center=False`, scipy's `phase_shift=None`).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy import fft

from realtime.dsp.windows import check_hop, check_synthesis, dual_window
from realtime.dsp.windows import window as named_window
from realtime.errors import RequestError

BATCH_BYTES = 1 << 19
"""Windowed samples transformed in one call: a block of 4096 samples of 8 channels at hop n_fft/4
is one batch. Larger ones fall out of the L2 cache (1 MiB a core is usual now), smaller ones pay
the cost of a call more often, and one row at a time would leave SIMD lanes idle."""

LONG_ROW = 4096
"""Samples. numpy gathers overlapping rows in its buffer of 8192 where two of them fit in it; those
are better copied, then multiplied in place by as many windows. Longer ones are read where they
lie: less memory to run through, which counts for half where the caches are cold."""


class StreamingStft:
    """Cut a stream into overlapping frames and transform each.

    The first frame starts at the first sample pushed (no centring), the m-th at `m * hop`;
    zero padding is appended behind the windowed samples.

    Parameters: `n_fft`, window length in samples (2048 is 43 ms at 48000 Hz), any number from
    2; `hop` in samples, 1..n_fft, need not divide n_fft; `window`, a name (see
    `realtime.dsp.windows.WINDOWS`) or an array (n_fft,); `zero_pad`, the transform is so many
    times longer than the window; `n_channels`, None for samples (n,), else (n, n_channels);
    `dtype`, float32 or float64.
    Raises: RequestError for arguments that do not fit.
    Source: Allen & Rabiner 1977.
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
        self.dtype = _checked_dtype(n_fft, hop, zero_pad, n_channels, dtype)
        self.n_fft, self.hop, self.zero_pad, self.n_channels = n_fft, hop, zero_pad, n_channels
        self.n_fft_total = n_fft * zero_pad
        self.n_bins = self.n_fft_total // 2 + 1
        self.window = _window_array(window, n_fft, self.dtype)
        self.window_sum = float(self.window.sum(dtype=np.float64))
        """What `column_db` divides by."""
        channels = () if n_channels is None else (n_channels,)
        batch = _batch_frames(n_channels, self.n_fft_total, self.dtype.itemsize)
        self._piece = batch * hop
        # The padding behind each windowed frame is zero from here on; only the front is written.
        self._work = np.zeros((batch, *channels, self.n_fft_total), self.dtype)
        self._windowed = self._work[..., :n_fft]
        # Channel-major, so that the samples of one frame are contiguous. Room for twice n_fft at
        # least, so that the tail moves to the front once in n_fft samples and not at each push.
        self._capacity = n_fft + max(n_fft, self._piece)
        self._samples = np.empty((*channels, self._capacity), self.dtype)
        # A view, ([n_channels,] n, n_fft) turned to frames first: the frame at each hop.
        overlapping = sliding_window_view(self._samples, n_fft, axis=-1)[..., ::hop, :]
        self._overlapping = np.moveaxis(overlapping, -2, 0)
        rows = self._windowed.shape if n_fft < LONG_ROW else (n_fft,)
        self._windows = np.broadcast_to(self.window, rows).copy()
        self.reset()

    @property
    def latency(self) -> int:
        """Samples by which a frame's first sample lies before its newest hop: n_fft - hop.

        It is the delay of the whole round trip too: do not add `StreamingIstft.latency`.
        """
        return self.n_fft - self.hop

    def reset(self) -> None:
        """Forget the samples held, as if new: the next one is the first of a frame."""
        self._start = self._stop = 0

    def push(self, samples: ArrayLike) -> NDArray[np.complexfloating]:
        """Take in samples and return the frames that they complete.

        Parameters: `samples`, float (n,) or (n, n_channels), any n, copied at once.
        Returns: complex64 (complex128 for dtype float64), (n_frames, n_bins) or
        (n_frames, n_channels, n_bins), a new array; n_frames may be 0.
        Raises: RequestError for another shape, or for integers, whose full scale is unknown.
        """
        block = self._checked(samples)
        n_samples = block.shape[-1]
        if n_samples <= self._piece:
            return self._push_piece(block)
        n_frames = max(0, (self._stop - self._start + n_samples - self.n_fft) // self.hop + 1)
        frames = np.empty((n_frames, *self._samples.shape[:-1], self.n_bins), _complex(self.dtype))
        done = 0
        for first in range(0, n_samples, self._piece):
            part = self._push_piece(block[..., first : first + self._piece])
            frames[done : done + len(part)] = part
            done += len(part)
        return frames

    def _checked(self, samples: ArrayLike) -> NDArray:
        block = np.asarray(samples)
        if block.dtype.kind != "f":
            raise RequestError(
                f"samples of {block.dtype} have no known full scale; push float samples within "
                "±1 (int16 divided by 32768)"
            )
        if self.n_channels is None and block.ndim == 1:
            return block
        if self.n_channels is not None and block.ndim == 2 and block.shape[1] == self.n_channels:
            return block.T
        expected = "(n,)" if self.n_channels is None else f"(n, {self.n_channels})"
        raise RequestError(
            f"samples of shape {block.shape} do not fit n_channels={self.n_channels}; "
            f"push {expected}"
        )

    def _push_piece(self, block: NDArray) -> NDArray:
        """Take in at most `_piece` samples: they complete a batch of frames at most."""
        n_samples = block.shape[-1]
        if self._stop + n_samples > self._capacity:
            held = self._stop - self._start
            self._samples[..., :held] = self._samples[..., self._start : self._stop]
            self._start, self._stop = 0, held
        stop = self._stop + n_samples
        self._samples[..., self._stop : stop] = block
        self._stop = stop
        n_frames = (stop - self._start - self.n_fft) // self.hop + 1
        if n_frames <= 0:
            return np.empty((0, *self._samples.shape[:-1], self.n_bins), _complex(self.dtype))
        first = self._start // self.hop
        self._start += n_frames * self.hop
        windowed = self._windowed[:n_frames]
        overlapping = self._overlapping[first : first + n_frames]
        if self.n_fft < LONG_ROW:
            np.copyto(windowed, overlapping)
            windowed *= self._windows[:n_frames]
        else:
            np.multiply(overlapping, self._windows, out=windowed)
        return np.asarray(fft.rfft(self._work[:n_frames]))


class StreamingIstft:
    """Put a stream of frames together by overlap-add: the exact inverse of StreamingStft.

    Takes the same arguments. Each frame pushed gives `hop` samples, and sample k of what comes
    out is sample k of what went into the StreamingStft (`skipped + k` with a short synthesis
    window). A frame needs n_fft samples to fill, so what comes out lags what went in: the round
    trip is a pure delay of `latency` samples, to be filled with silence by who plays it. The
    first `latency` samples fade in, because no frames before the first overlap them.

    Parameters: as for StreamingStft; `window` is the analysis window; `synthesis_window`, None
    for the dual window of least power, or an array of n_fft samples or fewer, which covers the
    newest samples of each frame (see `asymmetric_windows`).
    Raises: RequestError for arguments that do not fit, such as windows that do not give back
    what went in.
    Source: Griffin & Lim 1984 (overlap-add with the dual window); Mauler & Martin 2007.
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
        synthesis_window: ArrayLike | None = None,
    ):
        self.dtype = _checked_dtype(n_fft, hop, zero_pad, n_channels, dtype)
        self.n_fft, self.hop, self.zero_pad, self.n_channels = n_fft, hop, zero_pad, n_channels
        self.n_fft_total = n_fft * zero_pad
        self.n_bins = self.n_fft_total // 2 + 1
        analysis = _window_array(window, n_fft, self.dtype)
        self.synthesis_window = _synthesis_array(analysis, hop, synthesis_window)
        self.skipped = n_fft - len(self.synthesis_window)
        """Samples that went in before the first that comes out."""
        self._rows = n_channels or 1
        self._batch = _batch_frames(n_channels, self.n_fft_total, self.dtype.itemsize)
        self._n_steps = -(-len(self.synthesis_window) // hop)
        self.reset()

    @property
    def latency(self) -> int:
        """Delay of the round trip in samples: the length of the synthesis window less a hop."""
        return len(self.synthesis_window) - self.hop

    def reset(self) -> None:
        """Forget the overlap held, as if new."""
        self._overlap = np.zeros((self._rows, self._n_steps - 1, self.hop), self.dtype)

    def push(self, frames: ArrayLike) -> NDArray[np.floating]:
        """Take in frames and return the samples that they complete, `hop` for each.

        Parameters: `frames`, complex (n_frames, n_bins) or (n_frames, n_channels, n_bins).
        Returns: float32 (float64 for that dtype), (n_frames * hop,) or
        (n_frames * hop, n_channels), a new array.
        Raises: RequestError for another shape.
        """
        spectra = self._checked(frames)
        n_frames = len(spectra)
        sums = np.zeros((self._rows, n_frames + self._n_steps - 1, self.hop), self.dtype)
        sums[:, : self._n_steps - 1] = self._overlap
        for first in range(0, n_frames, self._batch):
            self._add(sums[:, first:], spectra[first : first + self._batch])
        self._overlap = sums[:, n_frames:].copy()
        samples = sums[:, :n_frames].reshape(self._rows, n_frames * self.hop)
        return samples[0] if self.n_channels is None else samples.T.copy()

    def _checked(self, frames: ArrayLike) -> NDArray:
        spectra = np.asarray(frames)
        expected = (self.n_bins,) if self.n_channels is None else (self.n_channels, self.n_bins)
        if spectra.ndim != 1 + len(expected) or spectra.shape[1:] != expected:
            raise RequestError(
                f"frames of shape {spectra.shape} do not fit n_fft={self.n_fft}, "
                f"zero_pad={self.zero_pad}, n_channels={self.n_channels}; push "
                f"(n_frames, {', '.join(map(str, expected))})"
            )
        spectra = spectra.astype(_complex(self.dtype), copy=False)
        return spectra.reshape(len(spectra), self._rows, self.n_bins)

    def _add(self, sums: NDArray, spectra: NDArray) -> None:
        pieces = np.asarray(fft.irfft(spectra, self.n_fft_total))[..., self.skipped : self.n_fft]
        pieces *= self.synthesis_window
        # Last step first: each sample then sums its frames oldest first, as if they came one by
        # one, so that the rounding does not depend on the cutting.
        for step in reversed(range(self._n_steps)):
            part = pieces[..., step * self.hop : (step + 1) * self.hop].swapaxes(0, 1)
            sums[:, step : step + len(pieces), : part.shape[-1]] += part


def _complex(dtype: np.dtype) -> np.dtype:
    return np.result_type(dtype, np.complex64)


def _batch_frames(n_channels: int | None, n_fft_total: int, itemsize: int) -> int:
    return max(1, BATCH_BYTES // ((n_channels or 1) * n_fft_total * itemsize))


def _checked_dtype(
    n_fft: int, hop: int, zero_pad: int, n_channels: int | None, dtype: DTypeLike
) -> np.dtype:
    if n_fft < 2:
        raise RequestError(f"n_fft={n_fft} must be at least 2 samples; try 2048")
    check_hop(hop, n_fft)
    if zero_pad < 1:
        raise RequestError(f"zero_pad={zero_pad} must be at least 1; 1 pads nothing")
    if n_channels is not None and n_channels < 1:
        raise RequestError(f"n_channels={n_channels} must be at least 1, or None for samples (n,)")
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise RequestError(f"dtype={np.dtype(dtype)} must be float32 or float64; try float32")
    return np.dtype(dtype)


def _window_array(window: str | ArrayLike, n_fft: int, dtype: np.dtype) -> NDArray:
    if isinstance(window, str):
        values = named_window(window, n_fft, dtype)
    else:
        values = np.array(window, dtype)
        if values.shape != (n_fft,) or not np.isfinite(values).all() or not values.any():
            raise RequestError(
                f"a window of shape {values.shape} must be n_fft={n_fft} finite samples, not all "
                "of them zero; make n_fft its length"
            )
    values.setflags(write=False)
    return values


def _synthesis_array(analysis: NDArray, hop: int, synthesis_window: ArrayLike | None) -> NDArray:
    if synthesis_window is None:
        values = dual_window(analysis, hop).astype(analysis.dtype)
    else:
        values = np.array(synthesis_window, analysis.dtype)
        check_synthesis(analysis, values, hop)
    values.setflags(write=False)
    return values
