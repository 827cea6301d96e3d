"""Capture without a device: a ring and a status block fed by hand, on a clock that is set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime.audio.ring import AudioRing
from realtime.engine.status import Cause, Gap, Status
from realtime.recording import sidecar
from realtime.recording.plan import Plan
from realtime.recording.recorder import Recorder
from realtime.recording.segments import Segmentation
from realtime.recording.stream import Moment, Stream
from realtime.recording.triggers import parse_triggers
from realtime.recording.watch import Watch

RATE = 8000
START_UTC = 1_800_000_000_000_000_000
"""2027-01-15T08:00:00Z."""


class Capture:
    """What an engine would deliver, in int16 steps so that files of 16 bits hold it exactly."""

    def __init__(self, ring: AudioRing, status: Status, rng: np.random.Generator):
        self.ring, self.status, self._rng = ring, status, rng
        self.sent: list[np.ndarray] = []
        self.monotonic_ns, self.utc_ns = 10**12, START_UTC

    @property
    def now(self) -> Moment:
        return Moment(self.monotonic_ns, self.utc_ns)

    @property
    def samples(self) -> np.ndarray:
        """All that was delivered, float32 (n_samples, n_channels)."""
        return np.concatenate(self.sent)

    def hear(self, seconds: float) -> None:
        """Deliver new sound."""
        n = round(seconds * RATE)
        block = self._rng.integers(-32768, 32768, (n, self.ring.n_channels)) / 32768
        self.play(block.astype(np.float32))

    def play(self, block: np.ndarray) -> None:
        self.sent.append(block)
        self._pass(len(block))
        self.ring.write(block)
        self._count()

    def lose(self, seconds: float, cause: Cause = Cause.STALL) -> None:
        """The device loses sound; zeros take its place."""
        n = round(seconds * RATE)
        self.sent.append(np.zeros((n, self.ring.n_channels), np.float32))
        self._pass(n)
        self.status.count_gap(Gap(self.ring.written, n, cause, self.monotonic_ns))
        self.ring.write_zeros(n)
        self._count()

    def _pass(self, n: int) -> None:
        self.monotonic_ns += n * 10**9 // RATE
        self.utc_ns += n * 10**9 // RATE

    def _count(self) -> None:
        epoch = self.monotonic_ns - self.ring.written * 10**9 // RATE
        self.status.count_block(self.ring.written, False, self.monotonic_ns, epoch, 0)


@contextmanager
def capture(
    rng: np.random.Generator, ring_seconds: float = 30, channels: int = 2
) -> Iterator[Capture]:
    ring, status = AudioRing.create(channels, RATE, ring_seconds), Status.create()
    try:
        yield Capture(ring, status, rng)
    finally:
        ring.close()
        status.close()


def recorder(captured: Capture, folder: Path, segment: float | None = 7.0, **plan: Any) -> Recorder:
    """Without triggers, in 16 bits, in files of `segment` seconds."""
    plan = {"depth": 16, "segmentation": Segmentation(segment), **plan}
    ring = captured.ring
    stream = Stream("a microphone", "mic", RATE, ring.n_channels)
    watch = Watch(parse_triggers(plan.pop("trigger", "")), RATE, ring.n_channels)
    return Recorder(Plan(folder, **plan), stream, ring, captured.status, watch)


def sidecars(folder: Path) -> list[dict[str, Any]]:
    """Of all complete recordings, by the index of their first sample."""
    found = [sidecar.read(path) for path in folder.rglob("*.json") if ".part." not in path.name]
    return sorted((values for values in found if values), key=lambda values: values["start"])


def recorded(folder: Path) -> np.ndarray:
    """All recordings put together, as their sidecars say, float32; NaN where there is none."""
    entries = sidecars(folder)
    end = max(values["stop"] for values in entries)
    whole = np.full((end, entries[0]["channels"]), np.nan, np.float32)
    for values in entries:
        assert values["complete"] is True
        samples, _ = soundfile.read(
            next(folder.rglob(values["files"][0])), dtype="float32", always_2d=True
        )
        assert len(samples) == values["stop"] - values["start"]
        whole[values["start"] : values["stop"]] = samples
    return whole
