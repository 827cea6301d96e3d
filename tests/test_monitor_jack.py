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
from realtime.engine.process import EngineProcess

pytestmark = pytest.mark.jack

MOST_MISSING = 0.001
"""Share of what is played over a minute that may be silence for want of sound."""

MOST_MISSING_SHORT = 0.01
"""The same over ten seconds, where one hiccup of the machine weighs more."""

JACK_BLOCKS = 2
"""What the server itself adds: jackd works a block ahead, and the feeder both plays and listens,
so its input is a block older than its output."""

TRANSPORT_BLOCKS = 2.5
"""Beyond that, and beyond the delay of the frames and the hop they are collected by."""


@contextlib.contextmanager
def served(block: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A JACK with this block, that programs started from here find."""
    with jack_server(block) as server, monkeypatch.context() as patch:
        reach(patch, server.env)
        yield server


def counter_at(index: np.ndarray) -> np.ndarray:
    """What the feeder plays at frame times, float32 (n, 2)."""
    return (np.stack((index & 32767, index >> 15 & 32767), axis=1) / 32768).astype(np.float32)


def match(first: int, heard: np.ndarray) -> tuple[int, np.ndarray]:
    """The usual delay in samples, and the error of each sample, from the first sound on, with the
    delay that suits it best: each second tells one, for it grows where sound was missing again and
    again. The left channel tells the index but for multiples of 32768."""
    at = np.flatnonzero(heard[:, 0])
    told = np.round(heard[at, 0].astype(np.float64) * 32768).astype(np.int64)
    delays = (first + at - told) % 32768
    seconds = np.array_split(delays, max(1, len(delays) // SAMPLE_RATE))
    found = [int(np.bincount(second).argmax()) for second in seconds if len(second)]
    index = first + np.arange(len(heard))
    errors = [np.abs(heard - counter_at(index - delay)).max(axis=1) for delay in set(found)]
    return int(np.median(found)), np.min(errors, axis=0)[at[0] :]


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
    delay, error = match(first, heard)
    assert np.count_nonzero(error <= EXACT) >= 2 * SAMPLE_RATE
    assert inexact(error) <= allowed, snapshot
    hop = MonitorSettings(**settings).hop
    theory = snapshot.algorithmic + hop + JACK_BLOCKS * block
    assert delay <= theory + TRANSPORT_BLOCKS * block, (delay, snapshot)


@pytest.mark.parametrize("block", [128, 256])
@pytest.mark.parametrize(
    ("seconds", "most_missing"),
    [(10, MOST_MISSING_SHORT), pytest.param(60, MOST_MISSING, marks=pytest.mark.soak)],
)
def test_shortfall_is_counted_and_small_while_the_display_holds_the_interpreter(
    block: int, seconds: float, most_missing: float, monkeypatch: pytest.MonkeyPatch
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
    missing = after.missing - before.missing
    assert missing <= most_missing * seconds * SAMPLE_RATE, after
    delay, error = match(first, heard)
    assert inexact(error) <= allowed, after
    theory = after.algorithmic + 256 + JACK_BLOCKS * block
    assert delay <= theory + TRANSPORT_BLOCKS * block, (delay, after)
