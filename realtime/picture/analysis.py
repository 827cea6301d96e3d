"""A sound of any length, in memory or in a file, to the dB of its picture.

What 0 dB is, and where the picture ends below, depends on the loudest value of all; so there may be
two passes. The first finds it, and keeps the values where they fit into `MOST_KEPT`; where they do
not, `Analysis.chunks` decodes and analyses once more, in memory that does not grow with the sound.
All values are the same however the sound comes, and equal librosa's (`realtime.dsp.spectra`).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.spectra import AMIN
from realtime.errors import RequestError, SourceError
from realtime.picture.format import PictureFormat, picture_format
from realtime.picture.load import OpenSound, Sound, check_rate, open_sound
from realtime.picture.reduce import Reducer
from realtime.picture.stream import PictureStream

MOST_KEPT = 96 << 20
"""Bytes of values kept between the passes: an hour and a quarter of the usual 128 mels."""

MOST_VALUES = 1 << 29
"""Values that `Analysis.db` gives at once, 2 GiB."""

CHUNK = 1024
"""Columns of a chunk, where nobody says: 0.5 MB of 128 mels."""

NUMBERS = (int, float, np.integer, np.floating)

LEAST_RANGE = 1.0
"""dB between the ends of a picture in which all is equal."""

Progress = Callable[[float | None], object]


def analyse(
    source: Sound | str | os.PathLike[str],
    kind: str = "stft",
    *,
    sample_rate: int | None = None,
    mono: bool = False,
    partial: bool = False,
    ref: float | Literal["max"] | Callable = "max",
    top_db: float | None = 80.0,
    amin: float = AMIN,
    n_columns: int | Callable[[PictureFormat], int | None] | None = None,
    reduce: str = "peak",
    progress: Progress | None = None,
    **parameters: Any,
) -> Analysis:
    """Turn a sound into the dB of its picture.

    source : a `Sound`, or the path of a file of any length
    kind, parameters : as of `picture_format` (n_fft, hop, window, center, n_rows, fmin, fmax, htk,
        norm, bins_per_octave, power)
    sample_rate, mono, partial : as of `load`
    ref : what reads 0 dB, in units of magnitude ** power, or "max" (np.max will do), the greatest
        of all values of all channels
    top_db : dB below the greatest at which the picture ends; None: at `amin`
    amin : power below which dB count no further down
    n_columns : at most so many columns, where there are more frames; then each is the greatest
        ("peak") or the mean (`reduce`) of some frames. Or a function that says it of the format
    progress : called with the share done, 0 to 1, or None where the length is unknown; a second
        pass begins again
    Raises RequestError, SourceError or MissingDependency, as `picture_format` and `load` do, and
    where the sound is shorter than a frame that is not centred.
    """
    if not amin > 0 or (top_db is not None and not top_db >= 0):
        raise RequestError(f"amin={amin} must be above 0, and top_db={top_db} at least 0 or None")
    if not (ref in ("max", np.max, max) or (isinstance(ref, NUMBERS) and ref > 0)):
        raise RequestError(f"ref={ref!r} must be a number above 0, or 'max'")

    def reopen() -> OpenSound:
        if isinstance(source, Sound):
            check_rate(sample_rate)
            reader = OpenSound(_InMemory(source), sample_rate, mono=mono)
            reader.damage = source.damage
            return reader
        return open_sound(source, sample_rate, mono, partial=partial)

    reader = reopen()
    try:
        picture = picture_format(
            kind, sample_rate=reader.sample_rate, n_channels=reader.n_channels, **parameters
        )
    finally:
        reader.close()
    if callable(n_columns):
        n_columns = n_columns(picture)
    level = float(ref) if isinstance(ref, NUMBERS) else None
    return Analysis(reopen, picture, level, top_db, amin, n_columns, reduce, progress)


class Analysis:
    """What `analyse` gives.

    picture : the whole format, with ref, dB, n_samples and n_columns as found
    n_columns : frames, or fewer where they were reduced
    damage : the sentence that says where the file broke off, or None
    bad_samples : NaN and infinite values of the file, which became 0
    is_silent : no value is above `amin`; then all are `db_low`
    """

    def __init__(
        self,
        reopen: Callable[[], OpenSound],
        picture: PictureFormat,
        ref: float | None,
        top_db: float | None,
        amin: float,
        n_columns: int | None,
        reduce: str,
        progress: Progress | None,
    ):
        self._reopen, self._picture, self._reduce = reopen, picture, reduce
        self._progress = progress or (lambda share: None)
        self._amin = amin ** (picture.power / 2)
        self._kept: list[NDArray[np.float32]] | None = None
        self.damage: str | None = None
        self.bad_samples = 0
        self._n_frames, n_samples, least, greatest = self._first_pass(n_columns)
        self.is_silent = greatest <= self._amin
        reduced = n_columns is not None and n_columns < self._n_frames
        self.n_columns = n_columns if reduced and n_columns else self._n_frames
        self.picture = self._found(n_samples, least, greatest, ref, top_db, reduced)
        if self._kept is None and self._bytes(self.n_columns) <= MOST_KEPT:
            self._kept = list(self._again())

    def chunks(self, n_columns: int = CHUNK) -> Iterator[NDArray[np.float32]]:
        """dB of the columns in order, float32 (n_channels, n, n_rows), n as given or, at the end,
        less. Raises SourceError if the file is no longer what it was."""
        held: list[NDArray[np.float32]] = []
        n_held = 0
        for values in self._again() if self._kept is None else self._kept:
            held.append(values)
            n_held += len(values)
            if n_held >= n_columns:
                joined = np.concatenate(held)
                whole = n_held // n_columns * n_columns
                for first in range(0, whole, n_columns):
                    yield self._db(joined[first : first + n_columns])
                held, n_held = [joined[whole:]], n_held - whole
        if n_held:
            yield self._db(np.concatenate(held))

    def db(self) -> NDArray[np.float32]:
        """All of it, float32 (n_channels, n_columns, n_rows). Raises RequestError where that is
        more than 2 GiB."""
        if self._bytes(self.n_columns) > 4 * MOST_VALUES:
            raise RequestError(
                f"{self.n_columns} columns of {self._picture.n_rows} rows do not fit into memory "
                "(2 GiB): take them in chunks(), or ask for fewer with n_columns"
            )
        return np.concatenate(list(self.chunks()), axis=1)

    def sound(self) -> OpenSound:
        """The sound that was analysed, once more from its beginning; the caller closes it."""
        return self._reopen()

    def _bytes(self, n_columns: int) -> int:
        return 4 * n_columns * self._picture.n_rows * self._picture.n_channels

    def _first_pass(self, n_columns: int | None) -> tuple[int, int, float, float]:
        """Frames, samples, the least and the greatest value; keeps the columns if they fit and
        the file holds what it claims."""
        kept: list[NDArray[np.float32]] | None = []
        n_frames, size, least, greatest = 0, 0, math.inf, 0.0
        reader = self._reopen()
        try:
            expected = self._picture.frames_in(reader.n_samples or 0)
            reducer = None
            if n_columns is not None and n_columns < expected:
                reducer = Reducer(expected, n_columns, self._reduce)
            elif n_columns is not None:
                Reducer(n_columns, n_columns, self._reduce)  # is it a number and a way?
            counted = _Counted(reader, self._progress)
            for values in counted.values(PictureStream(self._picture)):
                n_frames += len(values)
                if values.size:
                    least, greatest = min(least, values.min()), max(greatest, values.max())
                if reducer is not None and n_frames > expected:
                    kept = None
                if kept is not None:
                    kept.append(values if reducer is None else reducer.push(values))
                    size += kept[-1].nbytes
                if size > MOST_KEPT:
                    kept, size = None, 0
        finally:
            reader.close()
        self.damage, self.bad_samples = reader.damage, reader.bad_samples
        if not n_frames:
            raise RequestError(
                f"{counted.n_samples} samples are fewer than n_fft={self._picture.n_fft}, and "
                "center is false: let frames be centred, or make n_fft smaller"
            )
        wanted = n_columns is not None and n_columns < n_frames
        if (reducer is not None) == wanted and (reducer is None or n_frames == expected):
            self._kept = kept
        return n_frames, counted.n_samples, float(least), float(greatest)

    def _again(self) -> Iterator[NDArray[np.float32]]:
        """The columns, analysed once more: float32 (n, n_channels, n_rows)."""
        reader = self._reopen()
        reducer = Reducer(self._n_frames, self.n_columns, self._reduce)
        n_frames = 0
        try:
            counted = _Counted(reader, self._progress)
            for values in counted.values(PictureStream(self._picture)):
                n_frames += len(values)
                if n_frames > self._n_frames:
                    break
                yield values if self.n_columns == self._n_frames else reducer.push(values)
        finally:
            reader.close()
        if n_frames != self._n_frames:
            raise SourceError(f"{reader.name!r} has changed while it was read: try once more")

    def _found(
        self,
        n_samples: int,
        least: float,
        greatest: float,
        ref: float | None,
        top_db: float | None,
        reduced: bool,
    ) -> PictureFormat:
        per_decade = 20 / self._picture.power
        reference = max(greatest if ref is None else ref, self._amin)
        high = per_decade * math.log10(max(greatest, self._amin) / reference)
        low = per_decade * math.log10(max(least, self._amin) / reference)
        low = min(low if top_db is None else high - top_db, high - LEAST_RANGE)
        if self.is_silent:  # as dark as it can be
            low, high = high, 2 * high - low
        return replace(
            self._picture,
            ref=reference,
            db_low=low,
            db_high=high,
            n_samples=n_samples,
            n_columns=self.n_columns if reduced else None,
        )

    def _db(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """librosa's `power_to_db`, channels first."""
        picture = self.picture
        per_decade = 20 / picture.power
        db = np.log10(np.maximum(np.float32(self._amin), values))
        db *= np.float32(per_decade)
        db -= np.float32(per_decade) * np.log10(np.full(1, picture.ref, np.float32))
        return np.ascontiguousarray(np.maximum(db, np.float32(picture.db_low)).swapaxes(0, 1))


class _Counted:
    """Reads to the end, counts, and tells how far it is."""

    def __init__(self, reader: OpenSound, progress: Progress):
        self._reader, self._progress = reader, progress
        self.n_samples = 0

    def values(self, stream: PictureStream) -> Iterator[NDArray[np.float32]]:
        while len(block := self._reader.read(stream.piece)):
            yield stream.push(block)
            self.n_samples += len(block)
            claim = self._reader.n_samples
            self._progress(min(1.0, self.n_samples / claim) if claim else None)
        yield stream.finish()


class _InMemory:
    """A `SoundReader` of a `Sound`."""

    name = "sound"

    def __init__(self, sound: Sound):
        self._samples, self._next = sound.samples, 0
        self.sample_rate, self.n_channels = sound.sample_rate, sound.n_channels
        self.n_samples, self.bad_samples = len(sound.samples), sound.bad_samples

    def read(self, n_samples: int) -> NDArray[np.float32]:
        block = self._samples[self._next : self._next + n_samples]
        self._next += len(block)
        return block

    def close(self) -> None:
        pass
