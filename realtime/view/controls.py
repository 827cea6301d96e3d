"""The side panel: every setting one can change while it runs.

Widgets follow the model: a change goes to `change`, and what the model then announces is what
they show. None of them takes the keyboard from the picture, except a number being typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from realtime.config import LEAST_BAND_HZ, LEAST_DB_RANGE, Settings
from realtime.view import theme
from realtime.view.choices import BY_KEY, CHOICES, LIST_VALUES, Changes, Choice

SIDE_PX = 236
"""Width of the side panel."""
ROW_PX = 24
"""Height of every row."""
READING_PX = 72
"""Width of a slider's reading, "+10.5 dB/oct"."""
NUMBER_PX = 60
"""A number box becomes no narrower."""
LEAST_CHARACTERS = 4
"""A list may become this narrow; its longest entry does not stretch the panel."""

Change = Callable[[Changes], object]


class ComboBox(QComboBox):
    """A list with a small arrow, which the style sheet alone cannot draw."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMaxVisibleItems(LIST_VALUES)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(LEAST_CHARACTERS)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.DIM), 1.3))
        x, y = self.width() - 12, self.height() / 2
        painter.drawPolyline(
            [QPointF(x - 3, y - 1.5), QPointF(x, y + 1.5), QPointF(x + 3, y - 1.5)]
        )
        painter.end()


class ChoiceBox(ComboBox):
    """The values of one `Choice` as a list."""

    def __init__(self, choice: Choice, change: Change):
        super().__init__()
        self._choice = choice
        self._change = change
        self._settings = Settings()
        self.setToolTip(choice.tip)
        if choice.key == "display.colormap":
            self.setIconSize(theme.COLORMAP_ICON)
        for value in choice.values:
            self._add(value)
        self.activated.connect(self._chosen)

    def _add(self, value: Any) -> None:
        if self._choice.key == "display.colormap":
            self.addItem(theme.colormap_icon(value), self._choice.text(value), value)
        else:
            self.addItem(self._choice.text(value), value)

    def _chosen(self, index: int) -> None:
        self._change(self._choice.put(self._settings, self.itemData(index)))
        self.follow(self._settings)

    def follow(self, settings: Settings) -> None:
        """Show what the settings say, also a value that is not in the list."""
        self._settings = settings
        value = self._choice.get(settings)
        if self.currentData() == value:
            return
        while self.count() > len(self._choice.values):
            self.removeItem(self.count() - 1)
        if self.findData(value) < 0:
            self._add(value)
        self.setCurrentIndex(self.findData(value))


class ChoiceSlider(QWidget):
    """The values of one `Choice` as a slider with its reading."""

    def __init__(self, choice: Choice, change: Change):
        super().__init__()
        self._choice = choice
        self._change = change
        self._settings = Settings()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, len(choice.values) - 1)
        self._slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._slider.setToolTip(choice.tip)
        self._slider.valueChanged.connect(self._moved)
        self._text = QLabel()
        self._text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._text.setMinimumWidth(READING_PX)
        self.setFixedHeight(ROW_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._slider, 1)
        row.addWidget(self._text)

    def _moved(self, index: int) -> None:
        self._change(self._choice.put(self._settings, self._choice.values[index]))

    def follow(self, settings: Settings) -> None:
        self._settings = settings
        value = self._choice.get(settings)
        nearest = min(
            range(len(self._choice.values)), key=lambda i: abs(self._choice.values[i] - value)
        )
        with QSignalBlocker(self._slider):
            self._slider.setValue(nearest)
        self._text.setText(self._choice.text(value))


class NumberBox(QDoubleSpinBox):
    """A number that is typed or stepped with the wheel; Enter and Escape give the keyboard back."""

    def __init__(self, low: float, high: float, step: float, suffix: str, tip: str):
        super().__init__()
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setDecimals(2)
        self.setSuffix(suffix)
        self.setToolTip(tip)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumWidth(NUMBER_PX)
        self.lineEdit().setTextMargins(4, 0, 5, 0)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)

    def textFromValue(self, value: float) -> str:
        text = f"{value:.{self.decimals()}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.clearFocus()

    def event(self, event: QEvent) -> bool:
        """While a number is typed, Escape ends the typing and nothing else."""
        if event.type() == QEvent.Type.ShortcutOverride and self.hasFocus():
            event.accept()
        return super().event(event)


class RangeBox(QWidget):
    """Two numbers: the ends of an axis."""

    def __init__(self, low: NumberBox, high: NumberBox, put: Callable[[float, float], object]):
        super().__init__()
        self._low, self._high, self._put = low, high, put
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for box in (low, high):
            box.valueChanged.connect(self._edited)
            row.addWidget(box, 1)

    def _edited(self) -> None:
        self._put(self._low.value(), self._high.value())

    def follow(self, low: float, high: float) -> None:
        for box, value in ((self._low, low), (self._high, high)):
            with QSignalBlocker(box):
                box.setValue(value)


def scrolling(content: QWidget) -> QScrollArea:
    """A frameless place for `content` that scrolls up and down where it is too long."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


