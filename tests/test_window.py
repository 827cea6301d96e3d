"""The window on a real X server: keys, mouse and controls change the model, and it shows it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from windows import activate, open_window, press, run_for, run_until, turn_wheel

from realtime import config
from realtime.view import remember, theme
from realtime.view import window as view_window
from realtime.view.choices import BY_KEY, CHOICES
from realtime.view.controls import ChoiceBox, ChoiceSlider
from realtime.view.keys import ACTIONS, help_rows
from realtime.view.main_window import METER_SECONDS, READING_SECONDS
from realtime.view.mapping import hz_of_share
from realtime.view.panels import CLIP_PX, OVERHANG

pytestmark = [pytest.mark.display, pytest.mark.usefixtures("application")]

CHANGES = [action for action in ACTIONS if action.change is not None]


@pytest.fixture(scope="module")
def shared(application):
    """One window for all tests that leave it open."""
    with open_window("tone:1000", {"display.span": 1.0, "stft.n_fft": 2048}) as window:
        run_until(lambda: heard(window) > 2.5, "some sound to scroll back to")
        yield window


def heard(window):
    """Seconds of sound in the picture so far."""
    model = window.model
    return model.right_sample(time.monotonic_ns()) / model.sample_rate


@pytest.fixture
def window(shared):
    shared.model.pause(False)
    shared.requests.change(
        {
            "stft.n_fft": 2048, "stft.hop": None, "stft.window": "hann", "stft.zero_pad": 1,
            "display.scale": "log", "display.f_low": 30.0, "display.f_high": None,
            "display.db_low": -100.0, "display.db_high": 0.0, "display.gamma": 1.0,
            "display.tilt": 0.0, "display.colormap": "magma", "display.span": 1.0,
            "display.panes": "each", "display.reduce": "peak",
        }
    )  # fmt: skip
    return shared


# ---------------------------------------------------------------------- keys


@pytest.mark.parametrize("action", CHANGES, ids=lambda action: action.name)
def test_every_key_of_the_table_makes_its_change(window, action):
    for key in action.keys:
        window.requests.change(
            {"display.span": 2.0, "display.f_low": 100.0, "display.f_high": 8000.0,
             "display.db_low": -80.0, "display.db_high": -10.0, "display.tilt": 0.0,
             "display.gamma": 1.0, "stft.n_fft": 2048, "stft.hop": None, "stft.zero_pad": 2}
        )  # fmt: skip
        before = window.model.settings
        changes = action.change(before, window.model.sample_rate)
        assert changes, "it has something to change"
        press(window, key)
        assert window.model.settings == config.change(before, changes), key
        assert window.model.settings != before


def test_no_key_means_two_things_and_every_action_is_on_the_page_of_keys():
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    shown = sum(len(names) for menu in {a.menu for a in ACTIONS} for names, _ in help_rows(menu))
    told_with_shift = sum(1 for a in ACTIONS if not a.help and a.keys[0].startswith("Shift+"))
    assert shown >= len(ACTIONS) - told_with_shift


def test_space_holds_the_picture_and_arrows_go_back_in_time(window):
    press(window, "Space")
    assert window.model.paused
    edge = window.model.right_sample(time.monotonic_ns())
    run_for(0.2)
    assert window.model.right_sample(time.monotonic_ns()) == edge
    press(window, "Left")
    assert window.model.right_sample(time.monotonic_ns()) < edge
    assert window.plot.bottom_axis._what[1] == pytest.approx(
        window.model.right_sample(time.monotonic_ns()) / window.model.sample_rate
    )
    assert window.actions_by_name["pause"].isChecked()
    press(window, "End")
    assert not window.model.paused
    assert window.plot.bottom_axis._what[1] is None


def test_h_shows_the_keys_and_escape_hides_them(window):
    press(window, "H")
    assert window.help.isVisible()
    assert window.help.geometry() == window.centralWidget().rect()
    press(window, "Esc")
    assert not window.help.isVisible()


def test_the_side_panel_gives_its_room_to_the_picture(window):
    before = window.plot.width()
    press(window, "B")
    run_until(lambda: window.plot.width() > before, "more room")
    press(window, "Tab")
    run_until(lambda: window.plot.width() == before, "the room given back")


def test_full_screen_shows_the_picture_alone(window):
    press(window, "F")
    assert window.isFullScreen() and not window.header.isVisible()
    press(window, "Esc")
    assert not window.isFullScreen() and window.header.isVisible() and window.side.isVisible()


# ---------------------------------------------------------------------- controls


def test_every_choice_of_the_side_panel_changes_the_model_and_shows_it(window):
    for choice in CHOICES:
        box = window.side.boxes[choice.key]
        value = choice.values[1] if choice.get(window.model.settings) != choice.values[1] else (
            choice.values[0]
        )  # fmt: skip
        index = choice.values.index(value)
        if isinstance(box, ChoiceSlider):
            box._slider.setValue(index)
        elif choice.key != "display.panes":  # one channel has no panes to choose
            assert isinstance(box, ChoiceBox)
            box.setCurrentIndex(index)
            box.activated.emit(index)
        else:
            assert not box.isEnabled()
            continue
        assert choice.get(window.model.settings) == value, choice.key


def test_a_value_outside_the_list_is_shown_too(window):
    window.requests.change({"display.span": 7.3})
    box = window.side.boxes["display.span"]
    assert isinstance(box, QComboBox)
    assert box.currentText() == "7.3 s"
    window.requests.change({"display.span": 12.0})
    assert box.currentText() == "12 s"
    assert box.count() == len(BY_KEY["display.span"].values)


def test_a_refused_setting_is_explained_and_the_controls_show_what_holds(window):
    window.side._levels._low.setValue(-6.0)
    window.side._levels._high.setValue(-90.0)
    assert "display.db_high = -90 must be" in window.banner.text()
    assert window.banner.isVisible()
    assert window.model.settings.display.db_high == 0.0
    assert window.side._levels._high.value() == 0.0
    press(window, "C")
    assert not window.banner.isVisible()


def test_typing_a_number_does_not_press_keys(window):
    box = window.side._frequencies._low
    QTest.mouseClick(box.lineEdit(), Qt.MouseButton.LeftButton)
    box.selectAll()
    QTest.keyClicks(box, "200")
    assert window.model.settings.display.f_low == 30.0
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert window.model.settings.display.f_low == 200.0
    assert not box.hasFocus()


# ---------------------------------------------------------------------- mouse


def test_the_wheel_zooms_about_the_frequency_under_the_pointer(window):
    surface = window.plot.surface
    at = QPoint(100, surface.height() // 3)
    share = 1 - (at.y() * surface.scale) / window.plot.canvas.rects()[0][3]

    def under_pointer():
        return float(hz_of_share(share, window.model.settings.display, window.model.sample_rate))

    before = under_pointer()
    turn_wheel(window, at, 2)
    assert window.model.settings.display.f_low > 30
    assert under_pointer() == pytest.approx(before, rel=1e-3)
    turn_wheel(window, at, -4)
    assert window.model.settings.display.f_high is None


def test_the_wheel_with_ctrl_scrolls_faster_and_with_shift_moves_the_levels(window):
    turn_wheel(window, QPoint(50, 50), 1, Qt.KeyboardModifier.ControlModifier)
    assert window.model.settings.display.span == 0.8
    turn_wheel(window, QPoint(50, 50), 1, Qt.KeyboardModifier.ShiftModifier)
    assert window.model.settings.display.db_low == -105


def test_dragging_right_goes_back_in_time_and_a_double_click_returns(window):
    surface = window.plot.surface
    press(window, "+")
    QTest.mousePress(surface, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    QTest.mouseMove(surface, QPoint(103, 100))
    QTest.mouseMove(surface, QPoint(104, 102))
    assert not window.model.paused, "a trembling hand moves nothing"
    QTest.mouseMove(surface, QPoint(300, 102))
    assert window.model.paused
    QTest.mouseRelease(surface, Qt.MouseButton.LeftButton)
    low = window.model.settings.display.f_low
    assert low > 30
    QTest.mouseDClick(surface, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    assert not window.model.paused
    assert window.model.settings.display.f_low == 30.0


def test_the_pointer_reads_the_exact_level_note_and_time(window):
    plot = window.plot
    height = plot.canvas.rects()[0][3]
    rows = np.arange(height)
    hz = hz_of_share(1 - (rows + 0.5) / height, window.model.settings.display, 48000)
    row = int(np.argmin(np.abs(hz - 1000)))
    QTest.mouseMove(plot.surface, QPoint(int(200 / plot.surface.scale), row))
    run_until(lambda: plot.reading() and plot.reading().db is not None, "a reading")
    reading = plot.reading()
    history = window.model.histories[0]
    peak = max(history.column(history.count - 200)[40:46])
    assert reading.db == pytest.approx(peak, abs=0.01)
    assert reading.hz == pytest.approx(1000, rel=0.01)
    run_until(lambda: "dBFS" in window.status._reading.text(), "the reading in the status line")
    text = window.status._reading.text()
    assert "Hz" in text and ("B5" in text or "C6" in text) and text.startswith("−")


# ---------------------------------------------------------------------- frames


def test_while_sound_scrolls_by_only_picture_and_meter_are_painted(window):
    run_for(0.3)
    still = (window.plot.frequency_axis, window.plot.bottom_axis, window.plot.colour_bar)
    painted = [widget.painted for widget in still]
    drawn = window.frames.drawn
    meters = window.plot.meters.painted
    run_for(3 * READING_SECONDS)
    assert window.frames.drawn > drawn
    assert [widget.painted for widget in still] == painted
    assert window.plot.meters.painted - meters <= 3 * READING_SECONDS / METER_SECONDS + 1


def test_no_more_frames_are_drawn_than_asked_for(window):
    window.requests.change({"display.fps": 20})
    drawn = window.frames.drawn
    run_for(1.0)
    assert 0 < window.frames.drawn - drawn <= 21
    window.requests.change({"display.fps": 60})


def test_a_hidden_window_draws_and_uploads_nothing_but_listens_on(window):
    window.hide()
    run_for(0.3)
    drawn, uploaded = window.frames.drawn, window.plot.canvas.uploaded
    count = window.model.shown.count
    run_until(lambda: window.model.shown.count > count + 50, "sound going on")
    assert window.frames.drawn == drawn
    assert window.plot.canvas.uploaded == uploaded
    window.show()
    activate(window)
    run_until(lambda: window.frames.drawn > drawn + 5, "frames again")
    assert window.plot.canvas.uploaded > uploaded


def test_the_clip_light_stays_on_until_it_is_clicked(window):
    meters = window.plot.meters

    def light():
        return meters.grab().toImage().pixelColor(2, OVERHANG + CLIP_PX // 2)

    run_for(0.2)
    assert light() == QColor(theme.RAISED)
    window.model.meter.push(np.ones((10, 1), np.float32))
    run_until(lambda: light() == QColor(theme.CLIP), "the light")
    run_for(0.3)
    assert light() == QColor(theme.CLIP), "it is latched"
    QTest.mouseClick(meters, Qt.MouseButton.LeftButton)
    run_until(lambda: light() == QColor(theme.RAISED), "the light going out")


def test_the_status_line_tells_device_rate_latency_frames_and_losses(window):
    run_until(lambda: "latency" in window.status.labels["latency"].text(), "a latency")
    texts = {name: label.text() for name, label in window.status.labels.items()}
    assert "tone" in texts["device"]
    assert texts["rate"] == "48 kHz, mono"
    assert texts["fps"].endswith(" fps")
    assert texts["lost"] == "lost 0"
    assert texts["skipped"].startswith("skipped ")


# ---------------------------------------------------------------------- start and end


def test_two_channels_have_two_panes_with_an_axis_each_and_two_meters():
    with open_window("demo", {"audio.channels": 2, "display.span": 1.0}) as window:
        run_until(lambda: window.frames.drawn > 3, "some frames")
        panes = window.plot.frequency_axis._what[2]
        assert [name for _, _, name in panes] == ["Left", "Right"]
        assert panes[1][0] > panes[0][0] + panes[0][1]
        press(window, "P")
        run_until(lambda: len(window.plot.frequency_axis._what[2]) == 1, "one pane")


def test_what_one_changed_is_remembered_and_the_engine_ends_with_the_window():
    with open_window("tone:1000", {}, persistent=True) as window:
        press(window, "S")
        press(window, "B")
        engine = window.model._engine
        pid = engine.pid
        assert pid is not None
        window.close()
        assert engine.pid is None
    assert remember.remembered_settings() == {"display.scale": "mel"}
    assert remember.remembered_place()[1] is False
    settings = config.load(sets=[f"{k}={v}" for k, v in remember.remembered_settings().items()])
    assert settings.display.scale == "mel"


@pytest.mark.parametrize("longest_ms", [view_window.LONGEST_TIMER_MS, 20])
def test_a_run_may_end_later_than_the_longest_timer(monkeypatch, longest_ms):
    monkeypatch.setattr(view_window, "LONGEST_TIMER_MS", longest_ms)
    ended = []
    start = time.monotonic()
    view_window.call_after(0.2, lambda: ended.append(time.monotonic() - start))
    view_window.call_after(366 * 86400, lambda: ended.append(-1.0))
    run_until(lambda: ended, "the end")
    assert len(ended) == 1 and ended[0] >= 0.2


def test_remembered_settings_that_this_version_refuses_are_forgotten():
    kept = remember.store()
    kept.setValue("settings/display.scale", "loudness")
    kept.sync()
    assert remember.remembered_settings() == {}
    kept.clear()
