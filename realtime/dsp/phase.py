"""Phase for magnitudes that have lost theirs, frame by frame: phase gradient heap integration.

Behind a window near the Gaussian exp(-pi t^2 / gamma) the log magnitudes tell how the phase
changes from bin to bin and from frame to frame. Each bin takes its phase from a neighbour, along
the loudest path that leads to it from the frame before (Prusa & Sondergaard 2016, "Real-time
spectrogram inversion using phase gradient heap integration"; Prusa, Balazs & Sondergaard 2017).
One thread owns an object; any cutting of the input gives bit-identical output.

The paper finds those paths with a heap, one bin at a time. A scan finds the same paths for whole
frames. Into frame n, paths come from the same bin of the frame before with the priority
T(m) = a[n-1, m], and go on up or down the bins; through bin k goes no more than a[n, k]. The heap
takes its entries by the least magnitude on the path to them (none above a level is left while one
below it is taken), so a bin's parent is the side from which the greatest priority P arrives:

    P(m) = max(T(m), min(P(m-1), a[n, m-1]), min(P(m+1), a[n, m+1]))

On a line a best path never turns round, for it would come back, no greater, to a bin it had
passed. So P is the greatest of T, of what comes from below, L(m) = min(max(T(m-1), L(m-1)),
a[n, m-1]), and of the same from above. One step of L is a clamp, x -> max(t, min(x, a)); clamps
after one another are a clamp again; so L is a prefix scan, log2(n_bins) steps of numpy. Nothing
in it is rounded, so only exact ties may fall otherwise than in a heap. Where the greatest comes
from below, it comes so to every bin on the way from the one where that path entered the frame
(else a path from above would have reached this bin with more). The phase is then the one entered
with, plus the difference of two cumulative sums of the gradient. Paths and sums depend on the
magnitudes only; frame by frame runs just what adds to the phases of the frame before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.griffin_lim import LookAheadGriffinLim
from realtime.dsp.windows import check_hop
from realtime.errors import RequestError

TOLERANCE = 1e-6
"""Bins no louder than this against the loudest of two frames (-120 dB, the paper's own figure) are
all rounding: they lead to no other. In the paper their phase is random, here it goes on in time,
which sounds no different and is the same each time."""

LEAST_START = 1e-12
"""Least priority of a path into a bin against the bin's magnitude: after silence the loudest bin
is found first, and the others from it (in the paper: where the heap runs empty)."""

TINY = 1e-30
"""Added before the logarithm, far below the rounding of any frame with sound in it."""

STEEPEST_PER_BIN = 0.5
"""Turns from bin to bin of an impulse at the end of the window. More is the start of a sound out
of silence, where the logarithm leaps."""

FARTHEST_BINS = 3.0
"""Half the main lobe of a Blackman window: a partial farther away does not sound in this bin."""

BATCH_BYTES = 1 << 19
"""Of one float64 array in a batch, as in `realtime.dsp.stft`."""


def gaussian_width(window: ArrayLike) -> float:
    """gamma of the Gaussian exp(-pi t^2 / gamma) nearest to `window` by least squares.

    window : float (n_fft,), of any height
    Returns samples^2: n_fft^2 times 0.258 for Hann, 0.304 for Hamming, 0.180 for Blackman.
    """
    values = np.asarray(window, np.float64)
    values = values / values.max()
    squared = (np.arange(len(values)) - window_centre(values)) ** 2
    gamma = 4 * np.pi * (squared @ values**2) / (values @ values)  # exact for a Gaussian
    for _ in range(20):  # Gauss-Newton; a Hann window has arrived after five
        gaussian = np.exp(-np.pi * squared / gamma)
        slope = gaussian * np.pi * squared / gamma**2
        gamma += slope @ (values - gaussian) / (slope @ slope)
    return float(gamma)


def window_centre(window: ArrayLike) -> float:
    """Where the power of `window` has its centre, in samples from its first, to the nearest half.

    It is n_fft / 2 for all windows of `realtime.dsp.windows.window`.
    """
    power = np.asarray(window, np.float64) ** 2
    return round(2 * float(power @ np.arange(len(power)) / power.sum())) / 2


class PhaseIntegrator:
    """Magnitudes in, frames with those magnitudes and a phase that fits them out.

    window : analysis window (n_fft,) that the magnitudes were made with
    look_ahead : frames awaited, from 0. Without one the change in time is known less well; more
        than one are held back to be revised.
    rounds : of revision at each frame (`realtime.dsp.griffin_lim`); the phases found go into the
        next frame. With 0, the phase is the paper's, and a look_ahead above 1 counts as 1.
    Raises RequestError for arguments that do not fit.

    Windows near a Gaussian (Blackman rather than Hann) that overlap by 7/8 do best; those of
    least latency (`asymmetric_windows` with a short end) are so far from one that it is rough.
    """

    def __init__(
        self,
        window: ArrayLike,
        hop: int,
        n_channels: int = 1,
        *,
        look_ahead: int = 1,
        rounds: int = 1,
    ):
        window = np.asarray(window, np.float64)
        n_fft = len(window)
        check_hop(hop, n_fft)
        if n_channels < 1:
            raise RequestError(f"n_channels={n_channels} must be at least 1")
        if look_ahead < 0 or rounds < 0:
            raise RequestError(
                f"look_ahead={look_ahead} frames and rounds={rounds} must be at least 0; try 1"
            )
        self.look_ahead, self.rounds = look_ahead, rounds
        held = max(look_ahead - 1, 0)
        self._revision = (
            LookAheadGriffinLim(window, hop, n_channels, held=held, rounds=rounds)
            if rounds
            else None
        )
        bins = np.arange(n_fft // 2 + 1)
        self._shape = n_channels, len(bins)
        gamma = gaussian_width(window)
        # In turns, from differences of log magnitudes two frames or two bins apart.
        self._per_bin = np.float32(-gamma / (4 * np.pi * hop * n_fft))
        self._per_hop = np.float32(hop * n_fft / (4 * np.pi * gamma))
        self._farthest = np.float32(FARTHEST_BINS * hop / n_fft)
        self._advance = bins * hop % n_fft / n_fft
        # The gradients are those of a frame whose time is the centre of its window.
        self._to_first_sample = -bins * window_centre(window) / n_fft
        # Channels side by side, for one gather a frame.
        self._offsets = (np.arange(n_channels) * len(bins))[:, None]
        self._real = [0, -1] if n_fft % 2 == 0 else [0]
        self._batch = max(1, BATCH_BYTES // (8 * n_channels * len(bins)))
        self.reset()

    @property
    def latency(self) -> int:
        """Frames by which what comes out is later than what went in."""
        return self.look_ahead if self.rounds else min(self.look_ahead, 1)

    def reset(self) -> None:
        """Forget the past, as if new: before the first frame there was silence."""
        self._past = np.zeros((2, *self._shape), np.float32)
        self._turns = np.zeros(self._shape)
        if self._revision is not None:
            self._revision.reset()

    def push(self, magnitudes: ArrayLike) -> NDArray[np.complex64]:
        """Take in magnitudes and return as many frames, `latency` later; the first are silent.

        magnitudes : float (n_frames, n_channels, n_bins); what is negative or not finite
            counts as 0
        Returns complex64 of the same shape, a new array.
        Raises RequestError for another shape.
        """
        new = np.asarray(magnitudes, np.float32)
        if new.ndim != 3 or new.shape[1:] != self._shape:
            raise RequestError(
                f"magnitudes of shape {new.shape} must be (n_frames, n_channels, n_bins) = "
                f"(n_frames, {self._shape[0]}, {self._shape[1]})"
            )
        frames = np.empty(new.shape, np.complex64)
        for first in range(0, len(new), self._batch):
            part = slice(first, first + self._batch)
            self._push_batch(new[part], frames[part])
        return frames

    def _push_batch(self, new: NDArray[np.float32], frames: NDArray[np.complex64]) -> None:
        known = np.concatenate([self._past, np.where((new >= 0) & (new < np.inf), new, 0)])
        self._past = known[-2:].copy()
        logs = np.log(known + np.float32(TINY))
        if self.look_ahead:
            change = logs[2:] - logs[:-2]
            pair, pair_logs = known[:-1], logs[:-1]
        else:  # backward, of second order
            change = 3 * logs[2:] - 4 * logs[1:-1] + logs[:-2]
            pair, pair_logs = known[1:], logs[1:]
        per_bin = np.clip(self._per_bin * change, -STEEPEST_PER_BIN, STEEPEST_PER_BIN)
        climb = np.zeros(per_bin.shape)  # turns from bin 0, by the trapezoid rule
        np.cumsum((per_bin[..., 1:] + per_bin[..., :-1]) / 2, axis=-1, out=climb[..., 1:])

        # Log magnitudes are even about 0 Hz and about half the sample rate: no slope there.
        slope = np.zeros_like(pair_logs)
        slope[..., 1:-1] = pair_logs[..., 2:] - pair_logs[..., :-2]
        per_hop = np.clip(self._per_hop * slope, -self._farthest, self._farthest)
        step = (per_hop[1:] + per_hop[:-1]) / 2 + self._advance

        before, now = pair[:-1], pair[1:]
        quiet = now <= TOLERANCE * np.maximum(before, now).max(axis=-1, keepdims=True)
        entered = entries(before, now, quiet)
        ahead = np.take_along_axis(step - climb, entered, axis=-1) + climb
        sources = entered + self._offsets
        for n, magnitudes in enumerate(now):
            turns = self._turns.take(sources[n]) + ahead[n]
            frames[n] = self._frame(magnitudes, turns)
            if self._revision is not None:
                frames[n : n + 1] = self._revision.push(frames[n : n + 1])
                turns = np.angle(self._revision.newest) / (2 * np.pi) - self._to_first_sample
            # Never more than half a turn is kept, so that nothing is lost over months.
            self._turns = turns - np.rint(turns)

    def _frame(self, magnitudes: NDArray, turns: NDArray) -> NDArray[np.complex64]:
        turns = turns + self._to_first_sample
        turns[:, self._real] = np.rint(2 * turns[:, self._real]) / 2
        angles = (2 * np.pi * (turns - np.rint(turns))).astype(np.float32)
        frame = np.empty(angles.shape, np.complex64)
        np.multiply(magnitudes, np.cos(angles), out=frame.real)
        np.multiply(magnitudes, np.sin(angles), out=frame.imag)
        return frame


def entries(before: NDArray, now: NDArray, quiet: NDArray) -> NDArray[np.intp]:
    """For each bin, the bin at which the loudest path to it enters the frame.

    before, now : float (..., n_bins), magnitudes of the frame before and of this one
    quiet : bool (..., n_bins), bins that lead to no other and are their own entry
    Returns intp (..., n_bins).
    """
    direct = np.maximum(before, np.float32(LEAST_START) * now)
    through = np.where(quiet, -1, now).astype(direct.dtype)
    # The way down is the way up the other way round.
    from_below, from_above = _arriving(
        np.stack([direct, direct[..., ::-1]]), np.stack([through, through[..., ::-1]])
    )
    from_above = from_above[..., ::-1]
    enters = quiet | (direct >= np.maximum(from_below, from_above))
    index = np.arange(now.shape[-1])
    below = np.maximum.accumulate(np.where(enters, index, -1), axis=-1)
    above = np.minimum.accumulate(np.where(enters, index, len(index))[..., ::-1], axis=-1)
    return np.where(enters, index, np.where(from_below >= from_above, below, above[..., ::-1]))


def _arriving(direct: NDArray, through: NDArray) -> NDArray:
    """L of the docstring above, -1 where nothing arrives: a scan by doubling (Hillis & Steele
    1986) over clamps x -> max(floor, min(x, ceiling))."""
    floor, ceiling = np.full_like(direct, -1), np.full_like(direct, -1)
    floor[..., 1:] = np.minimum(direct, through)[..., :-1]
    ceiling[..., 1:] = through[..., :-1]
    reach, n_bins = 1, direct.shape[-1]
    while reach < n_bins:
        # The clamp of the last bins after that of as many before them.
        passed = np.minimum(floor[..., :-reach], ceiling[..., reach:])
        np.maximum(floor[..., reach:], passed, out=floor[..., reach:])
        np.minimum(ceiling[..., reach:], ceiling[..., :-reach], out=ceiling[..., reach:])
        reach *= 2
    return floor
