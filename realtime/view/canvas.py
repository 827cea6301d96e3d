"""The GL canvas in the middle of the window: one pane of waterfall and spectrum a channel.

Everything here belongs to the main thread. Nothing touches GL before a `PictureCanvas` is made,
nothing is uploaded before it is drawn. All pixel positions are physical pixels from the upper
left corner. Axes, colour bar and meters are widgets around it: here every pixel is sound.

    canvas = PictureCanvas("pyside6", parent=window)      # canvas.native is a QOpenGLWidget
    canvas.native.frameSwapped.connect(next_frame)        # the display's own clock
    def next_frame():
        model.tick(now); canvas.set_scroll(model.right_edge(now), model.columns_per_span)
        canvas.update()
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from vispy import app
from vispy.gloo import read_pixels

from realtime.config import DisplaySettings
from realtime.errors import MissingDependency
from realtime.view.boxes import Strip
from realtime.view.history import ColumnHistory
from realtime.view.mapping import View, row_to_hz, x_to_column
from realtime.view.marks import Marks
from realtime.view.waterfall import Waterfall

PANE_GAP = 2
"""Pixels between two panes."""
SEPARATOR = (0.35, 0.35, 0.35, 1.0)
"""Colour between panes."""
NOMINAL_DPI = 96.0
"""Told to vispy, which would run the program xdpyinfo to ask; nothing here depends on it."""
OVER = ("src_alpha", "one_minus_src_alpha", "zero", "one")
"""Blending that leaves the canvas itself opaque."""
STRIP_MAX_SHARE = 0.5
"""The spectrum never takes more than half of the canvas."""


@dataclass(frozen=True)
class Place:
    """What lies under a pixel: pane, absolute column (fractional), frequency.

    column is None over the spectrum, whose level axis then gives `db`.
    """

    pane: int
    row: int
    hz: float
    column: float | None
    db: float | None


class PictureCanvas(app.Canvas):
    """A vispy canvas of stacked panes.

    backend : "pyside6", a widget (`native`); or "egl", without display (EGL_PLATFORM=surfaceless).
    size : logical pixels.
    deep : see `Waterfall`.

    Raises MissingDependency when no OpenGL context can be made.
    """

    def __init__(
        self,
        backend: Literal["pyside6", "egl"] = "pyside6",
        size: tuple[int, int] = (1280, 720),
        parent: Any = None,
        deep: bool | None = None,
    ):
        self.strip_share = 0.18
        """Share of the width that the spectrum takes; 0 hides it."""
        self.failure: MissingDependency | None = None
        """Why nothing is drawn: the driver refused; shown by the window instead of the picture."""
        self._deep = deep
        self._panes: list[Waterfall] = []
        self._marks = Marks()
        self._display = DisplaySettings()
        self._sample_rate = 48000
        self._scroll = (0.0, 1.0)
        self._layout: tuple[object, ...] = ()
        self._ready = False
        try:
            if backend == "pyside6":
                _probe_qt()
            super().__init__(
                title="realtime",
                size=size,
                parent=parent,
                app=app.Application(backend),
                autoswap=False,
                show=False,
                dpi=NOMINAL_DPI,
            )
        except Exception as error:
            raise no_opengl(error) from error
        # Nobody hears the deprecated event, and `on_draw` flushes by itself: a tenth of a frame.
        self.events.draw.disconnect(self.events.paint)
        self.events.draw.disconnect(self.context.flush_commands)

    # ------------------------------------------------------------------ what to show

    def set_histories(self, histories: Sequence[ColumnHistory]) -> None:
        """Show these, one pane each, the first on top."""
        while len(self._panes) < len(histories):
            pane = Waterfall(deep=self._deep)
            pane.set_display(self._display, self._sample_rate)
            pane.set_scroll(*self._scroll)
            self._panes.append(pane)
        del self._panes[len(histories) :]
        for pane, history in zip(self._panes, histories, strict=True):
            pane.set_history(history)
        self._layout = ()

    def set_display(self, display: DisplaySettings, sample_rate: int) -> None:
        """How it looks, from the next frame on; uploads no sound."""
        self._display, self._sample_rate = display, sample_rate
        self._marks.set_axis()
        for pane in self._panes:
            pane.set_display(display, sample_rate)

    def set_scroll(self, right_edge: float, columns_per_span: float) -> None:
        """Absolute column, fractional, at the right edge, and columns across the waterfall."""
        self._scroll = (right_edge, columns_per_span)
        for pane in self._panes:
            pane.set_scroll(right_edge, columns_per_span)

    def set_crosshair(self, position: tuple[int, int] | None) -> None:
        """Lines through a pixel, repeated at the same place in every pane; None for none."""
        column = row = None
        if position is not None:
            self._lay_out()
            x, y = position
            for index, (left, top, width, height) in enumerate(self.rects()):
                if top <= y < top + height:
                    row = y - top
                    column = x - left if x - left < min(width, self._panes[index].size[0]) else None
        for pane in self._panes:
            pane.set_crosshair(column, row)

    def set_marks(self, area: Sequence[Strip], taken: bool = False) -> None:
        """Outline this area in every pane; its times are absolute columns. See `Marks`."""
        self._marks.set_area(area, taken)

    def set_spectrum_column(self, column: int | None) -> None:
        """Column whose spectrum is shown; None for that at the right edge."""
        for pane in self._panes:
            pane.set_spectrum_column(column)

    # ------------------------------------------------------------------ geometry

    def rects(self) -> list[tuple[int, int, int, int]]:
        """left, top, width, height of each pane, its spectrum included."""
        width, height = self._pixels()
        n = len(self._panes)
        edges = [round(i * (height + PANE_GAP) / n) for i in range(n + 1)] if n else []
        return [(0, a, width, max(1, b - a - PANE_GAP)) for a, b in itertools.pairwise(edges)]

    @property
    def strip_width(self) -> int:
        """Pixels of the spectrum beside each waterfall."""
        return int(min(self.strip_share, STRIP_MAX_SHARE) * self._pixels()[0])

    def view(self, pane: int = 0) -> View:
        """What a pane shows, for `mapping.render_reference` and the cursor."""
        self._lay_out()
        n_cols, n_rows = self._panes[pane].size
        return View(n_rows, n_cols, *self._scroll, self._display, self._sample_rate)

    def place(self, x: float, y: float) -> Place | None:
        """What lies under a pixel; None between panes and outside."""
        for index, (left, top, width, height) in enumerate(self.rects()):
            if not (top <= y < top + height and left <= x < left + width):
                continue
            view = self.view(index)
            row = int(y - top)
            hz = row_to_hz(row, view.n_rows, self._display, self._sample_rate)
            if x - left < view.n_cols:
                return Place(index, row, hz, x_to_column(x - left, view), None)
            share = (x - left - (width - self.strip_width) + 0.5) / max(1, self.strip_width)
            low, high = self._display.db_low, self._display.db_high
            return Place(index, row, hz, None, low + max(0.0, share) * (high - low))
        return None

    # ------------------------------------------------------------------ drawing

    @property
    def uploaded(self) -> int:
        """Bytes of cells copied to the GPU so far."""
        return sum(pane.uploaded for pane in self._panes)

    def on_draw(self, _event: object) -> None:
        """Called by the backend with a current context."""
        if self.failure is not None:
            return
        try:
            if not self._ready:
                self._ready = True
                self.context.set_state(
                    blend=False, depth_test=False, dither=False, clear_color=SEPARATOR
                )
            self._lay_out()
            self.context.clear(depth=False, stencil=False)
            for pane in self._panes:
                pane.draw()
            if self._marks.area:
                self._draw_marks()
            self.context.flush_commands()
        except RuntimeError as error:
            self.failure = no_opengl(error)

    def _draw_marks(self) -> None:
        panes = [
            (left, top, pane.size[0], pane.size[1])
            for pane, (left, top, _, _) in zip(self._panes, self.rects(), strict=True)
        ]
        self.context.set_state(blend=True, blend_func=OVER)
        axis = self._display, self._sample_rate
        self._marks.draw(panes, self._pixels(), self.pixel_scale, self._scroll, axis)
        self.context.set_state(blend=False)

    def grab(self) -> NDArray[np.uint8]:
        """Draw and read back: RGBA uint8 (height, width, 4), physical pixels.

        Raises MissingDependency when the driver cannot draw. A widget must have been shown once.
        """
        self.set_current()
        self.events.draw()
        if self.failure is not None:
            raise self.failure
        return np.ascontiguousarray(read_pixels((0, 0, *self._pixels())), np.uint8)

    def _pixels(self) -> tuple[int, int]:
        width, height = self.physical_size
        return max(1, int(width)), max(1, int(height))

    def _lay_out(self) -> None:
        layout = (self.physical_size, self.strip_share, len(self._panes))
        if layout == self._layout:
            return
        self._layout = layout
        size = self._pixels()
        self.context.set_viewport(0, 0, *size)
        for pane, rect in zip(self._panes, self.rects(), strict=True):
            pane.set_rect(*rect, size, self.strip_width)


def no_opengl(error: object) -> MissingDependency:
    """The sentence for a machine that cannot draw."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return MissingDependency(
        f"OpenGL does not work here ({reason}): install it (Debian: apt install libgl1 libegl1 "
        "libgl1-mesa-dri) or use the terminal: realtime live --view terminal"
    )


def _probe_qt() -> None:
    """Raise RuntimeError where Qt has no OpenGL, which would only show as a blank widget."""
    from PySide6 import QtGui, QtWidgets

    if QtWidgets.QApplication.instance() is None:
        QtWidgets.QApplication([])
    if not QtGui.QOpenGLContext().create():
        raise RuntimeError(f"Qt's platform {QtGui.QGuiApplication.platformName()!r} has none")
