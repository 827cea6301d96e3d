"""The engine: owns the source, feeds the ring, and has a voice if it is to play what it hears.

It has no thread, no sleep and no clock of its own.

Who owns what, here and everywhere:

1. The audio callback copies and counts; no exception leaves it.
2. Every mutable object has one owner thread. Across threads and processes go: a ring, the
   status block, the command pipe. Nothing else.
3. Nobody waits for the eyes: a late display skips columns and counts them.
4. Parameters are frozen objects.
5. Loss is measured against the monotonic clock; flags only help to explain it.
6. Sinks start first, then the stream; they stop in reverse. `stop` is safe twice. The engine's
   process ends when its parent is gone, and the parent restarts an engine that died.
7. A callee keeps no reference to an array it was given.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from realtime.audio.ring import AudioRing
from realtime.audio.sources import PacedSource, Source
from realtime.audio.stream import MicSource
from realtime.engine.intake import Intake
from realtime.engine.status import State, Status

if TYPE_CHECKING:
    from realtime.engine.voice import Voice

STALLED_SECONDS = 0.5
"""Without a block for this long the device counts as stalled, and people are told."""

GIVE_UP_SECONDS = 2.0
"""Stalled for this long, the stream is opened anew: some servers forget a stream they suspended."""

FIRST_SECONDS = 2.0
"""The first block may take this long before anybody is told (a cold PulseAudio takes 1.7 s),"""

START_SECONDS = 5.0
"""and this long before the stream is opened anew. All four count from when a block is due."""


class Engine:
    """`start`, then `step` again and again, then `stop`."""

    def __init__(
        self,
        source: Source,
        ring: AudioRing,
        status: Status,
        clock: Callable[[], int] = time.perf_counter_ns,
        voice: Voice | None = None,
    ):
        self._source = source
        self._status = status
        self._clock = clock
        self._intake = Intake(ring, status)
        self._voice = voice
        before = status.read()
        self._blocks_before, self._lost_before = before.blocks, before.lost
        self._started_ns = 0
        self.ended: str | None = None
        """Why the source ended by itself: a sentence, empty at the end of a file, None if not."""

    def start(self) -> None:
        """Raises what the source raises where it cannot start."""
        self._started_ns = self._clock()
        if self._voice is not None:
            self._voice.start()
            if self._voice.duplex:
                assert isinstance(self._source, MicSource)
                self._source.start(self._deliver, self._on_end, self._voice.fill)
                return
        self._source.start(self._deliver, self._on_end)

    def _deliver(self, block: np.ndarray, overflow: bool) -> None:
        try:
            self._intake.accept(block, self._clock(), overflow)
            if self._voice is not None:
                self._voice.captured(block, self._status.lost - self._lost_before)
        except Exception:
            self._status.count_fault()

    def _on_end(self, reason: str | None) -> None:
        self.ended = reason or ""

    def step(self, now_ns: int) -> State:
        """Look after the stream; say in the status block that the engine is alive."""
        snapshot = self._status.read()
        state = State.RUNNING
        if self.ended is not None:
            state = State.ENDED
        else:
            first = snapshot.blocks == self._blocks_before
            since_ns = self._started_ns if first else snapshot.last_block_ns
            quiet = (now_ns - since_ns) / 1e9
            late = quiet - self._source.block / self._source.sample_rate
            if late > (FIRST_SECONDS if first else STALLED_SECONDS):
                state = State.STALLED
            device = not isinstance(self._source, PacedSource)  # which is late, but never gone
            if device and late > (START_SECONDS if first else GIVE_UP_SECONDS):
                self.ended = f"'{self._source.name}' has delivered nothing for {quiet:.1f} s"
        self._status.beat(now_ns, state, os.getpid())
        if self._voice is not None:
            self._voice.step(now_ns, getattr(self._source, "latency_seconds", 0.0))
        return state

    def stop(self) -> None:
        """Stop the source, then the voice; safe twice and from any state."""
        self._source.stop()
        self._intake.close()
        if self._voice is not None:
            self._voice.stop()
