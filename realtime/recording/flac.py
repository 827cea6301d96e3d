"""A sealed WAV made into FLAC a slice at a time, and believed only when it was decoded again.

The caller decides how much is done at once, so its thread is never held up, and deletes the WAV
only when `advance` has said that all is done: then the FLAC is whole, bears its final name and is
on the disk for sure.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import numpy as np

from realtime.errors import RecordingError
from realtime.recording import durable
from realtime.recording.pcm import low_bytes
from realtime.recording.riff import SampleFormat
from realtime.wording import shown_path

CHANNELS_MOST, RATE_MOST = 8, 655_350
"""Limits of the format (RFC 9639)."""


class FlacSealing:
    """The work on one file. Owner: one thread, which closes it, done or not.

    digest : SHA-256 of the samples as they lie in the WAV, in hexadecimal; known when done
    """

    def __init__(
        self,
        wav: Path,
        flac: Path,
        digest: str | None = None,
        tags: Mapping[str, str] | None = None,
    ):
        """digest : the `WavWriter`'s; the WAV is held against it
        tags : Vorbis comments by soundfile's names, such as title, comment, date

        Raises `RecordingError` where the WAV cannot be read or FLAC cannot hold it, and `OSError`.
        """
        self.digest = digest
        self._wav, self._flac, self._new = wav, flac, durable.temporary(flac)
        self._tags = dict(tags or {})
        self._steps = self._seal()
        next(self._steps)

    def advance(self, n_samples: int) -> bool:
        """Encode, or check, the next `n_samples`. True when the FLAC bears its name for good.

        Raises `RecordingError` where the samples are not the same, and `OSError`. What was made is
        gone then, and the WAV as it was.
        """
        try:
            return self._steps.send(n_samples)
        except (RecordingError, OSError):
            self.close()
            raise

    def close(self) -> None:
        """Let go, and remove what is not finished. Safe twice."""
        self._steps.close()
        with contextlib.suppress(OSError):
            self._new.unlink(missing_ok=True)

    def _seal(self) -> Generator[bool, int, None]:
        wanted, found = hashlib.sha256(), hashlib.sha256()
        with contextlib.closing(_Sound(self._wav)) as wav:
            form = _format(wav)
            n_samples = yield False
            with contextlib.closing(_Sound(self._new, form)) as flac:
                flac.tag(self._tags)
                while len(block := wav.read(n_samples)):
                    wanted.update(low_bytes(block >> (32 - form.depth), form.depth))
                    flac.write(block)
                    n_samples = yield False
                flac.finish()
        if self.digest not in (None, wanted.hexdigest()):
            raise RecordingError(
                f"{_shown(self._wav)} no longer holds the samples that were recorded, so no FLAC "
                "is made of it: check the disk that it is on"
            )
        n_samples = yield False
        with contextlib.closing(_Sound(self._new)) as flac:
            while len(block := flac.read(n_samples)):
                found.update(low_bytes(block >> (32 - form.depth), form.depth))
                n_samples = yield False
        if found.digest() != wanted.digest():
            raise RecordingError(
                f"the FLAC made of {_shown(self._wav)} does not hold the same samples, so the WAV "
                "stays: check the memory and the disk of this machine"
            )
        self.digest = wanted.hexdigest()
        durable.replace(self._new, self._flac)
        while True:
            yield True


class _File(io.FileIO):
    """Remembers what went wrong, for libsndfile does not say."""

    fault: OSError | None = None

    def readinto(self, buffer) -> int:
        try:
            return super().readinto(buffer) or 0
        except OSError as fault:
            self.fault = fault
            return 0

    def write(self, data) -> int:
        done = 0
        try:
            while done < len(data):
                done += super().write(data[done:]) or 0
        except OSError as fault:
            self.fault = fault
        return done


class _Sound:
    """A sound file through libsndfile. What the disk refuses is raised as `OSError`, and what
    libsndfile refuses as `RecordingError`."""

    def __init__(self, path: Path, form: SampleFormat | None = None):
        """form : of the FLAC that shall be made; without it the file is read"""
        import soundfile

        # it asserts that all was written, which a full disk makes untrue
        self._faults = (soundfile.SoundFileError, AssertionError)
        self.path = path
        self._file = _File(path, "w" if form else "r")
        made = {}
        if form:
            made = {"mode": "w", "samplerate": form.sample_rate, "channels": form.n_channels}
            made |= {"subtype": f"PCM_{form.depth}", "format": "FLAC"}
        try:
            with self._asking():
                self.sound = soundfile.SoundFile(self._file, **made)
        except (RecordingError, OSError):
            self._file.close()
            raise

    def tag(self, tags: Mapping[str, str]) -> None:
        for name, text in tags.items():
            setattr(self.sound, name, text)

    def read(self, n_samples: int) -> np.ndarray:
        """The next block, int32 (n_samples, n_channels), full scale 2**31; empty at the end."""
        with self._asking():
            return self.sound.read(n_samples, "int32", always_2d=True)

    def write(self, block: np.ndarray) -> None:
        with self._asking():
            self.sound.write(block)

    def finish(self) -> None:
        """Return when what was written is on the disk."""
        with self._asking():
            self.sound.close()
        durable.sync(self._file.fileno())

    def close(self) -> None:
        with contextlib.suppress(*self._faults):
            self.sound.close()
        self._file.close()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except self._faults as fault:
            if self._file.fault is None:
                raise RecordingError(
                    f"{_shown(self.path)} cannot be read or written as sound: {fault}"
                ) from fault
        if self._file.fault is not None:
            raise self._file.fault


def _format(wav: _Sound) -> SampleFormat:
    """Raises `RecordingError` where FLAC cannot hold it."""
    sound, name = wav.sound, _shown(wav.path)
    if sound.subtype not in ("PCM_16", "PCM_24"):
        raise RecordingError(
            f"{name} holds samples as {sound.subtype}, and FLAC only integers: record 16 or 24 "
            "bits, or keep the WAV"
        )
    if sound.channels > CHANNELS_MOST or sound.samplerate > RATE_MOST:
        raise RecordingError(
            f"{name} has {sound.channels} channels at {sound.samplerate} Hz, and FLAC takes up to "
            f"{CHANNELS_MOST} and {RATE_MOST} Hz: keep the WAV"
        )
    if not sound.frames:
        raise RecordingError(f"{name} holds no sample, and an empty FLAC is readable by few")
    return SampleFormat(sound.samplerate, sound.channels, int(sound.subtype[-2:]))


def _shown(path: Path) -> str:
    return shown_path(str(path))
