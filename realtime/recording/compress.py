"""A complete recording from WAV to FLAC, as a chore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from realtime.recording import durable, sidecar
from realtime.recording.flac import FlacSealing
from realtime.recording.segment import beside

SLICE_SAMPLES = 1 << 16
"""Encoded between two steps of the recorder: some 10 ms."""


def as_flac(base: Path) -> Iterator[None]:
    """Put `NAME.flac` in the place of `NAME.wav`, and say so in the sidecar. The WAV goes when
    the FLAC was decoded again and holds the same samples.

    A chore: see `chores`. Raises RecordingError and OSError; the WAV is then as it was.
    """
    wav, flac = beside(base, ".wav"), beside(base, ".flac")
    values = sidecar.read(beside(base, ".json"))
    if values is None or not wav.exists():
        return  # somebody took it away
    tags = {"title": base.name, "date": values["utc_start"], "comment": values["device"]}
    with closing(FlacSealing(wav, flac, values["sha256"], tags)) as sealing:
        while not sealing.advance(SLICE_SAMPLES):
            yield
    values |= {"files": [flac.name], "bytes": {flac.name: flac.stat().st_size}}
    durable.write_text(beside(base, ".json"), sidecar.text_of(values))
    wav.unlink()


def uncompressed(folder: Path) -> list[Path]:
    """Recordings below `folder` that were to become FLAC and are still WAV. Raises OSError."""
    return sorted(
        path.with_name(path.name.removesuffix(".json"))
        for path in folder.rglob("*.json")
        if path.with_name(path.name.removesuffix(".json") + ".wav").exists()
        and (values := sidecar.read(path)) is not None
        and values.get("settings", {}).get("record.format") == "flac"
    )
