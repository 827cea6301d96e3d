"""Ring to files: nothing that was captured is dropped, and what is missing is on record.

`step` is called again and again by the one thread that owns a recorder; it has no thread, sleep
or clock of its own. The ring is the buffer: while the disk is slow, full or gone, samples wait
there, and the next segment begins at the first that is not yet on the disk for sure. What has
left the ring before the disk was ready is a gap with the cause "disk". A gap longer than
`FILLED_SECONDS` ends a segment; a shorter one is zeros in it.

Work that may take long (a FLAC, a segment that a crash left behind, columns) is a chore: a
generator that does a little at each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from realtime.audio.ring import AudioRing
from realtime.engine.status import Gap, Status
from realtime.errors import Overrun
from realtime.recording import durable, names, recovery
from realtime.recording.chores import Chores
from realtime.recording.clock import UtcClock
from realtime.recording.gaps import Gaps
from realtime.recording.plan import Plan, Report
from realtime.recording.segment import Segment, beside, taken
from realtime.recording.stream import Moment, Stream, within
from realtime.recording.watch import LEAD_SECONDS, Watch

SYNC_SECONDS = 0.5
"""Between two syncs: what a power cut may cost."""

CLOCK_SECONDS = 1.0
"""Between two looks at the clock of people."""

CHUNK_SECONDS = 0.5
"""Read from the ring and written at a time: 200 kB of stereo at 48000 Hz."""

FILLED_SECONDS = 60.0
"""A longer gap is left out of the files; what comes after it begins a new one."""

RETRY_SECONDS = 1.0
"""After the disk has failed, until it is tried again."""


class Recorder:
    """One stream into one folder."""

    def __init__(self, plan: Plan, stream: Stream, ring: AudioRing, status: Status, watch: Watch):
        self._plan, self._stream, self._ring, self._status = plan, stream, ring, status
        self._watch = watch
        self._clock = UtcClock(ring.sample_rate)
        self._clock_due = self._sync_due = self._retry_at = 0
        self._gaps = Gaps(status)
        self._end = None if plan.seconds is None else round(plan.seconds * ring.sample_rate)
        self._next = 0
        self._segment: Segment | None = None
        self._boundary: int | None = None
        self._number = 0
        self.chores = Chores()
        self.report = Report()

    @property
    def sample_rate(self) -> int:
        return self._ring.sample_rate

    @property
    def nominal_pace(self) -> float:
        """Bytes a second while it records, before a FLAC makes them fewer."""
        return self._ring.n_channels * self._plan.depth / 8 * self._ring.sample_rate

    # The thread that owns it.

    def step(self, now: Moment) -> None:
        """Bring the files up to what was captured."""
        self._tell_time(now)
        if now.monotonic_ns >= self._retry_at:
            try:
                self._advance(now)
                self._sync(now)
                self._tell(trouble="")
            except OSError as fault:
                self._fail(fault, now)
        self.chores.step(now.monotonic_ns)
        written = self._ring.written
        segment = self._segment
        self._tell(
            beat_ns=now.monotonic_ns,
            recording=segment is not None,
            name=segment.base.name if segment is not None else "",
            position=self._next,
            behind=written - self._next if segment is not None or self.report.trouble else 0,
            drift_ppm=self._clock.drift_ppm,
            clock_steps=self._clock.n_steps,
            plausible_clock=self._clock.plausible or not self._status.epoch_ns,
            chores=len(self.chores),
        )

    def rotate(self, now: Moment) -> None:
        """End the segment here; the next begins with the next sample."""
        if self._segment is not None:
            self.finish(now, "asked for")

    def finish(self, now: Moment, ended: str = "stopped") -> None:
        """Write what there is and complete the file. Chores are left as they are."""
        try:
            self._advance(now)
            self._seal(ended, now)
        except OSError as fault:
            self._fail(fault, now)

    def save_last(self, seconds: float, now: Moment) -> Path | None:
        """The last `seconds`, as far as the ring goes back, as a file of its own, whose samples
        and gaps the report leaves out; None where there is nothing yet. Raises OSError; what lies
        there then is left to a chore."""
        if not self._status.epoch_ns:
            return None
        self._tell_time(now)
        stop = self._ring.written
        lost_soon = stop + self._lead - self._ring.capacity
        start = max(stop - int(seconds * self._ring.sample_rate), lost_soon, 0)
        self._look_for_gaps()
        segment: Segment | None = None
        try:
            segment = self._open(start, ())
            while segment.stop < stop:
                self._append(segment, min(segment.stop + self._chunk, stop), now)
            self._complete(segment, "asked for")
        except OSError:
            if segment is not None:
                self._give_up(segment)
            raise
        return beside(segment.base, ".wav")

    # Time.

    def _tell_time(self, now: Moment) -> None:
        if now.monotonic_ns < self._clock_due or not self._status.epoch_ns:
            return
        self._clock_due = now.monotonic_ns + int(CLOCK_SECONDS * 1e9)
        index = self._ring.written
        arrived = self._status.epoch_ns + round(index * 1e9 / self._ring.sample_rate)
        steps = self._clock.n_steps
        self._clock.feed(index, arrived, now.utc_ns - (now.monotonic_ns - arrived))
        if self._clock.n_steps > steps and self._segment is not None:
            self._boundary = self._end_of(self._segment.start)

    def _end_of(self, start: int) -> int | None:
        return self._plan.segmentation.end(start, self._ring.sample_rate, self._clock)

    # Samples.

    def _advance(self, now: Moment) -> None:
        if not self._status.epoch_ns:
            return  # nothing was captured yet
        self._tell_time(now)
        self._look_for_gaps()
        for span in self._watch.look(self._ring, self._clock):
            wanted = self._watch.until if span.stop is None else span.stop
            self._write(span.start, wanted if self._end is None else min(wanted, self._end), now)
            if span.stop is not None and self._next >= span.stop:
                self._seal("trigger", now)
                self._watch.done(span)

    def _write(self, start: int, stop: int, now: Moment) -> None:
        """Samples [start, stop) into segments, beginning where the last write ended."""
        self._next = max(self._next, start)
        while self._next < stop:
            if self._segment is None:
                self._begin(stop, now)
                continue
            segment, end = self._segment, min(self._next + self._chunk, stop)
            if self._boundary is not None:
                end = min(end, max(self._boundary, self._next))
            if end > self._next:
                self._append(segment, end, now)
            if self._segment is not segment:
                continue  # a long gap ended it
            self._next = segment.stop
            if self._boundary is not None and self._next >= self._boundary:
                self._seal("full", now)

    @property
    def _chunk(self) -> int:
        return int(CHUNK_SECONDS * self._ring.sample_rate)

    @property
    def _lead(self) -> int:
        return int(LEAD_SECONDS * self._ring.sample_rate)

    @property
    def _readable(self) -> int:
        """Where to go on when the ring has come round."""
        return min(self._ring.oldest + self._lead, self._ring.written)

    def _is_long(self, n_samples: int) -> bool:
        return n_samples > FILLED_SECONDS * self._ring.sample_rate

    def _append(self, segment: Segment, end: int, now: Moment) -> None:
        try:
            block = self._ring.read(segment.stop, end)
        except Overrun:
            self._miss(segment, now)
            return
        self._look_for_gaps()
        gaps = self._gaps.within(segment.stop, end)
        self._put(segment, block, gaps)

    def _put(self, segment: Segment, block: np.ndarray, gaps: Sequence[Gap]) -> None:
        segment.append(block, gaps)
        if segment is self._segment:
            self._tell(recorded=self.report.recorded + len(block))
            self._count(gaps)

    def _miss(self, segment: Segment, now: Moment) -> None:
        """The ring has come round: zeros for what is gone, or the end of the file."""
        start, first = segment.stop, self._readable
        if segment is not self._segment or not self._is_long(first - start):
            holes = self._gaps.why(start, first, now.monotonic_ns)
            for at in range(start, first, self._chunk):
                end = min(at + self._chunk, first)
                zeros = np.zeros((end - at, self._ring.n_channels), np.float32)
                self._put(segment, zeros, within(holes, at, end))
        elif segment.start < segment.stop:
            self._seal("gap", now)
        else:  # the disk stood still while it was opened
            self._segment = None
            self._give_up(segment)

    def _count(self, gaps: Sequence[Gap]) -> None:
        if gaps:
            self._gaps.count(gaps)
            self._tell(n_gaps=self._gaps.n, missing=self._gaps.missing, missed=self._gaps.missed)

    def _look_for_gaps(self) -> None:
        self._gaps.look(min(self._next, self._ring.oldest))

    # Segments.

    def _begin(self, stop: int, now: Moment) -> None:
        """A file of what is to be had before sample `stop`: from `_next` on, or from behind a long
        gap there; none where that leaves nothing."""
        start, holes = self._next, []
        if self._ring.oldest > start and self._is_long(self._readable - start):
            start = min(self._readable, stop)
            holes = self._gaps.why(self._next, start, now.monotonic_ns)
        if start < stop:
            self._segment = self._open(start, holes)
            self._boundary = self._end_of(start)
        self._next = start
        self._count(holes)

    def _open(self, start: int, before: Sequence[Gap]) -> Segment:
        utc_ns = self._clock.utc_ns(start)
        self._number += 1
        stream, plan = self._stream, self._plan
        name = names.segment_name(
            plan.name, utc_ns, device=stream.device, index=start, number=self._number,
            channels=stream.n_channels, rate=stream.sample_rate,
        )  # fmt: skip
        base = plan.folder / names.free_name(name, lambda name: taken(plan.folder / name))
        return Segment(base, stream, start, utc_ns, plan.depth, plan.settings or {}, before)

    def _seal(self, ended: str, now: Moment) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                self._complete(segment, ended)
            except OSError:
                self._segment = segment
                raise
            self._tell(synced_ns=now.monotonic_ns)

    def _complete(self, segment: Segment, ended: str) -> None:
        segment.seal(ended, self._clock)
        self._tell(n_files=self.report.n_files + 1)
        self.chores.add(segment.base, self._plan.after)

    def _sync(self, now: Moment) -> None:
        if self._segment is not None and now.monotonic_ns >= self._sync_due:
            self._segment.sync()
            self._sync_due = now.monotonic_ns + int(SYNC_SECONDS * 1e9)
            self._tell(synced_ns=now.monotonic_ns)

    # Trouble.

    def _fail(self, fault: OSError, now: Moment) -> None:
        """Let go of the file; what it has not safely is written again into the next one."""
        segment, self._segment = self._segment, None
        if segment is not None:
            self._give_up(segment)
            self._next = segment.synced
            self._tell(recorded=self.report.recorded - (segment.stop - segment.synced))
        self._retry_at = now.monotonic_ns + int(RETRY_SECONDS * 1e9)
        fresh = not self.report.trouble
        self._tell(trouble=durable.reason(fault), troubles=self.report.troubles + fresh)

    def _give_up(self, segment: Segment) -> None:
        """What it has safely is a recording when the disk works again."""
        segment.give_up()
        self._tell(n_files=self.report.n_files + (segment.synced > segment.start))
        finish = partial(recovery.finish, ended="disk", most=segment.synced - segment.start)
        self.chores.add(segment.base, (finish, *self._plan.after))

    def _tell(self, **values: Any) -> None:
        self.report = replace(self.report, **values)
