"""The side panel's page of the monitor: output, frames, effects, and what the sound is late by.

Follows the model as all controls do: a change goes to `change`, and what the model then announces
is what is shown. What is dragged goes out at a pace (see `paced`).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from realtime.config import Settings
from realtime.dsp.processors.parameters import Number
from realtime.view import chain
from realtime.view.chain import Chain, Place
from realtime.view.controls import Change, ChoiceBox, resolution_text, scrolling
from realtime.view.effect_card import EffectCard
from realtime.view.knobs import NumberKnob
from realtime.view.latency import PARTS, part_texts, total_text
from realtime.view.paced import Paced
from realtime.view.sound import GAIN_RANGE, SOUND_CHOICES

if TYPE_CHECKING:
    from realtime.view.monitoring import MonitorReadout

SWITCHES = ("mute", "bypass", "panic")
"""Actions that are buttons here."""
GAIN = "monitor.gain"
FRAME_KEYS = ("monitor.n_fft", "monitor.hop")
WINDOW_KEYS = ("monitor.window", "monitor.synthesis")


class SoundPanel(QFrame):
    """actions : by name, for the buttons. sample_rate : Hz."""

    drawing = Signal(object)
    """`Place` of the boxes that are to be drawn in the picture; None for no longer."""

    def __init__(self, sample_rate: int, change: Change, actions: Mapping[str, QAction]):
        super().__init__()
        self._rate = sample_rate
        self._change = change
        self._settings = Settings()
        self._paced = Paced(self._send, self)
        self.cards: list[EffectCard] = []
        self.boxes = {choice.key: ChoiceBox(choice, change) for choice in SOUND_CHOICES}
        self.gain = NumberKnob(
            Number(0.0, *GAIN_RANGE, "dB"), lambda value: self._paced.put(GAIN, value)
        )
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(14, 0, 14, 14)
        self._column.setSpacing(8)
        self._column.addLayout(self._controls(actions))
        self._column.addLayout(self._effects_head())
        self._empty = QLabel("None: what goes in comes out.")
        self._empty.setObjectName("caption")
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scrolling(content), 1)
        self.figures = LatencyList()
        whole.addWidget(self.figures)

    def _controls(self, actions: Mapping[str, QAction]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._add_heading(grid, "Output")
        switches = QHBoxLayout()
        switches.setSpacing(6)
        for name in SWITCHES:
            button = QToolButton()
            button.setObjectName(name)
            button.setProperty("switch", True)
            button.setDefaultAction(actions[name])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            switches.addWidget(button)
        grid.addLayout(switches, grid.rowCount(), 0, 1, 2)
        _add_row(grid, "Gain", self.gain)
        _add_row(grid, "Show", self.boxes["monitor.show"])
        self._add_heading(grid, "Frames")
        _add_row(grid, "Size, hop", _side_by_side(*(self.boxes[key] for key in FRAME_KEYS)))
        _add_row(grid, "Windows", _side_by_side(*(self.boxes[key] for key in WINDOW_KEYS)))
        self._resolution = QLabel()
        self._resolution.setObjectName("caption")
        self._resolution.setToolTip("Length of a frame, distance of bins, distance of frames")
        self._resolution.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._resolution, grid.rowCount(), 0, 1, 2)
        return grid

    def _add_heading(self, grid: QGridLayout, text: str) -> None:
        grid.addWidget(_heading(text), grid.rowCount(), 0, 1, 2)

    def _effects_head(self) -> QHBoxLayout:
        self.add_button = QPushButton("Add effect")
        self.add_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.menu = AddMenu(self)
        self.menu.chosen.connect(self._add)
        self.add_button.setMenu(self.menu)
        row = QHBoxLayout()
        row.addWidget(_heading("Effects"), 1)
        row.addWidget(self.add_button)
        return row

    # ------------------------------------------------------------------ showing what is

    def follow(self, settings: Settings) -> None:
        self._settings = settings
        monitor = settings.monitor
        self.gain.follow(monitor.gain)
        for box in self.boxes.values():
            box.follow(settings)
        self.boxes["monitor.window"].setEnabled(monitor.synthesis is None)
        self._resolution.setText(
            resolution_text(monitor.n_fft, monitor.hop, monitor.n_fft, self._rate)
        )
        self._follow_effects(settings.effect)

    def _follow_effects(self, effects: Chain) -> None:
        names = [effect.name for effect in effects]
        if names != [card.name for card in self.cards]:
            for card in self.cards:
                card.hide()
                card.deleteLater()
            self.cards = [self._card(index, name) for index, name in enumerate(names)]
            self._empty.setVisible(not names)
        for index, (card, effect) in enumerate(zip(self.cards, effects, strict=True)):
            card.follow(effect, first=index == 0, last=index == len(effects) - 1)

    def _card(self, index: int, name: str) -> EffectCard:
        card = EffectCard(name, self._rate)
        card.changed.connect(lambda name, value: self._paced.put((index, name), value))
        card.span_changed.connect(lambda span: self._rebuild(chain.with_span, index, span))
        card.moved.connect(lambda by: self._rebuild(chain.moved, index, by))
        card.removed.connect(lambda: self._rebuild(chain.without, index))
        card.reset.connect(lambda: self._rebuild(chain.with_defaults, index))
        card.drawing.connect(lambda name, on: self.drawing.emit((index, name) if on else None))
        self._column.insertWidget(self._column.count() - 1, card)
        return card

    def show_drawing(self, place: Place | None) -> None:
        """Which boxes are being drawn in the picture."""
        for index, card in enumerate(self.cards):
            card.show_drawing(place[1] if place and place[0] == index else None)

    # ------------------------------------------------------------------ what people do

    def _send(self, waiting: Mapping[Hashable, Any]) -> None:
        changes: dict[str, Any] = {}
        effects = self._settings.effect
        for thing, value in waiting.items():
            if isinstance(thing, tuple):
                index, name = thing
                effects = chain.with_value(effects, index, name, value)
                changes["effect"] = effects
            else:
                changes[str(thing)] = value
        self._change(changes)

    def _add(self, name: str) -> None:
        self._rebuild(chain.added, name)

    def _rebuild(self, made: Any, *how: Any) -> None:
        self._paced.flush()
        self._change({"effect": made(self._settings.effect, *how)})


class AddMenu(QMenu):
    """Every effect there is, with what it does; looked for when the menu opens."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        for name, kind in chain.known_effects().items():
            item = self.addAction(chain.label(name))
            item.setToolTip(chain.first_sentence(kind))
            item.triggered.connect(lambda _checked=False, name=name: self.chosen.emit(name))


