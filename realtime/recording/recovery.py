"""Recordings that a crash, a power cut or a failing disk left behind, finished as chores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from realtime.engine.status import Cause, Gap
from realtime.errors import RecordingError
from realtime.recording import sidecar, wav
from realtime.recording.levels import SegmentLevels
from realtime.recording.own_files import files_below
from realtime.recording.riff import HEADER_BYTES
from realtime.recording.segment import PART_JSON, PART_WAV, beside, publish
from realtime.recording.stream import within
from realtime.wording import shown_path

SLICE_BYTES = 4 << 20
"""Read and hashed between two steps of the recorder: 20 ms."""


def parts(folder: Path) -> list[Path]:
    """Paths without suffix of the parts below `folder`, oldest name first. Raises OSError."""
    found = {
        path.with_name(path.name.removesuffix(suffix))
        for path in files_below(folder)
        for suffix in (PART_WAV, PART_JSON)
        if path.name.endswith(suffix)
    }
    return sorted(found)


def finish(base: Path, ended: str = "interrupted", most: int | None = None) -> Iterator[None]:
    """Give the part at `base` its name and a sidecar that says what it holds.

    most : samples of it that count; None for all that its header claims
    A chore: see `chores`. Raises RecordingError where the part is none of ours, and OSError.
    """
    part, note = beside(base, PART_WAV), beside(base, PART_JSON)
    if not part.exists() and not note.exists():
        return  # done before
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
        digest, levels = hashlib.sha256(), SegmentLevels(repaired.format.n_channels)
        yield from _read(part, repaired, digest, levels)
        try:
            known = _completed(known, repaired.n_samples, ended)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            raise RecordingError(
                f"{shown_path(str(note))} does not say as ours do what was recorded: the part "
                "stays as it is"
            ) from None
        known |= {"levels": levels.summary(), "sha256": digest.hexdigest()}
    publish(base, known)
    yield


def _completed(known: dict[str, Any], n_samples: int, ended: str) -> dict[str, Any]:
    """What a sidecar that was not completed can still say. Raises what Python raises where it is
    none of ours."""
    start, stop = known["start"], known["start"] + n_samples
    lasted_ns = n_samples * 10**9 // known["sample_rate"]
    gaps = [
        Gap(gap["index"], gap["length"], Cause[gap["cause"].upper()], 0) for gap in known["gaps"]
    ]
    return {
        **known,
        "stop": stop,
        "utc_end": sidecar.utc_text(sidecar.utc_ns(known["utc_start"]) + lasted_ns),
        "ended": ended,
        "clock": {"drift_ppm": None, "plausible": None, "steps": []},
        "gaps": sidecar.gap_entries(within(gaps, start, stop)),
    }


def _read(
    part: Path, repaired: wav.Repaired, digest: hashlib._Hash, levels: SegmentLevels
) -> Iterator[None]:
    """Take all samples into `digest` and `levels`, a slice at a time. Raises RecordingError."""
    import soundfile

    form = repaired.format
    n = max(1, SLICE_BYTES // form.sample_bytes)
    left = repaired.n_samples * form.sample_bytes
    try:
        # by a file: libsndfile's own way to open takes no name that is not UTF-8
        with (
            part.open("rb") as file,
            part.open("rb") as heard,
            soundfile.SoundFile(heard) as sound,
        ):
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
    except soundfile.SoundFileError as fault:
        raise RecordingError(
            f"{shown_path(str(part))} cannot be read ({fault}): it stays as it is"
        ) from fault
