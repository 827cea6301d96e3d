"""The main window: the picture, what surrounds it, and every way to change it.

The model holds the truth. Keys, menus, mouse and side panel only ask it for a change, and what
it then announces is what they all show. Belongs to the main thread. In a frame nothing but the
picture is drawn; readings follow ten times a second, and only those that read differently.
"""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from realtime.errors import RealtimeError, SettingsError
from realtime.view import keys, remember, theme
from realtime.view.choices import Changes
from realtime.view.controls import Header, SidePanel
from realtime.view.cursor import Reading, level_under
from realtime.view.frames import Frames
from realtime.view.keys import Action
from realtime.view.menus import Menus, make_actions
from realtime.view.model import LiveModel
from realtime.view.overlays import Banner, HelpPage
from realtime.view.panels import OVERHANG, BottomAxis, ColourBar, FrequencyAxis, Meters
from realtime.view.status import StatusLine
from realtime.view.surface import Surface

WINDOW_SIZE = (1280, 720)
"""Logical pixels, until the window has been given another size."""
REFRESH_SECONDS = 0.1
"""Readings change ten times a second: faster than that nobody reads."""
ERROR_SECONDS = 6.0
"""How long a refused setting is explained."""
SCROLL_SHARE = 0.25
"""Share of the span that an arrow key moves."""
HEADER_BUTTONS = ("pause", "live", "screenshot", "fullscreen", "side_panel", "help")


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
        self._error = ("", 0.0)
        self._hover: tuple[int, int] | None = None
        self._refreshed = 0.0
        self.setWindowTitle(f"{model.info.name} – realtime")
        self.resize(*WINDOW_SIZE)

        self.surface = Surface(offscreen)
        self.canvas = self.surface.canvas
        self.frequency_axis = FrequencyAxis()
        self.bottom_axis = BottomAxis()
        self.colour_bar = ColourBar()
        self.meters = Meters(model.n_channels)
        self.side = SidePanel(model.sample_rate, self.change)
        self.side.set_channels(model.n_channels)
        self.actions_by_name = make_actions(self, self.act)
        self.menus = Menus(self.actions_by_name, self.change)
        buttons = [self.actions_by_name[name] for name in HEADER_BUTTONS]
        self.header = Header(self.menus, buttons)
        self.status = StatusLine()
        self._lay_out()
        self.banner = Banner(self.surface)
        self.help = HelpPage(self.centralWidget())

        self.frames = Frames(
            *(model.settings.display.fps, self._seen, self._draw, self._rest), parent=self
        )
        self._handlers = {
            "pause": lambda: model.pause(not model.paused),
            "back": lambda: model.scroll(-SCROLL_SHARE * model.settings.display.span),
            "forward": lambda: model.scroll(SCROLL_SHARE * model.settings.display.span),
            "live": lambda: model.pause(False),
            "reset_hold": self._reset_meters,
            "screenshot": self._save_to_pictures,
            "quit": self.close,
            "side_panel": lambda: self._show_side(self.side.isHidden()),
            "fullscreen": lambda: self.set_fullscreen(not self.isFullScreen()),
            "help": self.help.toggle,
            "escape": self._escape,
        }
        self._connect()
        self.canvas.set_histories(model.histories)
        self._follow(frozenset())
        self._show_side(remember.remembered_place()[1] if persistent else True)
        self._refresh()

    # ------------------------------------------------------------------ construction

    def _lay_out(self) -> None:
        picture = QWidget()
        picture.setObjectName("centre")
        picture.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        grid = QGridLayout(picture)
        grid.setContentsMargins(6, 4, 6, 4)
        grid.setHorizontalSpacing(0)
        grid.setVerticalSpacing(0)
        grid.setRowMinimumHeight(0, OVERHANG)
        grid.setRowMinimumHeight(2, OVERHANG)
        grid.addWidget(self.frequency_axis, 0, 0, 3, 1)
        grid.addWidget(self.surface, 1, 1)
        grid.addWidget(self.bottom_axis, 2, 1, 2, 1)
        grid.setColumnMinimumWidth(2, 14)
        grid.addWidget(self.colour_bar, 0, 3, 3, 1)
        grid.addWidget(self.meters, 0, 4, 3, 1)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(picture, 1)
        row.addWidget(self.side)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(row, 1)
        self.setCentralWidget(whole)
        self.setStatusBar(self.status)

    def _connect(self) -> None:
        self.model.changed.append(self._follow)
        self.surface.swapped.connect(self.frames.swapped)
        self.surface.hovered.connect(self._hovered)
        self.surface.wheeled.connect(self._wheeled)
        self.surface.dragged.connect(self._dragged)
        self.surface.double_clicked.connect(self._reset_view)
        self.canvas.events.resize.connect(lambda _event: self._place_axes())
        self.meters.clicked.connect(self._reset_meters)
        self.help.closed.connect(lambda: self.actions_by_name["help"].setChecked(False))

    # ------------------------------------------------------------------ frames

    def _seen(self) -> bool:
        """Whether anyone can see the picture. Offscreen the model is kept going all the same."""
        handle = self.windowHandle()
        return (
            self.isVisible() and not self.isMinimized() and handle is not None
            and (handle.isExposed() or self.surface.offscreen)
        )  # fmt: skip

    def _tick(self) -> int:
        now_ns = time.monotonic_ns()
        self.model.tick(now_ns)
        if now_ns / 1e9 - self._refreshed >= REFRESH_SECONDS:
            self._refreshed = now_ns / 1e9
            self._refresh()
        return now_ns

    def _draw(self) -> None:
        now_ns = self._tick()
        self.canvas.set_scroll(self.model.right_edge(now_ns), self.model.columns_per_span)
        self.surface.draw()

    def _rest(self) -> None:
        self._tick()

    # ------------------------------------------------------------------ listening to the model

    def _follow(self, changed: frozenset[str]) -> None:
        """Show what the model says."""
        settings = self.model.settings
        self._changed_keys |= {key for key in changed if "." in key}
        if "histories" in changed:
            self.canvas.set_histories(self.model.histories)
        self.canvas.set_display(settings.display, self.model.sample_rate)
        self.side.follow(settings)
        self.menus.follow(settings)
        self.colour_bar.show_colours(settings.display)
        self.frames.set_fps(settings.display.fps)
        pause = self.actions_by_name["pause"]
        if pause.isChecked() != self.model.paused or not changed:
            pause.setChecked(self.model.paused)
            pause.setIcon(theme.icon("play" if self.model.paused else "pause"))
        self.actions_by_name["live"].setEnabled(self.model.paused)
        self._place_axes()

    def _place_axes(self) -> None:
        """Tell the axes where the panes are and what they show."""
        display, scale = self.model.settings.display, self.surface.scale
        rects = self.canvas.rects()
        names = pane_names(len(rects))
        panes = [
            (top / scale, height / scale, name)
            for (_, top, _, height), name in zip(rects, names, strict=True)
        ]
        self.frequency_axis.show_axis(display, self.model.sample_rate, panes)
        still_at = None
        if self.model.paused:
            still_at = self.model.right_sample(time.monotonic_ns()) / self.model.sample_rate
        if rects:
            self.bottom_axis.show_axis(
                *(display.span, still_at, (display.db_low, display.db_high)),
                waterfall=self.canvas.view().n_cols / scale,
                strip=self.canvas.strip_width / scale,
            )

    def _refresh(self) -> None:
        """The readings: meters, status line, banner, value under the pointer."""
        meter = self.model.meter
        self.meters.show_levels(meter.peak, meter.rms, meter.hold, meter.clipped)
        readout = self.model.readout
        self.status.show_readout(readout)
        self.header.show_source(readout)
        failure = self.canvas.failure
        error, until = self._error
        if time.monotonic() > until:
            error = ""
        self.banner.say(str(failure) if failure else error or readout.message)
        self._show_reading()
        self._place_axes()

    def _show_reading(self) -> None:
        place = self.canvas.place(*self._hover) if self._hover else None
        if place is None:
            self.status.show_reading(None, self.model.paused)
            return
        history = self.model.histories[place.pane]
        if place.column is None:
            reading = Reading(None, None, place.hz, place.db)
        else:
            view = self.canvas.view(place.pane)
            ago = (view.right_edge - place.column) * self.model.column_seconds
            seconds = self.model.shown.sample_at(place.column) / self.model.sample_rate
            reading = Reading(ago, seconds, place.hz, level_under(history, view, place))
        self.status.show_reading(reading, self.model.paused)

    # ------------------------------------------------------------------ asking for changes

    def act(self, action: Action) -> None:
        """Carry out a row of the table of keys."""
        if action.change is not None:
            self.change(action.change(self.model.settings, self.model.sample_rate))
        else:
            self._handlers[action.name]()
            self._follow(frozenset({"view"}))

    def change(self, changes: Changes) -> bool:
        """Ask the model; what it refuses is explained over the picture."""
        try:
            if changes:
                self.model.change(changes)
        except SettingsError as error:
            self._tell(str(error))
            self._follow(frozenset({"view"}))
            return False
        self._error = ("", 0.0)
        return True

    def _tell(self, message: str) -> None:
        self._error = (message, time.monotonic() + ERROR_SECONDS)
        self.banner.say(message)

    def _wheeled(self, steps: float, share: float, modifiers: Qt.KeyboardModifier) -> None:
        display, rate = self.model.settings.display, self.model.sample_rate
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self.change(keys.span_zoomed(display, keys.ZOOM**steps))
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.change(keys.levels_moved(display, -keys.DB_STEP * steps))
        else:
            self.change(keys.zoomed(display, rate, keys.ZOOM**steps, share))

    def _dragged(self, right: float, up: float) -> None:
        settings = self.model.settings
        if right:
            view = self.canvas.view()
            width = self.surface.width() * self.surface.scale / view.n_cols
            self.model.scroll(-right * width * settings.display.span)
        if up:
            self.change(keys.panned(settings.display, self.model.sample_rate, -up))

    def _reset_view(self) -> None:
        self.model.pause(False)
        self.act(keys.BY_NAME["whole"])

    def _hovered(self, pixel: tuple[int, int] | None) -> None:
        self._hover = pixel
        self.canvas.set_crosshair(pixel)
        self._show_reading()

    def _reset_meters(self) -> None:
        self.model.reset_clip()
        self.model.reset_hold()
        self._refresh()

    def _show_side(self, on: bool) -> None:
        self.side.setVisible(on)
        self.actions_by_name["side_panel"].setChecked(on)

    def set_fullscreen(self, on: bool) -> None:
        """The picture and its axes alone, on the whole screen."""
        self.header.setVisible(not on)
        self._show_side(not on)
        self.setWindowState(
            self.windowState() | Qt.WindowState.WindowFullScreen if on
            else self.windowState() & ~Qt.WindowState.WindowFullScreen
        )  # fmt: skip
        self.actions_by_name["fullscreen"].setChecked(on)

    def _escape(self) -> None:
        if self.help.isVisible():
            self.help.close_page()
        elif self.isFullScreen():
            self.set_fullscreen(False)

    # ------------------------------------------------------------------ pictures, end

    def save_picture(self, path: Path) -> None:
        """What the window shows, as a PNG in the pixels of the screen. Raises RealtimeError."""
        self._draw()
        self._refresh()
        self.surface.freeze()
        saved = self.grab().save(str(path), "PNG")
        self.surface.thaw()
        if not saved:
            raise RealtimeError(f"'{path}' cannot be written: name a file in a folder you may "
                                "write to, ending in .png")  # fmt: skip

    def _save_to_pictures(self) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        path = Path(folder) / f"spectrogram-{datetime.now():%Y%m%d-%H%M%S}.png"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.save_picture(path)
        except (OSError, RealtimeError) as error:
            self._tell(str(error))
        else:
            self._tell(f"saved as {path}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self._place_axes)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.frames.stop()
        if self._persistent:
            remember.remember_settings(self.model.settings, self._changed_keys)
            side = self.side.isVisible() or self.isFullScreen()
            remember.remember_place(self.saveGeometry(), side)
        if self._follow in self.model.changed:
            self.model.changed.remove(self._follow)
        self.model.close()
        super().closeEvent(event)


    def dispose(self) -> None:
        """Give the GL context back while there still is an application."""
        self.canvas.close()
        self.deleteLater()


def pane_names(n_panes: int) -> tuple[str, ...]:
    """How panes are told apart; one needs no name."""
    if n_panes <= 1:
        return ("",) * n_panes
    if n_panes == 2:
        return ("Left", "Right")
    return tuple(f"Channel {n + 1}" for n in range(n_panes))
