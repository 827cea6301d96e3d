"""Audio files, front to back, in blocks, within limits of our own: no claim is believed.

libsndfile accepts 1000 channels, 1 Hz, 10 MHz, NaN, and a FLAC of 98 bytes that claims 69 billion
samples. Here the containers are those we name, the memory is one chunk, a length is a claim, and
every refusal is one `SourceError`. A variable-bit-rate MP3 without a length header may end early,
because libsndfile stops where its own estimate does: that is noticed, and said.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter

import numpy as np
import soundfile

from realtime.errors import SourceError
from realtime.wording import shown_path

CHANNELS = (1, 64)
SAMPLE_RATES = (1000, 768_000)
"""Hz; wider than any device made."""

CHUNK = 1024
"""Samples decoded at a time (21 ms at 48000 Hz): where a file is damaged, at most these are lost
of what came before."""

SAMPLES_PER_BYTE = 8192
"""More cannot be true: FLAC needs 11 bytes for 65535 samples of silence, Vorbis packs less."""

MP3_PADDING = 4 * 1152
"""Samples by which an honest MP3 may end short of its header: encoder delay and padding."""

UNREAD_BYTES = 1 << 16
UNREAD_FRAMES = 20
"""Of MP3 behind the last sample that libsndfile gives: in so many bytes lie 45 frames or more, and
their sync word hardly once where it is a tag or a picture."""

STREAMED_BYTES = 0xFFFFFF00
"""A WAV whose data claims at least this many bytes was written to a pipe, its length unknown."""


class UnknownContainer(SourceError):
    """A file that libsndfile does not read, or that we do not let it read."""


def open_audio_file(path: str) -> AudioFile:
    """Open a WAV, FLAC, OGG (Vorbis, Opus), MP3, AIFF, CAF, AU or W64 file. Raises `SourceError`,
    also if nothing can be decoded."""
    if not _is_ours(file_head(path)):
        raise UnknownContainer(_not_audio(path))
    try:
        # By descriptor, which tells how far libsndfile has read; it closes it, and on a fault too.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as fault:
        raise SourceError(_unreadable(path, fault)) from fault
    try:
        file = _ForwardFile(descriptor)
    except (soundfile.SoundFileError, OSError, ValueError) as fault:
        raise UnknownContainer(_not_audio(path)) from fault
    try:
        return AudioFile(path, file, descriptor)
    except SourceError:
        file.close()
        raise


class Decoded:
    """Sound that is decoded chunk by chunk, and read in blocks."""

    _rest: np.ndarray
    """Decoded and not yet read, float32 (n_samples, n_channels)."""
    _fault: SourceError | None
    """Why nothing can be decoded after that."""

    def read(self, n_samples: int) -> np.ndarray:
        """The next block, float32 (n_samples, n_channels), full scale ±1; shorter, then empty at
        the end. Raises `SourceError` where the file breaks off, after all that came before."""
        parts = []
        while n_samples > 0 and self._more():
            parts.append(self._rest[:n_samples])
            n_samples -= len(parts[-1])
            self._rest = self._rest[len(parts[-1]) :]
        if parts:
            return np.concatenate(parts)
        if self._fault is not None:
            raise self._fault
        return self._rest.copy()

    def _more(self) -> bool:
        """Whether there is something in `_rest`, decoding the next chunk if it was empty."""
        raise NotImplementedError


class AudioFile(Decoded):
    """An open file. Owner: one thread.

    n_samples : what the header claims, or None where it says nothing or what cannot be true
    bad_samples : NaN and infinite values met so far, each replaced by zero
    """

    def __init__(self, path: str, file: soundfile.SoundFile, descriptor: int):
        self.name = os.fsencode(os.path.basename(path)).decode(errors="replace")
        self.sample_rate: int = file.samplerate
        self.n_channels: int = file.channels
        self.bad_samples = 0
        self._path, self._file, self._shown = path, file, shown_path(path)
        self._descriptor = descriptor
        check_limits(self._shown, self.n_channels, self.sample_rate)
        self.n_samples = self._claim()
        self._decoded = 0
        self._fault = None
        self._rest = np.zeros((0, self.n_channels), np.float32)
        if not self._more():
            raise SourceError(
                f"{self._shown} holds no sample that can be decoded: record or copy it again"
            )

    def close(self) -> None:
        """Safe twice."""
        self._file.close()

    def _more(self) -> bool:
        if len(self._rest) or self._fault is not None:
            return bool(len(self._rest))
        try:
            chunk = self._file.read(CHUNK, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as fault:
            self._fault = SourceError(
                f"{self._shown} is damaged after {self._seconds(self._decoded)}: nothing "
                "more can be decoded; copy it again from where it came"
            )
            self._fault.__cause__ = fault
            return False
        self._decoded += len(chunk)
        slack = MP3_PADDING if self._file.format == "MP3" else 0
        if not len(chunk) and self._decoded + slack < (self.n_samples or 0):
            self._fault = SourceError(
                f"{self._shown} ends after {self._seconds(self._decoded)} though its header "
                f"claims {self._seconds(self.n_samples or 0)}: it was cut short; copy it again "
                "from where it came"
            )
        elif not len(chunk) and self._file.format == "MP3" and self._goes_on():
            self._fault = SourceError(
                f"{self._shown} goes on after {self._seconds(self._decoded)}, but libsndfile does "
                "not: its bit rate varies and no header tells its length; convert it with "
                "'ffmpeg -i IN OUT.flac'"
            )
        self.bad_samples += silence_bad(chunk)
        self._rest = chunk
        return bool(len(chunk))

    def _goes_on(self) -> bool:
        """Whether behind what libsndfile has read of an MP3 there is more MP3."""
        try:
            rest = os.read(self._descriptor, UNREAD_BYTES)
        except OSError:
            return False
        syncs = Counter(re.findall(rb"\xff[\xe2-\xff]", rest))
        return bool(syncs) and syncs.most_common(1)[0][1] >= UNREAD_FRAMES

    def _seconds(self, n_samples: int) -> str:
        return f"{n_samples / self.sample_rate:.2f} s"

    def _claim(self) -> int | None:
        claim = self._file.frames
        log = self._file.extra_info  # libsndfile mends the length of a truncated WAV, and notes it
        if mended := re.search(r"^data : (\d+) \(should be ([1-9]\d*)\)", log, re.MULTILINE):
            said, there = map(int, mended.groups())
            claim = claim * said // there if said < STREAMED_BYTES else None
        elif mended := re.search(r"match value from 'ds64' chunk of (\d+)", log):
            claim = int(mended[1])
        most = os.path.getsize(self._path) * SAMPLES_PER_BYTE
        return claim if claim is not None and claim <= most else None


class _ForwardFile(soundfile.SoundFile):
    """Never seeks: soundfile else seeks after every read, which fails at the end of a file whose
    header claims more than there is, and loses the last samples of it."""

    def seekable(self) -> bool:
        return False


def check_limits(shown: str, n_channels: int, sample_rate: int) -> None:
    """Raise `SourceError` for a header that promises what no sound has."""
    for value, what, unit, (least, most) in (
        (n_channels, "channels", "", CHANNELS),
        (sample_rate, "a sample rate of", " Hz", SAMPLE_RATES),
    ):
        if not least <= value <= most:
            held = f"{what} {value}{unit}" if unit else f"{value} {what}"
            raise SourceError(
                f"{shown} has {held}, outside {least} to {most}{unit}: its header "
                "is wrong, or it is not sound; convert it with sox or ffmpeg"
            )


def silence_bad(samples: np.ndarray) -> int:
    """In place: NaN and infinities become zeros. Returns how many there were."""
    bad = ~np.isfinite(samples)
    n_bad = int(np.count_nonzero(bad))
    if n_bad:
        samples[bad] = 0.0
    return n_bad


def file_head(path: str) -> bytes:
    """The first bytes of a regular file that is not empty. Raises `SourceError` for any other,
    without waiting for it."""
    try:
        mode = os.stat(path).st_mode
        head = _head(path) if stat.S_ISREG(mode) else b""  # opening a pipe could wait for ever
    except (OSError, ValueError) as fault:
        raise SourceError(_unreadable(path, fault)) from fault
    if stat.S_ISDIR(mode):
        raise SourceError(f"{shown_path(path)} is a folder: name one audio file in it")
    if not stat.S_ISREG(mode):
        raise SourceError(
            f"{shown_path(path)} is a pipe or a device, not a file: save the sound to a file first"
        )
    if not head:
        raise SourceError(f"{shown_path(path)} is empty (0 bytes): record or copy it again")
    return head


def _is_ours(head: bytes) -> bool:
    """Whether a file starts like a container of ours; libsndfile's parsers for others are no
    business of ours."""
    wav = head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"
    aiff = head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")
    mp3 = head[:3] == b"ID3" or (head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0)
    return wav or aiff or mp3 or head[:4] in (b"fLaC", b"OggS", b"caff", b".snd", b"riff")


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(12)


def _unreadable(path: str, fault: OSError | ValueError) -> str:
    match fault:
        case PermissionError():
            return f"{shown_path(path)} may not be read: ask its owner, or 'chmod +r' the file"
        case FileNotFoundError() | NotADirectoryError() | ValueError():
            return f"there is no file {shown_path(path)}: check the path"
        case _:
            return f"{shown_path(path)} cannot be read ({fault.strerror}): check the disk it is on"


def _not_audio(path: str) -> str:
    return (
        f"{shown_path(path)} is not audio in WAV, FLAC, OGG, MP3, AIFF, CAF, AU or W64: "
        "convert it, for example with 'ffmpeg -i IN OUT.flac'"
    )
