"""The picture with its axes, colour bar and meters around it, laid out and kept up to date."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from realtime.view.cursor import Reading, level_under
from realtime.view.meter_names import MeterName
from realtime.view.model import LiveModel
from realtime.view.panels import OVERHANG, BottomAxis, ColourBar, FrequencyAxis, Meters
from realtime.view.surface import Surface

MARGINS = (6, 4, 6, 4)
PICTURE_GAP, METER_GAP = 14, 8
"""Logical pixels right of the picture, and between colour bar and meters."""


class Plot(QWidget):
    """offscreen : see `Surface`. Raises MissingDependency when OpenGL does not work."""

    def __init__(self, model: LiveModel, offscreen: bool = False):
        super().__init__()
        self.setObjectName("centre")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._model = model
        self._hover: tuple[int, int] | None = None
        self.right_sample = 0.0
        """The instant at the right edge of the picture as it was drawn last."""
        self.surface = Surface(offscreen)
        self.canvas = self.surface.canvas
        self.frequency_axis = FrequencyAxis()
        self.bottom_axis = BottomAxis()
        self.colour_bar = ColourBar()
        self.meters = Meters(model.n_channels, scale=not model.monitors)
        grid = QGridLayout(self)
        grid.setContentsMargins(*MARGINS)
        grid.setSpacing(0)
        grid.setRowMinimumHeight(0, OVERHANG)
        grid.setRowMinimumHeight(2, OVERHANG)
        grid.addWidget(self.frequency_axis, 0, 0, 3, 1)
        grid.addWidget(self.surface, 1, 1)
        grid.addWidget(self.bottom_axis, 2, 1, 2, 1)
        grid.setColumnMinimumWidth(2, PICTURE_GAP)
        grid.addWidget(self.colour_bar, 0, 3, 3, 1)
        grid.setColumnMinimumWidth(4, METER_GAP)
        grid.addWidget(self.meters, 0, 5, 3, 1)
        self.output_meters: Meters | None = None
        self.limiter: MeterName | None = None
        if model.monitors:
            self.output_meters = Meters(model.n_channels)
            self.output_meters.clicked.connect(self.meters.clicked)
            self.limiter = MeterName("out", lamp=True)
            grid.addWidget(MeterName("in"), 3, 5)
            grid.addWidget(self.output_meters, 0, 7, 3, 1)
            grid.addWidget(self.limiter, 3, 7)
            grid.setColumnMinimumWidth(6, METER_GAP)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        self.surface.hovered.connect(self._hovered)
        self.canvas.events.resize.connect(lambda _event: self.place_axes())
        self.canvas.set_histories(model.histories)
        self._names = self._model.pane_names

    def draw(self, now_ns: int) -> None:
        """Begin a frame: the only thing that is drawn while sound scrolls by."""
        edge = self._model.right_edge(now_ns)
        self.right_sample = self._model.shown.sample_at(edge)
        self._model.update_hold(now_ns)
        self.canvas.set_scroll(edge, self._model.columns_per_span)
        self.surface.draw()

    def follow_settings(self) -> None:
        display = self._model.settings.display
        self.canvas.set_display(display, self._model.sample_rate)
        self.colour_bar.show_colours(display)
        self.place_axes()

    def follow_histories(self) -> None:
        self.canvas.set_histories(self._model.histories)
        self._names = self._model.pane_names
        self.place_axes()

    def place_axes(self) -> None:
        """Tell the axes where the panes are and what they show."""
        display, rate, scale = self._model.settings.display, self._model.sample_rate, self._scale
        rects = self.canvas.rects()
        panes = [
            (top / scale, height / scale, name)
            for (_, top, _, height), name in zip(rects, self._names, strict=True)
        ]
        self.frequency_axis.show_axis(display, rate, panes)
        still_at = None
        if self._model.paused:
            still_at = self._model.right_sample(time.perf_counter_ns()) / rate
        self.bottom_axis.show_axis(
            display.span,
            still_at,
            (display.db_low, display.db_high),
            waterfall=self.canvas.view().n_cols / scale,
            strip=self.canvas.strip_width / scale,
        )

    def show_meters(self) -> None:
        self.meters.show_reading(self._model.meter.reading)
        if self.output_meters is not None and self.limiter is not None:
            self.output_meters.show_reading(self._model.output_meter.reading)
            monitor = self._model.readout.monitor
            self.limiter.show_limited(monitor.limited_db if monitor else 0.0)

    def reading(self) -> Reading | None:
        """What lies under the pointer; None when it is elsewhere."""
        place = self.canvas.place(*self._hover) if self._hover else None
        if place is None or place.pane >= len(self._model.histories):
            return None
        if place.column is None:
            return Reading(None, None, place.hz, place.db)
        view = self.canvas.view(place.pane)
        return Reading(
            ago=(view.right_edge - place.column) * self._model.column_seconds,
            seconds=self._model.shown.sample_at(place.column) / self._model.sample_rate,
            hz=place.hz,
            db=level_under(self._model.histories[place.pane], view, place),
        )

    @property
    def _scale(self) -> float:
        return self.surface.scale

    def _hovered(self, pixel: tuple[int, int] | None) -> None:
        self._hover = pixel
        self.canvas.set_crosshair(pixel)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self.place_axes)  # when the canvas has its new size as well
