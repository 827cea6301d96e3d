"""What is recorded, and when: the stream, the two clocks of a moment, holes in the time line."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from realtime.engine.status import Cause, Gap

NEAR_NS, ATTEMPTS = 1_000_000, 5
"""Two clocks read one after the other are some 100 ns apart, and more than a millisecond only where
this thread lost the processor between them."""


@dataclass(frozen=True)
class Stream:
    """Samples from one device since it was opened; they share one count."""

    device: str
    source: str
    """As on the command line."""
    sample_rate: int
    n_channels: int
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Tells apart streams whose counts both begin at 0."""


@dataclass(frozen=True)
class Moment:
    """Now, in nanoseconds, on the clock that never steps and on that of people."""

    monotonic_ns: int
    utc_ns: int

    @classmethod
    def now(cls) -> Moment:
        """Both clocks as near to each other as some attempts get: what lies between them would
        look as if somebody had set the one of people."""
        readings = []
        while len(readings) < ATTEMPTS and (not readings or min(readings)[0] > NEAR_NS):
            before, utc, after = time.perf_counter_ns(), time.time_ns(), time.perf_counter_ns()
            readings.append((after - before, before, utc))
        between, before, utc = min(readings)
        return cls(before + between // 2, utc)


def within(gaps: Iterable[Gap], start: int, stop: int) -> list[Gap]:
    """The parts of `gaps` that lie in samples [start, stop)."""
    parts = []
    for gap in gaps:
        first, end = max(gap.index, start), min(gap.index + gap.length, stop)
        if first < end:
            parts.append(Gap(first, end - first, gap.cause, gap.time_ns))
    return parts


def joined(before: Sequence[Gap], parts: Iterable[Gap]) -> list[Gap]:
    """`before`, then `parts`, of which one that goes on where the last ended belongs to it."""
    gaps = list(before)
    for part in parts:
        last = gaps[-1] if gaps else None
        if last and (last.index + last.length, last.cause) == (part.index, part.cause):
            gaps[-1] = replace(last, length=last.length + part.length)
        else:
            gaps.append(part)
    return gaps


def missing(start: int, stop: int, gaps: Iterable[Gap], time_ns: int) -> list[Gap]:
    """Why samples [start, stop) are not to be had: what the device lost, and for the rest that
    the disk was too late for them. gaps : those known, in their order."""
    holes, at = [], start
    for gap in within(gaps, start, stop):
        if gap.index > at:
            holes.append(Gap(at, gap.index - at, Cause.DISK, time_ns))
        holes.append(gap)
        at = gap.index + gap.length
    if at < stop:
        holes.append(Gap(at, stop - at, Cause.DISK, time_ns))
    return holes
