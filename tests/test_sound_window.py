"""The window of `realtime monitor`: what it has beside that of `live`, with real keys and mouse."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from monitors import open_monitor
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea, QWidget
from windows import activate, open_window, press, run_for, run_until

from realtime import config
from realtime.config import Effect
from realtime.dsp.processors.parameters import Box
from realtime.engine.monitor_status import Playing
from realtime.view import chain, theme
from realtime.view.mapping import hz_of_share
from realtime.view.meter_names import LAMP_PX
from realtime.view.sound import SOUND_ACTIONS

pytestmark = [pytest.mark.display, pytest.mark.usefixtures("application")]

Left, Right = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
Shift, Ctrl = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
None_ = Qt.KeyboardModifier.NoModifier


@pytest.fixture(scope="module")
def shared(application):
    """One window for all tests that leave it open."""
    with open_monitor("tone:1000", {"display.span": 1.0}) as window:
        model = window.model
        run_until(lambda: model.shown.newest > 3 * model.sample_rate, "a full picture")
        yield window


@pytest.fixture
def window(shared):
    shared.model.pause(False)
    shared.sound.tool.turn(False)
    shared.help.close_page()
    activate(shared)
    defaults = config.values_of(config.Settings())
    usual = {k: v for k, v in defaults.items() if k.startswith("monitor.") or k == "effect"}
    shared.requests.change({**usual, "display.scale": "mel", "display.f_low": 0.0})
    run_until(lambda: len(shared.plot._names) == len(shared.model.histories) == 3, "three panes")
    return shared


def effects(window):
    return window.model.settings.effect


def boxes(window):
    return chain.boxes_at(effects(window), chain.boxes_place(effects(window)))


# ---------------------------------------------------------------------- not in `live`


def test_live_has_nothing_of_it():
    with open_window("tone:1000", {}) as window:
        assert window.sound is None and window.aside is window.side
        assert "Sound" not in [menu.text() for menu in window.menus.actions()]
        assert window.plot.output_meters is None
        assert not {"sound", "underflows"} & set(window.status.labels)
        surface = window.plot.surface
        QTest.mousePress(surface, Right, None_, QPoint(50, 50))
        QTest.mouseMove(surface, QPoint(150, 150))
        QTest.mouseRelease(surface, Right, None_, QPoint(150, 150))
        assert effects(window) == ()
        press(window, "B")
        assert window.side.isHidden()


# ---------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    "action", [action for action in SOUND_ACTIONS if action.change], ids=lambda action: action.name
)
def test_every_key_of_the_sound_makes_its_change(window, action):
    for key in action.keys:
        window.requests.change({"effect": (Effect("mask", {"boxes": "300-400"}),)})
        before = window.model.settings
        changes = action.change(before, window.model.sample_rate)
        assert changes
        press(window, key)
        assert window.model.settings == config.change(before, changes) != before, key


@pytest.mark.parametrize("key", ["Backspace", "Shift+Esc"])
def test_in_a_panic_one_key_silences_and_two_bring_the_sound_back(window, key):
    press(window, key)
    assert window.model.settings.monitor.mute and window.model.settings.monitor.bypass
    assert window.actions_by_name["mute"].isChecked()
    assert window.actions_by_name["bypass"].isChecked()
    press(window, key)
    assert window.model.settings.monitor.mute, "never loud by being pressed again"
    press(window, "M")
    press(window, "B")
    assert window.model.settings.monitor == config.MonitorSettings()
    assert window.model._engine.told[-1].settings.mute is False


def test_what_the_sound_took_the_keys_of_still_has_its_others(window):
    press(window, "Tab")
    assert window.aside.isHidden()
    press(window, "Tab")
    press(window, "F11")
    assert window.isFullScreen() and window.aside.isHidden()
    press(window, "F11")
    reduce = window.model.settings.display.reduce
    press(window, "Shift+M")
    assert window.model.settings.display.reduce != reduce
    press(window, "Shift+M")


def test_the_page_of_keys_tells_of_the_sound_and_fits_into_the_window(window):
    press(window, "H")
    run_for(0.05)
    room = window.help.rect()
    labels = window.help.findChildren(QWidget)
    texts = {label.text() for label in labels if hasattr(label, "text")}
    assert {"Sound", "Backspace", "Right drag"} <= texts
    for label in labels:
        corner = label.mapTo(window.help, label.rect().bottomRight())
        assert room.contains(corner), label.text()
        assert label.width() >= label.sizeHint().width(), label.text()
    press(window, "Esc")


# ---------------------------------------------------------------------- the panel


def test_a_key_freezes_the_sound_and_lets_it_go(window):
    press(window, "F")
    assert effects(window)[0].values["on"] is True
    assert window.actions_by_name["freeze"].isChecked()
    press(window, "F")
    assert effects(window)[0].values["on"] is False
    assert not window.actions_by_name["freeze"].isChecked()


def test_the_buttons_say_how_it_stands_and_change_it(window):
    panel = window.sound.panel
    for name in ("mute", "bypass"):
        button = panel.findChild(QWidget, name)
        QTest.mouseClick(button, Left)
        assert getattr(window.model.settings.monitor, name) and button.isChecked()
        QTest.mouseClick(button, Left)
        assert not getattr(window.model.settings.monitor, name) and not button.isChecked()
    QTest.mouseClick(panel.findChild(QWidget, "panic"), Left)
    assert window.model.settings.monitor.mute and window.model.settings.monitor.bypass


def test_every_effect_is_in_the_menu_and_shows_each_of_its_parameters(window):
    panel = window.sound.panel
    panel.menu.aboutToShow.emit()
    items = panel.menu.actions()
    assert [item.text() for item in items] == [chain.label(n) for n in chain.known_effects()]
    for item in items:
        item.trigger()
    names = [effect.name for effect in effects(window)]
    assert names == list(chain.known_effects())
    area = panel.findChild(QScrollArea)
    run_for(0.05)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width(), "nothing is cut"
    for card, effect in zip(panel.cards, effects(window), strict=True):
        assert set(card.knobs) == set(effect.values) - {"stop"}, "a span is one"
        assert chain.first_sentence(chain.known_effects()[effect.name])[:20] in (
            card.findChild(QWidget, "effect_name").toolTip()
        )


def test_effects_are_moved_taken_away_and_reset(window):
    window.requests.change({"effect": (Effect("gain", {"db": -6}), Effect("robot"))})
    panel = window.sound.panel
    assert not panel.cards[0].buttons["up"].isEnabled()
    assert not panel.cards[1].buttons["down"].isEnabled()
    QTest.mouseClick(panel.cards[0].buttons["down"], Left)
    assert [effect.name for effect in effects(window)] == ["robot", "gain"]
    assert [card.name for card in panel.cards] == ["robot", "gain"]
    QTest.mouseDClick(panel.cards[1].findChild(QWidget, "effect_name"), Left)
    assert effects(window)[1].values["db"] == 0
    QTest.mouseClick(panel.cards[0].buttons["remove"], Left)
    assert [effect.name for effect in effects(window)] == ["gain"]


def test_a_slider_that_is_dragged_is_heard_on_the_way_but_not_more_often_than_sixty_times(window):
    window.requests.change({"effect": (Effect("gain"),)})
    card = window.sound.panel.cards[0]
    slider = card.knobs["db"].slider
    told = window.model._engine.told
    before, began = len(told), time.monotonic()
    at = QPoint(20, slider.height() // 2)
    QTest.mousePress(slider, Left, pos=at)
    for n in range(600):
        QTest.mouseMove(slider, at + QPoint(n % 60, 0))
    QTest.mouseRelease(slider, Left, pos=at + QPoint(59, 0))
    run_for(0.1)
    assert 2 <= len(told) - before <= (time.monotonic() - began) * 1000 / 16 + 2
    wanted = card.knobs["db"].box.value()
    assert effects(window)[0].values["db"] == pytest.approx(wanted, abs=0.05)
    assert window.sound.panel.cards[0] is card, "it stays where it is"


def test_a_key_shows_itself_in_the_panel(window):
    press(window, "V")
    assert window.sound.panel.gain.box.value() == 1.0
    press(window, "O")
    assert window.sound.panel.boxes["monitor.show"].currentText() == "Input"


def test_both_pages_of_the_side_panel_can_be_used(window):
    tabs = window.aside.tabs
    assert tabs.tabText(tabs.currentIndex()) == "Sound"
    tabs.setCurrentIndex(1)
    assert window.side.isVisible() and not window.sound.panel.isVisible()
    assert window.side.width() == window.aside.width()
    tabs.setCurrentIndex(0)
    assert window.sound.panel.isVisible()


def test_a_chain_that_is_refused_is_explained_and_the_panel_shows_what_holds(window):
    window.requests.change({"effect": (Effect("band"),)})
    knob = window.sound.panel.cards[0].knobs["bands"]
    QTest.mouseClick(knob.text, Left)
    knob.text.selectAll()
    QTest.keyClicks(knob.text, "loud")
    QTest.keyClick(knob.text, Qt.Key.Key_Return)
    run_until(lambda: "band:bands" in window.banner.text(), "the reason")
    assert window.banner.isVisible()
    assert knob.text.text() == "300-3400"
    press(window, "M")
    assert not window.banner.isVisible()


# ---------------------------------------------------------------------- drawing


def stroke(window, *points, button=Right, keys=None_, over=None):
    """Drag over the picture, logical pixels."""
    over = over or window.plot.surface
    first, *rest = [QPoint(*point) for point in points]
    QTest.mousePress(over, button, keys, first)
    for point in rest:
        QTest.mouseMove(over, point)
    QTest.mouseRelease(over, button, keys, rest[-1] if rest else first)


def hold_still(window):
    """Pause, and wait until that is what is drawn."""
    model, canvas = window.model, window.plot.canvas
    model.pause()
    run_until(lambda: canvas.view().right_edge == model.right_edge(0), "a still picture")


def under(window, x, y):
    """Sample and Hz at a corner of a pixel of a picture that stands still."""
    model, canvas = window.model, window.plot.canvas
    display, rate = model.settings.display, model.sample_rate
    _, top, _, height = canvas.rects()[canvas.place(x, y).pane]
    hz = float(hz_of_share(1 - (y - top) / height, display, rate))
    return model.right_sample(0) - (1 - x / canvas.view().n_cols) * display.span * rate, hz


def test_a_box_drawn_with_the_right_button_is_a_mask_of_that_time_and_those_frequencies(window):
    hold_still(window)
    pane = window.plot.canvas.rects()[1]
    start, high = under(window, 200, pane[1] + 40)
    stop, low = under(window, 320, pane[1] + 120)
    stroke(window, (200, pane[1] + 40), (260, 200), (320, pane[1] + 120))
    assert [effect.name for effect in effects(window)] == ["mask"]
    (box,) = boxes(window)
    pixel = 2.0 * window.model.sample_rate / window.plot.canvas.view().n_cols
    assert (box.start, box.stop) == pytest.approx((start, stop), abs=pixel)
    assert (box.f_low, box.f_high) == pytest.approx((low, high), rel=0.01)
    assert window.model._engine.told[-1].effects == effects(window)
    stroke(window, (50, 60), (90, 100))
    assert len(boxes(window)) == 2 and boxes(window)[0] == box, "one more, in the same mask"
    assert window.model.paused, "the picture stays where it is"


def test_with_shift_it_is_a_brush(window):
    hold_still(window)
    stroke(window, (100, 60), (160, 90), (240, 40), keys=Shift)
    drawn = boxes(window)
    assert len(drawn) > 10
    for x, y in ((100, 60), (130, 75), (200, 65), (240, 40)):
        sample, hz = under(window, x, y)
        assert any(b.start <= sample <= b.stop and b.f_low <= hz <= b.f_high for b in drawn)
    assert all(a.stop <= b.start for a, b in pairwise(drawn))


@pytest.mark.parametrize("how", ["ctrl", "axis", "spectrum"])
def test_with_ctrl_on_the_axis_or_on_the_spectrum_it_is_a_band_of_all_times(window, how):
    plot = window.plot
    if how == "axis":
        down = plot.surface.y() - plot.frequency_axis.y()
        ends = (30, 40 + down), (30, 100 + down)
        stroke(window, *ends, button=Left, over=plot.frequency_axis)
    elif how == "ctrl":
        stroke(window, (100, 40), (200, 100), keys=Ctrl)
    else:
        x = plot.surface.width() - 20
        stroke(window, (x, 40), (x, 100))
    (box,) = boxes(window)
    assert (box.start, box.stop) == (0, 0)
    high, low = (under(window, 100, y)[1] for y in (40, 100))
    assert (box.f_low, box.f_high) == pytest.approx((low, high), rel=0.01)


def test_a_right_click_takes_the_box_under_it_away_and_does_no_more(window):
    hold_still(window)
    stroke(window, (100, 40), (200, 100))
    stroke(window, (300, 40), (350, 100))
    first, second = boxes(window)
    stroke(window, (250, 70))
    assert boxes(window) == (first, second), "there was none"
    stroke(window, (150, 70))
    assert boxes(window) == (second,)


def test_escape_gives_up_a_stroke_that_is_under_way(window):
    surface = window.plot.surface
    QTest.mousePress(surface, Right, None_, QPoint(100, 40))
    QTest.mouseMove(surface, QPoint(200, 100))
    assert window.plot.canvas._marks.area, "it is seen while it is drawn"
    press(window, "Esc")
    QTest.mouseRelease(surface, Right, None_, QPoint(200, 100))
    assert effects(window) == () and not window.plot.canvas._marks.area


def test_with_the_tool_on_the_left_button_draws_and_without_it_scrolls_again(window):
    press(window, "D")
    assert window.actions_by_name["draw"].isChecked()
    stroke(window, (100, 40), (200, 100), button=Left)
    assert len(boxes(window)) == 1 and not window.model.paused
    press(window, "Esc")
    assert not window.actions_by_name["draw"].isChecked()
    stroke(window, (100, 40), (200, 41), button=Left)
    assert len(boxes(window)) == 1 and window.model.paused


def test_the_button_of_an_effect_lets_one_draw_into_that_one(window):
    window.requests.change({"effect": (Effect("mask"), Effect("band", {"bands": ()}))})
    knob = window.sound.panel.cards[1].knobs["bands"]
    QTest.mouseClick(knob.draw, Left)
    assert knob.draw.isChecked() and window.actions_by_name["draw"].isChecked()
    stroke(window, (100, 40), (200, 100), button=Left)
    assert boxes(window) == ()
    (band,) = effects(window)[1].values["bands"]
    assert band.stop == 0 and knob.text.text() == knob._boxes.text((band,))
    QTest.mouseClick(knob.draw, Left)
    assert not window.sound.tool.on
    QTest.mouseClick(knob.clear, Left)
    run_until(lambda: effects(window)[1].values["bands"] == (), "none left")


def test_a_span_is_drawn_from_where_to_where(window):
    window.requests.change({"effect": (Effect("stretch"),)})
    hold_still(window)
    knob = window.sound.panel.cards[0].knobs["start"]
    QTest.mouseClick(knob.draw, Left)
    stroke(window, (120, 80), (200, 80), button=Left)
    start, stop = (under(window, x, 80)[0] for x in (120, 200))
    values = effects(window)[0].values
    pixel = window.model.sample_rate / window.plot.canvas.view().n_cols
    assert (values["start"], values["stop"]) == pytest.approx((start, stop), abs=2 * pixel)
    assert knob.text.text().startswith(f"{(values['stop'] - values['start']) / 48000:.2f} s")
    before = effects(window)
    stroke(window, (30, 20), (30, 90), button=Left, over=window.plot.frequency_axis)
    assert effects(window) == before, "there is no time on the axis"
    QTest.mouseClick(knob.clear, Left)
    assert effects(window)[0].values["stop"] == 0


def test_boxes_lie_over_every_pane_and_scroll_with_their_sound(window):
    canvas = window.plot.canvas
    hold_still(window)
    plain = canvas.grab().astype(int)
    sample, _ = under(window, 300, 50)
    later, _ = under(window, 400, 50)
    box = Box(6000, 12000, round(sample), round(later))
    window.requests.change({"effect": (Effect("mask", {"boxes": (box,)}),)})
    added = canvas.grab().astype(int) - plain
    for _, top, _, height in canvas.rects():
        columns = np.flatnonzero(np.abs(added[top : top + height, :, 1]).max(axis=0) > 10)
        assert (columns.min(), columns.max()) == pytest.approx((300, 400), abs=3)
    window.model.pause(False)
    first = canvas._marks.area[0].start
    run_for(0.3)
    assert canvas._marks.area[0].start == first, "nothing is made again while sound scrolls by"
    run_until(lambda: canvas.place(300, 50).column > first + 5, "the sound to have moved on")
    moved = canvas.grab()
    assert moved is not None
    window.requests.change({"stft.n_fft": 8192})
    run_until(lambda: window.model.shown.stft.n_fft == 8192, "other columns")
    (strip,) = canvas._marks.area
    assert window.model.shown.sample_at(strip.start) == pytest.approx(box.start)
    window.requests.change({"stft.n_fft": 4096})


# ---------------------------------------------------------------------- what is told


def test_panes_have_names_and_a_key_shows_one_of_them_alone(window):
    def names():
        return [name for _, _, name in window.plot.frequency_axis._what[2]]

    assert names() == ["Input", "Output", "Difference"]
    for alone in ("Input", "Output", "Difference"):
        press(window, "O")
        run_until(lambda alone=alone: names() == [alone], alone)
    press(window, "O")
    run_until(lambda: len(names()) == 3, "all of them")


def test_two_channels_have_a_pane_each_of_every_signal():
    with open_monitor("demo", {"audio.channels": 2, "display.span": 1.0}) as window:
        run_until(lambda: window.frames.drawn > 3, "some frames")
        panes = window.plot.frequency_axis._what[2]
        assert [name for _, _, name in panes] == [
            "Input left", "Input right", "Output left", "Output right",
            "Difference left", "Difference right",
        ]  # fmt: skip
        assert window.plot.output_meters is not None
        assert len(window.plot.meters._what[0]) == len(window.plot.output_meters._what[0]) == 2


def test_what_goes_out_has_a_meter_of_its_own_that_follows_the_volume(window):
    plot = window.plot

    def rms(meters):
        return meters._what[1][0]

    run_until(lambda: rms(plot.output_meters) == rms(plot.meters) > 50, "both levels")
    window.requests.change({"monitor.gain": -20.0})
    run_until(lambda: rms(plot.output_meters) < 0.8 * rms(plot.meters), "the lower level")
    QTest.mouseClick(plot.output_meters, Left)


def test_the_lamp_is_lit_while_the_limiter_holds_something_back(window):
    name = window.plot.limiter

    def lit():
        image = name.grab().toImage()
        x = name.fontMetrics().horizontalAdvance("out")
        colours = {
            image.pixelColor(column, image.height() // 2 + 1).name()
            for column in range(x - 4, x + 12 + LAMP_PX)
        }
        return QColor(theme.WARN).name() in colours

    status = window.model._engine.monitor_status
    assert not lit()
    status.show_path(768, 0, 0.5)
    run_until(lit, "the lamp")
    assert "−6.0 dB" in name.toolTip()
    status.show_path(768, 0, 1.0)
    run_until(lambda: not lit(), "the lamp going out")


def test_latency_is_told_in_parts_and_in_all_and_underflows_are_counted(window):
    status = window.model._engine.monitor_status
    status.show_path(768, 256, 1.0)
    status.show_playback(Playing.SOUND, 1248, 0)
    status.show_device(96)
    labels = window.sound.panel.figures.labels
    run_until(lambda: labels[3].text() == "2.0 ms", "the figures")
    assert [label.text() for label in labels[:3]] == ["16.0 ms", "5.3 ms", "10.0 ms"]
    assert labels[4].text() == "33.3 ms"
    shown = window.status.labels
    run_until(lambda: shown["sound"].text() == "playing, 33.3 ms", "the sum in the status line")
    assert "Transport: 10.0 ms" in shown["sound"].toolTip()
    status.count_missing(512, 2)
    run_until(lambda: labels[5].text() == "2 (512)", "the underflows")
    assert shown["underflows"].text() == "underflows 2"
    assert theme.WARN in shown["underflows"].styleSheet()
    press(window, "M")
    run_until(lambda: shown["sound"].text() == "muted, 33.3 ms", "that it is muted")


def test_while_sound_scrolls_by_only_picture_and_meters_are_painted(window):
    window.requests.change({"effect": (Effect("mask", {"boxes": "300-400"}), Effect("gain"))})
    run_for(0.7)
    plot = window.plot
    still = (plot.frequency_axis, plot.bottom_axis, plot.colour_bar, plot.limiter)
    painted = [widget.painted for widget in still]
    drawn = window.frames.drawn
    run_for(1.2)
    assert window.frames.drawn > drawn + 5
    assert [widget.painted for widget in still] == painted
