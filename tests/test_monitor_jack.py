"""The monitor on a strict server: what is played is what was captured, only later."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
from listening import EXACT, HOLD_SECONDS, listening, watch_for, watch_until_playing
from servers import SAMPLE_RATE, JackServer, jack_server, reach
from torture import holding_the_interpreter

from realtime.config import MonitorSettings
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import MonitorSnapshot
from realtime.engine.process import EngineProcess

pytestmark = pytest.mark.jack

MOST_MISSING = 0.001
"""Share of what is played over a minute that may be silence for want of sound."""

LEAST_HEARD = 0.5
"""Seconds that have to come through unharmed, of three; what harmed the rest must be on record."""

JACK_BLOCKS = 2
"""What the server itself adds: jackd works a block ahead, and the feeder both plays and listens,
so its input is a block older than its output."""

TRANSPORT_BLOCKS = 2.5
"""Beyond that, and beyond the delay of the frames and the hop they are collected by, over a minute:
a machine that stands still as playback begins adds to it for good."""


@contextlib.contextmanager
def served(block: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A JACK with this block, that programs started from here find."""
    with jack_server(block) as server, monkeypatch.context() as patch:
        reach(patch, server.env)
        yield server


def counter_at(index: np.ndarray) -> np.ndarray:
    """What the feeder plays at frame times, float32 (n, 2)."""
    return (np.stack((index & 32767, index >> 15 & 32767), axis=1) / 32768).astype(np.float32)


def match(first: int, heard: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The delay in samples of each second, and the error of each sample, from the first sound on,
    with the delay that suits it best: it grows where sound was missing again and again. The left
    channel tells the index but for multiples of 32768."""
    at = np.flatnonzero(heard[:, 0])
    counted = np.round(heard[at, 0].astype(np.float64) * 32768).astype(np.int64)
    delays = (first + at - counted) % 32768
    seconds = np.array_split(delays, max(1, len(delays) // SAMPLE_RATE))
    found = [int(np.bincount(second).argmax()) for second in seconds if len(second)]
    index = first + np.arange(len(heard))
    errors = [np.abs(heard - counter_at(index - delay)).max(axis=1) for delay in set(found)]
    return found, np.min(errors, axis=0)[at[0] :]


def told(snapshot: MonitorSnapshot, block: int) -> int:
    """The delay in samples that the program tells, seen from the feeder: input and output of one
    callback count as the same moment there, and as a block apart in `transport`."""
    return snapshot.algorithmic + snapshot.transport + (JACK_BLOCKS - 1) * block


def inexact(error: np.ndarray) -> int:
    """Samples that differ, from the first exact one to the last."""
    exact = np.flatnonzero(error <= EXACT)
    return int(exact[-1] - exact[0] + 1 - len(exact)) if len(exact) else len(error)


def accidents(server: JackServer, engine: EngineProcess, block: int) -> int:
    """Samples that what the machine did may explain: losses, silence, and the frames around."""
    captured, played = engine.status.read(), engine.monitor_status.read()
    times = captured.overflows + played.underflows + server.stand_stills
    around = engine_n_fft(engine) + 8 * block
    return times * around + captured.lost + played.missing + played.dropped


def engine_n_fft(engine: EngineProcess) -> int:
    """The delay of the frames, twice: their length is about that."""
    return 2 * max(engine.monitor_status.read().algorithmic, 1024)


@pytest.mark.parametrize(
    ("block", "settings"),
    [
        (128, {}),
        (256, {"n_fft": 512, "hop": 64, "window": "blackman"}),
        (64, {"n_fft": 2048, "hop": 64, "synthesis": 128}),
    ],
)
def test_without_effects_output_equals_input_delayed(
    block: int, settings: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = MonitorState(MonitorSettings(output=JackServer.FEEDER, **settings))
    with served(block, monkeypatch) as server:
        with listening(f"mic:{server.FEEDER}", 20, state, block) as engine:
            watch_until_playing(engine)
            watch_for(engine, 3)
            snapshot, allowed = engine.monitor_status.read(), accidents(server, engine, block)
        first, heard = server.heard()
    delays, error = match(first, heard)
    assert np.count_nonzero(error <= EXACT) >= LEAST_HEARD * SAMPLE_RATE
    assert inexact(error) <= allowed, snapshot
    assert told(snapshot, block) in delays, (delays, snapshot)


@pytest.mark.parametrize("block", [128, 256])
@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.soak)])
def test_shortfall_is_counted_and_small_while_the_display_holds_the_interpreter(
    block: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = MonitorState(MonitorSettings(output=JackServer.FEEDER))
    with served(block, monkeypatch) as server:
        with listening(f"mic:{server.FEEDER}", seconds + 20, state, block) as engine:
            watch_until_playing(engine)
            watch_for(engine, 1)
            before = engine.monitor_status.read()
            with holding_the_interpreter(HOLD_SECONDS):
                watch_for(engine, seconds)
            after, allowed = engine.monitor_status.read(), accidents(server, engine, block)
        first, heard = server.heard()
    delays, error = match(first, heard)
    assert inexact(error) <= allowed, after
    assert told(after, block) in delays, (delays, after)
    if seconds >= 60:  # what a machine with other work does within seconds says nothing
        assert after.missing - before.missing <= MOST_MISSING * seconds * SAMPLE_RATE, after
        theory = after.algorithmic + MonitorSettings().hop + JACK_BLOCKS * block
        assert np.median(delays) <= theory + TRANSPORT_BLOCKS * block, (delays, after)
