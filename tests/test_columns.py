"""What is on screen after settings change while it is analysed again: what they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from realtime import config
from realtime.audio.ring import AudioRing
from realtime.view.columns import Columns
from realtime.view.signals import Signals

RATE = 8000
SECONDS = 30


@pytest.fixture
def ring(rng: np.random.Generator) -> Iterator[AudioRing]:
    ring = AudioRing.create(1, RATE, float(SECONDS))
    ring.write((rng.standard_normal((SECONDS * RATE, 1)) * 0.1).astype(np.float32))
    yield ring
    ring.close()


class Screen:
    """Columns as the model drives them; `change` takes settings by their keys."""

    def __init__(self, ring: AudioRing, start: Mapping[str, Any], heard: Any = None):
        self.settings = config.change(config.Settings(), start)
        self.columns = Columns(heard or ring, ring, self.settings, lambda *_keys: None)
        while self.columns.live.waiting > self.settings.stft.n_fft:
            self.columns.live.pull(60.0)

    def change(self, changes: Mapping[str, Any], heard: Any = None) -> None:
        self.settings = config.change(self.settings, changes)
        self.columns.change(self.settings, heard or self.columns._heard)

    def run(self) -> None:
        """Until nothing is being analysed any more."""
        for _ in range(3000):
            self.columns.look_for_span()
            self.columns.pull_live()
            self.columns.pull_pending()
            if self.columns._pending is None:
                return
        raise AssertionError("it is analysed again and again")


@pytest.fixture
def screen(ring: AudioRing) -> Screen:
    return Screen(ring, {"stft.n_fft": 1024})


def test_what_was_changed_while_paused_holds_for_who_goes_on_at_once(screen: Screen) -> None:
    screen.columns.pause(True)
    screen.change({"stft.n_fft": 512})
    screen.columns.pause(False)
    screen.run()
    assert screen.columns.shown.stft.n_fft == 512
    assert screen.columns.shown.stop is None


def test_another_signal_chosen_while_paused_goes_on_at_once(ring: AudioRing) -> None:
    both = {show: Signals(ring, ring, show, lambda: 0) for show in ("input", "output")}
    screen = Screen(ring, {}, both["input"])
    screen.columns.pause(True)
    screen.change({"monitor.show": "output"}, both["output"])
    screen.run()
    assert screen.columns.shown.signals == ("output",)
    screen.columns.pause(False)
    assert screen.columns.shown.signals == ("output",)


def test_means_of_merged_frames_asked_for_while_paused_go_on_at_once(ring: AudioRing) -> None:
    screen = Screen(ring, {"stft.n_fft": 1024, "display.span": 7200.0})
    screen.columns.pause(True)
    screen.change({"display.reduce": "mean"})
    screen.run()
    screen.columns.pause(False)
    shown = screen.columns.shown
    assert shown.merge > 1 and shown.fits(ring, screen.settings.stft, screen.settings.display)


def test_a_span_changed_and_changed_back_leaves_the_picture_as_it_was(screen: Screen) -> None:
    shown = screen.columns.shown
    screen.change({"display.span": 7200.0})
    screen.change({"display.span": 12.0})
    screen.run()
    assert screen.columns.shown is shown and shown.merge == 1


@pytest.mark.parametrize("span", [12.0, 7200.0])
def test_means_are_shown_though_asked_for_while_another_window_is_analysed(
    screen: Screen, span: float
) -> None:
    screen.change({"display.span": span, "stft.window": "hamming"})
    screen.change({"display.reduce": "mean"})
    screen.run()
    shown, (history,) = screen.columns.shown, screen.columns.histories
    assert (shown.stft.window, history.reduce) == ("hamming", "mean")
    assert (shown.merge > 1) == (span > 12.0)
    alone = screen.columns._analysis(shown.start, shown.stop)
    alone.pull(60.0)
    (expected,) = alone.histories
    assert np.array_equal(history.cells, expected.cells)


def test_what_changes_the_looks_alone_lets_a_successor_go_on(screen: Screen) -> None:
    screen.change({"stft.n_fft": 512})
    pending = screen.columns._pending
    screen.change({"display.gamma": 2.0})
    assert pending is not None and screen.columns._pending is pending
