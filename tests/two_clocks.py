"""Two sound devices with clocks of their own, in simulated time, and what is heard of one on the
other.

What is captured is a tone, and two slow waves whose angle tells the index of a sample. So what
is played tells when it was captured, by construction and to a microsecond, and whether the tone
is still one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from realtime.engine.steered import SteeredPlayback

RATE = 48000
"""Hz, of the capture."""

TONE_HZ = 1000.0

LEVEL = 0.5

N_CHANNELS = 3

N_FFT, HOP = 2048, 512
"""The worker's frames: what it gives back lags by that much."""

_PERIOD = RATE // 2
"""Samples after which what is captured repeats itself: the slow waves have 2 Hz."""

_INDEX = np.arange(_PERIOD)
_WAVES = LEVEL * np.stack(
    [
        np.sin(2 * np.pi * TONE_HZ / RATE * _INDEX),
        np.cos(2 * np.pi / _PERIOD * _INDEX),
        np.sin(2 * np.pi / _PERIOD * _INDEX),
    ],
    axis=1,
)
_TWICE = np.concatenate([_WAVES, _WAVES]).astype(np.float32)

Lateness = Callable[[float], float]
"""When a callback that is due at so many seconds comes."""


def jitter(rng: np.random.Generator, seconds: float = 3e-3) -> Lateness:
    """Each callback late by itself."""
    return lambda due: due + rng.uniform(0, seconds)


def bursts(rng: np.random.Generator, every: float = 0.02, seconds: float = 3e-3) -> Lateness:
    """Several callbacks back to back, and the bunch of them late."""
    late: dict[int, float] = {}

    def come(due: float) -> float:
        bunch = math.ceil(due / every)
        return bunch * every + late.setdefault(bunch, rng.uniform(0, seconds))

    return come


@dataclass
class Device:
    """A device whose crystal is `ppm` off. Times are of the true clock, in seconds."""

    lateness: Lateness
    ppm: float = 0.0
    sample_rate: int = RATE
    block: int = 256
    begins: float = 0.0
    stall: tuple[float, float] = (math.inf, 0.0)
    """(at, seconds): nothing moves, and nobody counts what went by. Seconds below 0: from then on
    everything is that much ahead, as where a server begins to fetch sound earlier."""
    gap: tuple[float, float] = (math.inf, 0.0)
    """(at, seconds): no callbacks; what went by was lost, and is counted afterwards."""

    @property
    def true_rate(self) -> float:
        return self.sample_rate * (1 + self.ppm * 1e-6)

    def seconds_at(self, count: np.ndarray | float) -> np.ndarray:
        """When so many samples have gone by."""
        moving = self.begins + np.asarray(count) / self.true_rate
        at, length = self.stall
        return moving + length * (moving > at)

    def count_at(self, seconds: np.ndarray) -> np.ndarray:
        at, length = self.stall
        moving = seconds - np.clip(seconds - at, 0, length)
        return (moving - self.begins) * self.true_rate

    def in_gap(self, seconds: np.ndarray | float) -> np.ndarray:
        at, length = self.gap
        return (np.asarray(seconds) >= at) & (np.asarray(seconds) < at + length)

    def callbacks(self) -> Iterator[tuple[float, int]]:
        """(seconds, samples gone by) of each."""
        count, before = 0, 0.0
        while True:
            count += self.block
            due = float(self.seconds_at(count))
            if self.in_gap(due):
                continue
            before = max(before, self.lateness(due))
            yield before, count


def sound(capture: Device, start: int, stop: int) -> np.ndarray:
    """Captured samples, float32 (n, N_CHANNELS); silence where they were lost."""
    begin = start % _PERIOD
    samples = _TWICE[begin : begin + stop - start]
    lost = capture.in_gap(capture.seconds_at(np.arange(start, stop)))
    return samples * ~lost[:, None]


class Streams:
    """Both devices at work, and the worker between them.

    asleep : from when to when the worker does nothing
    """

    def __init__(
        self,
        playback: SteeredPlayback,
        capture: Device,
        output: Device,
        asleep: tuple[float, float] = (0.0, 0.0),
    ):
        self._playback, self._capture, self._output = playback, capture, output
        self._asleep = asleep
        self._captures, self._outputs = capture.callbacks(), output.callbacks()
        self._captured, self._played = next(self._captures), next(self._outputs)
        self.pushed = 0

    def play(self, until: float) -> np.ndarray:
        """What is played from where it was to `until`, float32 (n, N_CHANNELS)."""
        played: list[np.ndarray] = []
        while min(self._captured[0], self._played[0]) < until:
            if self._captured[0] <= self._played[0]:
                self._capture_callback(*self._captured)
                self._captured = next(self._captures)
            else:
                out = np.full((self._output.block, N_CHANNELS), np.nan, np.float32)
                self._playback.fill(out, round(self._played[0] * 1e9))
                played.append(out)
                self._played = next(self._outputs)
        return np.concatenate(played)

    def _capture_callback(self, now: float, captured: int) -> None:
        self._playback.captured(captured, round(now * 1e9))
        if self._asleep[0] <= now < self._asleep[1]:
            return
        ready = (captured - N_FFT) // HOP * HOP + HOP
        while self.pushed < ready:
            stop = min(self.pushed + _PERIOD // 2, ready)
            self._playback.push(sound(self._capture, self.pushed, stop))
            self.pushed = stop


def latencies(played: np.ndarray, capture: Device, output: Device) -> tuple[np.ndarray, np.ndarray]:
    """When each sample that is not silence was played, and how many seconds before that it was
    captured: both (n,). Latency is taken to be within a quarter of a second of 0.1."""
    heard = np.flatnonzero(np.hypot(played[:, 1], played[:, 2]) > 0.99 * LEVEL)
    # A block is fetched when the one before begins to play.
    at = output.seconds_at(heard + output.block)
    angle = np.arctan2(played[heard, 2].astype(np.float64), played[heard, 1])
    index = angle / (2 * np.pi) * _PERIOD
    index += _PERIOD * np.round((capture.count_at(at - 0.1) - index) / _PERIOD)
    return at, at - capture.seconds_at(index)


def tone_snr(samples: np.ndarray, sample_rate: int) -> float:
    """dB of the best fitting tone near TONE_HZ, (n,), over everything else."""
    n = len(samples)
    seconds = (np.arange(n) - n / 2) / sample_rate
    # The frequency: from how the angle of sixty-fourths turns, then by least squares.
    still = samples * np.exp(-2j * np.pi * TONE_HZ * seconds)
    parts = still[: n // 64 * 64].reshape(64, -1).mean(axis=1)
    turns = np.unwrap(np.angle(parts)) / (2 * np.pi)
    hz = TONE_HZ + np.polyfit(np.arange(64) * (n // 64) / sample_rate, turns, 1)[0]
    fit = np.zeros(n)
    for _ in range(4):
        waves = np.exp(2j * np.pi * hz * seconds)
        basis = np.stack([waves.real, waves.imag], axis=1)
        (a, b), *_ = np.linalg.lstsq(basis, samples, rcond=None)
        fit = basis @ (a, b)
        slope = 2 * np.pi * seconds * (b * waves.real - a * waves.imag)
        hz += slope @ (samples - fit) / (slope @ slope)
    return float(10 * np.log10(np.mean(fit**2) / np.mean((samples - fit) ** 2)))
