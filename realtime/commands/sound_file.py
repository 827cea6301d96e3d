"""The sound file that a command writes: checked before any work, whole or as it was after it.

WAV and FLAC of 16 and 24 bits hold round(sample * 2 ** (bits - 1)): whole numbers of so many bits
that were read from a file are written as they were.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RealtimeError, RequestError
from realtime.replacing import check_replaceable, replacing
from realtime.wording import shown, shown_path

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
"""Kinds of files written, by the end of their name."""

DEPTHS = {"16": "PCM_16", "24": "PCM_24", "32": "FLOAT"}

HELD: dict[str, tuple[int, Container[int], str]] = {
    "WAV": (1024, range(1, 1 << 31), "any rate"),
    "FLAC": (8, range(1, 655_351), "up to 655350 Hz"),
    "OGG": (255, range(1, 200_001), "up to 200000 Hz"),
    "MP3": (
        2,
        (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        "8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 or 48000 Hz",
    ),
}
"""Channels at most, sample rates, and these in words. libsndfile dies of an OGG at a higher one."""

WAV_BYTES = (1 << 32) - (1 << 16)
"""Of samples: a WAV tells its length with 32 bits. What is longer becomes an RF64, which most
programs read under the same name."""

WRITTEN_SAMPLES = 1 << 16
"""At a time: libsndfile's Vorbis encoder crashes on millions."""


def checked_out(text: str | None, sources: Iterable[str], depth: str) -> Path:
    """The file to write. Raises RequestError where it cannot be, or is one of those read."""
    if text is None:
        raise RequestError("name the file to write: -o FILE.wav")
    path, name = Path(text), f"-o {shown_path(text)}"
    if path.suffix.lower() not in FORMATS:
        raise RequestError(f"{name} must end in one of {', '.join(FORMATS)}")
    if depth not in DEPTHS:
        raise RequestError(f"--depth = {shown(depth)} must be 16, 24, or 32 for float (try 24)")
    if depth == "32" and path.suffix.lower() != ".wav":
        raise RequestError(f"--depth 32 is float, which only WAV holds: name a .wav, not {name}")
    if os.path.isdir(path) or not os.path.isdir(path.parent):
        raise RequestError(f"{name} must be a file in a folder that is there")
    check_replaceable(path, name)
    if path.exists() and any(os.path.exists(each) and path.samefile(each) for each in sources):
        raise RequestError(f"{name} is the file that is read: name another")
    return path


def write_sound(
    out: Path,
    pieces: Iterable[NDArray],
    sample_rate: int,
    n_channels: int,
    depth: str,
    written: Callable[[float], object] = lambda n_samples: None,
    expected: int | None = None,
) -> int:
    """Write float or int16 (n_samples, n_channels), one after another, full scale ±1 or 32768.

    written : told how many samples there are so far
    expected : how many there will be, where that is known
    Returns how many there were; `out` is whole or as it was. Raises RequestError, before any piece
    is made, where such a file holds no such sound; RealtimeError where it cannot be written.
    """
    import soundfile

    kind = FORMATS[out.suffix.lower()]
    check_held(out, sample_rate, n_channels)
    subtype = DEPTHS[depth] if kind in ("WAV", "FLAC") else None
    most = WAV_BYTES // (n_channels * int(depth) // 8)
    if kind == "WAV" and (expected or 0) > most:
        kind = "RF64"
    n_samples = 0
    with replacing(out) as new:
        new.touch()  # says why it cannot be made, which libsndfile does not
        try:
            with soundfile.SoundFile(
                new, "w", sample_rate, n_channels, subtype, format=kind
            ) as file:
                for piece in pieces:
                    for at in range(0, len(piece), WRITTEN_SAMPLES):
                        file.write(_as_stored(piece[at : at + WRITTEN_SAMPLES], subtype))
                    n_samples += len(piece)
                    if kind == "WAV" and n_samples > most:
                        raise RealtimeError(
                            f"{shown_path(str(out))} would be longer than a WAV can be (4 GB): "
                            "name a .flac"
                        )
                    written(n_samples)
        except soundfile.SoundFileError as fault:
            raise RealtimeError(
                f"{shown_path(str(out))} cannot be written ({fault}): is the disk full?"
            ) from fault
    return n_samples


def check_held(out: Path, sample_rate: int, n_channels: int) -> None:
    """Raises RequestError where a file of that name holds no such sound."""
    kind = FORMATS[out.suffix.lower()]
    most, rates, words = HELD[kind]
    if n_channels <= most and sample_rate in rates:
        return
    raise RequestError(
        f"{shown_path(str(out))} cannot hold {n_channels} channel{'s' * (n_channels > 1)} at "
        f"{sample_rate} Hz: {kind} takes {most} at most, at {words} (name a .wav)"
    )


def _as_stored(samples: NDArray, subtype: str | None) -> NDArray:
    """libsndfile would make 32767 of full scale, and so other numbers of those it read."""
    samples = np.asarray(samples)
    if samples.dtype == np.int16 and subtype == "PCM_16":
        return samples
    if samples.dtype == np.int16:
        samples = samples / 32768
    if subtype not in ("PCM_16", "PCM_24"):
        return samples
    full = 2.0 ** (15 if subtype == "PCM_16" else 23)
    whole = np.clip(np.rint(samples.astype(np.float64) * full), -full, full - 1)
    return whole.astype(np.int16) if subtype == "PCM_16" else whole.astype(np.int32) << 8
