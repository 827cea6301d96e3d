"""All that the window of `realtime monitor` has and that of `live` lacks, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from realtime.view import chain
from realtime.view.chain import Place
from realtime.view.controls import Change
from realtime.view.mask_tool import MaskTool
from realtime.view.model import LiveModel
from realtime.view.plot import Plot
from realtime.view.sound_panel import SoundPanel
from realtime.view.status import StatusLine

PANEL_PX = 276
"""Width of the side panel: an effect's name, its slider and its value in one row."""


class SoundView:
    """The panel, the tool that draws masks, and the actions that show how it stands.

    picture : the side panel of the picture's settings, which becomes the second page.
    """

    def __init__(
        self,
        model: LiveModel,
        plot: Plot,
        picture: QWidget,
        status: StatusLine,
        actions: Mapping[str, QAction],
        change: Change,
    ):
        self._model, self._status, self._actions = model, status, actions
        self.tool = MaskTool(plot, model, change)
        self.panel = SoundPanel(model.sample_rate, change, actions)
        self.aside = Pages({"Sound": self.panel, "Picture": picture})
        self.panel.drawing.connect(self._aim)
        self.tool.changed.connect(self._show_tool)

    def follow(self, changed: frozenset[str]) -> None:
        """Show what the model says; an empty set stands for everything."""
        settings = self._model.settings
        if not changed or any(key.startswith(("monitor.", "effect")) for key in changed):
            self.panel.follow(settings)
            self._show_tool()
        if not changed or changed & {"histories", "effect"}:
            self.tool.show_boxes()

    def show_figures(self) -> None:
        monitor = self._model.readout.monitor
        if monitor is not None:
            self.panel.figures.show_readout(monitor)
            self._status.show_monitor(monitor, self._model.settings.monitor)

    def turn_tool(self) -> None:
        self.tool.turn(not self.tool.on)

    def _aim(self, place: Place | None) -> None:
        self.tool.aim(place)

    def _show_tool(self) -> None:
        self.panel.show_drawing(self.tool.place if self.tool.on else None)
        self.show_toggles()

    def show_toggles(self) -> None:
        """A click has turned a button by itself; now it shows what is."""
        settings = self._model.settings
        for name, on in (
            ("mute", settings.monitor.mute),
            ("bypass", settings.monitor.bypass),
            ("freeze", chain.is_on(settings.effect, chain.FREEZE)),
            ("draw", self.tool.on),
        ):
            self._actions[name].setChecked(on)


class Pages(QFrame):
    """Pages by their titles, one shown at a time."""

    def __init__(self, pages: Mapping[str, QWidget]):
        super().__init__()
        self.setObjectName("side")
        self.setFixedWidth(PANEL_PX)
        self.tabs = QTabBar()
        self.tabs.setExpanding(True)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.stack = QStackedWidget()
        for title, page in pages.items():
            page.setFixedWidth(PANEL_PX)
            self.tabs.addTab(title)
            self.stack.addWidget(page)
        self.tabs.currentChanged.connect(self.stack.setCurrentIndex)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self.stack, 1)
