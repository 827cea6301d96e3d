"""Sound files into arrays, or into blocks where they are long; resampled only when asked.

libsndfile reads WAV, FLAC, OGG (Vorbis, Opus), MP3, AIFF, CAF, AU and W64; everything else, and
MP3 whose length libsndfile would have to guess, goes through PyAV, the extra `[media]`.
Resampling is soxr's at its high quality, as in librosa: the same samples as `librosa.load`, to the
bit, in a hundredth of the time of libsamplerate's sinc_medium, which is here for two clocks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.errors import MissingDependency, RequestError, SourceError
from realtime.wording import shown_path

PIECE = 1 << 16
"""Samples read at a time: 1.5 s at 44100 Hz, 256 KiB a channel."""

MOST_VALUES = 1 << 29
"""Samples times channels that `load` takes into memory, 2 GiB: 3 h of mono at 48000 Hz."""

SAMPLE_RATES = (1000, 768_000)
"""Hz, to resample to; as of files."""

ID3_HEAD = 10
"""Bytes before an ID3 tag, which say how long it is."""
FIRST_FRAME = 4096
"""Bytes of MP3 in which its first frame lies, and the length header in that."""


@dataclass(frozen=True, eq=False)
class Sound:
    """samples : float32 (n_samples, n_channels), full scale ±1, at `sample_rate` Hz. Given as
        float64 or (n_samples,) they become that.
    damage : the sentence that says where the file broke off, or None
    bad_samples : how many were NaN or infinite, and are 0 now
    """

    samples: NDArray[np.float32]
    sample_rate: int
    damage: str | None = None
    bad_samples: int = 0

    def __post_init__(self) -> None:
        """Raises RequestError for integers, another shape or a sample rate that cannot be."""
        check_rate(self.sample_rate)
        samples = np.asarray(self.samples)
        if samples.dtype.kind != "f" or samples.ndim not in (1, 2) or not samples.size:
            raise RequestError(
                f"samples of {samples.dtype} {samples.shape} must be float, (n_samples,) or "
                "(n_samples, n_channels), at least one (int16 divided by 32768)"
            )
        samples = samples.astype(np.float32, copy=False).reshape(len(samples), -1)
        object.__setattr__(self, "samples", samples)

    @property
    def n_channels(self) -> int:
        return self.samples.shape[1]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.sample_rate


class SoundReader(Protocol):
    """A sound that is read front to back."""

    @property
    def name(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def n_channels(self) -> int: ...
    @property
    def n_samples(self) -> int | None:
        """A claim, which may be wrong; None where there is none."""

    @property
    def bad_samples(self) -> int:
        """NaN and infinite values so far, which became 0."""
        ...

    def read(self, n_samples: int) -> NDArray[np.float32]:
        """float32 (n_samples, n_channels), shorter and then empty at the end."""
        ...

    def close(self) -> None: ...


def load(
    path: str | os.PathLike[str],
    sample_rate: int | None = None,
    mono: bool = False,
    *,
    partial: bool = False,
) -> Sound:
    """Read a whole file. For a long one see `open_sound`.

    sample_rate : Hz to resample to; None: the file's own
    mono : the mean of all channels, as in librosa
    partial : of a file that breaks off, take what comes before and say so in `damage`
    Raises SourceError for what is no sound, breaks off, or is more than 2 GiB;
    MissingDependency where PyAV is needed; RequestError for a sample rate that cannot be.
    """
    reader = open_sound(path, sample_rate, mono, partial=partial)
    try:
        parts, n_values = [], 0
        while len(part := reader.read(PIECE)):
            parts.append(part)
            n_values += part.size
            if n_values > MOST_VALUES:
                raise SourceError(
                    f"{shown_path(os.fspath(path))} is longer than fits into memory (2 GiB of "
                    "samples): read it in blocks with open_sound, or analyse the file itself"
                )
    finally:
        reader.close()
    return Sound(np.concatenate(parts), reader.sample_rate, reader.damage, reader.bad_samples)


def open_sound(
    path: str | os.PathLike[str],
    sample_rate: int | None = None,
    mono: bool = False,
    *,
    partial: bool = False,
) -> OpenSound:
    """Open a file to read it in blocks, whatever its length. The parameters and errors of `load`;
    `read` raises SourceError where the file breaks off, after all that came before."""
    check_rate(sample_rate)
    return OpenSound(_opened(os.fspath(path)), sample_rate, mono=mono, partial=partial)


class OpenSound:
    """A `SoundReader`: what another one gives, as one channel or at another rate, if asked.

    Owns `reader` and closes it. One thread owns it.
    damage : the sentence that says where the file broke off, as far as it has been read
    """

    def __init__(
        self,
        reader: SoundReader,
        sample_rate: int | None = None,
        *,
        mono: bool = False,
        partial: bool = False,
    ):
        self._reader, self._partial = reader, partial
        self.name = reader.name
        self.sample_rate = sample_rate or reader.sample_rate
        self.n_channels = 1 if mono else reader.n_channels
        self.damage: str | None = None
        self._resample = None
        self._ended = False
        self._taken = self._given = 0
        self._rest = np.zeros((0, self.n_channels), np.float32)
        if self.sample_rate != reader.sample_rate:
            import soxr

            self._resample = soxr.ResampleStream(
                reader.sample_rate, self.sample_rate, self.n_channels, quality="HQ"
            ).resample_chunk

    @property
    def bad_samples(self) -> int:
        return self._reader.bad_samples

    @property
    def n_samples(self) -> int | None:
        claim = self._reader.n_samples
        return None if claim is None else self._at_this_rate(claim)

    def read(self, n_samples: int) -> NDArray[np.float32]:
        """float32 (n_samples, n_channels), shorter and then empty at the end."""
        parts = []
        while n_samples > 0 and self._more():
            parts.append(self._rest[:n_samples])
            n_samples -= len(parts[-1])
            self._rest = self._rest[len(parts[-1]) :]
        return np.concatenate(parts) if parts else self._rest.copy()

    def close(self) -> None:
        """Safe twice."""
        self._reader.close()

    def _more(self) -> bool:
        while not len(self._rest) and not self._ended:
            block = self._block()
            self._ended = not len(block)
            self._taken += len(block)
            if self.n_channels < block.shape[1]:
                block = block.mean(axis=1, keepdims=True, dtype=np.float32)
            if self._resample is not None:
                block = self._resample(block, last=self._ended)
                if self._ended:
                    block = self._of_length(block, self._at_this_rate(self._taken) - self._given)
            self._given += len(block)
            self._rest = block
        return bool(len(self._rest))

    def _block(self) -> NDArray[np.float32]:
        try:
            return self._reader.read(PIECE)
        except SourceError as fault:
            if not self._partial:
                raise
            self.damage = str(fault)
            return np.zeros((0, self._reader.n_channels), np.float32)

    def _at_this_rate(self, n_samples: int) -> int:
        """Rounded up, as librosa does, where soxr rounds to the nearest."""
        return -(-n_samples * self.sample_rate // self._reader.sample_rate)

    def _of_length(self, block: NDArray, n_samples: int) -> NDArray[np.float32]:
        silence = np.zeros((max(0, n_samples - len(block)), self.n_channels), np.float32)
        return np.concatenate([block[: max(0, n_samples)], silence])


def check_rate(sample_rate: int | None) -> None:
    """Raise RequestError for a rate that nothing has. None is a sound's own."""
    low, high = SAMPLE_RATES
    if sample_rate is not None and not low <= sample_rate <= high:
        raise RequestError(f"sample_rate={sample_rate} must be {low} to {high} Hz")


def _opened(path: str) -> SoundReader:
    from realtime.audio.files import UnknownContainer, file_head, open_audio_file
    from realtime.audio.media import MediaFile

    if _is_mp3_of_unknown_length(path, file_head(path)):
        try:
            return MediaFile(path)
        except (MissingDependency, SourceError):
            return open_audio_file(path)
    try:
        return open_audio_file(path)
    except UnknownContainer:
        return MediaFile(path)


def _is_mp3_of_unknown_length(path: str, head: bytes) -> bool:
    """Whether no header in the first frame tells how many there are (Xing, LAME, Fraunhofer)."""
    tagged = head[:3] == b"ID3"
    if not tagged and not (head[0] == 0xFF and head[1:2] >= b"\xe0"):
        return False
    with open(path, "rb") as file:
        if tagged:
            size = 0
            for byte in head[6:10]:
                size = size << 7 | byte & 0x7F
            file.seek(ID3_HEAD + size)
        frame = file.read(FIRST_FRAME)
    return not any(mark in frame for mark in (b"Xing", b"Info", b"VBRI"))
