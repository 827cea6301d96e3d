"""WAV files that can be read at any moment, and come through kill, power cut and full disk.

A write puts samples after those that the header claims, then the header claims them too. So a kill
loses the block that was being written. A sync brings both to the disk: a power cut loses what was
written since. The header is the truth, and what lies behind its claim is nothing: after a power
cut that may be zeros, or parts of old files, which cannot be told from sound.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np

from realtime.errors import RecordingError
from realtime.recording import durable
from realtime.recording.metadata import Metadata
from realtime.recording.pcm import Packer
from realtime.recording.riff import HEADER_BYTES, Header, SampleFormat
from realtime.wording import shown_path

SLICE_VALUES = 1 << 15
"""Most values written at once: 0.34 s of 48 kHz stereo. A kill or a full disk costs at most these,
and the buffers for them are 350 kB."""


class WavWriter:
    """Writes one file. Owner: one thread.

    n_samples : in the file, and claimed by its header
    n_synced : the first of them that no power cut takes away
    n_clipped, n_bad : values set to full scale, or to zero because they were not finite
    Where the disk fails, a method raises `OSError`, and the file holds `n_samples` as before: try
    again later from there, or `close`, or `abandon`. After a failed sync the system may have
    forgotten what was not on the disk: then only what was synced counts.
    """

    def __init__(
        self, path: Path, sample_rate: int, n_channels: int, depth: int, metadata: Metadata
    ):
        """Makes the file, durably. depth : 16, 24, or 32, which is float. Raises `ValueError`,
        `FileExistsError`, and other `OSError`, and then leaves none."""
        form = SampleFormat(sample_rate, n_channels, depth)
        form.check()
        self.path = path
        self.n_samples = self.n_synced = 0
        self._header = Header.make(form, metadata)
        self._slice = max(1, SLICE_VALUES // n_channels)
        self._packer = Packer(depth, self._slice * n_channels)
        self._hash = hashlib.sha256()
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115 - it stays open
        try:
            _put(self._file, 0, self._header.bytes)
            durable.sync(self._file.fileno())
            durable.sync_directory(path.parent)
        except OSError:
            self.abandon()
            with contextlib.suppress(OSError):
                path.unlink()
            raise

    @property
    def digest(self) -> str:
        """SHA-256 of the samples as they lie in the file, in hexadecimal."""
        return self._hash.hexdigest()

    @property
    def n_clipped(self) -> int:
        return self._packer.n_clipped

    @property
    def n_bad(self) -> int:
        return self._packer.n_bad

    def write(self, block: np.ndarray) -> None:
        """Append a block, float32 (n_samples, n_channels), full scale ±1. Where it raises
        `OSError`, `n_samples` tells how much of the block is in the file."""
        for start in range(0, len(block), self._slice):
            self._write_slice(block[start : start + self._slice])

    def _write_slice(self, block: np.ndarray) -> None:
        packed = self._packer.pack(block)
        try:
            _put(self._file, self._end, packed)
            self._claim(self.n_samples + len(block))
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._end)
            with contextlib.suppress(OSError):
                self._claim(self.n_samples)
            raise
        self.n_samples += len(block)
        self._hash.update(packed)

    def sync(self) -> None:
        """Return when all that was written is on the disk. Raises `OSError`."""
        durable.sync(self._file.fileno())
        self.n_synced = self.n_samples

    def close(self, metadata: Metadata | None = None) -> None:
        """Seal the file: its length in the metadata, everything synced. Safe twice; after an
        `OSError`, close again or abandon. metadata : what is known better by now"""
        if self._file.closed:
            return
        _pad(self._file, self._end)
        self._header.seal(metadata)
        self._claim(self.n_samples)
        self.sync()
        self._file.close()

    def abandon(self) -> None:
        """Let go of the file as it lies there, which `repair` seals some day. Never raises."""
        with contextlib.suppress(OSError):
            self._file.close()

    @property
    def _end(self) -> int:
        return HEADER_BYTES + self.n_samples * self._header.format.sample_bytes

    def _claim(self, n_samples: int) -> None:
        was_large = self._header.is_large
        self._header.claim(n_samples)
        if self._header.is_large and not was_large:
            # A power cut may tear the header between sectors of the disk. Its first sector makes
            # the file RF64, which is readable with the old size before the data, so that is last.
            _put(self._file, 0, self._header.bytes[:-4])
            durable.sync(self._file.fileno())
        _put(self._file, 0, self._header.bytes)


@dataclass(frozen=True)
class Repaired:
    """What `repair` left.

    n_cut : bytes cut off behind the last whole sample that the header claims
    """

    format: SampleFormat
    n_samples: int
    n_cut: int


def repair(path: Path, most: int | None = None) -> Repaired:
    """Seal in place a file that `WavWriter` was kept from sealing; one that is sealed stays as it
    is. It keeps every whole sample that the header claims and the file holds, and nothing else.

    most : samples kept at most, where more than those is not to be trusted

    Raises `RecordingError` where the file is none of ours or was cut off before its header was
    whole, and then leaves it as it is; and `OSError`.
    """
    with open(path, "r+b", buffering=0) as file:
        try:
            header = Header.parse(file.read(HEADER_BYTES))
        except ValueError as fault:
            raise RecordingError(
                f"{shown_path(str(path))} does not begin like a recording of this program, so "
                "there is nothing to finish: move it away, or delete it"
            ) from fault
        size = os.fstat(file.fileno()).st_size
        room = header.format.sample_bytes
        n_samples = min(header.claimed, (size - HEADER_BYTES) // room)
        if most is not None:
            n_samples = min(n_samples, most)
        header.claim(n_samples)
        header.seal()
        end = HEADER_BYTES + n_samples * room
        file.truncate(end)
        _pad(file, end)
        _put(file, 0, header.bytes)
        durable.sync(file.fileno())
    return Repaired(header.format, n_samples, max(0, size - end - end % 2))


def _pad(file: FileIO, end: int) -> None:
    """A chunk of odd length is followed by a byte that does not count."""
    if end % 2:
        _put(file, end, bytes(1))


def _put(file: FileIO, at: int, data: bytes | bytearray | memoryview) -> None:
    file.seek(at)
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
