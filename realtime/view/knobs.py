"""A control for each parameter of an effect, made from the parameter's own description.

All have the same face: `put` is called with what a person chose, `follow` shows what holds and
asks for nothing. None of them takes the keyboard, except text being typed, nor the wheel, which
scrolls the panel they are in.
"""

from __future__ import annotations

from math import ceil, exp, log, log10
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QStyle,
    QWidget,
)

from realtime.dsp.processors.parameters import Boxes, Choice, Number, Parameter, Switch
from realtime.view import theme
from realtime.view.controls import ComboBox, NumberBox
from realtime.view.drawn import BoxesKnob, Put

STEPS = 400
"""Of a slider: more than it has pixels."""
FIGURES = 3
"""Of a value chosen with a logarithmic slider."""
VALUE_PX = 68
"""Width of a value with its unit."""
UNIT_TEXT = {"semitones": "st", "cents": "ct", "times": "×", "samples": "", "frames": ""}
"""Units that are too long beside a value; the tooltip spells them out."""
LEARN = "learn"
"""A switch of this name is a button that stays down while it listens."""


class Knob(Protocol):
    """What an effect's card knows of a control."""

    def follow(self, value: Any) -> None: ...


# ---------------------------------------------------------------------- where a slider stands


def slider_steps(number: Number) -> int:
    if number.whole and number.high - number.low <= STEPS:
        return round(number.high - number.low)
    return STEPS


def slider_place(number: Number, value: float) -> int:
    """Where a slider stands for `value`, 0 to `slider_steps`."""
    low, high = number.low, number.high
    if _logarithmic(number):
        share = log(max(value, low) / low) / log(high / low)
    else:
        share = (value - low) / (high - low)
    return round(min(max(share, 0.0), 1.0) * slider_steps(number))


def slider_value(number: Number, place: int) -> float:
    """The value at a place of the slider, no finer than one place to the next."""
    low, high, share = number.low, number.high, place / slider_steps(number)
    if _logarithmic(number):
        value = float(f"{low * exp(share * log(high / low)):.{FIGURES}g}")
    else:
        value = round(low + share * (high - low), decimals(number))
    if number.whole:
        value = round(value)
    return min(max(value, low), high)


def decimals(number: Number) -> int:
    """Decimals of a typed value: as many as tell two places of the slider from each other."""
    if number.whole:
        return 0
    finest = (number.low if _logarithmic(number) else number.high - number.low) / STEPS
    return max(0, ceil(-log10(finest)))


def _logarithmic(number: Number) -> bool:
    return number.logarithmic and number.low > 0


# ---------------------------------------------------------------------- widgets


def knob_for(name: str, parameter: Parameter, put: Put) -> QWidget:
    """The control of a parameter, a `Knob`. Its tooltip says what a double click does."""
    if isinstance(parameter, Number):
        return NumberKnob(parameter, put)
    if isinstance(parameter, Switch):
        return LearnKnob(put) if name == LEARN else SwitchKnob(put)
    if isinstance(parameter, Choice):
        return ChoiceKnob(parameter, put)
    if isinstance(parameter, Boxes):
        return BoxesKnob(parameter, put)
    raise TypeError(f"{name}: there is no control for a {type(parameter).__name__}")


class WheelPasses(QObject):
    """Leaves the wheel to what is around a widget: scrolling past it must not change it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False

    def over(self, widget: QWidget) -> None:
        widget.installEventFilter(self)


class Slider(QSlider):
    """Jumps to where it is clicked; a double click asks for the default."""

    reset = Signal()

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        handle, room = theme.HANDLE_PX, self.width() - theme.HANDLE_PX
        ends = (self.minimum(), self.maximum())
        left = QStyle.sliderPositionFromValue(*ends, self.value(), room)
        x = round(event.position().x())
        if not left <= x <= left + handle:
            self.setValue(QStyle.sliderValueFromPosition(*ends, x - handle // 2, room))
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset.emit()


class NumberKnob(QWidget):
    """A slider and the value, which can be typed."""

    def __init__(self, number: Number, put: Put):
        super().__init__()
        self._number, self._put = number, put
        self.slider = Slider()
        self.slider.setRange(0, slider_steps(number))
        self.slider.setPageStep(max(1, slider_steps(number) // 10))
        self.slider.valueChanged.connect(self._moved)
        self.slider.reset.connect(lambda: put(number.default))
        span = f"{number.low:g} to {number.high:g} {number.unit}".strip()
        tip = f"{span}\nDouble click on the slider: {number.default:g} {number.unit}".strip()
        unit = f" {UNIT_TEXT.get(number.unit, number.unit)}".rstrip()
        self.box = NumberBox(number.low, number.high, 10.0 ** -decimals(number), unit, tip)
        self.box.setDecimals(decimals(number))
        self.box.setRange(number.low, number.high)  # again: it rounds to the decimals it has
        self.box.setFixedWidth(VALUE_PX)
        self.box.valueChanged.connect(lambda value: put(round(value) if number.whole else value))
        self.slider.setToolTip(tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self.box)

    def _moved(self, place: int) -> None:
        self._put(slider_value(self._number, place))

    def follow(self, value: float) -> None:
        with QSignalBlocker(self.slider), QSignalBlocker(self.box):
            if slider_value(self._number, self.slider.value()) != value:
                self.slider.setValue(slider_place(self._number, value))
            self.box.setValue(value)


class SwitchKnob(QCheckBox):
    def __init__(self, put: Put):
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.toggled.connect(put)

    def follow(self, value: bool) -> None:
        with QSignalBlocker(self):
            self.setChecked(value)


class LearnKnob(QPushButton):
    """Down while it learns."""

    def __init__(self, put: Put):
        super().__init__("Learn this noise")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCheckable(True)
        self.setToolTip("Press while only the noise is heard, and again when it has been heard")
        self.toggled.connect(put)

    def follow(self, value: bool) -> None:
        with QSignalBlocker(self):
            self.setChecked(value)
            self.setText("Learning … press to end" if value else "Learn this noise")


class ChoiceKnob(ComboBox):
    def __init__(self, choice: Choice, put: Put):
        super().__init__()
        for word in choice.choices:
            self.addItem(word.replace("_", " "), word)
        self.activated.connect(lambda index: put(self.itemData(index)))

    def follow(self, value: str) -> None:
        self.setCurrentIndex(self.findData(value))
