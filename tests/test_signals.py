"""What the monitor's panes show: input, output and their difference at the same instants."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from realtime.audio.ring import AudioRing
from realtime.config import DisplaySettings, StftSettings
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.errors import Overrun
from realtime.view.analysis import Analysis
from realtime.view.monitoring import pane_names
from realtime.view.signals import Signals

RATE = 48000
EMPTY_DB = -120.0
"""dBFS: nothing in the difference pane is louder."""


@pytest.fixture
def rings() -> Iterator[tuple[AudioRing, AudioRing]]:
    rings = AudioRing.create(2, RATE, 5), AudioRing.create(2, RATE, 5)
    yield rings
    for ring in rings:
        ring.close()


def test_after_a_round_trip_the_difference_pane_is_empty(
    rings: tuple[AudioRing, AudioRing], rng: np.random.Generator
) -> None:
    capture, output = rings
    samples = rng.uniform(-1, 1, (2 * RATE, 2)).astype(np.float32)
    stft, istft = StreamingStft(1024, 256, n_channels=2), StreamingIstft(1024, 256, n_channels=2)
    capture.write(samples)
    output.write(istft.push(stft.push(samples)))
    signals = Signals(capture, output, "all", lambda: 0)
    analysis = Analysis(signals, StftSettings(), DisplaySettings(), start=2048)
    analysis.pull(60)
    levels = [history_db(analysis, pane) for pane in range(6)]
    assert min(level.max() for level in levels[:4]) > -40, "input and output are not"
    assert max(level.max() for level in levels[4:]) <= EMPTY_DB


def history_db(analysis: Analysis, pane: int) -> np.ndarray:
    history = analysis.histories[pane]
    return np.array([history.column(i) for i in range(history.oldest, history.count)])


def test_a_later_output_is_compared_with_the_input_as_much_earlier(
    rings: tuple[AudioRing, AudioRing], rng: np.random.Generator
) -> None:
    capture, output = rings
    samples = rng.uniform(-1, 1, (RATE, 2)).astype(np.float32)
    capture.write(samples)
    output.write(np.concatenate([np.zeros((700, 2), np.float32), samples])[: RATE - 300])
    signals = Signals(capture, output, "difference", lambda: 700)
    assert not signals.read(signals.oldest, signals.written).any()
    assert signals.written == RATE - 300


@pytest.mark.parametrize("show", ["input", "output", "difference", "all"])
def test_what_is_not_there_is_an_overrun(rings: tuple[AudioRing, AudioRing], show: str) -> None:
    capture, output = rings
    capture.write(np.ones((1000, 2), np.float32))
    output.write(np.ones((500, 2), np.float32))
    signals = Signals(capture, output, show, lambda: 100)
    assert signals.n_channels == (6 if show == "all" else 2)
    with pytest.raises(Overrun):
        signals.read(0, 501)


def test_panes_have_the_names_of_signals_and_channels() -> None:
    assert pane_names(("input", "output"), 1, 2) == ["Input", "Output"]
    assert pane_names(("input", "output"), 2, 2) == ["Input", "Output"], "the mean of both"
    assert pane_names(("output",), 2, 2) == ["Output left", "Output right"]
    assert pane_names(("output",), 3, 3)[2] == "Output channel 3"


def test_panes_of_the_capture_alone_have_the_names_of_its_channels() -> None:
    assert pane_names(("",), 1, 1) == pane_names(("",), 2, 1) == [""]
    assert pane_names(("",), 2, 2) == ["Left", "Right"]
    assert pane_names(("",), 3, 3) == ["Channel 1", "Channel 2", "Channel 3"]
