"""The engine seen from its parent: start it, look after it, restart it, stop it.

`poll` never waits, so a display calls it once a frame. Ring and status block belong to the
parent: they outlive an engine that dies, and its successor goes on in them, the time between
entered as a gap.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from realtime.audio.ring import AudioRing
from realtime.audio.sources import SourceSpec
from realtime.config import RING_SECONDS, AudioSettings
from realtime.engine import child
from realtime.engine.child import SharedNames, StreamInfo
from realtime.engine.monitor_status import MonitorStatus
from realtime.engine.status import State, Status
from realtime.errors import EngineError, RealtimeError

if TYPE_CHECKING:
    from realtime.engine.monitor import MonitorState

START_SECONDS = 15.0
"""A first start may import from a cold disk and meet a slow sound server."""

HEARTBEAT_SECONDS = 3.0
"""An engine whose loop has not beaten for this long hangs (in a driver, most likely)."""

STOP_SECONDS = 2.0
"""Given to an engine to close its device before it is ended by force."""

RETRY_SECONDS = (0.0, 0.25, 0.5, 1.0, 1.5)
"""Before the first, second, ... attempt to come back, the last for all after it: a device that
returns is heard again well within 3 s, and an absent one costs little."""

_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Event:
    """Something people should know. `kind`: started, stalled, resumed, lost, waiting, restarted,
    ended, notice."""

    kind: str
    text: str


class EngineProcess:
    """Owner: the thread that calls `start`, `poll` and `stop`. monitor : what to play, if it is
    to play at all."""

    def __init__(
        self, source: SourceSpec, audio: AudioSettings, monitor: MonitorState | None = None
    ):
        self._spec = source
        self._audio = audio
        self._monitor = self._told = monitor
        self._unanswered = False
        """The engine was told to play like `_told`, and has not said that it does."""
        self._output: AudioRing | None = None
        self._monitor_status: MonitorStatus | None = None
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._ring: AudioRing | None = None
        self._status: Status | None = None
        self._info: StreamInfo | None = None
        self._failure: RealtimeError | None = None
        self._attempts = 0
        self._retry_at_ns = 0
        self._started_ns = 0
        self._running = False
        self._ran = False
        """It ran once: what is lost from then on is fetched back."""
        self._state = State.STARTING
        self.ended = False
        """The source came to its end by itself (a file), and nothing is to be restarted."""
        self.restarts = 0
        self.bad_samples = 0
        """NaN and infinite values of the source so far, each delivered as zero."""

    def launch(self) -> None:
        """Begin to start; the caller may import or draw meanwhile and then call `start`."""
        self._spawn(time.perf_counter_ns())

    def start(self, timeout: float = START_SECONDS) -> StreamInfo:
        """Start and wait for the source to run. Raises what the source could not do, in words."""
        if self._process is None:
            self.launch()
        deadline = time.perf_counter() + timeout
        while not self._running and not self.ended:
            self.poll(time.perf_counter_ns())
            if self._failure is not None:
                failure = self._failure
                self.stop()
                raise failure
            if time.perf_counter() > deadline:
                self.stop()
                raise EngineError(
                    f"'{self._spec.text}' did not start within {timeout:g} s: is the sound server "
                    "hanging? 'realtime doctor' looks at it"
                )
            time.sleep(_POLL_SECONDS)
        return self.info

    @property
    def info(self) -> StreamInfo:
        assert self._info is not None, "the engine has not started"
        return self._info

    @property
    def ring(self) -> AudioRing:
        assert self._ring is not None, "the engine has not started"
        return self._ring

    @property
    def status(self) -> Status:
        assert self._status is not None, "the engine has not started"
        return self._status

    @property
    def monitors(self) -> bool:
        """Whether it plays what it hears."""
        return self._monitor is not None

    @property
    def output(self) -> AudioRing:
        """What the effects made, at its place on the time line of `ring`."""
        assert self._output is not None, "the engine does not play, or has not started"
        return self._output

    @property
    def monitor_status(self) -> MonitorStatus:
        assert self._monitor_status is not None, "the engine does not play, or has not started"
        return self._monitor_status

    def change(self, state: MonitorState) -> None:
        """Play like this from the next frame on, also after a restart; the newest wins. `poll`
        tells the engine."""
        self._monitor = state

    @property
    def source(self) -> str:
        """As on the command line."""
        return self._spec.text

    @property
    def listens(self) -> bool:
        """Whether the source is a microphone, which is never exactly silent."""
        return self._spec.kind == "mic"

    @property
    def state(self) -> State:
        """STARTING also while it waits for a lost device."""
        return self._state

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def poll(self, now_ns: int) -> list[Event]:
        """Read what the engine said, see that it lives, bring it back if not. Never waits."""
        events: list[Event] = []
        if self._process is None:
            if not self.ended and self._retry_at_ns and now_ns >= self._retry_at_ns:
                self._spawn(now_ns)
                if self._process is None:
                    self._lose(events, now_ns)
            return events
        gone = not self._listen(events, now_ns)
        if self._running and not gone:
            self._tell_change()
            gone = self._hangs(events, now_ns)
        elif not gone and now_ns - self._started_ns > START_SECONDS * 1e9:
            gone = True
            self._failure = EngineError(
                f"'{self._spec.text}' was not open within {START_SECONDS:g} s: is the sound server "
                "hanging? 'realtime doctor' looks at it"
            )
        if gone and not self.ended:
            self._lose(events, now_ns)
        elif gone:
            self._end_process()
        return events

    def _spawn(self, now_ns: int) -> None:
        """Leaves no process, but `_failure`, where the system has no room for one."""
        self._failure = None
        try:
            self._pipe, theirs = self._context.Pipe()
            with theirs:
                process = self._context.Process(
                    target=child.main,
                    args=(theirs, self._spec, self._audio, self._monitor, self._attempts),
                    name="realtime engine",
                    daemon=True,
                )
                with _interrupts_blocked():
                    process.start()
        except OSError as fault:
            self._failure = EngineError(
                f"the engine's process could not be started ({fault.strerror or fault}): are there "
                "too many processes, or is memory short?"
            )
            self._end_process()
            return
        self._process, self._started_ns = process, now_ns
        self._told, self._unanswered = self._monitor, False

    def _listen(self, events: list[Event], now_ns: int) -> bool:
        """False when the engine is gone."""
        assert self._pipe is not None
        try:
            while self._pipe.poll():
                message = self._pipe.recv()
                match message[0]:
                    case "opened":
                        self._attach(message[1])
                    case "started":
                        self._on_started(events)
                    case "changed":
                        self._unanswered = False
                    case "bad":
                        self.bad_samples = message[1]
                    case "notice":
                        events.append(Event("notice", message[1]))
                    case "ended":
                        self._on_ended(events, message[1])
                        return False
                    case "failed":
                        self._failure = message[1]
                        return False
        except (EOFError, OSError):
            return False
        return True

    def _attach(self, info: StreamInfo) -> None:
        assert self._pipe is not None
        if self._ring is None:
            self._ring = AudioRing.create(
                info.n_channels, info.sample_rate, self._audio.ring_seconds or RING_SECONDS
            )
            self._status = Status.create()
            if self._monitor is not None:
                self._output = AudioRing.create(
                    info.n_channels, info.sample_rate, self._ring.seconds
                )
                self._monitor_status = MonitorStatus.create()
        elif (info.sample_rate, info.n_channels) != (self._ring.sample_rate, self._ring.n_channels):
            self._failure = EngineError(
                f"'{info.name}' came back with {info.n_channels} channels at {info.sample_rate} Hz "
                f"instead of {self._ring.n_channels} at {self._ring.sample_rate} Hz: start anew "
                "to use it like that"
            )
            self._pipe.close()
            return
        self._info = info
        assert self._status is not None
        names = SharedNames(self._ring.name, self._status.name)
        if self._output is not None and self._monitor_status is not None:
            names = replace(names, output=self._output.name, monitor=self._monitor_status.name)
        self._pipe.send(("attach", names))

    def _on_started(self, events: list[Event]) -> None:
        self._state = State.RUNNING
        if self._attempts:
            self.restarts += 1
            events.append(Event("restarted", f"'{self.info.name}' is back"))
        else:
            events.append(Event("started", f"listening to '{self.info.name}'"))
        self._running, self._ran, self._attempts = True, True, 0

    def _on_ended(self, events: list[Event], reason: str) -> None:
        if reason and self._spec.kind != "file":  # a file breaks off at the same place again
            self._failure = EngineError(reason)
            return
        self.ended, self._running, self._state = True, False, State.ENDED
        events.append(Event("ended", reason or f"'{self.info.name}' has come to its end"))

    def _tell_change(self) -> None:
        """One at a time: more would fill the pipe to an engine that hangs, and stop us with it."""
        if self._monitor is self._told or self._unanswered:
            return
        assert self._pipe is not None
        with contextlib.suppress(OSError):  # it is gone, as the next `poll` sees
            self._pipe.send(("monitor", self._monitor))
        self._told, self._unanswered = self._monitor, True

    def _hangs(self, events: list[Event], now_ns: int) -> bool:
        snapshot = self.status.read()
        if snapshot.state != self._state and snapshot.pid == self.pid:
            if self.listens:  # other sound is late only where the machine is busy: no news
                self._tell_stall(events, snapshot.state)
            self._state = snapshot.state
        beat = max(snapshot.heartbeat_ns, self._started_ns)
        return now_ns - beat > HEARTBEAT_SECONDS * 1e9

    def _tell_stall(self, events: list[Event], state: State) -> None:
        if state is State.STALLED:
            text = f"'{self.info.name}' delivers nothing: is it suspended or unplugged? "
            events.append(Event("stalled", text + "Waiting for it"))
        elif self._state is State.STALLED and state is State.RUNNING:
            events.append(Event("resumed", f"'{self.info.name}' delivers again"))

    def _lose(self, events: list[Event], now_ns: int) -> None:
        if self._process is not None:
            self._process.kill()  # it is dead, hangs, or has said its last word
        self._end_process()
        if not self._ran:  # `start` reports why
            self._failure = self._failure or EngineError(
                f"the engine ended before '{self._spec.text}' ran: 'realtime doctor' looks for "
                "the cause"
            )
            return
        if self._running:
            reason = str(self._failure) if self._failure else "the engine died"
            events.append(Event("lost", f"{reason} (trying again until it is back)"))
        elif self._attempts == 1:
            events.append(Event("waiting", f"{self._failure or 'no answer'} (still trying)"))
        self._running, self._state, self._failure = False, State.STARTING, None
        wait = RETRY_SECONDS[min(self._attempts, len(RETRY_SECONDS) - 1)]
        self._attempts += 1
        self._retry_at_ns = now_ns + int(wait * 1e9) + 1

    def _end_process(self) -> None:
        """Close the pipe, which tells the engine to go, and see that it goes."""
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.join(STOP_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    def halt(self) -> None:
        """End the engine for good; what it heard can still be read. Safe twice."""
        self._retry_at_ns = 0
        self._running = False
        self._end_process()

    def stop(self) -> None:
        """Halt, then give the shared memory back. Safe twice and from any state."""
        self.halt()
        for memory in (self._ring, self._status, self._output, self._monitor_status):
            if memory is not None:
                memory.close()


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A process that is started meanwhile never gets them: Ctrl-C is its parent's to answer, also
    while the child still imports."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which lets interrupts through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
