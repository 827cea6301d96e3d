"""One effect of the chain in the side panel: its name, a control for each parameter, its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QToolButton, QWidget

from realtime.config import Effect
from realtime.dsp.processors.registry import find_processor
from realtime.view import chain, theme
from realtime.view.controls import ROW_PX
from realtime.view.drawn import DrawnKnob, SpanKnob
from realtime.view.knobs import Knob, LearnKnob, WheelPasses, knob_for

CAPTION_PX = 66
"""Width of the names of parameters."""


class EffectCard(QFrame):
    """Shows one effect; what people do with it goes out as signals."""

    changed = Signal(str, object)
    """Parameter and its new value."""
    span_changed = Signal(object)
    """(start, stop), samples."""
    moved = Signal(int)
    """Places later in the chain."""
    removed = Signal()
    reset = Signal()
    """All parameters to their defaults."""
    drawing = Signal(str, bool)
    """A parameter's boxes are to be drawn in the picture, or no longer."""

    def __init__(self, name: str, sample_rate: int):
        super().__init__()
        self.setObjectName("effect")
        self.name = name
        self.knobs: dict[str, QWidget] = {}
        self._passes = WheelPasses(self)
        kind = find_processor(name)
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(10, 4, 8, 10)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, CAPTION_PX)
        grid.setColumnStretch(1, 1)
        grid.addLayout(self._head(chain.first_sentence(kind)), 0, 0, 1, 2)
        self._span = chain.has_span(kind)
        if self._span:
            self._add(chain.SPAN[0], "Span", SpanKnob(sample_rate, self.span_changed.emit))
        for parameter_name, parameter in kind.parameters().items():
            if not (self._span and parameter_name in chain.SPAN):
                caption = chain.parameter_label(parameter_name)
                knob = knob_for(parameter_name, parameter, self._put(parameter_name))
                self._add(parameter_name, caption, knob)

    def _add(self, name: str, text: str, knob: QWidget) -> None:
        self.knobs[name] = knob
        for widget in (knob, *knob.findChildren(QWidget)):
            self._passes.over(widget)
        row = self._grid.rowCount()
        if isinstance(knob, LearnKnob):
            self._grid.addWidget(knob, row, 0, 1, 2)
            return
        if isinstance(knob, DrawnKnob):
            knob.drawing.connect(lambda on: self.drawing.emit(name, on))
        caption = QLabel(text)
        caption.setObjectName("caption")
        caption.setFixedHeight(ROW_PX)
        self._grid.addWidget(caption, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(knob, row, 1)

    def _head(self, tip: str) -> QHBoxLayout:
        title = _Title(chain.label(self.name), tip)
        title.double_clicked.connect(self.reset)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(title, 1)
        self.buttons: dict[str, QToolButton] = {}
        for name, text, act in (
            ("up", "Earlier in the chain", lambda: self.moved.emit(-1)),
            ("down", "Later in the chain", lambda: self.moved.emit(1)),
            ("remove", "Take this effect away", self.removed.emit),
        ):
            button = QToolButton()
            button.setObjectName("small")
            button.setIcon(theme.icon(name, theme.DIM))
            button.setToolTip(text)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(act)
            row.addWidget(button)
            self.buttons[name] = button
        return row

    def _put(self, name: str) -> Callable[[Any], None]:
        return lambda value: self.changed.emit(name, value)

    def follow(self, effect: Effect, first: bool, last: bool) -> None:
        values: dict[str, Any] = dict(effect.values)
        if self._span:
            values[chain.SPAN[0]] = tuple(effect.values[name] for name in chain.SPAN)
        for name, knob in self.knobs.items():
            cast(Knob, knob).follow(values[name])
        self.buttons["up"].setEnabled(not first)
        self.buttons["down"].setEnabled(not last)

    def show_drawing(self, name: str | None) -> None:
        """Which parameter's boxes are being drawn in the picture."""
        for parameter_name, knob in self.knobs.items():
            if isinstance(knob, DrawnKnob):
                knob.draw.setChecked(parameter_name == name)


class _Title(QLabel):
    double_clicked = Signal()

    def __init__(self, text: str, tip: str):
        super().__init__(text)
        self.setObjectName("effect_name")
        self.setToolTip(f"{tip}\nDouble click: back to the defaults".strip())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()
