"""The main window: the picture, what surrounds it, and every way to change it.

The model holds the truth. Keys, menus, mouse and side panel only ask it for a change, and what
it then announces is what they all show. Belongs to the main thread. In a frame nothing but the
picture is drawn; readings follow some times a second, and only those that read differently.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from realtime.errors import RealtimeError
from realtime.view import remember, theme
from realtime.view.controls import SidePanel
from realtime.view.frames import Frames
from realtime.view.header import Header
from realtime.view.keys import Action
from realtime.view.menus import Menus, make_actions
from realtime.view.model import LiveModel
from realtime.view.overlays import Banner, HelpPage
from realtime.view.plot import Plot
from realtime.view.requests import Requests
from realtime.view.sound import actions_for
from realtime.view.status import StatusLine

if TYPE_CHECKING:
    from realtime.view.sound_view import SoundView

WINDOW_SIZE = (1280, 720)
"""Logical pixels, until the window has been given another size."""
METER_SECONDS = 0.1
"""Meters and the value under the pointer change ten times a second."""
READING_SECONDS = 0.5
"""Figures change twice a second: faster than that nobody reads."""
ERROR_SECONDS = 6.0
"""How long a refusal is explained."""
HEADER_BUTTONS = ("pause", "live", "screenshot", "fullscreen", "side_panel", "help")


StandardLocation = QStandardPaths.StandardLocation


def _place(kind: StandardLocation) -> Path:
    """The user's own folder of that kind."""
    return Path(QStandardPaths.writableLocation(kind))


