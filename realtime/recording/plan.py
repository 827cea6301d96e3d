"""What a recorder is told to do, and what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.recording import names
from realtime.recording.chores import BaseChore
from realtime.recording.segments import Segmentation


@dataclass(frozen=True)
class Plan:
    """What to record, where and how; checked."""

    folder: Path
    segmentation: Segmentation
    name: str = names.PATTERN
    depth: int = 24
    after: Sequence[BaseChore] = ()
    """What to do with each complete recording, by its path without suffix."""
    settings: dict[str, Any] | None = None
    """For the sidecars."""
    seconds: float | None = None
    """Of the stream, gaps included, after which nothing more is recorded."""


@dataclass(frozen=True)
class Report:
    """What a recorder says of itself after each step."""

    recording: bool = False
    name: str = ""
    """Of the file that grows."""
    position: int = 0
    """Samples before this one were dealt with."""
    behind: int = 0
    """Samples captured that are not yet in a file, while recording."""
    recorded: int = 0
    """Samples in all files so far."""
    n_files: int = 0
    n_gaps: int = 0
    missing: int = 0
    """Samples of gaps so far, whatever the cause."""
    missed: int = 0
    """Those that were captured and had left the ring before the disk was ready."""
    trouble: str = ""
    """What the disk said, while it fails."""
    troubles: int = 0
    """How often it began to fail."""
    synced_ns: int = 0
    """Monotonic time of the last sync that went well."""
    beat_ns: int = 0
    """Monotonic time of the last step; a disk that stands still stops it."""
    drift_ppm: float | None = None
    clock_steps: int = 0
    plausible_clock: bool = True
    chores: int = 0
