"""What lies over the picture for a while: a line of news, and the page of keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from realtime.view.keys import MENUS, MOUSE, Action, help_rows
from realtime.view.sound import MENU, SOUND_MOUSE

BANNER_MARGIN = 10
"""Pixels from the edges of the picture."""
KEYS_PX = {2: 150, 3: 122}
"""Width of the keys in two columns, and in three."""
COLUMN_GAP = {2: 48, 3: 24}
HELP_COLUMNS = (("Picture", "View", "Help"), ("Analysis", "Frequency", "Level"))


class Banner(QLabel):
    """One message at the top of the picture; none hides it."""

    def __init__(self, over: QWidget):
        super().__init__(over)
        self._over = over
        self.setObjectName("banner")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()
        over.installEventFilter(self)

    def say(self, message: str) -> None:
        if message == self.text() and self.isVisibleTo(self._over) == bool(message):
            return
        self.setText(message)
        self.setVisible(bool(message))
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        room = self._over.width() - 2 * BANNER_MARGIN
        width = min(room, self.fontMetrics().horizontalAdvance(self.text()) + 32)
        self.setGeometry(
            BANNER_MARGIN, BANNER_MARGIN, max(1, width), self.heightForWidth(max(1, width))
        )
        self.raise_()


class HelpPage(QWidget):
    """All keys of the table, and what the mouse does."""

    closed = Signal()

    def __init__(self, over: QWidget, table: tuple[Action, ...]):
        super().__init__(over)
        self._over = over
        self.setObjectName("help")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        page = QVBoxLayout(self)
        page.setContentsMargins(32, 24, 32, 24)
        title = QLabel("Keys")
        title.setObjectName("title")
        page.addStretch(1)
        page.addWidget(title, 0, Qt.AlignmentFlag.AlignHCenter)
        page.addSpacing(12)
        columns = QHBoxLayout()
        columns.addStretch(1)
        sounds = any(action.menu == MENU for action in table)
        groups = (*HELP_COLUMNS, (MENU,)) if sounds else HELP_COLUMNS
        self._keys_px = KEYS_PX[len(groups)]
        columns.setSpacing(COLUMN_GAP[len(groups)])
        for menus in groups:
            column = QVBoxLayout()
            column.setSpacing(4)
            for menu in menus:
                self._add(column, menu, help_rows(menu, table))
            for last, mouse in ((HELP_COLUMNS[-1], MOUSE), ((MENU,), SOUND_MOUSE)):
                if menus == last:
                    self._add(column, "Mouse", [([name], text) for name, text in mouse])
            column.addStretch(1)
            columns.addLayout(column)
        columns.addStretch(1)
        page.addLayout(columns)
        page.addStretch(2)
        self.hide()
        over.installEventFilter(self)

    def _add(self, column: QVBoxLayout, name: str, rows: list[tuple[list[str], str]]) -> None:
        heading = QLabel(name)
        heading.setObjectName("heading")
        heading.setContentsMargins(0, 8, 0, 2)
        column.addWidget(heading)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, self._keys_px)
        grid.setColumnStretch(1, 1)
        for row, (keys, text) in enumerate(rows):
            chips = QHBoxLayout()
            chips.setSpacing(4)
            for key in keys:
                chip = QLabel(key)
                chip.setObjectName("key")
                chips.addWidget(chip)
            chips.addStretch(1)
            grid.addLayout(chips, row, 0)
            grid.addWidget(QLabel(text), row, 1)
        column.addLayout(grid)

    def toggle(self) -> None:
        if self.isVisible():
            self.close_page()
            return
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()

    def close_page(self) -> None:
        self.hide()
        self.closed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.close_page()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._over.rect())
        return False


assert {menu for menus in HELP_COLUMNS for menu in menus} == set(MENUS)
