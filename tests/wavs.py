"""Blocks, files of the recorder, and their bytes made in the plainest way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings

from realtime.recording.metadata import Metadata
from realtime.recording.riff import HEADER_BYTES
from realtime.recording.wav import WavWriter

RATE = 48_000
METADATA = Metadata(1_715_000_000_123_456_789, "a microphone")
FORMATS = [(depth, n_channels) for depth in (16, 24, 32) for n_channels in (1, 2, 8)]

in_any_folder = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def sound(rng: np.random.Generator, n_samples: int, n_channels: int = 2) -> np.ndarray:
    """On the grid of 16 bits, so that every depth holds it exactly."""
    values = rng.integers(-(2**15), 2**15, (n_samples, n_channels))
    return (values / 2**15).astype(np.float32)


def as_bytes(block: np.ndarray, depth: int) -> bytes:
    """The data of a WAV, made in the plainest way."""
    if depth == 32:
        return block.astype("<f4").tobytes()
    words = np.rint(block.astype(np.float64) * 2 ** (depth - 1)).astype("<i4")
    return words.reshape(-1, 1).view(np.uint8)[:, : depth // 8].tobytes()


def new_writer(path: Path, depth: int = 24, n_channels: int = 2) -> WavWriter:
    return WavWriter(path, RATE, n_channels, depth, METADATA)


def write_file(path: Path, block: np.ndarray, depth: int = 24) -> None:
    writer = new_writer(path, depth, block.shape[1])
    writer.write(block)
    writer.close()


def head_of(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEADER_BYTES)
