"""The monitor on an elastic server, where capture and playback are streams of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest
from listening import EXACT, listening, watch, watch_for, watch_until_playing
from servers import SAMPLE_RATE, PulseServer, pulse_server, reach

from realtime.config import MonitorSettings
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import Playing

pytestmark = pytest.mark.pulse

EXACT_SECONDS = 2
"""In a row: on a busy machine the server itself runs dry now and then, and inserts silence."""

SENT_SECONDS = 30


@pytest.fixture
def float_pulse(monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseServer]:
    """A PulseAudio whose devices speak float32, found by programs started from here."""
    with pulse_server("float32le") as server:
        reach(monkeypatch, server.env)
        yield server


def begins(heard: np.ndarray, sent: np.ndarray) -> set[int]:
    """Where in `sent` the first sample of `heard` lies, found anew each half second: the delay
    changes where sound was missing."""
    size = 1 << (len(sent) + SAMPLE_RATE).bit_length()
    spectrum = np.fft.rfft(sent[:, 0], size)
    found = set()
    for at in range(0, len(heard) - SAMPLE_RATE // 2, SAMPLE_RATE // 2):
        part = heard[at : at + SAMPLE_RATE // 2, 0]
        if part.any():
            correlation = np.fft.irfft(spectrum * np.conj(np.fft.rfft(part, size)))
            found.add(int(np.argmax(correlation)) - at)
    return found


def longest_exact(heard: np.ndarray, sent: np.ndarray) -> int:
    """The most samples in a row that were played as they were captured."""
    longest = 0
    for begin in begins(heard, sent):
        start, stop = max(0, -begin), min(len(heard), len(sent) - begin)
        if stop <= start:  # found by chance
            continue
        error = np.abs(heard[start:stop] - sent[start + begin : stop + begin]).max(axis=1)
        breaks = np.flatnonzero(np.r_[True, error > EXACT, True])
        longest = max(longest, int(np.diff(breaks).max()) - 1)
    return longest


@pytest.mark.parametrize(
    ("channels", "settings"),
    [(2, {}), (1, {"n_fft": 2048, "hop": 128, "window": "kaiser"})],
)
def test_without_effects_output_equals_input_delayed(
    float_pulse: PulseServer, rng: np.random.Generator, channels: int, settings: dict
) -> None:
    sent = rng.uniform(-0.5, 0.5, (SENT_SECONDS * SAMPLE_RATE, 2)).astype(np.float32)
    if channels == 1:
        sent[:, 1] = sent[:, 0]
    float_pulse.play(sent)
    state = MonitorState(MonitorSettings(**settings))
    with (
        float_pulse.hearing() as heard,
        listening("mic", SENT_SECONDS, state, channels=channels) as engine,
    ):
        watch_until_playing(engine)
        for _ in range(SENT_SECONDS // 5):
            watch_for(engine, 3)
            longest, snapshot = longest_exact(heard(), sent), engine.monitor_status.read()
            if longest >= EXACT_SECONDS * SAMPLE_RATE:
                return
    raise AssertionError(f"{longest} samples in a row were exact: {snapshot}")


@pytest.mark.parametrize(("source", "dies"), [("mic", False), ("demo", False), ("mic", True)])
def test_a_speaker_pulled_out_and_put_back_plays_again_and_input_goes_on(
    pulse: PulseServer, source: str, dies: bool
) -> None:
    pulse.pactl("load-module", "module-null-source", "source_name=quiet")
    pulse.pactl("set-default-source", "quiet")
    with listening(source, 30, MonitorState(MonitorSettings()), channels=1) as engine:
        watch_until_playing(engine)
        pulse.unplug_speaker()
        events = watch(
            engine,
            lambda _: engine.monitor_status.read().state is Playing.WAITING,
            10,
            "the loss of the speaker",
        )
        if dies:  # and comes back without
            os.kill(engine.pid, signal.SIGKILL)
            watch(engine, lambda _: engine.restarts == 1, 10, "the engine's return")
        before = engine.ring.written
        events += watch_for(engine, 2)
        assert engine.ring.written - before > 1.5 * SAMPLE_RATE, "input goes on"
        pulse.plug_speaker()
        events += watch_until_playing(engine)
        events += watch_for(engine, 0.5)  # the engine tells a step later
        assert engine.restarts == dies and (dies or engine.status.read().lost == 0)
    told = " ".join(event.text for event in events if event.kind == "notice")
    assert "stopped: is it unplugged" in told and "plays again" in told
