"""A complete recording as dB columns, on a grid that all recordings of a stream share.

The middle of column k's frame is sample k * hop, counted since the stream began, wherever one file
ends and the next begins. A column belongs to the recording in which its frame *ends*: that has all
it needs but for some samples of the recording before, which are read back from there. So no column
is made twice or missing where recordings touch. Where there is nothing before, columns begin with
the first frame that is whole: nothing here is made of samples that were not recorded.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RecordingError
from realtime.recording import sidecar
from realtime.recording.own_files import bases_below
from realtime.recording.segment import beside
from realtime.wording import shown_path

if TYPE_CHECKING:
    from soundfile import SoundFile

    from realtime.config import StftSettings

LOW_DB = -120.0
"""dBFS of code 0: below the noise of the best converters in any band."""
STEP_DB = 0.5
"""dB a code: 255 of them reach to +7.5 dBFS, for float samples go beyond full scale. Half of it is
less than the ripple of any window between two bins, and nobody hears it."""

STEP_SAMPLES, STEP_POINTS = 1 << 16, 1 << 19
"""Read, and transformed, between two steps of the recorder: some 10 ms."""

LOOKED_AT = 8
"""Names before a recording's own among which the one is that it continues; what was saved on
request may lie between."""


@dataclass(frozen=True)
class Grid:
    """Frames of `n_fft` samples around each multiple of `hop`."""

    n_fft: int
    hop: int

    def frame_start(self, column: int) -> int:
        return column * self.hop - self.n_fft // 2

    def ending_in(self, start: int, stop: int, known: int) -> range:
        """Columns whose frames end in samples [start, stop) and begin at `known` or later."""
        first = max(self._starting_at(known), self._starting_at(start - self.n_fft + 1))
        return range(first, max(first, self._starting_at(stop - self.n_fft + 1)))

    def _starting_at(self, sample: int) -> int:
        """The first column whose frame starts at `sample` or later."""
        return -(-(sample + self.n_fft // 2) // self.hop)


@dataclass(frozen=True)
class Complete:
    """A recording as its sidecar describes it: samples [start, stop) of a stream."""

    base: Path
    stream: str
    device: str
    start: int
    stop: int
    sample_rate: int
    n_channels: int
    utc_start_ns: int
    utc_end_ns: int
    clock_steps: tuple[tuple[int, int], ...]
    """Sample from which on the clock said so many nanoseconds more."""
    files: tuple[str, ...]

    def utc_ns(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """UTC of samples, in nanoseconds since 1970: evenly from start to end, but for the steps
        of the clock. In floats from the start on, which hold a month to the nanosecond."""
        steps = [(at, ns) for at, ns in self.clock_steps if at > self.start]
        lasted = self.utc_end_ns - self.utc_start_ns - sum(ns for _, ns in steps)
        passed = (samples - self.start) * (lasted / (self.stop - self.start))
        utc = self.utc_start_ns + np.rint(passed).astype(np.int64)
        for at, ns in steps:
            utc[samples >= at] += ns
        return utc

    @property
    def sound(self) -> Path | None:
        """The file with the samples; None where somebody took it away."""
        paths = (beside(self.base, suffix) for suffix in (".wav", ".flac"))
        return next((path for path in paths if path.is_file()), None)


def read_complete(base: Path) -> Complete | None:
    """The recording at `base`, a path without suffix; None where there is none.

    Raises RecordingError where its sidecar is odd, and OSError.
    """
    note = beside(base, ".json")
    try:
        values = sidecar.read(note)
    except FileNotFoundError:
        return None
    try:
        return _complete(base, values)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise RecordingError(
            f"{shown_path(str(note))} does not say as ours do what was recorded: nothing is made "
            "of it"
        ) from None


def _complete(base: Path, values: Any) -> Complete:
    """Raises what Python raises where the values are not those that are expected."""
    found = Complete(
        base=base,
        stream=str(values["stream"]),
        device=str(values["device"]),
        start=int(values["start"]),
        stop=int(values["stop"]),
        sample_rate=int(values["sample_rate"]),
        n_channels=int(values["channels"]),
        utc_start_ns=sidecar.utc_ns(values["utc_start"]),
        utc_end_ns=sidecar.utc_ns(values["utc_end"]),
        clock_steps=tuple(
            (int(step["index"]), round(step["seconds"] * 1e9))
            for step in values.get("clock", {}).get("steps", ())
        ),
        files=tuple(map(str, values["files"])),
    )
    whole = 0 <= found.start < found.stop < 1 << 62 and found.sample_rate > 0
    if not (whole and found.n_channels > 0 and values["complete"] is True):
        raise ValueError
    return found


def samples_before(recording: Complete, n_samples: int, folder: Path) -> NDArray[np.float32]:
    """The last `n_samples` of the stream before a recording, float32 (n, n_channels), as far as
    recordings below `folder` hold them without a gap. Raises OSError."""
    parts = [np.zeros((0, recording.n_channels), np.float32)]
    left = min(n_samples, recording.start)
    while left > 0 and (found := _continued_by(recording, folder)) is not None:
        recording, path = found
        n = min(left, recording.stop - recording.start)
        try:
            with _opened(path, recording) as sound:
                sound.seek(-n, os.SEEK_END)
                parts.append(_read(sound, n))
        except (RecordingError, RuntimeError):  # libsndfile's are RuntimeErrors
            break
        left -= n
    return np.concatenate(parts[::-1])


def _continued_by(recording: Complete, folder: Path) -> tuple[Complete, Path] | None:
    """The recording of the same stream that ends where this one begins, and its sound."""
    for base in _named_before(recording.base, folder):
        try:
            other = read_complete(base)
        except (RecordingError, PermissionError):
            continue
        if other is None or (path := other.sound) is None:
            continue
        if (other.stream, other.stop) == (recording.stream, recording.start):
            return other, path
    return None


def _named_before(base: Path, folder: Path) -> list[Path]:
    """Paths without suffix of the recordings whose names come before this one's, nearest first;
    numbers in names count as numbers."""

    def order(path: Path) -> list[str | int]:
        name = path.relative_to(folder).as_posix()
        return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]

    own = order(base)
    names = ((order(path), path) for path in bases_below(folder))
    return [
        path for _, path in heapq.nlargest(LOOKED_AT, (each for each in names if each[0] < own))
    ]


def coded_columns(
    recording: Complete, before: NDArray[np.float32], stft: StftSettings, columns: range
) -> Iterator[NDArray[np.uint8]]:
    """The codes of `columns`, uint8 (n_channels, n_columns, n_bins), some at a time, maybe none:
    dBFS = code * STEP_DB + LOW_DB.

    before : the samples in front of the recording
    Raises RecordingError where the recording does not hold what its sidecar says, and OSError.
    """
    from realtime.dsp.levels import column_db  # with scipy.fft, 20 MB, by the next line
    from realtime.dsp.stft import StreamingStft

    path = recording.sound
    if path is None:
        raise _other_than_recorded(recording.base)
    n_channels, n_points = recording.n_channels, stft.n_fft * stft.zero_pad
    transform = StreamingStft(
        stft.n_fft, stft.hop_samples, stft.window, zero_pad=stft.zero_pad, n_channels=n_channels
    )
    n_frames = max(1, STEP_POINTS // (n_channels * n_points))
    n_samples = min(STEP_SAMPLES, n_frames * stft.hop_samples)
    grid = Grid(stft.n_fft, stft.hop_samples)
    skip = grid.frame_start(columns.start) - (recording.start - len(before))
    with _opened(path, recording) as sound:
        for block in chain([before], _blocks(sound, n_samples, recording)):
            frames = transform.push(block[skip:])
            skip = max(0, skip - len(block))
            levels = column_db(frames, transform.window_sum, n_points)
            yield _codes(levels).swapaxes(0, 1)


def _codes(levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    levels -= np.float32(LOW_DB)
    levels /= np.float32(STEP_DB)
    np.rint(levels, out=levels)
    np.clip(levels, 0, 255, out=levels)
    return levels.astype(np.uint8)


def _blocks(sound: SoundFile, n_samples: int, recording: Complete) -> Iterator[NDArray[np.float32]]:
    left = recording.stop - recording.start
    while left > 0:
        try:
            block = _read(sound, min(n_samples, left))
        except RuntimeError as fault:
            raise _other_than_recorded(recording.base) from fault
        if not len(block):
            raise _other_than_recorded(recording.base)
        left -= len(block)
        yield block


def _read(sound: SoundFile, n_samples: int) -> NDArray[np.float32]:
    return np.asarray(sound.read(n_samples, "float32", always_2d=True), np.float32)


@contextmanager
def _opened(path: Path, recording: Complete) -> Iterator[SoundFile]:
    """Raises RecordingError where it is not what the sidecar says, and OSError."""
    import soundfile

    with path.open("rb") as file:  # libsndfile would not say what the disk refuses
        try:
            sound = soundfile.SoundFile(file)
        except RuntimeError as fault:
            raise _other_than_recorded(recording.base) from fault
        with sound:
            found = (sound.frames, sound.samplerate, sound.channels)
            n_samples = recording.stop - recording.start
            if found != (n_samples, recording.sample_rate, recording.n_channels):
                raise _other_than_recorded(recording.base)
            yield sound


def _other_than_recorded(base: Path) -> RecordingError:
    return RecordingError(
        f"the sound of {shown_path(str(base))} is no longer what was recorded, so no columns are "
        "made of it: check the disk that it is on"
    )
