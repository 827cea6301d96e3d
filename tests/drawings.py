"""Recordings with and without columns, and their columns read by xarray."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from captures import capture, recorder, sidecars
from drawing_child import STFT

from realtime.config import StftSettings
from realtime.recording.columns import LOW_DB, STEP_DB
from realtime.recording.compress import as_flac
from realtime.recording.store import spectrogram

WAV: list[Callable] = [partial(spectrogram, stft=STFT)]
FLAC: list[Callable] = [*WAV, as_flac]
LATE_MOST = 2 * STFT.n_fft
"""Samples at both ends of a stream that may lie in no column's middle."""


def record(
    folder: Path,
    seconds: float | None = None,
    length: float = 3.0,
    after: list[Callable] = WAV,
    block: np.ndarray | None = None,
    channels: int = 2,
    rotate_at: tuple[float, ...] = (),
) -> np.ndarray:
    """Record the same noise each time, or `block`, and do all chores; returns what was heard."""
    with capture(np.random.default_rng(7), 60, channels) as captured:
        wanted = {"record.spectrogram": True}
        writer = recorder(captured, folder, seconds, after=after, settings=wanted)
        for at in range(round(length * 10)) if block is None else ():
            captured.hear(0.1)
            writer.step(captured.now)
            if at / 10 in rotate_at:
                captured.hear(0.01)
                writer.rotate(captured.now)
        if block is not None:
            captured.play(block)
            writer.step(captured.now)
        writer.finish(captured.now)
        while writer.chores:
            writer.chores.step(captured.monotonic_ns)
        assert not writer.chores.faults
        return captured.samples


def draw(base: Path, stft: StftSettings = STFT, **more: Any) -> None:
    for _ in spectrogram(base, stft=stft, **more):
        pass


def bases(folder: Path) -> list[Path]:
    return [folder / values["files"][0].split(".")[0] for values in sidecars(folder)]


def opened(folder: Path) -> list[xr.Dataset]:
    """All stores below `folder`, by their first sample."""
    found = [xr.load_dataset(path, engine="zarr") for path in folder.rglob("*.zarr")]
    return sorted(found, key=lambda store: store.start)


def codes_of(store: xr.Dataset) -> np.ndarray:
    return np.rint((store.db.values - LOW_DB) / STEP_DB).astype(np.uint8)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below `folder`."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
