"""The place of the picture in the window: a GL widget, or, with no display, a drawn image.

Both are the same to the window: they hold a `PictureCanvas`, report the mouse in physical pixels
of the canvas, and can be frozen into a still image, so that a screenshot of the window holds the
picture on every driver.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from realtime.view import theme
from realtime.view.canvas import PictureCanvas

LEAST_SIZE = QSize(320, 160)
"""Logical pixels; smaller shows nothing."""
DRAG_START = 6.0
"""Logical pixels the mouse moves in one direction before the picture follows it."""
WHEEL_STEP = 120.0
"""Eighths of a degree in one step of a wheel (Qt's unit)."""


class _Still(QWidget):
    """An image in the canvas' place."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.image = QImage()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.image.isNull():
            painter.fillRect(self.rect(), QColor(theme.BACKGROUND))
        else:
            painter.drawImage(self.rect(), self.image)
        painter.end()


class Surface(QWidget):
    """offscreen : draw through EGL, without a display.

    Raises MissingDependency when no OpenGL context can be made.
    """

    swapped = Signal()
    hovered = Signal(object)
    """Physical pixel (x, y) under the pointer, or None when it leaves."""
    wheeled = Signal(float, float, object)
    """Steps, share of the height from the bottom of the pane, modifiers."""
    dragged = Signal(float, float)
    """Shares of the waterfall's width and of a pane's height moved, right and up."""
    double_clicked = Signal()

    def __init__(self, offscreen: bool = False, parent: QWidget | None = None):
        super().__init__(parent)
        self.offscreen = offscreen
        self.setMinimumSize(LEAST_SIZE)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._still = _Still(self)
        self._over: list[QWidget] = []
        self._drag_from: QPointF | None = None
        self._drags = (False, False)
        if offscreen:
            self.canvas = PictureCanvas("egl", size=(LEAST_SIZE.width(), LEAST_SIZE.height()))
            return
        self.canvas = PictureCanvas("pyside6", parent=self)
        native = self.canvas.native
        native.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        native.frameSwapped.connect(self.swapped)
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(native)
        self._still.hide()

    def keep_above(self, widget: QWidget) -> None:
        """A child that stays above the picture, frozen or not."""
        self._over.append(widget)
        widget.raise_()

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Begin a frame; `swapped` follows when it is on screen. Offscreen, draw nothing yet."""
        if self.offscreen:
            self.swapped.emit()
        else:
            self.canvas.native.update()

    def freeze(self) -> None:
        """Put what the canvas shows in its place as an image, until `thaw`."""
        pixels = self.canvas.grab()
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
        self._still.image = image.copy()
        self._still.setGeometry(self.rect())
        self._still.show()
        self._still.raise_()
        for widget in self._over:
            widget.raise_()

    def thaw(self) -> None:
        if not self.offscreen:
            self._still.hide()

    # ------------------------------------------------------------------ geometry

    @property
    def scale(self) -> float:
        """Physical pixels of the canvas in a logical one."""
        return self.devicePixelRatioF()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.offscreen:
            self._still.setGeometry(self.rect())
            size = event.size() * self.scale
            self.canvas.size = (max(1, size.width()), max(1, size.height()))

    def _pixel(self, position: QPointF) -> tuple[int, int]:
        return int(position.x() * self.scale), int(position.y() * self.scale)

    # ------------------------------------------------------------------ mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag_from is not None:
            self._drag(event.position())
        self.hovered.emit(self._pixel(event.position()))

    def _drag(self, to: QPointF) -> None:
        """Each direction begins to move after `DRAG_START`, so that one can move alone."""
        assert self._drag_from is not None
        moved = to - self._drag_from
        across, along = self._drags
        self._drags = (across or abs(moved.x()) > DRAG_START, along or abs(moved.y()) > DRAG_START)
        right, up = (
            (amount if on else 0.0)
            for amount, on in zip((moved.x(), -moved.y()), self._drags, strict=True)
        )
        if right or up:
            self._drag_from += QPointF(right, -up)
            width = self.canvas.view().n_cols / self.scale
            self.dragged.emit(right / width, up / self._pane_height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag_from = event.position()
            self._drags = (False, False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag_from = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned: QPoint = event.angleDelta()
        # With Shift or Alt some systems turn the wheel sideways.
        steps = (turned.y() or turned.x()) / WHEEL_STEP
        self.wheeled.emit(steps, self._share(event.position()), event.modifiers())
        event.accept()

    def _pane_height(self) -> float:
        rects = self.canvas.rects()
        return (rects[0][3] if rects else self.height()) / self.scale

    def _share(self, position: QPointF) -> float:
        """Height in the pane under the pointer, 0 at its bottom to 1."""
        y = position.y() * self.scale
        for _, top, _, height in self.canvas.rects():
            if top <= y < top + height:
                return 1 - (y - top) / height
        return 0.5