class SidePanel(QFrame):
    """All settings, in the groups of the menus."""

    def __init__(self, sample_rate: int, change: Change):
        super().__init__()
        self.setObjectName("side")
        self.setFixedWidth(SIDE_PX)
        self._half = sample_rate / 2
        self._change = change
        self.boxes: dict[str, ChoiceBox | ChoiceSlider] = {}
        content = QWidget()
        self._grid = QGridLayout(content)
        self._grid.setContentsMargins(14, 6, 14, 14)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        for group in dict.fromkeys(choice.group for choice in CHOICES):
            self._add_group(group)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(content))

    def _add_group(self, group: str) -> None:
        heading = QLabel(group)
        heading.setObjectName("heading")
        heading.setContentsMargins(0, 8, 0, 0)
        self._grid.addWidget(heading, self._grid.rowCount(), 0, 1, 2)
        if group == "Level":
            tip = "Level at the {} end of the colours"
            self._levels = RangeBox(
                NumberBox(-144, -LEAST_DB_RANGE, 5, "", tip.format("dark")),
                NumberBox(-144 + LEAST_DB_RANGE, 12, 5, " dB", tip.format("bright")),
                lambda low, high: self._change({"display.db_low": low, "display.db_high": high}),
            )
            self._add_row("Range", self._levels)
        for choice in CHOICES:
            if choice.group == group:
                box = (ChoiceSlider if choice.slider else ChoiceBox)(choice, self._change)
                self.boxes[choice.key] = box
                self._add_row(choice.label, box)
        if group == "Analysis":
            self._resolution = QLabel()
            self._resolution.setObjectName("caption")
            self._resolution.setToolTip("Length of a frame, distance of bins, distance of frames")
            self._resolution.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._grid.addWidget(self._resolution, self._grid.rowCount(), 0, 1, 2)
        if group == "Frequency":
            self._frequencies = RangeBox(
                NumberBox(0, self._half - LEAST_BAND_HZ, 10, "", "Frequency at the lower edge"),
                NumberBox(LEAST_BAND_HZ, self._half, 100, " Hz", "Frequency at the upper edge"),
                self._put_frequencies,
            )
            self._add_row("Range", self._frequencies)

    def _add_row(self, label: str, widget: QWidget) -> None:
        caption = QLabel(label)
        caption.setObjectName("caption")
        row = self._grid.rowCount()
        self._grid.addWidget(caption, row, 0)
        self._grid.addWidget(widget, row, 1)

    def _put_frequencies(self, low: float, high: float) -> None:
        self._change({"display.f_low": low, "display.f_high": high if high < self._half else None})

    def follow(self, settings: Settings) -> None:
        for box in self.boxes.values():
            box.follow(settings)
        stft = settings.stft
        points = stft.n_fft * stft.zero_pad
        self._resolution.setText(
            resolution_text(stft.n_fft, stft.hop_samples, points, 2 * self._half)
        )
        display = settings.display
        self._levels.follow(display.db_low, display.db_high)
        self._frequencies.follow(display.f_low, display.f_high or self._half)

    def set_channels(self, n_channels: int) -> None:
        """One channel has no panes to choose."""
        self.boxes[BY_KEY["display.panes"].key].setEnabled(n_channels > 1)


def resolution_text(n_fft: int, hop: int, points: int, sample_rate: float) -> str:
    """What frames resolve: "85 ms · 11.7 Hz · 5.3 ms". points : of the transform."""
    frame_ms, hop_ms = 1000 * n_fft / sample_rate, 1000 * hop / sample_rate
    return f"{frame_ms:.3g} ms · {sample_rate / points:.3g} Hz · {hop_ms:.2g} ms"
