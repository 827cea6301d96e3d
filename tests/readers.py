"""Programs nobody here wrote, reading our files. Each returns the samples as the bytes of a WAV
of the same depth."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import soundfile

FFMPEG_FORMATS = {16: "s16le", 24: "s24le", 32: "f32le"}
SOX_OPTIONS = {
    16: ("-e", "signed", "-b", "16"),
    24: ("-e", "signed", "-b", "24"),
    32: ("-e", "float", "-b", "32"),
}


def by_soundfile(path: Path, depth: int) -> bytes:
    if depth == 32:
        return soundfile.read(path, dtype="float32", always_2d=True)[0].tobytes()
    values, _ = soundfile.read(path, dtype="int32", always_2d=True)
    return values.reshape(-1, 1).view(np.uint8)[:, 4 - depth // 8 :].tobytes()


def by_ffmpeg(path: Path, depth: int) -> bytes:
    return _output(*_ffmpeg(path, depth))


def by_sox(path: Path, depth: int) -> bytes:
    return _output(*_sox(path, depth))


READERS = (by_soundfile, by_ffmpeg, by_sox)


def read_by_all(path: Path, depth: int) -> bytes:
    """What they read, all three the same."""
    first, *others = (read(path, depth) for read in READERS)
    for reader, other in zip(READERS[1:], others, strict=True):
        assert other == first, f"{reader.__name__}: {len(other)} bytes, not {len(first)} as before"
    return first


def digests_by_all(path: Path, depth: int) -> list[str]:
    """SHA-256 of what each reads, of files too large for memory; 16 or 24 bits."""
    by_soundfile = hashlib.sha256()
    for block in soundfile.blocks(path, 1 << 20, dtype="int32", always_2d=True):
        by_soundfile.update(block.reshape(-1, 1).view(np.uint8)[:, 4 - depth // 8 :].tobytes())
    digests = [by_soundfile.hexdigest()]
    for command in (_ffmpeg(path, depth), _sox(path, depth)):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            digests.append(hashlib.file_digest(process.stdout, "sha256").hexdigest())
    return digests


def count_by_two(path: Path) -> list[int]:
    """Number of samples that soundfile and ffmpeg find."""
    ffprobe = _output(
        "ffprobe", "-v", "error", "-show_entries", "stream=duration_ts", "-of", "csv=p=0", path
    )
    return [soundfile.info(path).frames, int(ffprobe)]


def count_by_all(path: Path) -> list[int]:
    """And sox, which reads an RF64 from end to end to tell."""
    return [*count_by_two(path), int(_output("soxi", "-s", path))]


def _ffmpeg(path: Path, depth: int) -> tuple[str | Path, ...]:
    form = FFMPEG_FORMATS[depth]
    return ("ffmpeg", "-v", "error", "-i", path, "-f", form, "-c:a", f"pcm_{form}", "-")


def _sox(path: Path, depth: int) -> tuple[str | Path, ...]:
    return ("sox", "-V1", "-D", path, "-t", "raw", *SOX_OPTIONS[depth], "-L", "-")


def _output(*command: str | Path) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, timeout=100).stdout
