"""Sounds made here, without a device, file or clock: tone and noise, and how the demo is fed.

Every generator is a pure function of the absolute sample index: however the reads are cut, the
samples are the same, bit for bit, and nothing drifts.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from realtime.audio.demo import Loop
from realtime.errors import SourceError

CHUNK = 4096
"""Samples made at a time: 85 ms at 48000 Hz, well under a millisecond's work."""

TONE_AMPLITUDE = 0.5
"""-6.02 dBFS: full scale would latch the clip light of the meter."""

NOISE_RMS = 0.1
"""-20 dBFS; full scale is ten standard deviations away."""

NOISE_SEED = 1

NOISE_CHUNK = 4 * CHUNK
"""Samples of noise made at a time: with CHUNK, half of the time went into seeding."""


class Generator:
    """Samples by absolute index, made chunk by chunk. Owner: one thread.

    A subclass gives `chunk`.
    """

    chunk_samples = CHUNK
    """Length of a chunk."""

    bad_samples = 0
    """What is computed holds no NaN."""

    def __init__(self, name: str, sample_rate: int, n_channels: int):
        self.name = name
        self.sample_rate = sample_rate
        self.n_channels = n_channels
        self._position = 0
        self._latest = (-1, np.zeros((0, n_channels), np.float32))

    def read(self, n_samples: int) -> np.ndarray:
        """The next block, float32 (n_samples, n_channels), full scale ±1, the caller's own."""
        block = np.empty((n_samples, self.n_channels), np.float32)
        done = 0
        while done < n_samples:
            index, offset = divmod(self._position, self.chunk_samples)
            if self._latest[0] != index:
                self._latest = (index, self.chunk(index))
            piece = self._latest[1][offset : offset + n_samples - done]
            block[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return block

    def close(self) -> None:
        """Nothing to let go of."""

    def chunk(self, index: int) -> np.ndarray:
        """The samples from `index * chunk_samples` on, float32 (chunk_samples, n_channels), the
        same whenever it is asked."""
        raise NotImplementedError


class Tone(Generator):
    """A sine of TONE_AMPLITUDE, the same in all channels; its phase is exact for ever.

    hz : above 0 and below half of sample_rate, else `SourceError`
    """

    def __init__(self, hz: float, sample_rate: int, n_channels: int = 1):
        if not 0 < hz < sample_rate / 2:
            raise SourceError(
                f"a tone of {hz:g} Hz does not fit in a sample rate of {sample_rate} Hz: "
                f"ask for less than {sample_rate / 2:g} Hz, or raise audio.sample_rate"
            )
        super().__init__(f"tone {hz:g} Hz", sample_rate, n_channels)
        self._cycles = Fraction(hz) / sample_rate  # per sample, exact
        self._within = np.arange(CHUNK) * float(self._cycles)

    def chunk(self, index: int) -> np.ndarray:
        start = float(self._cycles * index * CHUNK % 1)
        wave = TONE_AMPLITUDE * np.sin(2 * np.pi * (start + self._within))
        return np.repeat(wave.astype(np.float32)[:, None], self.n_channels, axis=1)


class Noise(Generator):
    """White Gaussian noise of NOISE_RMS, independent in each channel, the same on every run."""

    chunk_samples = NOISE_CHUNK

    def __init__(self, sample_rate: int, n_channels: int = 1):
        super().__init__("white noise", sample_rate, n_channels)

    def chunk(self, index: int) -> np.ndarray:
        rng = np.random.Generator(np.random.Philox(key=[NOISE_SEED, index]))
        return NOISE_RMS * rng.standard_normal((NOISE_CHUNK, self.n_channels), dtype=np.float32)


class Demo(Generator):
    """The built-in sound, for ever; it wanders slowly from channel to channel.

    Made as it is first heard and then kept (4.6 MB at 48000 Hz).
    """

    def __init__(self, sample_rate: int, n_channels: int = 1):
        super().__init__("demo", sample_rate, n_channels)
        self._loop = Loop(sample_rate, CHUNK)
        self._made = np.empty((self._loop.n_chunks, CHUNK), np.float32)
        self._is_made = np.zeros(self._loop.n_chunks, bool)

    def chunk(self, index: int) -> np.ndarray:
        index %= self._loop.n_chunks
        if not self._is_made[index]:
            self._made[index] = self._loop.chunk(index)
            self._is_made[index] = True
        if self.n_channels == 1:
            return self._made[index][:, None]
        turns = 2 * (index + np.arange(CHUNK) / CHUNK) / self._loop.n_chunks
        places = turns[:, None] - np.arange(self.n_channels) / self.n_channels
        gains = 0.6 + 0.4 * np.cos(2 * np.pi * places)
        return (self._made[index][:, None] * gains).astype(np.float32)
