"""Controls for what is drawn in the picture: boxes, and a span of time.

Both have a button that turns the tool on and one that clears; `drawing` says that the former was
pressed. The same face as all in `knobs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from realtime.dsp.processors.parameters import Boxes
from realtime.dsp.ticks import clock_label
from realtime.view.controls import ROW_PX

Put = Callable[[Any], object]


class DrawnKnob(QWidget):
    """Base of both. shown : widget that tells what was drawn. clear : called by the button."""

    drawing = Signal(bool)

    def __init__(self, shown: QWidget, tip: str, clear: Callable[[], object]):
        super().__init__()
        self.draw = _button("Draw", tip)
        self.draw.setCheckable(True)
        self.draw.clicked.connect(self.drawing)
        self.clear = _button("Clear", "Take it away")
        self.clear.clicked.connect(clear)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.draw, 1)
        buttons.addWidget(self.clear, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(shown)
        column.addLayout(buttons)


class BoxesKnob(DrawnKnob):
    """Bands and boxes as text."""

    def __init__(self, boxes: Boxes, put: Put):
        self._boxes, self._put = boxes, put
        self.text = _Line()
        super().__init__(self.text, "Draw in the picture, with the left button", lambda: put(()))
        self.text.setPlaceholderText("none: 300-3400, joined by +")
        self.text.setToolTip("Bands in Hz, low-high, joined by +; with @start-stop in samples")
        self.text.editingFinished.connect(self._typed)

    def _typed(self) -> None:
        text = self.text.text().replace(" ", "")
        if text != self.text.shown:
            self._put(text)
            self.text.show_text(self.text.shown)  # what was refused is gone again

    def follow(self, value: Any) -> None:
        text = self._boxes.text(value)
        self.clear.setEnabled(bool(text))
        if text != self.text.shown or not self.text.hasFocus():
            self.text.show_text(text)


class SpanKnob(DrawnKnob):
    """Start and length of a span of captured sound."""

    def __init__(self, sample_rate: int, put: Put):
        self._rate = sample_rate
        self.text = QLabel()
        self.text.setFixedHeight(ROW_PX)
        tip = "Draw in the picture, with the left button: from where to where"
        super().__init__(self.text, tip, lambda: put((0, 0)))

    def follow(self, value: tuple[int, int]) -> None:
        start, stop = value
        length = f"{(stop - start) / self._rate:.2f} s from {clock_label(start / self._rate, 1)}"
        self.text.setText(length if stop else "none")
        self.clear.setEnabled(bool(stop))


class _Line(QLineEdit):
    """Text that is typed; Enter and Escape give the keyboard back. `shown` : what holds."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = ""
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_text(self, text: str) -> None:
        self.shown = text
        self.setText(text)
        self.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() == Qt.Key.Key_Escape:
            self.show_text(self.shown)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.clearFocus()

    def event(self, event: QEvent) -> bool:
        """While text is typed, keys are letters and nothing else."""
        if event.type() == QEvent.Type.ShortcutOverride and self.hasFocus():
            event.accept()
        return super().event(event)


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setToolTip(tip)
    return button
