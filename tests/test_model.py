"""The model beside a real engine, and the small policies it is made of."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import soundfile

from realtime.audio.sources import parse_source
from realtime.config import load
from realtime.engine.process import EngineProcess, Event
from realtime.errors import SettingsError
from realtime.recording import sidecar
from realtime.view import analysis
from realtime.view.model import LiveModel
from realtime.view.notices import NEWS_SECONDS, Notices, silence
from realtime.view.scroll import SmoothEdge

RATE = 48000


@pytest.fixture
def model(request: pytest.FixtureRequest) -> Iterator[LiveModel]:
    """A parameter, where there is one, is more settings."""
    more = getattr(request, "param", {})
    settings = load(
        flags={"audio.ring_seconds": 60.0, "display.span": 1.0, "stft.n_fft": 2048, **more}
    )
    engine = EngineProcess(parse_source("tone:1000"), settings.audio)
    engine.start()
    model = LiveModel(settings, engine)
    yield model
    model.close()


def ticks(model: LiveModel, until: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        model.tick(time.monotonic_ns())
        if until():
            return
        time.sleep(1 / 60)
    raise AssertionError("it did not happen")


def loudest_hz(model: LiveModel) -> float:
    history = model.histories[0]
    return int(np.argmax(history.column(history.count - 1))) * RATE / 2 / history.n_bins


def test_sound_becomes_columns_levels_and_readings(model):
    ticks(model, lambda: model.shown.count > 200)
    assert loudest_hz(model) == pytest.approx(1000, abs=RATE / 2048)
    assert model.meter.reading.peak_db[0] == pytest.approx(20 * np.log10(0.5), abs=0.1)
    readout = model.readout
    assert readout.sample_rate == RATE and readout.device.startswith("tone")
    assert 0 < readout.latency_ms < 1000
    assert (readout.lost_samples, readout.skipped_columns) == (0, 0)


def test_the_peak_hold_is_brought_up_to_date_for_who_draws_it_and_for_nobody_else(model):
    ticks(model, lambda: model.shown.count > 50)
    history = model.histories[0]
    assert history.hold_version == 0
    model.update_hold(time.monotonic_ns())
    held = history.cells[history.hold_row, : history.n_bins]
    assert np.array_equal(held, history.loudest(0, history.count))


def test_a_new_n_fft_shows_the_same_span_again_and_loses_nothing_meanwhile(model):
    ticks(model, lambda: model.shown.count * model.column_seconds > 1.2)
    old = model.shown
    seen: list[frozenset[str]] = []
    model.changed.append(seen.append)
    model.change({"stft.n_fft": 8192})
    assert model.shown is old, "what is on screen stays until its successor is ready"
    ticks(model, lambda: model.shown is not old)
    assert any("histories" in keys for keys in seen)
    assert any("stft.n_fft" in keys for keys in seen)
    assert model.shown.stft.n_fft == 8192
    # The new columns begin before the visible span, and reach to now.
    now = time.monotonic_ns()
    left = model.right_edge(now) - model.columns_per_span
    assert model.histories[0].oldest <= max(left, 0)
    assert loudest_hz(model) == pytest.approx(1000, abs=RATE / 8192)
    assert model.readout.lost_samples == 0 and model.readout.skipped_columns == 0


def test_a_longer_span_is_filled_from_the_ring_and_then_left_alone(model):
    ticks(model, lambda: model.shown.count * model.column_seconds > 3.5)
    model.change({"stft.n_fft": 1024})  # analysed again for a span of 1 s
    ticks(model, lambda: model.shown.stft.n_fft == 1024)
    model.change({"display.span": 3.0})
    ticks(model, lambda: model.shown.covers(*visible(model)))
    shown = model.shown
    written = model._engine.ring.written
    ticks(model, lambda: model._engine.ring.written > written + RATE)
    assert model.shown is shown, "analysed again and again"


def test_what_was_missed_while_paused_is_there_when_live_again(model):
    ticks(model, lambda: model.shown.count * model.column_seconds > 1.2)
    model.pause()
    model.change({"stft.n_fft": 1024})
    ticks(model, lambda: model.shown.stft.n_fft == 1024)
    model.pause(False)
    ticks(model, lambda: model.shown.covers(*visible(model)))
    assert model.shown.stop is None


def visible(model: LiveModel) -> tuple[float, float]:
    right = model.right_sample(time.monotonic_ns())
    return right - model.settings.display.span * RATE, right


def test_an_engine_that_died_is_brought_back_though_no_samples_ask_to_be_taken_in(model):
    ticks(model, lambda: model.shown.count > 20)
    os.kill(model._engine.pid, signal.SIGKILL)
    ticks(model, lambda: "trying again" in model.readout.message)
    count = model.shown.count
    ticks(model, lambda: model._engine.restarts == 1 and model.shown.count > count + 50)


def test_how_it_looks_changes_without_another_analysis(model):
    shown = model.shown
    model.change({"display.gamma": 2.0, "display.colormap": "viridis", "display.scale": "mel"})
    ticks(model, lambda: model.shown.count > 20)
    assert model.shown is shown


def test_a_wrong_setting_is_refused_in_a_sentence_and_changes_nothing(model):
    before = model.settings
    with pytest.raises(SettingsError, match="power of two"):
        model.change({"stft.n_fft": 1000})
    with pytest.raises(SettingsError, match="give it when starting"):
        model.change({"audio.channels": 2})
    with pytest.raises(SettingsError, match="half the sample rate"):
        model.change({"display.f_low": 30_000.0})
    assert model.settings is before


def test_a_paused_picture_stands_still_while_sound_goes_on(model):
    ticks(model, lambda: model.shown.count > 100)
    model.pause()
    edge, written = model.right_edge(time.monotonic_ns()), model._engine.ring.written
    ticks(model, lambda: model._engine.ring.written > written + RATE // 2)
    assert model.right_edge(time.monotonic_ns()) == edge
    model.pause(False)
    ticks(model, lambda: True)
    assert model.right_edge(time.monotonic_ns()) > edge


def test_one_may_scroll_back_further_than_the_columns_reach(model):
    model.change({"stft.n_fft": 256, "stft.hop": 8, "display.span": 0.5})
    ticks(model, lambda: model.shown.stft.n_fft == 256)
    ticks(model, lambda: model.histories[0].oldest > 8000, 20.0)  # the first second is forgotten
    ago = (model.right_sample(time.monotonic_ns()) - 0.9 * RATE) / RATE
    model.scroll(-ago)
    assert model.paused
    live = model.shown
    ticks(model, lambda: model.shown is not live)
    right = model.right_edge(time.monotonic_ns())
    assert model.shown.sample_at(right) == pytest.approx(0.9 * RATE, abs=RATE / 50)
    history = model.histories[0]
    assert history.oldest <= right - model.columns_per_span and right <= history.count
    assert history.column(int(right) - 10).max() == pytest.approx(-6.02, abs=1.5)
    model.scroll(1e6)  # past the newest: live again
    assert not model.paused and model.shown is live


def test_the_right_edge_moves_as_the_clock_does_and_never_passes_the_newest_column():
    edge = SmoothEdge(RATE)
    places = []
    for i in range(1, 2400):
        elapsed = i / 240
        block_end = int(elapsed / 0.021) * 0.021  # columns come in bursts of 21 ms
        newest = (block_end - 0.003) * RATE
        places.append(edge.at(int(elapsed * 1e9), newest))
        assert places[-1] <= newest + 1e-6
    steps = np.diff(places[480:])
    assert steps.min() > 0.9 * RATE / 240 and steps.max() < 1.1 * RATE / 240


@pytest.mark.parametrize("model", [{"audio.block": 16384}], indirect=True)
def test_a_picture_looked_at_before_the_first_block_shows_what_then_comes(model):
    newest = model._columns.newest
    assert model.right_sample(time.monotonic_ns()) == newest  # a block lasts a third of 1 s
    edges = []

    def enough():
        edges.append(model.right_edge(time.monotonic_ns()))
        return model.shown.count > 300

    ticks(model, enough)
    assert edges[-1] > model.shown.count - model.columns_per_span
    assert model.histories[0].column(int(edges[-1]) - 1).max() == pytest.approx(-6.02, abs=1.5)


def test_a_picture_to_be_kept_holds_all_that_was_heard_also_what_came_too_late(model, monkeypatch):
    monkeypatch.setattr(analysis, "BACKLOG_SECONDS", 0.3)
    ticks(model, lambda: model.shown.count > 200)
    time.sleep(0.6)  # the display is late,
    ticks(model, lambda: model.readout.skipped_columns)  # gives up what it missed,
    time.sleep(0.6)  # and is late once more
    heard = model._engine.ring.written
    model.settle()
    model.tick(now_ns := time.monotonic_ns())
    right = int(model.right_edge(now_ns))
    span = range(right - int(model.columns_per_span), right)
    levels = [model.histories[0].column(index).max() for index in span]
    assert levels == pytest.approx([-6.02] * len(span), abs=1.5)
    assert model.shown.newest > heard - model.shown.column_samples


class _Engine:
    """What `silence` looks at, in numbers of the test's own choice."""

    listens = True
    bad_samples = 0

    def __init__(self, gaps=()):
        self.info = type("Info", (), {"name": "desk mic", "sample_rate": RATE})
        self.ring = type("Ring", (), {"written": 100_000})
        status = type("Snapshot", (), {"gaps": gaps})
        self.status = type("Status", (), {"read": lambda: status})


