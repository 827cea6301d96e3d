"""How the window looks: colours, sizes, style sheet and icons, in one place.

Dark, because the picture is; the picture is the brightest thing in the window.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QImage, QPainter, QPalette, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QApplication

from realtime.view.colormaps import lut

BACKGROUND = "#0e1013"
PANEL = "#14171b"
RAISED = "#1e2228"
LINE = "#2a2f37"
TEXT = "#d5dae1"
DIM = "#8c95a1"
FAINT = "#545c67"
ACCENT = "#f0a05a"
OK = "#63c28b"
WARN = "#e8b04c"
CLIP = "#f05050"
METER_LOW, METER_MID, METER_HIGH = "#3f9f78", "#d9b24a", "#e5603f"

FONT_PX = 12
SMALL_PX = 11
HANDLE_PX = 10
"""Diameter of a slider's handle."""
ICON_PX = 16
ICON_SCALES = (1, 2, 3)
"""Pixels of an icon for one logical pixel: sharp on every display."""

STYLE = f"""
QWidget {{ color: {TEXT}; font-size: {FONT_PX}px; }}
QMainWindow, #centre {{ background: {BACKGROUND}; }}
#header, QStatusBar, #side {{ background: {PANEL}; }}
#header {{ border-bottom: 1px solid {LINE}; }}
#side {{ border-left: 1px solid {LINE}; }}
#side QScrollArea, #side QScrollArea > QWidget > QWidget {{ background: transparent; border: 0; }}
QStatusBar {{ border-top: 1px solid {LINE}; }}
QStatusBar::item {{ border: 0; }}
QMenuBar {{ background: transparent; color: {DIM}; spacing: 0; }}
QMenuBar::item {{ padding: 6px 9px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {RAISED}; color: {TEXT}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 4px; }}
QMenu::item {{ padding: 5px 26px 5px 24px; border-radius: 3px; }}
QMenu::item:selected {{ background: {LINE}; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 4px 6px; }}
QToolButton {{ border: 0; border-radius: 4px; padding: 5px; background: transparent; }}
QToolButton:hover {{ background: {RAISED}; }}
QToolButton:pressed, QToolButton:checked {{ background: {LINE}; }}
QComboBox, QAbstractSpinBox {{
    background: {RAISED}; border: 1px solid transparent; border-radius: 4px;
    padding: 0 6px; min-height: 22px; max-height: 22px;
    selection-background-color: {ACCENT}; selection-color: {BACKGROUND};
}}
QComboBox:hover, QAbstractSpinBox:hover {{ border-color: {LINE}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: 0; }}
QAbstractSpinBox:focus {{ border-color: {ACCENT}; }}
QComboBox::drop-down {{ border: 0; width: 16px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{
    background: {RAISED}; border: 1px solid {LINE}; outline: 0;
    selection-background-color: {LINE}; selection-color: {TEXT};
}}
QSlider::groove:horizontal {{ height: 3px; background: {LINE}; border-radius: 1px; }}
QSlider::sub-page:horizontal {{ background: {FAINT}; border-radius: 1px; }}
QSlider::handle:horizontal {{
    background: {TEXT}; width: {HANDLE_PX}px; height: {HANDLE_PX}px;
    margin: -4px 0; border-radius: {HANDLE_PX // 2}px;
}}
QSlider::handle:horizontal:hover {{ background: {ACCENT}; }}
QSlider::handle:horizontal:disabled {{ background: {FAINT}; }}
QLineEdit, QPushButton {{
    background: {RAISED}; border: 1px solid transparent; border-radius: 4px;
    padding: 0 8px; min-height: 22px; max-height: 22px;
}}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QLineEdit:focus {{ border-color: {ACCENT}; }}
QPushButton:hover {{ border-color: {FAINT}; }}
QPushButton:pressed, QPushButton:checked {{ background: {ACCENT}; color: {BACKGROUND}; }}
QPushButton:disabled {{ color: {FAINT}; }}
QCheckBox::indicator {{
    width: 14px; height: 14px; border-radius: 4px; background: {RAISED}; border: 1px solid {FAINT};
}}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QTabBar {{ qproperty-drawBase: 0; }}
QTabBar::tab {{
    color: {DIM}; padding: 8px 14px 7px 14px; border-bottom: 2px solid transparent;
}}
QTabBar::tab:hover {{ color: {TEXT}; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom-color: {ACCENT}; }}
#effect {{ background: {BACKGROUND}; border: 1px solid {LINE}; border-radius: 6px; }}
#effect QLineEdit, #effect QPushButton, #effect QComboBox, #effect QAbstractSpinBox {{
    background: {RAISED};
}}
#effect QPushButton:checked {{ background: {ACCENT}; }}
#effect_name {{ font-weight: 600; }}
#small {{ padding: 3px; }}
QToolButton[switch="true"] {{
    background: {RAISED}; border: 1px solid transparent; padding: 0; min-height: 24px;
}}
QToolButton[switch="true"]:hover {{ border-color: {FAINT}; }}
QToolButton[switch="true"]:checked {{ background: {WARN}; color: {BACKGROUND}; }}
QToolButton#panic {{ color: {CLIP}; border-color: {CLIP}; }}
QToolButton#panic:hover {{ border-color: {CLIP}; background: {CLIP}; color: {BACKGROUND}; }}
QToolButton#panic:pressed {{ background: {TEXT}; color: {BACKGROUND}; }}
#total {{ font-weight: 600; }}
#figures {{ border-top: 1px solid {LINE}; }}
#warning {{ color: {WARN}; }}
QScrollBar:vertical {{ background: transparent; width: 8px; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: 4px; min-height: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 3px; }}
#heading {{ color: {DIM}; font-size: {SMALL_PX}px; font-weight: 600; }}
#caption, #status {{ color: {DIM}; }}
#readout {{ color: {TEXT}; }}
#banner {{
    background: rgba(20, 23, 27, 235); border: 1px solid {LINE}; border-left: 3px solid {WARN};
    border-radius: 4px; padding: 7px 12px;
}}
#help {{ background: rgba(14, 16, 19, 240); }}
#key {{
    background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px; padding: 1px 6px;
    color: {TEXT}; font-size: {SMALL_PX}px;
}}
#title {{ font-size: 15px; font-weight: 600; }}
"""


