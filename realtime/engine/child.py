"""The engine's process: opens the source, feeds the ring, and ends when its parent is gone.

Talks with its parent over one pipe, in tuples: ("opened", StreamInfo), then ("attach", SharedNames)
comes back, then ("started",), at last ("ended", reason) or ("failed", error). In between
("monitor", MonitorState) may come, each answered by ("changed",), and go ("notice", text for
people) and, where a file holds NaN or infinite values, ("bad", how many so far).
A closed pipe means that the parent is gone.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from realtime.audio.ring import AudioRing
from realtime.audio.sources import PacedSource, Source, SourceSpec, open_source
from realtime.config import AudioSettings
from realtime.engine.engine import Engine
from realtime.engine.monitor_status import MonitorStatus
from realtime.engine.status import Status
from realtime.errors import RealtimeError

if TYPE_CHECKING:
    from realtime.engine.monitor import MonitorState
    from realtime.engine.voice import Plan, Voice

STEP_SECONDS = 0.1
"""Between two steps: the heartbeat's pace. Blocks do not wait for it."""

PARENTS_SIGNALS = ("SIGINT", "SIGBREAK", "SIGHUP", "SIGUSR1")
"""The parent's to answer: a terminal, or a service manager, sends them to both. Those that the
system does not know are left out."""

SWITCH_SECONDS = 2e-4
"""Interpreter switch interval: with it a callback beside a busy thread of this process was at
most 0.8 ms late, with Python's 5 ms up to 3.8 ms."""


@dataclass(frozen=True)
class StreamInfo:
    """What was opened."""

    name: str
    sample_rate: int
    n_channels: int
    output: str = ""
    """The playback device of a monitor."""


@dataclass(frozen=True)
class SharedNames:
    """The parent's shared memory."""

    ring: str
    status: str
    output: str = ""
    monitor: str = ""


def main(
    pipe: Connection,
    spec: SourceSpec,
    audio: AudioSettings,
    monitor: MonitorState | None = None,
    attempt: int = 0,
) -> None:
    """attempt : to come back, where an engine ran in this place before; 0 at the first start."""
    for name in PARENTS_SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _close_standard_streams()
    sys.setswitchinterval(SWITCH_SECONDS)
    source: Source | None = None
    try:
        plan = None if monitor is None else _plan(spec, audio, monitor, attempt)
        play_on = plan.device if plan is not None and plan.duplex else None
        source = open_source(spec, audio, play_on)
        output = plan.device.name if plan is not None and plan.device is not None else ""
        info = StreamInfo(source.name, source.sample_rate, source.n_channels, output)
        pipe.send(("opened", info))
        _, names = pipe.recv()
        with Memory(names) as memory:
            voice = None
            if plan is not None and monitor is not None:
                voice = memory.voice(plan, monitor, spec.kind == "mic")
            _run(pipe, source, Engine(source, memory.ring, memory.status, voice=voice), voice)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is gone
    except RealtimeError as fault:
        _tell(pipe, ("failed", fault))
    except Exception as fault:
        _tell(pipe, ("failed", RealtimeError(f"the engine met an error of its own: {fault!r}")))
    finally:
        if source is not None:
            source.stop()
    # PortAudio's host libraries have been seen to hang or crash in their exit handlers when the
    # sound server is gone; everything of ours is closed by now.
    os._exit(0)


def _plan(spec: SourceSpec, audio: AudioSettings, monitor: MonitorState, attempt: int) -> Plan:
    from realtime.engine.voice import Plan  # with scipy, which takes 0.15 s and 12 MB

    return Plan.of(spec, audio, monitor.settings.output, attempt)


def _run(pipe: Connection, source: Source, engine: Engine, voice: Voice | None) -> None:
    gc.freeze()
    gc.disable()  # nothing here makes cycles; a collection would delay the callback
    told = 0
    try:
        engine.start()
        engine.step(time.perf_counter_ns())
        pipe.send(("started",))
        while engine.ended is None:
            if pipe.poll(STEP_SECONDS):  # a closed pipe raises EOFError
                _, state = pipe.recv()
                if voice is not None:
                    voice.change(state)
                pipe.send(("changed",))
            engine.step(time.perf_counter_ns())
            told = _tell_news(pipe, source, voice, told)
        engine.step(time.perf_counter_ns())
        _tell_news(pipe, source, voice, told)
    finally:
        engine.stop()
    pipe.send(("ended", engine.ended))


def _tell_news(pipe: Connection, source: Source, voice: Voice | None, told: int) -> int:
    """told : bad samples that the parent knows of. Returns those it knows of now."""
    for notice in voice.notices if voice is not None else ():
        pipe.send(("notice", notice))
    bad = source.bad_samples if isinstance(source, PacedSource) else 0
    if bad != told:
        pipe.send(("bad", bad))
    return bad


class Memory:
    """What the parent shares, open while the engine runs."""

    def __init__(self, names: SharedNames):
        self.ring = AudioRing.attach(names.ring)
        self.status = Status.attach(names.status)
        self._output = AudioRing.attach(names.output) if names.output else None
        self._monitor = MonitorStatus.attach(names.monitor) if names.monitor else None

    def voice(self, plan: Plan, state: MonitorState, listens: bool) -> Voice:
        from realtime.engine.voice import Voice

        assert self._output is not None and self._monitor is not None
        return Voice(plan, self.ring, self._output, self._monitor, state, listens)

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *exception: object) -> None:
        for part in (self.ring, self.status, self._output, self._monitor):
            if part is not None:
                part.close()


def _tell(pipe: Connection, message: tuple[Any, ...]) -> None:
    with contextlib.suppress(OSError):  # the parent is gone
        pipe.send(message)


def _close_standard_streams() -> None:
    """ALSA and JACK report on stderr at length, for as long as they run; nobody reads it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