def test_exact_zeros_from_a_microphone_are_reported_and_those_of_a_loss_are_not():
    assert "muted" in silence(_Engine(), RATE // 2)
    assert silence(_Engine(), RATE // 2 - 1) == ""
    gap = type("Gap", (), {"index": 50_000, "length": 30_000})
    assert silence(_Engine([gap]), RATE // 2) == ""
    deaf = _Engine()
    deaf.listens = False
    assert silence(deaf, RATE) == ""


def test_values_that_are_no_sound_are_told_as_long_as_nothing_is_more_urgent():
    notices, engine = Notices("a note"), _Engine()
    engine.bad_samples = 3
    assert notices.message(engine, 0, 0).startswith("'desk mic' holds values that are no sound")
    notices.heed(Event("lost", "gone"), 0)
    assert notices.message(engine, 0, 0) == "gone"


def test_trouble_is_shown_until_it_is_over_and_news_for_a_while_and_then_the_note():
    notices, engine = Notices("no microphone: playing the demo"), _Engine()
    assert notices.message(engine, 0, 0) == "no microphone: playing the demo"
    notices.heed(Event("lost", "gone"), 0)
    assert notices.message(engine, 0, int(1e12)) == "gone"
    notices.heed(Event("restarted", "back"), int(1e12))
    assert notices.message(engine, 0, int(1e12 + 1e9)) == "back"
    later = int(1e12 + (NEWS_SECONDS + 1) * 1e9)
    assert notices.message(engine, 0, later) == "no microphone: playing the demo"


def test_the_last_minutes_are_saved_after_the_fact_while_the_picture_goes_on(model, tmp_path):
    ticks(model, lambda: model.shown.count > 200)
    heard = model._engine.ring.written
    model.save_sound(tmp_path)
    ticks(model, lambda: "are saved as" in model.readout.message)
    (path,) = tmp_path.glob("*.wav")
    assert str(path) in model.readout.message
    saved, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE and len(saved) >= heard
    ring = model._engine.ring.read(0, heard)[:, 0]
    assert np.abs(saved[:heard] - ring).max() <= 2**-23
    values = sidecar.read(path.with_suffix(".json"))
    assert values is not None
    assert (values["source"], values["device"]) == ("tone:1000", model.info.name)
    assert model.info.name != "tone:1000"


def test_where_nothing_can_be_saved_a_message_says_so(model, tmp_path):
    ticks(model, lambda: model.shown.count > 20)
    (tmp_path / "file").touch()
    model.save_sound(tmp_path / "file")
    ticks(model, lambda: "nothing could be saved in" in model.readout.message)