def apply(application: QApplication) -> None:
    """Give the application its look; the font stays the system's."""
    application.setStyle("Fusion")
    palette = QPalette(QColor(RAISED), QColor(PANEL))
    for role, colour in (
        (QPalette.ColorRole.WindowText, TEXT),
        (QPalette.ColorRole.Text, TEXT),
        (QPalette.ColorRole.ButtonText, TEXT),
        (QPalette.ColorRole.Base, BACKGROUND),
        (QPalette.ColorRole.Highlight, ACCENT),
        (QPalette.ColorRole.HighlightedText, BACKGROUND),
        (QPalette.ColorRole.ToolTipBase, RAISED),
        (QPalette.ColorRole.ToolTipText, TEXT),
        (QPalette.ColorRole.PlaceholderText, DIM),
    ):
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(FAINT))
    application.setPalette(palette)
    application.setStyleSheet(STYLE)


def small_font(base: QFont) -> QFont:
    """The font of tick labels: figures of equal width where the font has them."""
    font = QFont(base)
    font.setPixelSize(SMALL_PX)
    return font


# ---------------------------------------------------------------------- icons

Draw = Callable[[QPainter], None]
"""Paints on a square of 16 by 16 with a pen already set."""


def _bars(painter: QPainter, *bars: tuple[float, float, float, float]) -> None:
    for bar in bars:
        painter.fillRect(QRectF(*bar), painter.pen().color())


def _pause(painter: QPainter) -> None:
    _bars(painter, (4, 3, 3, 10), (9, 3, 3, 10))


def _play(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.drawPolygon(QPolygonF([QPointF(5, 3), QPointF(13, 8), QPointF(5, 13)]))


def _live(painter: QPainter) -> None:
    _play(painter)
    _bars(painter, (12.5, 2.5, 2, 11))


def _camera(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(1.5, 4.5, 13, 9), 1.5, 1.5)
    painter.drawEllipse(QPointF(8, 9), 2.6, 2.6)
    painter.drawLine(QPointF(5.5, 2.8), QPointF(10.5, 2.8))


def _fullscreen(painter: QPainter) -> None:
    for x, y, dx, dy in ((2.5, 2.5, 4, 4), (13.5, 2.5, -4, 4), (2.5, 13.5, 4, -4)):
        painter.drawPolyline([QPointF(x + dx, y), QPointF(x, y), QPointF(x, y + dy)])
    painter.drawPolyline([QPointF(9.5, 13.5), QPointF(13.5, 13.5), QPointF(13.5, 9.5)])


def _side_panel(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(1.5, 2.5, 13, 11), 1.5, 1.5)
    painter.drawLine(QPointF(10, 3), QPointF(10, 13))


def _help(painter: QPainter) -> None:
    font = QFont(painter.font())
    font.setPixelSize(13)
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(QRectF(0, 0, 16, 16), Qt.AlignmentFlag.AlignCenter, "?")


def _up(painter: QPainter) -> None:
    painter.drawPolyline([QPointF(4, 10), QPointF(8, 6), QPointF(12, 10)])


def _down(painter: QPainter) -> None:
    painter.drawPolyline([QPointF(4, 6), QPointF(8, 10), QPointF(12, 6)])


def _remove(painter: QPainter) -> None:
    painter.drawLine(QPointF(4.5, 4.5), QPointF(11.5, 11.5))
    painter.drawLine(QPointF(4.5, 11.5), QPointF(11.5, 4.5))


ICONS: dict[str, Draw] = {
    "pause": _pause,
    "play": _play,
    "live": _live,
    "screenshot": _camera,
    "fullscreen": _fullscreen,
    "side_panel": _side_panel,
    "help": _help,
    "up": _up,
    "down": _down,
    "remove": _remove,
}


def icon(name: str, colour: str = TEXT) -> QIcon:
    """One of `ICONS`."""
    made = QIcon()
    for scale in ICON_SCALES:
        pixmap = QPixmap(ICON_PX * scale, ICON_PX * scale)
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(colour), 1.4)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        ICONS[name](painter)
        painter.end()
        made.addPixmap(pixmap)
    return made


def colormap_image(name: str, width: int, height: int) -> QImage:
    """A colour map from left (low) to right (high)."""
    table = lut(name)
    image = QImage(table.tobytes(), len(table), 1, QImage.Format.Format_RGBA8888)
    return image.scaled(width, height)


COLORMAP_ICON = QSize(44, 12)


def colormap_icon(name: str) -> QIcon:
    size = COLORMAP_ICON
    made = QIcon()
    for scale in ICON_SCALES:
        image = colormap_image(name, size.width() * scale, size.height() * scale)
        image.setDevicePixelRatio(scale)
        made.addPixmap(QPixmap.fromImage(image))
    return made
