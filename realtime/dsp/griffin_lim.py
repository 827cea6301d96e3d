"""Phases made to fit those of the frames around them, in a stream: Griffin & Lim with look-ahead.

Frames that overlap share samples, so with good phases they agree. Each new frame is held back for
a while; at every frame all those held are put together by overlap-add with the frames already
given away, taken apart again, and keep the phase that comes out with their own magnitude: one
round. It is Griffin & Lim 1984 with the momentum of Perraudin, Balazs & Sondergaard 2013 (Fast
Griffin-Lim), in a window that moves on as in Zhu, Beauregard & Wyse 2007. Without a good phase
to begin with (`realtime.dsp.phase`) it needs many times the rounds. One thread owns an object;
any cutting of the input gives bit-identical output.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from realtime.dsp.windows import MIN_OVERLAP_POWER, check_hop
from realtime.errors import RequestError

MOMENTUM = 0.8
"""Share of its change that each round adds once more. Perraudin et al. found 0.99 for hundreds of
rounds; for two to ten in all, recordings apart from those reported on like 0.5 to 0.99 best."""

TINY = np.float32(1e-30)
"""Keeps 0 / 0 from being anything but 0."""


class LookAheadGriffinLim:
    """Frames in, frames with the same magnitudes and a phase that fits better out.

    window : analysis window (n_fft,)
    held : frames held back and revised along with the newest, from 0
    rounds : of revision at each frame, from 1, so that each frame sees held + 1 times as many
    Raises RequestError for arguments that do not fit.
    """

    def __init__(
        self,
        window: ArrayLike,
        hop: int,
        n_channels: int = 1,
        *,
        held: int = 0,
        rounds: int = 1,
    ):
        self._window = np.array(window, np.float32)
        self.n_fft, self.hop, self.held, self.rounds = len(self._window), hop, held, rounds
        check_hop(hop, self.n_fft)
        if n_channels < 1 or held < 0 or rounds < 1:
            raise RequestError(
                f"n_channels={n_channels} and rounds={rounds} must be at least 1, held={held} at "
                "least 0"
            )
        self._n_steps = -(-self.n_fft // hop)
        self._shape = n_channels, self.n_fft // 2 + 1
        self._n_hops = held + self._n_steps
        # What to divide the overlapped frames by (Griffin & Lim 1984): the power of all windows
        # there, also of frames given away. The newest samples have few; there the floor counts.
        power = np.zeros((self._n_hops + self._n_steps, hop))
        for n in range(self._n_hops):
            power[n : n + self._n_steps] += self._hops(self._window.astype(np.float64) ** 2)
        power = power[self._n_steps - 1 :][: self._n_hops].reshape(-1)
        self._share = (1 / np.maximum(power, MIN_OVERLAP_POWER * power.max())).astype(np.float32)
        self.reset()

    @property
    def latency(self) -> int:
        """Frames by which what comes out is later than what went in."""
        return self.held

    @property
    def newest(self) -> NDArray[np.complex64]:
        """The last frame that went in as it is now, (n_channels, n_bins), until the next push."""
        return self._frames[-1]

    def reset(self) -> None:
        """Forget the past, as if new: before the first frame there was silence."""
        shape = self.held + 1, *self._shape
        self._frames = np.zeros(shape, np.complex64)
        self._agreed = np.zeros(shape, np.complex64)
        self._magnitudes = np.zeros(shape, np.float32)
        self._given = np.zeros((self._shape[0], self._n_hops * self.hop), np.float32)

    def push(self, frames: ArrayLike) -> NDArray[np.complex64]:
        """Take in frames and return as many, `latency` later; the first are silent.

        frames : complex64 (n_frames, n_channels, n_bins), finite
        Returns complex64 of the same shape, a new array.
        Raises RequestError for another shape.
        """
        new = np.asarray(frames, np.complex64)
        if new.ndim != 3 or new.shape[1:] != self._shape:
            raise RequestError(
                f"frames of shape {new.shape} must be (n_frames, n_channels, n_bins) = "
                f"(n_frames, {self._shape[0]}, {self._shape[1]})"
            )
        done = np.empty(new.shape, np.complex64)
        for n, frame in enumerate(new):
            for held in (self._frames, self._agreed, self._magnitudes):
                held[:-1] = held[1:]
            self._frames[-1] = self._agreed[-1] = frame
            self._magnitudes[-1] = np.abs(frame)
            for _ in range(self.rounds):
                self._revise()
            done[n] = self._frames[0]
            self._give(done[n])
        return done

    def _revise(self) -> None:
        samples = self._given.reshape(self._shape[0], self._n_hops, self.hop).copy()
        self._add(samples, self._frames)
        overlapped = samples.reshape(self._shape[0], -1) * self._share
        along, sample = overlapped.strides
        slices = as_strided(
            overlapped,
            (self.held + 1, self._shape[0], self.n_fft),
            (self.hop * sample, along, sample),
        )
        agreed = np.asarray(fft.rfft(slices * self._window))
        aim = agreed + np.float32(MOMENTUM) * (agreed - self._agreed)
        self._agreed = agreed
        self._frames = aim * (self._magnitudes / (np.abs(aim) + TINY))

    def _give(self, frame: NDArray) -> None:
        samples = self._given.reshape(self._shape[0], self._n_hops, self.hop)
        self._add(samples, frame[None])
        samples[:, :-1] = samples[:, 1:]
        samples[:, -1] = 0

    def _add(self, samples: NDArray, frames: NDArray) -> None:
        """Overlap-add `frames` to `samples`, (n_channels, n_hops, hop), from the first on."""
        pieces = self._hops(np.asarray(fft.irfft(frames, self.n_fft)) * self._window)
        for step in range(self._n_steps):
            samples[:, step : step + len(frames)] += pieces[..., step, :].swapaxes(0, 1)

    def _hops(self, pieces: NDArray) -> NDArray:
        """(..., n_fft) cut into (..., n_steps, hop), the last filled up with zeros."""
        missing = self._n_steps * self.hop - self.n_fft
        if missing:
            pieces = np.pad(pieces, [(0, 0)] * (pieces.ndim - 1) + [(0, missing)])
        return pieces.reshape(*pieces.shape[:-1], self._n_steps, self.hop)
