"""The line at the top: menus, what is heard, and the buttons one needs most."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from realtime.view import theme
from realtime.view.model import Readout


class Header(QWidget):
    """Menus at the left, what is heard in the middle, buttons at the right."""

    def __init__(self, menus: QWidget, buttons: Iterable[QAction]):
        super().__init__()
        self.setObjectName("header")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.source = QLabel()
        self.source.setTextFormat(Qt.TextFormat.RichText)
        right = QWidget()
        button_row = QHBoxLayout(right)
        button_row.setContentsMargins(0, 0, 0, 0)
        button_row.setSpacing(2)
        for action in buttons:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button_row.addWidget(button)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 8, 4)
        row.addWidget(menus, 1, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.source, 0, Qt.AlignmentFlag.AlignCenter)
        row.addWidget(right, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_source(self, readout: Readout) -> None:
        """A dot in the colour of the state, and the name."""
        colour = theme.OK if readout.state.name == "RUNNING" else theme.WARN
        text = f'<span style="color:{colour}">●</span>&nbsp; {escape(readout.device)}'
        if text != self.source.text():
            self.source.setText(text)
