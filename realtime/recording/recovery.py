"""Recordings that a crash, a power cut or a failing disk left behind, finished as chores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from realtime.errors import RecordingError
from realtime.recording import sidecar, wav
from realtime.recording.levels import SegmentLevels
from realtime.recording.own_files import files_below
from realtime.recording.riff import HEADER_BYTES
from realtime.recording.segment import PART_JSON, PART_WAV, beside, publish
from realtime.wording import shown_path

SLICE_BYTES = 4 << 20
"""Read and hashed between two steps of the recorder: 20 ms."""


def parts(folder: Path) -> list[Path]:
    """Paths without suffix of the parts below `folder`, oldest name first. Raises OSError."""
    found = {
        path.with_name(path.name.removesuffix(suffix))
        for path in files_below(folder)
        for suffix in (PART_WAV, PART_JSON)
        if path.name.endswith(suffix) and not path.is_symlink()
    }
    return sorted(found)


def finish(base: Path, ended: str = "interrupted", most: int | None = None) -> Iterator[None]:
    """Give the part at `base` its name and a sidecar that says what it holds.

    most : samples of it that count; None for all that its header claims
    A chore: see `chores`. Raises RecordingError where the part is none of ours, and OSError.
    """
    part, note = beside(base, PART_WAV), beside(base, PART_JSON)
    known = sidecar.read(beside(base, ".json")) if beside(base, ".json").exists() else None
    if known is None:
        if not note.exists() or (known := sidecar.read(note)) is None:
            raise RecordingError(
                f"{shown_path(str(part))} has no sidecar that says what it is: it stays as it is"
            )
        if not part.exists():  # stopped before the first sample
            note.unlink()
            return
        repaired = wav.repair(part, most)
        if not repaired.n_samples:
            part.unlink()
            note.unlink()
            return
        digest, levels = hashlib.sha256(), SegmentLevels(known["channels"])
        yield from _read(part, repaired, digest, levels)
        start, stop = known["start"], known["start"] + repaired.n_samples
        lasted_ns = repaired.n_samples * 10**9 // known["sample_rate"]
        known |= {
            "stop": stop,
            "utc_end": sidecar.utc_text(sidecar.utc_ns(known["utc_start"]) + lasted_ns),
            "ended": ended,
            "levels": levels.summary(),
            "gaps": [gap for gap in known["gaps"] if start <= gap["index"] < stop],
            "sha256": digest.hexdigest(),
        }
    publish(base, known)
    yield


def _read(
    part: Path, repaired: wav.Repaired, digest: hashlib._Hash, levels: SegmentLevels
) -> Iterator[None]:
    """Take all samples into `digest` and `levels`, a slice at a time."""
    import soundfile

    form = repaired.format
    n = max(1, SLICE_BYTES // form.sample_bytes)
    left = repaired.n_samples * form.sample_bytes
    with part.open("rb") as file, soundfile.SoundFile(part) as sound:
        file.seek(HEADER_BYTES)
        while left > 0:
            raw = file.read(min(n * form.sample_bytes, left))
            if not raw:
                return
            left -= len(raw)
            digest.update(raw)
            block = sound.read(len(raw) // form.sample_bytes, dtype="float32", always_2d=True)
            if len(block):
                levels.push(np.asarray(block, np.float32))
            yield
