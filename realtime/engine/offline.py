"""The monitor's path on a sound that is all there: what is heard live, made from a file.

From the first sample that all frames overlap on, the samples are those of the live monitor, to
the bit. Before it live sound fades in; here that beginning is made by a second path, which has
heard the beginning mirrored, and blends into the first over a hop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.config import MonitorSettings
from realtime.dsp.limiter import Limiter
from realtime.dsp.processors.base import Capture
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import Effect
from realtime.engine.monitor import frame_format, transforms
from realtime.errors import RealtimeError

PIECE = 1 << 16
"""Samples worked on at once: 1.4 s at 48000 Hz; longer pieces are no faster."""


class SoundReader(Protocol):
    """A sound that is read front to back."""

    sample_rate: int
    n_channels: int

    def read(self, n_samples: int) -> NDArray:
        """float32 (n_samples, n_channels), shorter and then empty at the end."""
        ...


def effected(
    reader: SoundReader,
    effects: Sequence[Effect],
    settings: MonitorSettings | None = None,
    capture: Capture | None = None,
) -> Iterator[NDArray[np.float32]]:
    """All of a sound with effects, in pieces: as many samples as there were, none late.

    settings : frames of the monitor; its volume is left out
    capture : the same sound, for effects that take a span of it
    Yields float32 (n, n_channels), within full scale. Raises RequestError for effects that cannot
    be made, RealtimeError where one fails, and what `reader` raises.
    """
    settings = settings or MonitorSettings()
    path = _Path(reader, effects, settings, capture)
    limiter = Limiter(reader.sample_rate)
    first = reader.read(max(PIECE, 2 * path.context))
    if not len(first):
        return
    beginning = _beginning(_Path(reader, effects, settings, capture), first)
    waiting: list[NDArray] = []
    for piece in _aligned(path, reader, first):
        waiting.append(piece)
        if beginning is None:
            yield limiter.push(piece)
        elif sum(map(len, waiting)) >= len(beginning):
            yield limiter.push(_blended(beginning, np.concatenate(waiting), path.hop))
            beginning = None
    if beginning is not None:
        yield limiter.push(_blended(beginning, np.concatenate(waiting), path.hop))


def _aligned(path: _Path, reader: SoundReader, block: NDArray) -> Iterator[NDArray]:
    """What `path` makes of `block` and the rest of `reader`, from its sample 0 to its last."""
    early = max(-path.first, 0)
    taken, given = 0, min(max(path.first, 0), len(block))
    yield np.zeros((given, reader.n_channels), np.float32)
    silence = np.zeros((path.context, reader.n_channels), np.float32)
    while len(block):
        taken += len(block)
        following = reader.read(PIECE)
        made = path.push(block if len(following) else np.concatenate((block, silence)))
        piece = made[early : early + taken - given] if not len(following) else made[early:]
        early = max(early - len(made), 0)
        given += len(piece)
        yield piece
        block = following


class _Path:
    """Samples to samples. The first sample given is at index `first` of those taken."""

    def __init__(
        self,
        reader: SoundReader,
        effects: Sequence[Effect],
        settings: MonitorSettings,
        capture: Capture | None,
    ):
        self._stft, self._istft = transforms(settings, reader.n_channels)
        form = frame_format(self._stft, self._istft, reader.sample_rate, reader.n_channels)
        self._chain = Chain(form, effects, capture=capture)
        self.hop = self._stft.hop
        self.first = self._istft.skipped - self._chain.latency
        self.faded = self._istft.skipped + self._istft.latency
        """Samples before this one fade in."""
        n_frames = -(-(self._stft.n_fft + self._chain.latency) // self.hop) + 1
        self.context = n_frames * self.hop
        """Samples, a multiple of the hop, after which the last one taken has been given."""

    def push(self, block: NDArray) -> NDArray[np.float32]:
        """Raises RealtimeError where an effect fails."""
        made = self._istft.push(self._chain.process(self._stft.push(block)))
        if self._chain.faults:
            raise RealtimeError(self._chain.fault)
        return made


def _beginning(path: _Path, block: NDArray) -> NDArray:
    """The samples that fade in, and a hop more, after as much of the same sound mirrored."""
    mode = "reflect" if len(block) > 1 else "edge"
    mirrored = np.pad(block, ((path.context, path.context), (0, 0)), mode=mode)
    n = path.faded + path.hop
    start = path.context - path.first
    return path.push(mirrored[: 2 * path.context + n])[start : start + n]


def _blended(beginning: NDArray, samples: NDArray, hop: int) -> NDArray:
    """`samples`, but first `beginning`, whose last hop fades over."""
    n = min(len(beginning), len(samples))
    weights = np.ones(len(beginning), np.float32)
    weights[-hop:] = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, hop + 1) / (hop + 1))
    weights = weights[:n, None]
    samples[:n] = weights * beginning[:n] + (1 - weights) * samples[:n]
    return samples
