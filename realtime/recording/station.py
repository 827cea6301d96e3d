"""One device that is recorded: its engine, its recorder, and the thread that writes.

The engine captures in a process of its own; the thread writes in this one, so that neither a
crash of the engine nor a disk that stands still takes the other along. Whoever made a station
polls it, some times a second, and never waits for the disk by that.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable

from realtime.audio.metering import RingMeter
from realtime.audio.sources import SourceSpec
from realtime.config import AudioSettings
from realtime.engine.process import EngineProcess, Event
from realtime.recording import durable
from realtime.recording.alarms import disk_fails
from realtime.recording.compress import as_flac, check_flac
from realtime.recording.disk import Disk
from realtime.recording.plan import Plan
from realtime.recording.recorder import Recorder
from realtime.recording.stream import Moment, Stream
from realtime.recording.watch import Watch
from realtime.wording import shown_path

Request = Callable[[Recorder, Moment], object]

STEP_SECONDS = 0.2
"""Between two steps of the recorder: what a kill may cost, with what is on its way in the engine;
half a second is allowed."""

FINISH_SECONDS = 3.0
"""Given to the disk, and to the chores, at the end: all is to be over in five."""


class Station:
    """Owner: the main thread. make_watch : when to record, made anew for the stream's rate"""

    def __init__(
        self,
        source: SourceSpec,
        audio: AudioSettings,
        plan: Plan,
        disk: Disk,
        make_watch: Callable[[int, int], Watch],
    ):
        self.source, self.plan, self.disk = source, plan, disk
        self.engine = EngineProcess(source, audio)
        self._make_watch = make_watch
        self._recorder: Recorder | None = None
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._trouble = ""
        self.fault: BaseException | None = None
        """A defect that ended the thread."""

    def start(self) -> None:
        """Raises what the source raises where it cannot be opened, RequestError where a trigger
        does not fit it, and DeviceError where FLAC cannot hold what it delivers."""
        info = self.engine.start()
        if as_flac in self.plan.after:
            check_flac(info.name, info.n_channels, info.sample_rate)
        stream = Stream(info.name, self.source.text, info.sample_rate, info.n_channels)
        ring = self.engine.ring
        self.meter = RingMeter(ring)
        watch = self._make_watch(info.sample_rate, info.n_channels)
        self._recorder = Recorder(self.plan, stream, ring, self.engine.status, watch)
        for base, chores in self.disk.left_behind(self.plan.after):
            self._recorder.chores.add(base, chores)
        self._thread.start()

    @property
    def recorder(self) -> Recorder:
        """Its `report` may be read by any thread."""
        assert self._recorder is not None, "the station has not started"
        return self._recorder

    @property
    def over(self) -> bool:
        """Nothing more will be written: the source came to its end, or the disk is full."""
        return bool(self.disk.full) or self.engine.ended

    def news(self) -> list[str]:
        """Sentences for people, each told once."""
        told = []
        if (trouble := self.recorder.report.trouble) != self._trouble:
            self._trouble = trouble
            told.append(disk_fails(trouble) if trouble else "the disk takes the sound again")
        for lines in (self.recorder.chores.faults, self.disk.news):
            while lines:
                told.append(lines.pop(0))
        return told

    def heard(self, seconds: float) -> bool:
        """Whether so much was captured, gaps included."""
        return self.engine.ring.written >= seconds * self.engine.info.sample_rate

    def poll(self) -> list[Event]:
        """Look after the engine and the meter. Never waits."""
        events = self.engine.poll(time.perf_counter_ns())
        self.meter.update()
        return events

    def ask(self, request: Request) -> None:
        """Have the writing thread do something at its next step."""
        self._requests.put(request)

    def save_last(self, seconds: float) -> None:
        """Have the last `seconds` written as a file of their own, and told."""

        def save(recorder: Recorder, now: Moment) -> None:
            try:
                path = recorder.save_last(seconds, now)
            except OSError as fault:
                reason = durable.reason(fault)
                self.disk.news.append(f"the last minutes could not be saved: {reason}")
            else:
                if path is not None:
                    self.disk.news.append(f"saved {shown_path(str(path))}")

        self.ask(save)

    def finish(self) -> bool:
        """Capture no more and complete the file; False where the disk did not let it be completed
        in time. Safe twice and from any state."""
        self.engine.halt()
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(FINISH_SECONDS)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Finish, then let go of the memory. Safe twice and from any state."""
        if self.finish():  # else the thread still holds the ring
            self.engine.stop()

    def _write(self) -> None:
        try:
            self._record(self.recorder)
        except BaseException as fault:
            self.fault = fault
            with contextlib.suppress(Exception):  # the first defect is the one to tell
                self.recorder.finish(Moment.now(), "interrupted")

    def _record(self, recorder: Recorder) -> None:
        while not (self._ending.is_set() or self.disk.full):
            self._obey(recorder)
            recorder.step(Moment.now())
            self.disk.tend(recorder, Moment.now())
            self._ending.wait(STEP_SECONDS)
        self._obey(recorder)
        recorder.finish(Moment.now(), "disk full" if self.disk.full else "stopped")
        until = time.perf_counter() + FINISH_SECONDS / 2
        recorder.chores.try_again()
        while recorder.chores.step(time.perf_counter_ns()) and time.perf_counter() < until:
            pass

    def _obey(self, recorder: Recorder) -> None:
        while not self._requests.empty():
            self._requests.get()(recorder, Moment.now())
