"""What surrounds the picture: axes, colour bar and level meters.

Each is a plain widget that repaints only when what it shows has changed; while sound scrolls by,
axes and colour bar do not repaint at all, and a meter at most ten times a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QLinearGradient, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from realtime.config import DisplaySettings
from realtime.dsp.levels import LevelReading
from realtime.dsp.ticks import LABEL_ROOM, Tick, absolute_time_ticks, db_label, db_ticks
from realtime.view import theme
from realtime.view.axes import frequency_ticks, time_ticks
from realtime.view.colormaps import lut
from realtime.view.mapping import colour_index

MAJOR_PX, MINOR_PX = 6, 3
"""Length of ticks."""
LABEL_GAP = 4
"""Pixels from a tick to its label."""
CAPTION_PX = 16
"""Width of the upright caption of an axis."""
SHORT_WORD = 4
"""Letters of a word of a caption that has no room: "Diff left"."""
OVERHANG = 8
"""Pixels by which upright axes reach beyond the picture, for half a line of text."""
EDGE_PX = 3
"""Pixels that labels of the bottom axis keep from its ends."""

STRIP_ROOM = 34
"""Pixels from label to label under the spectrum."""
STRIP_FREE = 0.1
"""Share of its axis, at the left, without labels."""

METER_LOW_DB = -60.0
METER_TICKS_DB = (0, -6, -12, -24, -36, -48, -60)
METER_STOPS = ((-60.0, theme.METER_LOW), (-18.0, theme.METER_LOW), (-9.0, theme.METER_MID),
               (-3.0, theme.METER_HIGH), (0.0, theme.METER_HIGH))  # fmt: skip
METER_WIDTHS = (10, 3)
"""Pixels of a bar with few channels, and with many."""
METER_WIDTH_ALL = 64
"""Pixels that all bars together take at most."""
METER_GAP = 2
CLIP_PX = 6
"""Height of a clip light."""

Align = Qt.AlignmentFlag


class Still(QWidget):
    """Remembers what it shows and repaints when that changes. Subclasses paint `_what`."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self._what: tuple[Any, ...] = ()
        self.painted = 0
        """Paintings so far: what tests and benchmarks count."""

    def _show(self, *what: Any) -> None:
        if what != self._what:
            self._what = what
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._what:
            return
        self.painted += 1
        painter = QPainter(self)
        try:
            painter.setFont(theme.small_font(self.font()))
            self._paint(painter)
        finally:
            painter.end()

    def _paint(self, painter: QPainter) -> None:
        raise NotImplementedError


def _draw_upright(
    painter: QPainter, ticks: Sequence[Tick], x: float, top: float, height: float, side: int
) -> None:
    """Ticks along x, labels left (side -1) or right (1) of it."""
    for tick in ticks:
        y = round(top + (1 - tick.position) * (height - 1)) + 0.5
        painter.setPen(QColor(theme.DIM if tick.major else theme.FAINT))
        length = MAJOR_PX if tick.major else MINOR_PX
        painter.drawLine(QPointF(x, y), QPointF(x + side * length, y))
        if tick.label:
            painter.setPen(QColor(theme.TEXT))
            start = x + side * (MAJOR_PX + LABEL_GAP)
            box = QRectF(start - 60 if side < 0 else start, y - 10, 60, 20)
            align = Align.AlignRight if side < 0 else Align.AlignLeft
            painter.drawText(box, align | Align.AlignVCenter, tick.label)


def _draw_flat(
    painter: QPainter, ticks: Sequence[Tick], left: float, width: float, full: float
) -> None:
    """Ticks along the upper edge, labels below; those at the ends are moved inside."""
    metrics = painter.fontMetrics()
    for tick in ticks:
        x = round(left + tick.position * (width - 1)) + 0.5
        painter.setPen(QColor(theme.DIM if tick.major else theme.FAINT))
        painter.drawLine(QPointF(x, 0), QPointF(x, MAJOR_PX if tick.major else MINOR_PX))
        if tick.label:
            painter.setPen(QColor(theme.TEXT))
            half = metrics.horizontalAdvance(tick.label) / 2
            x = min(max(x, EDGE_PX + half), full - EDGE_PX - half)
            box = QRectF(x - half - 1, MAJOR_PX + 2, 2 * half + 2, metrics.height())
            painter.drawText(box, Align.AlignCenter, tick.label)


def _fitting(painter: QPainter, room: float, *texts: str) -> str:
    """The first text, from long to short, that fits."""
    metrics = painter.fontMetrics()
    fitting = (text for text in texts if metrics.horizontalAdvance(text) + 2 * EDGE_PX <= room)
    return next(fitting, "")


