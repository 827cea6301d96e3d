"""An engine on a real server, looked at from outside: what tests of both servers share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import counter
import numpy as np

from realtime.audio.sources import parse_source
from realtime.config import AudioSettings
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import Playing
from realtime.engine.process import EngineProcess, Event

BLOCK = 256
HOLD_SECONDS = 0.5
"""How long the display's process holds its interpreter lock, again and again."""

BACK_SECONDS = 20.0
"""Capture that is not back so long after whatever stopped it never will be."""

ACCOUNTED_SECONDS = 0.05
"""A gap may be this far from what is really missing."""

EXACT = 1e-6
"""-120 dBFS: what a round trip without effects may differ by."""

_LOOK_SECONDS = 0.01


@contextlib.contextmanager
def listening(
    source: str,
    ring_seconds: float = 30.0,
    monitor: MonitorState | None = None,
    block: int = BLOCK,
    channels: int = 2,
) -> Iterator[EngineProcess]:
    """A running engine on `source`, stopped at the end. monitor : what it plays."""
    audio = AudioSettings(
        sample_rate=48000, channels=channels, block=block, ring_seconds=ring_seconds
    )
    engine = EngineProcess(parse_source(source), audio, monitor)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()


def watch(
    engine: EngineProcess, until: Callable[[list[Event]], bool], seconds: float, what: str
) -> list[Event]:
    """Poll as a display does until `until(events so far)`; raises a sentence after `seconds`."""
    events: list[Event] = []
    deadline = time.monotonic() + seconds
    while True:
        events += engine.poll(time.monotonic_ns())
        if until(events):
            return events
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s; there were {events}")
        time.sleep(_LOOK_SECONDS)


def watch_until_playing(engine: EngineProcess, seconds: float = 10.0) -> list[Event]:
    """Poll until the playback device gets sound."""

    def plays(_: list[Event]) -> bool:
        return engine.monitor_status.read().state is Playing.SOUND

    return watch(engine, plays, seconds, "sound on the output")


def watch_for(engine: EngineProcess, seconds: float) -> list[Event]:
    """Poll for `seconds`."""
    stop = time.monotonic() + seconds
    return watch(engine, lambda _: time.monotonic() > stop, seconds + 60, "the end of time")


def watch_until_heard(engine: EngineProcess, seconds: float) -> list[Event]:
    """Poll until the newest sample in the ring is sound again, `seconds` of it."""
    n_samples = round(seconds * engine.ring.sample_rate)

    def heard(_: list[Event]) -> bool:
        stop = engine.ring.written
        return stop > n_samples and bool(np.all(engine.ring.read(stop - n_samples, stop).any(1)))

    return watch(engine, heard, 10.0, "sound")


def least_lateness(engine: EngineProcess, seconds: float = 1.0) -> float:
    """How far, at its best, the ring is behind the clock: seconds since an unknown moment.

    Two of these differ by what the ring's time line misses (or has too much) between them."""
    least = float("inf")
    deadline = time.monotonic() + seconds
    while (now := time.monotonic()) < deadline:
        least = min(least, now - engine.ring.written / engine.ring.sample_rate)
        engine.poll(time.monotonic_ns())
        time.sleep(0.001)
    return least


def heard(engine: EngineProcess) -> np.ndarray:
    """Counter indices of all the ring holds, int64 (n_samples,), 0 for silence."""
    return counter.decode(engine.ring.read(engine.ring.oldest, engine.ring.written))


def marked(engine: EngineProcess, n_samples: int) -> np.ndarray:
    """Where the status block says that samples are missing, bool (n_samples,); all of the ring
    must still be there."""
    assert engine.ring.oldest == 0
    mask = np.zeros(n_samples, bool)
    for gap in engine.status.read().gaps:
        mask[gap.index : gap.index + gap.length] = True
    return mask
