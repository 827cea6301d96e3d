"""One pane of the picture as vispy Visuals: the waterfall and, at its right, the spectrum.

Scrolling is one uniform; how it looks (range, gamma, tilt, colours, axis) is uniforms and two
small tables, so a change applies to all history in the next frame and uploads none of it.

GL calls happen in `draw` alone, on the thread that owns the canvas.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import Texture2D

from realtime.config import DisplaySettings
from realtime.view.colormaps import lut
from realtime.view.history import GAP, ColumnHistory
from realtime.view.mapping import FAR, OCTAVE_LIMIT, RowTable, row_table, time_walk
from realtime.view.quad import Quad
from realtime.view.shader import SPECTRUM, WATERFALL
from realtime.view.texture import CellTexture, supports_r16

STRIP_GAP = 2
"""Pixels between the waterfall and the spectrum beside it."""
LINE_PX = 1.0
"""Pixels on each side of the peak-hold line's centre."""
CROSS_OPACITY = 0.6
BACKGROUND = (0.05, 0.05, 0.06, 1.0)
"""Where nothing is known: no sound yet, a gap, above half the sample rate."""
NO_CELL = 65535
"""In the table of rows: nothing to show."""


class Waterfall(Quad):
    """Draws one `ColumnHistory` into a rectangle of the canvas.

    deep : keep 16 bits a cell on the GPU; False for 8 (0.6 dB steps); None asks the driver.
    """

    def __init__(self, deep: bool | None = None):
        super().__init__(WATERFALL)
        self.deep = deep
        self.uploaded = 0
        """Bytes of cells copied to the GPU so far."""
        self.spectrum = Quad(SPECTRUM)
        self.size = (1, 1)
        """Width and height of the waterfall alone, in physical pixels."""
        self._strip = 0
        self._history: ColumnHistory | None = None
        self._cells: CellTexture | None = None
        self._display = DisplaySettings()
        self._sample_rate = 48000
        self._right_edge = 0.0
        self._columns_per_span = 1.0
        self._spectrum_column: int | None = None
        self._colormap = ""
        self._table_key: tuple[object, ...] = ()
        self._stale = True
        self._epoch = -1
        self.set_both("u_background", BACKGROUND)
        self.set_crosshair(None, None)
        self.freeze()

    # ------------------------------------------------------------------ what to show

    def set_history(self, history: ColumnHistory) -> None:
        if history is not self._history:
            self._history = history
            if self._cells is not None and not self._cells.follow(history):
                self._cells = None
            self._stale = True

    def set_rect(
        self,
        left: int,
        top: int,
        width: int,
        height: int,
        canvas_size: tuple[int, int],
        strip: int = 0,
    ) -> None:
        """Place the pane; `strip` of its pixels, at the right, show the spectrum."""
        gap = STRIP_GAP if strip else 0
        self.size = (max(1, width - strip - gap), height)
        self._strip = strip
        super().set_rect(left, top, *self.size, canvas_size)
        self.spectrum.set_rect(left + width - strip, top, max(1, strip), height, canvas_size)

    def set_display(self, display: DisplaySettings, sample_rate: int) -> None:
        self._display = display
        self._sample_rate = sample_rate
        self._stale = True

    def set_scroll(self, right_edge: float, columns_per_span: float) -> None:
        self._right_edge = right_edge
        self._columns_per_span = columns_per_span

    def set_spectrum_column(self, column: int | None) -> None:
        """Show the spectrum of this column; None for that at the right edge."""
        self._spectrum_column = column

    def set_crosshair(self, x: int | None, row: int | None) -> None:
        """Column and row of pixels of this pane to draw lines at; None for no line."""
        y = -1.0 if row is None else float(row)
        self.set("u_cross", (-1.0 if x is None else float(x), y, CROSS_OPACITY))
        self.spectrum.set("u_cross", (-1.0, y, CROSS_OPACITY))

    def set_both(self, name: str, value: object) -> None:
        """Set a uniform of the waterfall and of the spectrum."""
        self.set(name, value)
        self.spectrum.set(name, value)

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Upload what is new and draw; needs a current GL context."""
        history = self._history
        if history is None:
            return
        if self._cells is None:
            if self.deep is None:
                self.deep = supports_r16()
            self._cells = CellTexture(history, self.deep)
            height, width = history.texture_shape
            self.set_both("u_cells", self._cells.texture)
            self.set_both("u_texture", (width, height, history.fold))
        self._update_rows(history)
        if self._stale or self._epoch != history.epoch:
            self._stale = False
            self._epoch = history.epoch
            self._update_look(history)
        walk = time_walk(self._right_edge, self._columns_per_span, self.size[0], history.n_levels)
        self.uploaded += self._cells.update(walk.level)
        ring = history.ring(walk.level)
        low, high = (
            min(max(cell - walk.base, -FAR), FAR) for cell in history.valid_cells(walk.level)
        )
        self.set("u_scroll", (walk.start, walk.base % ring, low, high))
        self.set("u_newest", (history.newest_row,))
        self.set("u_time", (walk.step, float(walk.wide), ring, history.first_row(walk.level)))
        super().draw()
        if self._strip:
            self._draw_spectrum(history)

    def _draw_spectrum(self, history: ColumnHistory) -> None:
        column = self._spectrum_column
        if column is None:
            column = min(ceil(self._right_edge), history.count) - 1
        row = column % history.n_columns if history.oldest <= column < history.count else -1
        hold = history.hold_row if history.cells[history.hold_row, 0] != GAP else -1
        self.spectrum.set("u_strip", (row, hold, LINE_PX / self._strip))
        self.spectrum.draw()

    def _update_look(self, history: ColumnHistory) -> None:
        display = self._display
        scale = 1.0 / (display.db_high - display.db_low)
        self.set_both("u_look", (display.db_low, scale, display.gamma, display.tilt))
        if self._colormap != display.colormap:
            self._colormap = display.colormap
            self.set_both("u_lut", Texture2D(lut(display.colormap)[None]))
        asked = {
            "MEAN": history.reduce == "mean",
            "TILT": display.tilt != 0.0,
            "GAMMA": display.gamma != 1.0,
            "FOLD": history.fold > 1,
        }
        flags = frozenset(flag for flag, on in asked.items() if on)
        self.set_flags(flags)
        self.spectrum.set_flags(flags)

    def _update_rows(self, history: ColumnHistory) -> None:
        display = self._display
        table = (self.size[1], display, self._sample_rate, history.n_bins, history.bins_per_cell)
        key = (display.scale, display.f_low, display.f_high, *table[:1], *table[2:])
        if key != self._table_key:
            self._table_key = key
            self.set_both("u_rows", Texture2D(pack_rows(row_table(*table))))


def pack_rows(table: RowTable) -> NDArray[np.uint8]:
    """A `RowTable` as a texture of bytes, uint8 (2, n_rows, 4), exact on every OpenGL."""
    packed = np.zeros((2, len(table.first), 4), np.uint8)
    first = np.where(table.valid, table.first, NO_CELL)
    octaves = np.rint(table.octaves * (32767.0 / OCTAVE_LIMIT)).astype(np.int64) + 32768
    for line, byte, values in ((0, 0, first), (0, 2, table.last), (1, 0, octaves)):
        packed[line, :, byte] = values >> 8
        packed[line, :, byte + 1] = values & 255
    return packed
