"""What the sound is late by, in parts and in all, as people read it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.view.monitoring import MonitorReadout

PARTS = (
    ("algorithmic_ms", "Frames", "Of the STFT and its inverse: the synthesis window less a hop"),
    ("effects_ms", "Effects", "What effects look ahead"),
    ("transport_ms", "Transport", "From the capture callback to the playback callback"),
    ("device_ms", "Devices", "What the two devices say of themselves"),
)


def total_text(monitor: MonitorReadout) -> str:
    """All parts together."""
    return _text(sum(_parts(monitor)))


def part_texts(monitor: MonitorReadout) -> list[str]:
    """One for each of `PARTS`."""
    return [_text(ms) for ms in _parts(monitor)]


def latency_tip(monitor: MonitorReadout) -> str:
    """The parts in lines, for a tooltip."""
    parts = zip(PARTS, part_texts(monitor), strict=True)
    lines = [f"{label}: {text}" for (_, label, _), text in parts]
    return "\n".join(["From the microphone to the loudspeaker", *lines])


def _parts(monitor: MonitorReadout) -> list[float]:
    return [getattr(monitor, name) for name, _, _ in PARTS]


def _text(ms: float) -> str:
    """21.333 -> "21.3 ms"."""
    return f"{ms:.1f} ms"
