"""The engine's process: opens the source, feeds the ring, and ends when its parent is gone.

Talks with its parent over one pipe, in tuples: ("opened", StreamInfo), then ("attach", ring
name, status name) comes back, then ("started",), where a file holds NaN or infinite values ("bad",
how many so far), at last ("ended", reason) or ("failed", error).
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
from typing import Any

from realtime.audio.ring import AudioRing
from realtime.audio.sources import PacedSource, Source, SourceSpec, open_source
from realtime.config import AudioSettings
from realtime.engine.engine import Engine
from realtime.engine.status import Status
from realtime.errors import RealtimeError

STEP_SECONDS = 0.05
"""Between two steps: the heartbeat's pace. Blocks do not wait for it."""

SWITCH_SECONDS = 2e-4
"""Interpreter switch interval: with it a callback beside a busy thread of this process was at
most 0.8 ms late, with Python's 5 ms up to 3.8 ms."""


@dataclass(frozen=True)
class StreamInfo:
    """What was opened."""

    name: str
    sample_rate: int
    n_channels: int


def main(pipe: Connection, spec: SourceSpec, audio: AudioSettings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _close_standard_streams()
    sys.setswitchinterval(SWITCH_SECONDS)
    source: Source | None = None
    try:
        source = open_source(spec, audio)
        pipe.send(("opened", StreamInfo(source.name, source.sample_rate, source.n_channels)))
        _, ring_name, status_name = pipe.recv()
        _run(pipe, source, AudioRing.attach(ring_name), Status.attach(status_name))
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


def _run(pipe: Connection, source: Source, ring: AudioRing, status: Status) -> None:
    engine = Engine(source, ring, status)
    gc.freeze()
    gc.disable()  # nothing here makes cycles; a collection would delay the callback
    try:
        engine.start()
        engine.step(time.monotonic_ns())
        pipe.send(("started",))
        told = 0
        while engine.ended is None:
            if pipe.poll(STEP_SECONDS):
                pipe.recv()  # no commands yet; a closed pipe raises EOFError
            engine.step(time.monotonic_ns())
            told = _tell_bad(pipe, source, told)
        engine.step(time.monotonic_ns())
        _tell_bad(pipe, source, told)
    finally:
        engine.stop()
        ring.close()
        status.close()
    pipe.send(("ended", engine.ended))


def _tell_bad(pipe: Connection, source: Source, told: int) -> int:
    bad = source.bad_samples if isinstance(source, PacedSource) else 0
    if bad > told:
        pipe.send(("bad", bad))
    return bad


def _tell(pipe: Connection, message: tuple[Any, ...]) -> None:
    with contextlib.suppress(OSError):  # the parent is gone
        pipe.send(message)


def _close_standard_streams() -> None:
    """ALSA and JACK report on stderr at length, for as long as they run; nobody reads it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
