"""Columns of a recording as a Zarr v3 store, written front to back; `store` says what is in it.

Chunks are files: those of the columns hold all channels, and nothing is written for a chunk of
nothing but the lowest code.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime.recording import durable, sidecar
from realtime.recording.columns import LOW_DB, STEP_DB, Complete

if TYPE_CHECKING:
    from realtime.config import StftSettings

FORMAT, VERSION = "realtime columns", 1

CHUNK_BYTES = 2 << 20
"""Of codes of all channels: 41 s of mono in 513 bins at hop 480. Compressed in 10 ms."""

COORDINATES = 1 << 16
"""Columns in a chunk of what lies along time."""

ZARR = {"threading.max_workers": 1, "async.concurrency": 1}
"""One thread is as many as the recorder may take from the rest of the machine."""


class StoreWriter:
    """A store that grows at `path`. Owner: one thread."""

    def __init__(self, path: Path, recording: Complete, stft: StftSettings, columns: range):
        import zarr
        from zarr.storage import LocalStore

        zarr.config.set(ZARR)
        n_points, hop = stft.n_fft * stft.zero_pad, stft.hop_samples
        self.n_bins = n_points // 2 + 1
        self.says = {
            "format": FORMAT,
            "version": VERSION,
            "recording": recording.base.name,
            "stream": recording.stream,
            "device": recording.device,
            "start": recording.start,
            "stop": recording.stop,
            "sample_rate": recording.sample_rate,
            "utc_start": sidecar.utc_text(recording.utc_start_ns),
            "utc_end": sidecar.utc_text(recording.utc_end_ns),
            "n_fft": stft.n_fft,
            "hop": hop,
            "window": stft.window,
            "zero_pad": stft.zero_pad,
            "first_column": columns.start,
            "n_columns": len(columns),
        }
        self._path, self._recording, self._columns, self._hop = path, recording, columns, hop
        self._group = zarr.create_group(LocalStore(path), zarr_format=3, attributes=self.says)
        n_channels = recording.n_channels
        fitting = max(1, CHUNK_BYTES // (n_channels * self.n_bins))
        chunk = (n_channels, min(1 << fitting.bit_length() - 1, len(columns)), self.n_bins)
        self._db = self._array(
            "db", ("channel", "time", "frequency"), np.uint8,
            (n_channels, len(columns), self.n_bins), chunk,
            long_name="level", units="dBFS", scale_factor=STEP_DB, add_offset=LOW_DB,
            coordinates="sample seconds",
            calibration="a full-scale sine in the middle of a bin reads 0 dBFS",
        )  # fmt: skip
        frequencies = np.arange(self.n_bins) * (recording.sample_rate / n_points)
        self._put("frequency", frequencies, long_name="middle of the bin", units="Hz")
        self._put("channel", np.arange(n_channels), long_name="channel, from 0")
        self._chunk = np.zeros(chunk, np.uint8)
        self._held = self._written = 0

    def append(self, codes: NDArray[np.uint8]) -> None:
        """codes : uint8 (n_channels, n, n_bins)"""
        while codes.shape[1]:
            n = min(codes.shape[1], self._chunk.shape[1] - self._held)
            self._chunk[:, self._held : self._held + n] = codes[:, :n]
            self._held += n
            codes = codes[:, n:]
            if self._held == self._chunk.shape[1]:
                self._flush()

    def _flush(self) -> None:
        stop = self._written + self._held
        self._db[:, self._written : stop] = self._chunk[:, : self._held]
        self._written, self._held = stop, 0

    def finish(self) -> Iterator[None]:
        """Write the rest, and return when all of it survives a power cut."""
        if self._held:
            self._flush()
        yield from self._write_coordinates()
        _consolidate(self._path)
        yield
        for inner, _, files in os.walk(self._path, topdown=False):
            for name in files:
                with Path(inner, name).open("r+b") as file:
                    durable.sync(file.fileno())
                yield
            durable.sync_directory(Path(inner))
            yield

    def _write_coordinates(self) -> Iterator[None]:
        along, n = ("time",), len(self._columns)
        chunk = (min(COORDINATES, n),)
        since = {"units": "nanoseconds since 1970-01-01", "calendar": "proleptic_gregorian"}
        arrays = [
            self._array(name, along, dtype, (n,), chunk, long_name=meaning, **more)
            for name, dtype, meaning, more in (
                ("time", np.int64, "UTC of the middle of the frame", since),
                ("sample", np.int64, "sample of the stream in the middle of the frame", {}),
                ("seconds", np.float64, "time since the recording began", {"units": "s"}),
            )
        ]
        recording = self._recording
        for at in range(0, n, COORDINATES):
            columns = self._columns[at : at + COORDINATES]
            samples = np.arange(columns.start, columns.stop, dtype=np.int64) * self._hop
            seconds = (samples - recording.start) / recording.sample_rate
            for array, values in zip(
                arrays, (recording.utc_ns(samples), samples, seconds), strict=True
            ):
                array[at : at + len(columns)] = values
            yield

    def _put(self, name: str, values: NDArray, **attributes: Any) -> None:
        """A coordinate that is a dimension of its own."""
        array = self._array(name, (name,), values.dtype, values.shape, values.shape, **attributes)
        array[:] = values

    def _array(
        self,
        name: str,
        dimensions: tuple[str, ...],
        dtype: Any,
        shape: tuple[int, ...],
        chunk: tuple[int, ...],
        **attributes: Any,
    ) -> Any:
        return self._group.create_array(
            name, shape=shape, chunks=chunk, dtype=dtype,
            dimension_names=dimensions, attributes=attributes,
        )  # fmt: skip


def _consolidate(store: Path) -> None:
    """Repeat all metadata in the store's own file, where xarray looks first. Zarr v3 does not know
    that yet and lets others pass it by; the library warns of it."""
    import zarr
    from zarr.storage import LocalStore

    warnings.filterwarnings("ignore", "Consolidated metadata", UserWarning)
    zarr.consolidate_metadata(LocalStore(store), zarr_format=3)
