"""Controls made from the descriptions of parameters: where sliders stand, and real clicks."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from windows import run_until, wheel_over

from realtime.dsp.processors.parameters import Box, Boxes, Choice, Number, Parameter, Switch
from realtime.view.drawn import BoxesKnob, SpanKnob
from realtime.view.knobs import (
    ChoiceKnob,
    LearnKnob,
    NumberKnob,
    SwitchKnob,
    WheelPasses,
    decimals,
    knob_for,
    slider_place,
    slider_steps,
    slider_value,
)
from realtime.view.paced import PACE_MS, Paced

Left = Qt.MouseButton.LeftButton

NUMBERS = {
    "gain": Number(0, -60, 24, "dB"),
    "pitch": Number(110, 20, 1000, "Hz", logarithmic=True),
    "fine": Number(0.01, 0.001, 2, "s", logarithmic=True),
    "few": Number(4, 1, 8, whole=True),
    "bands": Number(128, 8, 512, whole=True, logarithmic=True),
    "share": Number(0.5, 0, 1),
    "large": Number(0, 0, 1_000_000, whole=True),
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_slider_reaches_both_ends_and_its_values_rise_within_them(number):
    steps = slider_steps(number)
    values = [slider_value(number, place) for place in range(steps + 1)]
    assert (values[0], values[-1]) == (number.low, number.high)
    assert values == sorted(values)
    for value in values:
        assert number.checked("a:b", value) == value
        assert round(value, decimals(number)) == pytest.approx(value, rel=1e-9), "it can be typed"


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
@given(share=st.floats(0, 1))
def test_a_slider_stands_where_a_value_is(number, share):
    value = number.low + share * (number.high - number.low)
    value = round(value) if number.whole else value
    place = slider_place(number, value)
    near = [slider_value(number, min(max(place + d, 0), slider_steps(number))) for d in (-1, 1)]
    assert near[0] <= value <= near[1]


def test_a_logarithmic_slider_gives_each_octave_the_same_room():
    pitch = NUMBERS["pitch"]
    places = [slider_place(pitch, hz) for hz in (50, 100, 200, 400, 800)]
    assert [b - a for a, b in pairwise(places)] == pytest.approx([71] * 4, abs=1)


# ---------------------------------------------------------------------- real clicks


def shown(parameter: Parameter, value: Any, name: str = "amount") -> tuple[Any, list[Any]]:
    """A control on the screen, following what it puts as the model would, and what it put."""
    put: list[Any] = []

    def take(value: Any) -> None:
        put.append(parameter.checked("effect:amount", value))
        knob.follow(put[-1])

    knob: Any = knob_for(name, parameter, take)
    knob.follow(value)
    knob.resize(220, knob.sizeHint().height())
    knob.show()
    assert QTest.qWaitForWindowExposed(knob)
    return knob, put


@pytest.fixture
def show(application):
    made: list[QWidget] = []

    def showing(*args: Any) -> tuple[Any, list[Any]]:
        knob, put = shown(*args)
        made.append(knob)
        return knob, put

    yield showing
    for knob in made:
        knob.close()
        knob.deleteLater()


@pytest.mark.display
def test_a_slider_jumps_to_where_it_is_clicked_and_a_double_click_resets_it(show):
    number = NUMBERS["gain"]
    knob, put = show(number, 0.0)
    assert isinstance(knob, NumberKnob)
    slider = knob.slider
    QTest.mouseClick(slider, Left, pos=QPoint(slider.width() - 2, slider.height() // 2))
    assert put[-1] == pytest.approx(24, abs=1)
    assert knob.box.value() == put[-1]
    middle = QPoint(slider.width() // 2, slider.height() // 2)
    QTest.mousePress(slider, Left, pos=middle)
    QTest.mouseMove(slider, middle + QPoint(20, 0))
    assert len(put) > 2, "while it is dragged"
    QTest.mouseRelease(slider, Left, pos=middle + QPoint(20, 0))
    QTest.mouseDClick(slider, Left, pos=middle)
    assert put[-1] == number.default
    assert slider.value() == slider_place(number, 0)


@pytest.mark.display
def test_a_number_is_typed_and_read_with_its_unit(show):
    knob, put = show(NUMBERS["few"], 100)
    assert knob.box.text() == "8", "no more than there is"
    knob, put = show(Number(10, 0, 5000, "ms", whole=True), 100)
    assert knob.box.text() == "100 ms", "noughts of whole numbers stay"
    QTest.mouseClick(knob.box.lineEdit(), Left)
    knob.box.selectAll()
    QTest.keyClicks(knob.box, "250")
    assert put == []
    QTest.keyClick(knob.box, Qt.Key.Key_Return)
    assert put == [250] and isinstance(put[0], int)
    assert not knob.box.hasFocus()


@pytest.mark.display
def test_a_value_finer_than_the_slider_is_shown_and_not_changed(show):
    knob, put = show(NUMBERS["gain"], -6.03)
    assert put == []
    assert knob.slider.value() == slider_place(NUMBERS["gain"], -6.03)


@pytest.mark.display
def test_a_switch_is_a_box_to_check_and_learning_a_button_that_stays_down(show):
    knob, put = show(Switch(False), False)
    assert isinstance(knob, SwitchKnob)
    QTest.mouseClick(knob, Left, pos=QPoint(8, knob.height() // 2))
    assert put == [True] and knob.isChecked()
    knob, put = show(Switch(False), False, "learn")
    assert isinstance(knob, LearnKnob)
    QTest.mouseClick(knob, Left)
    assert put == [True] and knob.isChecked() and knob.text().startswith("Learning")
    QTest.mouseClick(knob, Left)
    assert put == [True, False] and knob.text() == "Learn this noise"


@pytest.mark.display
def test_a_choice_is_a_list_of_its_words(show):
    knob, put = show(Choice("keep", ("keep", "remove")), "keep")
    assert isinstance(knob, ChoiceKnob)
    knob.setCurrentIndex(1)
    knob.activated.emit(1)
    assert put == ["remove"]


@pytest.mark.display
def test_boxes_are_typed_cleared_and_drawn(show):
    knob, put = show(Boxes(()), (Box(300, 3400),))
    assert isinstance(knob, BoxesKnob)
    assert knob.text.text() == "300-3400"
    QTest.mouseClick(knob.text, Left)
    knob.text.selectAll()
    QTest.keyClicks(knob.text, "100-200 + 500-600")
    QTest.keyClick(knob.text, Qt.Key.Key_Return)
    assert put == [(Box(100, 200), Box(500, 600))]
    assert knob.text.text() == "100-200+500-600" and not knob.text.hasFocus()
    asked: list[bool] = []
    knob.drawing.connect(asked.append)
    QTest.mouseClick(knob.draw, Left)
    assert asked == [True]
    QTest.mouseClick(knob.clear, Left)
    assert put[-1] == () and not knob.clear.isEnabled()


@pytest.mark.display
def test_a_span_tells_its_length_and_is_cleared(application):
    put: list[tuple[int, int]] = []
    knob = SpanKnob(48000, put.append)
    knob.follow((24000, 84000))
    assert knob.text.text() == "1.25 s from 0:00:00.5"
    QTest.mouseClick(knob.clear, Left)
    assert put == [(0, 0)]
    knob.follow((0, 0))
    assert knob.text.text() == "none" and not knob.clear.isEnabled()
    knob.deleteLater()


@pytest.mark.display
def test_escape_leaves_boxes_as_they_were(show):
    knob, put = show(Boxes(()), (Box(300, 3400),))
    QTest.mouseClick(knob.text, Left)
    QTest.keyClicks(knob.text, "99")
    QTest.keyClick(knob.text, Qt.Key.Key_Escape)
    assert knob.text.text() == "300-3400" and put == []


@pytest.mark.display
def test_the_wheel_passes_over_controls_without_changing_them(show):
    knob, put = show(NUMBERS["gain"], 0.0)
    passes = WheelPasses(knob)
    for widget in (knob.slider, knob.box):
        passes.over(widget)
        wheel_over(widget, 3)
    assert put == []


@pytest.mark.display
def test_what_is_dragged_is_sent_at_once_then_at_a_pace_and_the_last_of_it_always(application):
    sent: list[dict] = []
    paced = Paced(sent.append)
    for value in range(100):
        paced.put("gain", value)
        paced.put("other", -value)
    assert sent == [{"gain": 0}]
    run_until(lambda: len(sent) == 2, "the rest", PACE_MS)
    assert sent[1] == {"gain": 99, "other": -99}
    paced.put("gain", 5)
    paced.flush()
    assert sent[2] == {"gain": 5}


def test_a_parameter_of_no_known_kind_has_no_control():
    with pytest.raises(TypeError, match="there is no control for a Parameter"):
        knob_for("odd", Parameter(0), print)


@pytest.mark.display
def test_changes_that_take_long_are_made_more_seldom(application):
    sent: list[Any] = []

    def slowly(changes: Any) -> None:
        time.sleep(0.05)
        sent.append(changes)

    paced = Paced(slowly)
    paced.put("pitch", 1)
    assert paced._rest.interval() >= 10 * PACE_MS
    paced.put("pitch", 2)
    run_until(lambda: len(sent) == 2, "the rest")
