"""The JSON beside each recording: what it holds, when that was, and what is missing in it.

Version 1. Positions are sample indices since the stream began; times are UTC in ISO 8601.
`complete` is false while the file grows: its beginning is then known, its end is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from realtime.engine.status import Gap
from realtime.recording.clock import UtcClock

FORMAT = "realtime recording"
VERSION = 1
LARGEST = 16 << 20
"""Bytes read at most; a hundred thousand gaps fit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_text(utc_ns: int) -> str:
    """ISO 8601 to the microsecond, as in 2026-11-23T18:00:00.000000Z."""
    moment = _EPOCH + timedelta(microseconds=utc_ns // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def utc_ns(text: str) -> int:
    """The reverse of `utc_text`. Raises ValueError."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def gap_entries(gaps: Iterable[Gap]) -> list[dict[str, Any]]:
    """Gaps as people and programs read them. index, length : samples of the stream."""
    return [
        {"index": gap.index, "length": gap.length, "cause": gap.cause.name.lower()} for gap in gaps
    ]


def clock_entry(clock: UtcClock, start: int, stop: int) -> dict[str, Any]:
    """What is known of the clocks by now, and the steps in samples [start, stop)."""
    return {
        "drift_ppm": clock.drift_ppm,
        "plausible": clock.plausible,
        "steps": [
            {"index": step.index, "seconds": step.seconds}
            for step in clock.steps
            if start <= step.index < stop
        ],
    }


def text_of(values: Mapping[str, Any]) -> str:
    return json.dumps({"format": FORMAT, "version": VERSION, **values}, indent=1) + "\n"


def read(path: Path) -> dict[str, Any] | None:
    """What a sidecar says; None where the file is none of ours. Raises OSError."""
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    try:
        values = json.loads(raw) if len(raw) <= LARGEST else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        return None
    return values if values.get("version") == VERSION else None
