"""Constant-Q transform: rows at equal steps of pitch, as many cycles in the window of each.

The window of each row is transformed once, and kept where it is not near 0; a frame's row is then
a sum over few bins of an FFT (Brown & Puckette 1992). Rows whose windows are a quarter as long
share FFTs a quarter as long, so that high rows stay sums over few bins too; the cost is that of
the longest FFT, and a third more. Magnitudes are librosa's `cqt`'s, within what its resampling
and its coarser kernels leave: see the tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.sparse import csr_array

from realtime.dsp.constant_q import CQT_FMIN, CQT_ROWS, cqt_n_fft, power_of_two, quality
from realtime.dsp.spectra import piece_length
from realtime.dsp.stft import StreamingStft
from realtime.dsp.windows import window
from realtime.errors import RequestError

SHORTER = 4
"""The ratio of frames of one group of rows to the next: with 2 all FFTs together cost as much again
as the longest, with 4 a third more, and no row is a sum over more than some 120 bins."""

LEAST_KERNEL = 1e-4
"""Bins of a kernel that are kept, relative to its greatest: a Hann window has fallen so far, 80
dB, 15 times its resolution away. librosa drops what adds up to a hundredth of the kernel."""


@dataclass
class _Group:
    """Rows that share a frame, lowest first, and their frames not yet given."""

    frames: StreamingStft
    kernels: csr_array
    n_rows: int
    pending: NDArray[np.complex64]


class StreamingCqt:
    """Rows of a sound that comes in pieces: those of `cqt`, whatever the pieces.

    The same parameters as `cqt`, and `n_channels`, None for samples (n,). `push` gives the frames
    completed; `finish` the last ones, after which it is as if new. One thread owns an object.
    """

    def __init__(
        self,
        sample_rate: int,
        hop: int = 512,
        fmin: float = CQT_FMIN,
        n_bins: int = CQT_ROWS,
        bins_per_octave: int = 12,
        *,
        n_channels: int | None = None,
    ):
        longest = cqt_n_fft(sample_rate, fmin, bins_per_octave)
        hz = fmin * 2.0 ** (np.arange(max(n_bins, 0)) / bins_per_octave)
        if n_bins < 1 or hz[-1] >= sample_rate / 2:
            raise RequestError(
                f"n_bins={n_bins} rows from {fmin:g} Hz on must be at least 1 and stay below "
                f"{sample_rate / 2:g} Hz, half the sample rate; try fewer"
            )
        if not 1 <= hop <= longest:
            raise RequestError(f"hop={hop} must be 1 to n_fft={longest}; try 512")
        self.piece = piece_length(longest, hop, n_channels or 1)
        """Samples that are best pushed at a time."""
        self._channels = () if n_channels is None else (n_channels,)
        self._groups = []
        lengths = quality(bins_per_octave) * sample_rate / hz
        for n_fft, rows in _grouped(lengths, longest, hop):
            kernels = _kernels(hz[rows] / sample_rate, lengths[rows], n_fft)
            frames = StreamingStft(n_fft, hop, np.ones(n_fft), n_channels=n_channels)
            self._groups.append(_Group(frames, kernels, rows.stop - rows.start, self._none(0)))
        self._begin()

    def _none(self, n_rows: int) -> NDArray[np.complex64]:
        return np.zeros((0, *self._channels, n_rows), np.complex64)

    def _begin(self) -> None:
        for group in self._groups:
            group.frames.reset()
            group.frames.push(self._padding(group))  # half a frame: completes none
            group.pending = self._none(group.n_rows)

    def _padding(self, group: _Group) -> NDArray[np.float32]:
        return np.zeros((group.frames.n_fft // 2, *self._channels), np.float32)

    def push(self, samples: ArrayLike) -> NDArray[np.complex64]:
        """samples : float (n,) or (n, n_channels), any n.

        Returns complex64 (n_frames, n_bins) or (n_frames, n_channels, n_bins).
        Raises RequestError for NaN, infinity, integers or another shape.
        """
        samples = np.asarray(samples)
        if samples.dtype.kind == "f" and not np.isfinite(samples).all():
            raise RequestError("samples hold NaN or infinity: replace them by 0 first")
        return self._joined([samples] * len(self._groups))

    def finish(self) -> NDArray[np.complex64]:
        rows = self._joined([self._padding(group) for group in self._groups])
        self._begin()
        return rows

    def _joined(self, samples: list[NDArray]) -> NDArray[np.complex64]:
        """Short frames are complete before long ones, and wait for them."""
        for group, each in zip(self._groups, samples, strict=True):
            frames = group.frames.push(each)
            columns = np.ascontiguousarray(frames.reshape(-1, frames.shape[-1]).T)
            new = (group.kernels @ columns).T.reshape(*frames.shape[:-1], group.n_rows)
            group.pending = np.concatenate([group.pending, new])
        n_frames = min(len(group.pending) for group in self._groups)
        rows = np.concatenate([group.pending[:n_frames] for group in self._groups], axis=-1)
        for group in self._groups:
            group.pending = group.pending[n_frames:].copy()
        return rows


def cqt(
    samples: ArrayLike,
    sample_rate: int,
    hop: int = 512,
    fmin: float = CQT_FMIN,
    n_bins: int = CQT_ROWS,
    bins_per_octave: int = 12,
) -> NDArray[np.complex64]:
    """Constant-Q transform of a whole sound, as `librosa.cqt(...)`, transposed.

    samples : float (n_samples,) or (n_samples, n_channels), at `sample_rate` Hz
    hop : samples from frame to frame; frame m is centred on sample m * hop
    fmin : Hz of the lowest row; row k lies at fmin * 2 ** (k / bins_per_octave)
    Returns complex64 (n_frames, n_bins) or (n_frames, n_channels, n_bins). A sine of amplitude A
    on a row reads A / 2 times the square root of the samples in the row's window.
    Raises RequestError for rows above half the sample rate, or samples that do not fit.
    Source: Brown 1991; Brown & Puckette 1992.
    """
    samples = np.asarray(samples)
    n_channels = samples.shape[1] if samples.ndim == 2 else None
    stream = StreamingCqt(sample_rate, hop, fmin, n_bins, bins_per_octave, n_channels=n_channels)
    starts = range(0, len(samples), stream.piece)
    parts = [stream.push(samples[at : at + stream.piece]) for at in starts]
    return np.concatenate([*parts, stream.finish()])


def _grouped(lengths: NDArray, longest: int, hop: int) -> Iterator[tuple[int, slice]]:
    """n_fft and its rows, lowest rows first. A frame is no shorter than a hop."""
    start, n_fft = 0, longest
    while start < len(lengths):
        shorter = max(n_fft // SHORTER, power_of_two(hop))
        longer = lengths > shorter if shorter < n_fft else np.ones(len(lengths), bool)
        stop = int(np.count_nonzero(longer))  # lengths fall
        if stop > start:
            yield n_fft, slice(start, stop)
        start, n_fft = stop, shorter


def _kernels(cycles: NDArray, lengths: NDArray, n_fft: int) -> csr_array:
    """complex64 (n_rows, n_bins), conjugate; `cycles` a sample.

    Each row's window lies in the middle of the frame, its phase is 0 there.
    """
    values, bins, ends = [], [], [0]
    for frequency, length in zip(cycles, lengths, strict=True):
        n = math.ceil(length)
        places = np.arange(n) - n // 2
        shape = window("hann", n, np.float64)
        wave = np.zeros(n_fft, np.complex128)
        wave[n_fft // 2 + places] = shape * np.exp(2j * np.pi * frequency * places)
        spectrum = np.asarray(fft.fft(wave))[: n_fft // 2 + 1].conj()
        spectrum *= math.sqrt(length) / (n_fft * shape.sum())
        kept = np.flatnonzero(np.abs(spectrum) > LEAST_KERNEL * np.abs(spectrum).max())
        values.append(spectrum[kept].astype(np.complex64))
        bins.append(kept)
        ends.append(ends[-1] + len(kept))
    shape = (len(cycles), n_fft // 2 + 1)
    return csr_array((np.concatenate(values), np.concatenate(bins), ends), shape=shape)
