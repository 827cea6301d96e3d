"""What stands under the meters of the monitor: their names, and the lamp of the limiter."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from realtime.dsp.ticks import MINUS
from realtime.view import theme
from realtime.view.panels import Still

NAME_PX = 18
"""Height of a name."""
LAMP_PX = 6
"""Diameter of the lamp."""
LIT_DB = -0.05
"""Gain reduction from which on the lamp is lit: less is not heard."""


class MeterName(Still):
    """lamp : room for a lamp beside the name; see `show_limited`."""

    def __init__(self, name: str, lamp: bool = False, parent: QWidget | None = None):
        super().__init__(parent)
        self._name, self._lamp = name, lamp
        self.setFixedHeight(NAME_PX)
        self.show_limited(0.0)

    def show_limited(self, limited_db: float) -> None:
        """limited_db : gain of the limiter now, 0 or below."""
        lit = self._lamp and limited_db < LIT_DB
        self._show(lit)
        if self._lamp:
            now = f"{MINUS}{abs(limited_db):.1f} dB" if lit else "at rest"
            tip = f"The lamp: the limiter holds the output within full scale. Now: {now}"
            if tip != self.toolTip():
                self.setToolTip(tip)

    def _paint(self, painter: QPainter) -> None:
        (lit,) = self._what
        painter.setPen(QColor(theme.DIM))
        box = QRectF(0, 0, self.width(), self.height())
        painter.drawText(
            box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._name
        )
        if self._lamp:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.WARN if lit else theme.LINE))
            x = painter.fontMetrics().horizontalAdvance(self._name) + 6 + LAMP_PX / 2
            painter.drawEllipse(QPointF(x, self.height() / 2 + 1), LAMP_PX / 2, LAMP_PX / 2)
