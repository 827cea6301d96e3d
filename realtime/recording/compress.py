"""A complete recording from WAV to FLAC, as a chore."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from realtime.errors import DeviceError
from realtime.recording import durable, sidecar
from realtime.recording.flac import CHANNELS_MOST, RATE_MOST, FlacSealing
from realtime.recording.own_files import sidecars_below
from realtime.recording.segment import beside
from realtime.wording import shown

SLICE_SAMPLES = 1 << 16
"""Encoded between two steps of the recorder: some 10 ms."""


def check_flac(device: str, n_channels: int, sample_rate: int) -> None:
    """Raises DeviceError where FLAC cannot hold what the device delivers."""
    if n_channels > CHANNELS_MOST or sample_rate > RATE_MOST:
        raise DeviceError(
            f"{shown(device)} has {n_channels} channels at {sample_rate} Hz, and FLAC takes up to "
            f"{CHANNELS_MOST} and {RATE_MOST} Hz: record fewer channels (--channels "
            f"{CHANNELS_MOST}), or leave out --format flac"
        )


def as_flac(base: Path) -> Iterator[None]:
    """Put `NAME.flac` in the place of `NAME.wav`, and say so in the sidecar. The WAV goes when
    the FLAC was decoded again and holds the same samples.

    A chore: see `chores`. Raises RecordingError and OSError; the WAV is then as it was.
    """
    wav, flac, note = (beside(base, suffix) for suffix in (".wav", ".flac", ".json"))
    values = sidecar.read(note) if note.exists() and wav.exists() else None
    if values is None:
        return  # somebody took it away
    tags = {"title": base.name, "date": values["utc_start"], "comment": values["device"]}
    with closing(FlacSealing(wav, flac, values["sha256"], tags)) as sealing:
        while not sealing.advance(SLICE_SAMPLES):
            yield
    sizes = {flac.name: flac.stat().st_size}
    sizes |= {name: size for name, size in values["bytes"].items() if not _is_sound(name)}
    durable.write_text(note, sidecar.text_of(values | {"files": list(sizes), "bytes": sizes}))
    wav.unlink()


def _is_sound(name: str) -> bool:
    return name.endswith((".wav", ".flac"))


def uncompressed(folder: Path) -> list[Path]:
    """Recordings below `folder` that were to become FLAC and are still WAV. Raises OSError."""
    return sorted(
        base
        for base, values in sidecars_below(folder)
        if beside(base, ".wav").exists()
        and isinstance(settings := values.get("settings"), dict)
        and settings.get("record.format") == "flac"
    )