class FrequencyAxis(Still):
    """Left of the picture, one axis a pane."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setFixedWidth(66)

    def show_axis(
        self, display: DisplaySettings, sample_rate: int, panes: Sequence[tuple[float, float, str]]
    ) -> None:
        """panes : upper edge and height in logical pixels of the canvas, and a name."""
        ends = (display.scale, display.f_low, display.f_high)
        self._show(ends, sample_rate, tuple(panes), display)

    def _show(self, *what: Any) -> None:
        """Only what places the ticks counts as a change, not the rest of the settings."""
        if what[:3] != self._what[:3]:
            super()._show(*what)

    def _paint(self, painter: QPainter) -> None:
        _, sample_rate, panes, display = self._what
        unit = "" if display.scale == "notes" else "Hz"
        for top, height, name in panes:
            ticks = frequency_ticks(display, sample_rate, height, LABEL_ROOM)
            _draw_upright(painter, ticks, self.width() - 1, top + OVERHANG, height, side=-1)
            short = " ".join(word[:SHORT_WORD] for word in name.split())
            texts = (f"{name} · {unit}".strip(" ·"), name, short, name[-1:])
            caption = _fitting(painter, height, *texts)
            painter.save()
            painter.setPen(QColor(theme.DIM))
            painter.translate(0, top + OVERHANG + height)
            painter.rotate(-90)
            painter.drawText(QRectF(0, 2, height, CAPTION_PX), Align.AlignCenter, caption)
            painter.restore()


class BottomAxis(Still):
    """Below the picture: time under the waterfall, level under the spectrum."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setFixedHeight(26)

    def show_axis(
        self,
        span: float,
        still_at: float | None,
        levels: tuple[float, float],
        waterfall: float,
        strip: float,
    ) -> None:
        """still_at : seconds of the right edge since the stream began; None while it runs.

        waterfall, strip : widths in logical pixels; the strip ends at the right edge.
        """
        self._show(span, still_at, levels, waterfall, strip)

    def _paint(self, painter: QPainter) -> None:
        span, still_at, (low, high), waterfall, strip = self._what
        if still_at is None:
            ticks = time_ticks(span, waterfall)
        else:
            ticks = absolute_time_ticks(still_at - span, still_at, waterfall)
        _draw_flat(painter, ticks, 0, waterfall, waterfall)
        if strip:
            left = self.width() - strip
            painter.translate(left, 0)
            ticks = db_ticks(low, high, strip, STRIP_ROOM)
            # The label at its left end would touch "now"; the colour bar says the same.
            ticks = [replace(t, label=t.label if t.position > STRIP_FREE else "") for t in ticks]
            _draw_flat(painter, ticks, 0, strip, strip)


class ColourBar(Still):
    """Which level has which colour, gamma included."""

    BAR_PX = 12

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setFixedWidth(self.BAR_PX + MAJOR_PX + LABEL_GAP + 34)

    def show_colours(self, display: DisplaySettings) -> None:
        self._show(display.colormap, display.db_low, display.db_high, display.gamma, display)

    def _show(self, *what: Any) -> None:
        if what[:4] != self._what[:4]:
            super()._show(*what)

    def _paint(self, painter: QPainter) -> None:
        display = self._what[-1]
        height = self.height() - 2 * OVERHANG
        rows = max(1, round(height * self.devicePixelRatioF()))
        db = np.linspace(display.db_high, display.db_low, rows)
        table = np.ascontiguousarray(lut(display.colormap)[colour_index(db, display)])
        image = QImage(table.tobytes(), 1, rows, 4, QImage.Format.Format_RGBA8888)
        painter.drawImage(QRectF(0, OVERHANG, self.BAR_PX, height), image)
        ticks = db_ticks(display.db_low, display.db_high, height)
        _draw_upright(painter, ticks, self.BAR_PX + 1, OVERHANG, height, side=1)


class Meters(Still):
    """A bar for each channel: RMS bright, peak dim, peak hold as a line, clip light on top.

    A light stays on until it is clicked. scale : draw the ticks beside the bars.
    """

    clicked = Signal()

    def __init__(self, n_channels: int, scale: bool = True, parent: QWidget | None = None):
        super().__init__(parent)
        self._ticks = METER_TICKS_DB if scale else ()
        room = METER_WIDTH_ALL // n_channels - METER_GAP
        self._bar = max(METER_WIDTHS[1], min(METER_WIDTHS[0], room))
        self._bars_px = n_channels * (self._bar + METER_GAP) - METER_GAP
        scale_px = MAJOR_PX + LABEL_GAP + 28 if scale else 0
        self.setFixedWidth(self._bars_px + scale_px)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Peak and RMS level, dBFS\nClick: reset clip light and peak hold")

    def sizeHint(self) -> QSize:
        return QSize(self.width(), 100)

    def show_reading(self, reading: LevelReading) -> None:
        levels = (reading.peak_db, reading.rms_db, reading.hold_db)
        pixels = [tuple(self._pixel(db) for db in channels) for channels in levels]
        self._show(*pixels, tuple(bool(on) for on in reading.clipped))

    def _pixel(self, db: float) -> int:
        """Pixels from the bottom of a bar."""
        share = 1 - max(METER_LOW_DB, min(0.0, float(db))) / METER_LOW_DB
        return round(share * self._height)

    @property
    def _top(self) -> int:
        return OVERHANG + CLIP_PX + METER_GAP

    @property
    def _height(self) -> int:
        return max(1, self.height() - OVERHANG - self._top)

    def _paint(self, painter: QPainter) -> None:
        bottom = self._top + self._height
        colours = QLinearGradient(0, bottom, 0, self._top)
        for db, colour in METER_STOPS:
            colours.setColorAt(1 - db / METER_LOW_DB, QColor(colour))
        for channel, (peak, rms, hold, clipped) in enumerate(zip(*self._what, strict=True)):
            x = channel * (self._bar + METER_GAP)
            light = QColor(theme.CLIP if clipped else theme.RAISED)
            painter.fillRect(QRectF(x, OVERHANG, self._bar, CLIP_PX), light)
            painter.fillRect(QRectF(x, self._top, self._bar, self._height), QColor(theme.RAISED))
            painter.setOpacity(0.45)
            painter.fillRect(QRectF(x, bottom - peak, self._bar, peak), colours)
            painter.setOpacity(1.0)
            painter.fillRect(QRectF(x, bottom - rms, self._bar, rms), colours)
            if hold:
                painter.fillRect(QRectF(x, bottom - hold, self._bar, 2), colours)
        ticks = [Tick(1 - db / METER_LOW_DB, db_label(db), True) for db in self._ticks]
        _draw_upright(painter, ticks, self._bars_px + 1, self._top, self._height, side=1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