class MainWindow(QMainWindow):
    """offscreen : there is no display; the picture is drawn through EGL when it is saved.
    persistent : remember place and settings for the next run.

    Raises MissingDependency when no OpenGL context can be made.
    """

    def __init__(self, model: LiveModel, offscreen: bool = False, persistent: bool = False):
        super().__init__()
        self.model = model
        self._persistent = persistent
        self._changed_keys: set[str] = set()
        self._notice = ("", 0.0)
        self._metered = self._read = 0.0
        self.setWindowTitle(f"{model.info.name} – realtime")
        self.resize(*WINDOW_SIZE)

        self.plot = Plot(model, offscreen)
        table = actions_for(model.monitors)
        self.requests = Requests(
            model,
            table,
            self._tell,
            {
                "screenshot": self._save_to_pictures,
                "save_sound": lambda: model.save_sound(_place(StandardLocation.MusicLocation)),
                "quit": self.close,
                "side_panel": lambda: self.aside.setVisible(self.aside.isHidden()),
                "fullscreen": lambda: self.set_fullscreen(not self.isFullScreen()),
                "help": lambda: self.help.toggle(),
                "escape": self._escape,
                **({"panic": model.panic, "draw": self._turn_tool} if model.monitors else {}),
            },
        )
        self.side = SidePanel(model.sample_rate, self.requests.change)
        self.side.set_channels(model.n_channels)
        self.actions_by_name = make_actions(self, table, self._act)
        self.status = StatusLine(model.monitors)
        self.sound: SoundView | None = None
        self.aside: QWidget = self.side
        if model.monitors:
            from realtime.view.sound_view import SoundView  # which `live` need not load

            self.sound = SoundView(
                model,
                self.plot,
                self.side,
                self.status,
                self.actions_by_name,
                self.requests.change,
            )
            self.aside = self.sound.aside
        self._pause_icons = (theme.icon("pause"), theme.icon("play"))
        self.menus = Menus(self.actions_by_name, table, self.requests.change)
        self.header = Header(self.menus, [self.actions_by_name[name] for name in HEADER_BUTTONS])
        whole = self._lay_out()
        self.banner = Banner(self.plot.surface)
        self.plot.surface.keep_above(self.banner)
        self.help = HelpPage(whole, table)
        fps = model.settings.display.fps
        self.frames = Frames(fps, self._seen, self._draw, self._tick, parent=self)
        self._connect()
        self.aside.setVisible(remember.remembered_place()[1] if persistent else True)
        self._follow(frozenset())
        self._show_figures()

    def _lay_out(self) -> QWidget:
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.plot, 1)
        row.addWidget(self.aside)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(row, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self.status)
        return whole

    def _connect(self) -> None:
        self.model.changed.append(self._follow)
        surface = self.plot.surface
        surface.swapped.connect(self.frames.swapped)
        surface.hovered.connect(lambda _pixel: self._show_reading())
        surface.wheeled.connect(self.requests.wheel)
        surface.dragged.connect(self.requests.drag)
        surface.double_clicked.connect(self.requests.reset_view)
        self.plot.meters.clicked.connect(self.requests.reset_meters)
        self.help.closed.connect(self._show_toggles)

    # ------------------------------------------------------------------ frames

    def _seen(self) -> bool:
        """Whether anyone can see the picture. Offscreen the model is kept going all the same."""
        handle = self.windowHandle()
        exposed = self.plot.surface.offscreen or (handle is not None and handle.isExposed())
        return self.isVisible() and not self.isMinimized() and exposed

    def _draw(self) -> None:
        self.plot.draw(self._tick())

    def _tick(self) -> int:
        """Once a frame, and now and then while hidden: the model first, then what reads it."""
        now_ns = time.perf_counter_ns()
        self.model.tick(now_ns)
        now = now_ns / 1e9
        if now - self._metered >= METER_SECONDS:
            self._metered = now
            self.plot.show_meters()
            self._show_reading()
        if now - self._read >= READING_SECONDS:
            self._read = now
            self._show_figures()
        return now_ns

    # ------------------------------------------------------------------ showing what is

    def _follow(self, changed: frozenset[str]) -> None:
        """Show what the model says; an empty set stands for everything."""
        keys = {key for key in changed if "." in key}
        self._changed_keys |= keys
        if "histories" in changed:
            self.plot.follow_histories()
        if keys or not changed:
            settings = self.model.settings
            self.plot.follow_settings()
            self.side.follow(settings)
            self.menus.follow(settings)
            self.frames.set_fps(settings.display.fps)
        if self.sound is not None:
            self.sound.follow(changed)
        if "view" in changed or not changed:
            self.actions_by_name["pause"].setIcon(self._pause_icons[self.model.paused])
            self.actions_by_name["live"].setEnabled(self.model.paused)
            self._show_toggles()
            self.plot.place_axes()
        if "message" in changed:
            self._show_figures()

    def _show_figures(self) -> None:
        """Status line, banner, and axes that follow a still picture."""
        readout = self.model.readout
        self.status.show_readout(readout)
        if self.sound is not None:
            self.sound.show_figures()
        self.header.show_source(readout)
        notice, until = self._notice
        if time.perf_counter() > until:
            notice = ""
        failure = self.plot.canvas.failure
        self.banner.say(str(failure) if failure else notice or readout.message)
        self.plot.place_axes()

    def _show_reading(self) -> None:
        self.status.show_reading(self.plot.reading(), self.model.paused)

    def _show_toggles(self) -> None:
        """A click has turned a button by itself; now it shows what is."""
        for name, on in (
            ("pause", self.model.paused),
            ("side_panel", not self.aside.isHidden()),
            ("fullscreen", self.isFullScreen()),
            ("help", not self.help.isHidden()),
        ):
            self.actions_by_name[name].setChecked(on)
        if self.sound is not None:
            self.sound.show_toggles()

    def _tell(self, message: str) -> None:
        """Say why something was refused, and show again what is; "" when all is well."""
        if not message and not self._notice[0]:
            return
        self._notice = (message, time.perf_counter() + ERROR_SECONDS)
        if message:
            self._follow(frozenset())
        self._show_figures()

    # ------------------------------------------------------------------ what the window does

    def _act(self, action: Action) -> None:
        self.requests.act(action)
        self._show_toggles()

    def set_fullscreen(self, on: bool) -> None:
        """The picture and its axes alone, on the whole screen."""
        self.header.setVisible(not on)
        self.aside.setVisible(not on)
        state, full = self.windowState(), Qt.WindowState.WindowFullScreen
        self.setWindowState(state | full if on else state & ~full)
        self._show_toggles()

    def _escape(self) -> None:
        if self.help.isVisible():
            self.help.close_page()
        elif self.sound is not None and self.sound.tool.give_up():
            pass
        elif self.isFullScreen():
            self.set_fullscreen(False)

    def _turn_tool(self) -> None:
        if self.sound is not None:
            self.sound.turn_tool()

    def save_picture(self, path: Path) -> None:
        """What the window shows, as a PNG in the pixels of the screen, the visible span complete.

        Raises RealtimeError.
        """
        self.model.settle()
        self._draw()
        self.plot.show_meters()
        self._show_figures()
        self.plot.surface.freeze()
        saved = self.grab().save(str(path), "PNG")
        self.plot.surface.thaw()
        if not saved:
            raise RealtimeError(
                f"'{path}' cannot be written: name a file in a folder you may write to"
            )

    def _save_to_pictures(self) -> None:
        folder = _place(StandardLocation.PicturesLocation)
        path = folder / f"spectrogram-{datetime.now():%Y%m%d-%H%M%S}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.save_picture(path)
        except (OSError, RealtimeError) as error:
            self._tell(str(error))
        else:
            self._tell(f"saved as {path}")

    def closeEvent(self, event: QCloseEvent) -> None:
        self.frames.stop()
        if self._persistent:
            remember.remember_settings(self.model.settings, self._changed_keys)
            side_panel = self.isFullScreen() or not self.aside.isHidden()
            remember.remember_place(self.saveGeometry(), side_panel)
        if self._follow in self.model.changed:
            self.model.changed.remove(self._follow)
        self.model.close()
        super().closeEvent(event)

    def dispose(self) -> None:
        """Give the GL context back while there still is an application."""
        self.plot.canvas.close()
        self.deleteLater()