class LatencyList(QFrame):
    """What the sound is late by, part by part; silence for want of sound."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("figures")
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 6, 14, 8)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        rows = [*((label, tip) for _, label, tip in PARTS), ("Latency", "All parts together")]
        rows.append(("Underflows", "Times, and samples, that silence was played for want of sound"))
        rows.append(("Dropped", "Captured samples given up to keep the latency"))
        self.labels: list[QLabel] = []
        for row, (text, tip) in enumerate(rows):
            caption, value = QLabel(text), QLabel()
            caption.setObjectName("caption")
            caption.setToolTip(tip)
            value.setToolTip(tip)
            value.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(caption, row, 0)
            grid.addWidget(value, row, 1)
            if row == len(PARTS):
                caption.setObjectName("total")
                value.setObjectName("total")
            self.labels.append(value)

    def show_readout(self, monitor: MonitorReadout) -> None:
        missing = f" ({monitor.missing_samples})" if monitor.missing_samples else ""
        texts = [*part_texts(monitor), total_text(monitor), f"{monitor.underflows}{missing}"]
        texts.append(str(monitor.dropped_samples))
        for label, text in zip(self.labels, texts, strict=True):
            if label.text() != text:
                label.setText(text)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    label.setContentsMargins(0, 8, 0, 0)
    return label


def _side_by_side(*widgets: QWidget) -> QWidget:
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    for widget in widgets:
        row.addWidget(widget, 1)
    return both


def _add_row(grid: QGridLayout, label: str, widget: QWidget) -> None:
    caption = QLabel(label)
    caption.setObjectName("caption")
    row = grid.rowCount()
    grid.addWidget(caption, row, 0)
    grid.addWidget(widget, row, 1)
