"""How a recorder is doing: one object a device, for people, programs and monitors alike."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from realtime.dsp.levels import DB_FLOOR
from realtime.engine.status import State
from realtime.recording.alarms import Alarms, Look
from realtime.recording.station import Station


@dataclass(frozen=True)
class Health:
    """Numbers are plain: dB as dBFS, one a channel; sizes in bytes; positions in samples."""

    seconds: float
    """Since the start."""
    folder: str
    device: str
    sample_rate: int
    channels: int
    state: str
    """recording, waiting (for a trigger), no samples, disk (it fails, or stands still), stopped."""
    file: str
    peak_dbfs: list[float]
    rms_dbfs: list[float]
    clipped: list[bool]
    """In the last second."""
    captured_samples: int
    recorded_samples: int
    files: int
    gaps: int
    missing_samples: int
    missed_samples: int
    """Those of the missing that the disk was too late for."""
    behind_seconds: float
    """Captured, and waiting in memory for the disk."""
    sync_age: float | None
    """Seconds since the last sync that went well."""
    free_bytes: int | None
    seconds_left: float | None
    """Until the disk has no room, at this pace."""
    drift_ppm: float | None
    clock_steps: int
    chores: int
    """Complete files that are still to be turned into FLAC, or drawn."""
    restarts: int
    alarms: dict[str, str]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Checkup:
    """Looks at one station, about once a second. Owner: the main thread."""

    def __init__(self, station: Station, started: float):
        self._station, self._started = station, started
        self._alarms = Alarms()

    def look(self, last: bool = False) -> Health:
        """last : recording has ended"""
        now = time.perf_counter()
        station, engine = self._station, self._station.engine
        report, disk = station.recorder.report, station.disk.report
        reading = station.meter.levels.reading
        station.meter.levels.reset_clip()
        age = now - report.synced_ns / 1e9 if report.recording and report.synced_ns else None
        stands_still = now - report.beat_ns / 1e9 if report.beat_ns else 0.0
        running = engine.state is State.RUNNING
        alarms = self._alarms.look(
            Look(
                seconds=now,
                running=running,
                zero_seconds=reading.zero_run / engine.info.sample_rate if running else 0.0,
                rms_db=float(reading.rms_db.max()),
                clipped=bool(reading.clipped.any()),
                n_gaps=report.n_gaps,
                sync_age=max(stands_still, age or 0.0),
                trouble=report.trouble,
                seconds_left=disk.seconds_left,
                plausible_clock=report.plausible_clock,
            )
        )
        return Health(
            seconds=round(now - self._started, 3),
            folder=str(station.plan.folder),
            device=engine.info.name,
            sample_rate=engine.info.sample_rate,
            channels=engine.info.n_channels,
            state=_state(report.recording, running, alarms, last),
            file=report.name,
            peak_dbfs=[_db(value) for value in reading.hold_db],
            rms_dbfs=[_db(value) for value in reading.rms_db],
            clipped=[bool(value) for value in reading.clipped],
            captured_samples=engine.ring.written,
            recorded_samples=report.recorded,
            files=report.n_files,
            gaps=report.n_gaps,
            missing_samples=report.missing,
            missed_samples=report.missed,
            behind_seconds=round(report.behind / engine.info.sample_rate, 3),
            sync_age=None if age is None else round(age, 3),
            free_bytes=disk.free_bytes,
            seconds_left=None if disk.seconds_left is None else round(disk.seconds_left),
            drift_ppm=None if report.drift_ppm is None else round(report.drift_ppm, 3),
            clock_steps=report.clock_steps,
            chores=report.chores,
            restarts=engine.restarts,
            alarms=alarms,
        )


def _state(recording: bool, running: bool, alarms: dict[str, str], last: bool) -> str:
    if "disk" in alarms:
        return "disk"
    if not running:
        return "no samples"
    if last:
        return "stopped"
    return "recording" if recording else "waiting"


def _db(value: float) -> float:
    return round(float(value), 2) if math.isfinite(value) else DB_FLOOR


def is_well(before: Sequence[Health], now: Sequence[Health]) -> bool:
    """Whether every device delivered samples between the two looks and the disk takes them."""
    return all(
        new.captured_samples > old.captured_samples and "disk" not in new.alarms
        for old, new in zip(before, now, strict=True)
    )


def replace_file(path: Path, text: str) -> None:
    """Put `text` where readers find the old text or the new, never half. Raises OSError.

    It is not synced: after a power cut nobody wants to know how things were.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
