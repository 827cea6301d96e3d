"""When there is something to record: by level, by the energy of a band, by the time of day.

Sound is judged in windows of 50 ms that lie on a grid of absolute sample indices, each alone and
from the same memory, so that the verdict does not depend on how blocks are cut, to the last bit.
A window of which samples are missing is quiet, and so is one that holds NaN or infinity. One
thread owns a detector.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RequestError
from realtime.recording.spans import Span
from realtime.wording import shown

WINDOW_SECONDS = 0.05
"""Short enough for the level of a syllable or a chirp, long enough for bins of 20 Hz."""

FLOOR_SECONDS = 60
"""The floor of a band is the quietest second of the last minute: a sound that never pauses for so
long has become the floor."""

LEAST_HEARD = 0.5
"""A second counts where so much of it was not exact zeros: gaps and muted devices have no floor."""

QUIETEST = 1e-12
"""Power of a band (-120 dBFS) that a floor never lies below: the last bits of a converter, and
what is ten times as loud, are nothing to record."""

UtcOf = Callable[[int], int]
"""UTC in nanoseconds of a sample index, as a `UtcClock` tells it."""


class Detector(Protocol):
    """Tells where a stream is active.

    until : samples before this index are judged
    """

    until: int

    def push(self, start: int, block: NDArray[np.float32], utc_ns: UtcOf) -> list[Span]:
        """The active spans among what is judged now, in order, none twice.

        block : float32 (n_samples, n_channels); `start` is the index of its first sample
        """
        ...

    def reset(self) -> None:
        """Forget all, as if new."""
        ...


class AlwaysActive:
    def __init__(self) -> None:
        self.until = 0

    def push(self, start: int, block: NDArray[np.float32], utc_ns: UtcOf) -> list[Span]:
        self.until = start + len(block)
        return [(start, self.until)] if len(block) else []

    def reset(self) -> None:
        self.until = 0


class _Windowed:
    """Base of those that judge window by window: `_active` is asked once for each, in order."""

    def __init__(self, sample_rate: int, n_channels: int):
        self.window_samples = max(1, round(WINDOW_SECONDS * sample_rate))
        self._window = np.zeros((self.window_samples, n_channels), np.float32)
        self.reset()

    def reset(self) -> None:
        self.until = 0
        self._filled = 0

    def push(self, start: int, block: NDArray[np.float32], utc_ns: UtcOf) -> list[Span]:
        n = self.window_samples
        if start > self.until + self._filled:  # samples are missing
            self.until, self._filled = -(-start // n) * n, 0
        block = block[max(0, self.until + self._filled - start) :]
        spans: list[Span] = []
        while len(block):
            taken = min(n - self._filled, len(block))
            self._window[self._filled : self._filled + taken] = block[:taken]
            self._filled, block = self._filled + taken, block[taken:]
            if self._filled == n:
                self._judge(spans, utc_ns)
        return spans

    def _judge(self, spans: list[Span], utc_ns: UtcOf) -> None:
        start, stop = self.until, self.until + self.window_samples
        self.until, self._filled = stop, 0
        with np.errstate(all="ignore"):
            active = self._active(start // self.window_samples, utc_ns)
        if active and spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], stop)
        elif active:
            spans.append((start, stop))

    def _active(self, number: int, utc_ns: UtcOf) -> bool:
        """The verdict on `self._window`, the window `number` of the grid."""
        raise NotImplementedError


class LevelDetector(_Windowed):
    """Active where the level of any channel is at least `db`.

    db : dBFS, rms over a window without its mean, where a sine of full scale is 0 dBFS (AES17)
    """

    def __init__(self, db: float, sample_rate: int, n_channels: int):
        self._least = 10 ** (db / 10) / 2
        super().__init__(sample_rate, n_channels)

    def _active(self, number: int, utc_ns: UtcOf) -> bool:
        power = np.einsum("nc,nc->c", self._window, self._window) / self.window_samples
        power -= self._window.mean(axis=0) ** 2
        return bool((power >= self._least).any())


class BandDetector(_Windowed):
    """Active where the power between `low` and `high` Hz is `over` dB above its floor.

    The floor of each channel is the least of the medians that the seconds of the last minute
    had, so a sound does not lift it before it has lasted for a minute. In the first second
    nothing is active. Source: minima as the noise's measure, Martin 2001.
    Raises: RequestError where `high` is beyond half the sample rate.
    """

    def __init__(self, low: float, high: float, over: float, sample_rate: int, n_channels: int):
        if high > sample_rate / 2:
            raise RequestError(
                f"--trigger band: high = {shown(high)} must be at most half of the sample rate, "
                f"{sample_rate} Hz (try {sample_rate // 2})"
            )
        n = max(1, round(WINDOW_SECONDS * sample_rate))
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)
        self._shape = hann.astype(np.float32)[:, None]
        self._scale = 2 / (n * float(np.sum(hann**2)))
        self._first = math.ceil(low * n / sample_rate)
        self._stop = math.floor(high * n / sample_rate) + 1
        self._ratio = 10 ** (over / 10)
        self._per_second = round(1 / WINDOW_SECONDS)
        super().__init__(sample_rate, n_channels)

    def reset(self) -> None:
        super().reset()
        self.floor = np.full(self._window.shape[1], np.inf)
        """Power of each channel's floor; infinite until it is known."""
        self._second = -1
        self._powers: list[NDArray[np.float64]] = []
        self._medians: deque[NDArray[np.float64]] = deque(maxlen=FLOOR_SECONDS)

    def _active(self, number: int, utc_ns: UtcOf) -> bool:
        spectrum = np.fft.rfft(self._window * self._shape, axis=0)[self._first : self._stop]
        squares = spectrum.real**2 + spectrum.imag**2
        power = self._scale * squares.sum(axis=0, dtype=np.float64)
        if number // self._per_second != self._second:
            self._close()
            self._second = number // self._per_second
        self._powers.append(power)
        return bool((power > self._ratio * self.floor).any())

    def _close(self) -> None:
        """A second is over."""
        least = LEAST_HEARD * self._per_second
        medians = np.full_like(self.floor, np.inf)
        for channel, powers in enumerate(np.array(self._powers).T):
            heard = np.sort(powers[(powers > 0) & np.isfinite(powers)])
            if len(heard) >= least:
                medians[channel] = heard[len(heard) // 2]
        self._powers.clear()
        self._medians.append(medians)
        self.floor = np.maximum(np.min(self._medians, axis=0), QUIETEST)


class TimeDetector(_Windowed):
    """Active where `active`, asked with the UTC of a window's first sample, says so."""

    def __init__(self, active: Callable[[int], bool], sample_rate: int, n_channels: int):
        self._when = active
        super().__init__(sample_rate, n_channels)

    def _active(self, number: int, utc_ns: UtcOf) -> bool:
        return self._when(utc_ns(number * self.window_samples))
