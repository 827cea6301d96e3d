"""Drawing boxes in the picture with the mouse, and showing those that are there.

With the right button always, with the left one while the tool is on: a box; with Shift a brush;
with Ctrl, or where there is no time (spectrum, frequency axis), a band of all times. A right
click takes the box under it away. What was drawn becomes the boxes of the effect aimed at, or of
the first mask, which is added where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

from realtime.dsp.processors.parameters import Box
from realtime.view import chain
from realtime.view.boxes import Grain, Spot, Strip, box_between, brush_boxes, strips, without_box_at
from realtime.view.chain import Place
from realtime.view.choices import Changes
from realtime.view.mapping import hz_of_share
from realtime.view.model import LiveModel
from realtime.view.plot import Plot
from realtime.view.surface import DRAG_START

BRUSH_PX = 12
"""Height of the brush, logical pixels."""
GRAIN_PX = 4
"""Its shortest stroke, logical pixels: finer than a hand draws."""

PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)
Shift = Qt.KeyboardModifier.ShiftModifier
Ctrl = Qt.KeyboardModifier.ControlModifier


class MaskTool(QObject):
    """change : takes the new settings, as `Requests.change` does."""

    changed = Signal()
    """`on` or `aimed` has."""

    def __init__(self, plot: Plot, model: LiveModel, change: Callable[[Changes], object]):
        super().__init__(plot)
        self._plot, self._model, self._change = plot, model, change
        self.on = False
        """Whether the left button draws."""
        self.aimed: Place | None = None
        """Where boxes go by somebody's wish."""
        self._button = Qt.MouseButton.NoButton
        self._pane = 0
        self._from = QPointF()
        self._moved = False
        self._brush = self._timeless = False
        self._spots: list[Spot] = []
        for widget in (plot.surface, plot.frequency_axis):
            widget.installEventFilter(self)

    # ------------------------------------------------------------------ on and off

    def aim(self, place: Place | None) -> None:
        """Draw with the left button into the boxes at `place`; None turns the tool off."""
        self.on, self.aimed = place is not None, place
        self._announce()

    def turn(self, on: bool) -> None:
        self.on, self.aimed = on, None
        self._announce()

    def _announce(self) -> None:
        self.changed.emit()
        self.show_boxes()

    def give_up(self) -> bool:
        """Leave the stroke or the tool; whether there was anything to leave."""
        if self._button != Qt.MouseButton.NoButton:
            self._button = Qt.MouseButton.NoButton
            self.show_boxes()
        elif self.on:
            self.turn(False)
        else:
            return False
        return True

    @property
    def place(self) -> Place | None:
        """Where boxes go now."""
        return chain.boxes_place(self._model.settings.effect, self.aimed)

    # ------------------------------------------------------------------ what is shown

    def show_boxes(self) -> None:
        """Outline the boxes that are there, and what is being drawn."""
        effects, place = self._model.settings.effect, self.place
        boxes = (*chain.boxes_at(effects, place), *self._drawn())
        area = [
            Strip(self._column(start), self._column(stop), bands)
            for start, stop, bands in strips(boxes)
        ]
        self._plot.canvas.set_marks(area, chain.takes(effects, place))

    def _column(self, sample: float) -> float:
        return sample if abs(sample) == inf else self._model.shown.column_at(sample)

    def _drawn(self) -> tuple[Box, ...]:
        """What the stroke that is under way makes."""
        if self._button == Qt.MouseButton.NoButton or not self._spots:
            return ()
        display, rate = self._model.settings.display, self._model.sample_rate
        if self._brush:
            stroke = [(spot.sample, spot.share) for spot in self._spots if spot.sample is not None]
            return brush_boxes(stroke, self._grain(), display, rate) if stroke else ()
        if not self._moved:
            return ()
        first, last = self._spots[0], self._spots[-1]
        if chain.spans(self._model.settings.effect, self.place):
            if self._timeless:
                return ()
            first, last = first._replace(share=0.0), last._replace(share=1.0)
        box = box_between(first, last, display, rate)
        return (box,) if box else ()

    def _grain(self) -> Grain:
        monitor, view = self._model.settings.monitor, self._plot.canvas.view(self._pane)
        scale = self._plot.surface.scale
        samples = self._model.settings.display.span * self._model.sample_rate / view.n_cols
        return Grain(
            samples=max(monitor.hop, round(GRAIN_PX * scale * samples)),
            share=BRUSH_PX * scale / view.n_rows,
            bin_hz=self._model.sample_rate / monitor.n_fft,
        )

    # ------------------------------------------------------------------ the mouse

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        axis = watched is self._plot.frequency_axis
        position = event.position()
        if axis:
            position = QPointF(
                self._plot.frequency_axis.mapTo(self._plot, position.toPoint())
                - self._plot.surface.pos()
            )
        if event.type() in PRESSES and self._draws(event.button(), axis):
            return self._press(event, position, axis)
        if self._button == Qt.MouseButton.NoButton:
            return False
        if event.type() == QEvent.Type.MouseMove:
            self._move(position)
        elif event.type() == QEvent.Type.MouseButtonRelease and event.button() == self._button:
            self._release()
            return True
        return False

    def _draws(self, button: Qt.MouseButton, axis: bool) -> bool:
        left = button == Qt.MouseButton.LeftButton and (self.on or axis)
        return left or button == Qt.MouseButton.RightButton

    def _press(self, event: QMouseEvent, position: QPointF, axis: bool) -> bool:
        canvas, scale = self._plot.canvas, self._plot.surface.scale
        place = canvas.place(max(0.0, position.x() * scale), position.y() * scale)
        if place is None:
            return False
        self._button = event.button()
        self._pane, self._from, self._moved = place.pane, position, False
        keys = event.modifiers()
        self._timeless = (
            axis
            or place.column is None
            or bool(keys & Ctrl)
            or chain.timeless(self._model.settings.effect, self.place)
        )
        spans = chain.spans(self._model.settings.effect, self.place)
        self._brush = bool(keys & Shift) and not self._timeless and not spans
        self._spots = [self._spot(position)]
        self.show_boxes()
        return True

    def _move(self, position: QPointF) -> None:
        away = position - self._from
        self._moved = self._moved or max(abs(away.x()), abs(away.y())) > DRAG_START
        self._spots.append(self._spot(position))
        self.show_boxes()

    def _release(self) -> None:
        boxes, spot, clicked = self._drawn(), self._spots[0], not self._moved and not self._brush
        self._button = Qt.MouseButton.NoButton
        effects, place = self._model.settings.effect, self.place
        before = chain.boxes_at(effects, place)
        if clicked:
            display, rate = self._model.settings.display, self._model.sample_rate
            hz = float(hz_of_share(spot.share, display, rate))
            boxes = without_box_at(before, spot.sample, hz)
        else:
            boxes = (*before, *boxes)
        if boxes != before:
            self._change({"effect": chain.with_boxes(effects, place, boxes)})
        self.show_boxes()

    def _spot(self, position: QPointF) -> Spot:
        """The place under the pointer, or the nearest one in the pane where the stroke began."""
        canvas, scale = self._plot.canvas, self._plot.surface.scale
        left, top, _, height = canvas.rects()[self._pane]
        share = 1.0 - (position.y() * scale - top) / height
        share = min(max(share, 0.0), 1.0)
        if self._timeless:
            return Spot(None, share)
        view = canvas.view(self._pane)
        x = min(max(position.x() * scale - left, 0.0), float(view.n_cols))
        span = self._model.settings.display.span * self._model.sample_rate
        return Spot(self._plot.right_sample - (1.0 - x / view.n_cols) * span, share)
