"""One pane of the picture as a vispy Visual: the waterfall and, at its right, the spectrum.

The ring of a `ColumnHistory` lies in one texture in the same layout, so an upload is contiguous
rows and scrolling is one uniform. How it looks (range, gamma, tilt, colours, axis) is uniforms
and two small tables, so a change applies to all history in the next frame and uploads none of it.
Uploads happen only inside `draw`: a hidden picture costs nothing.

GL calls happen in `draw` alone, on the thread that owns the canvas. GLSL 1.20, so that macOS
(OpenGL 2.1) and ES 2 can run it; without 16-bit textures the cells are kept in 8 bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import Texture2D, gl
from vispy.visuals import Visual

from realtime.config import DisplaySettings
from realtime.view.colormaps import lut
from realtime.view.history import ColumnHistory
from realtime.view.mapping import (
    CODE_MAX,
    FAR,
    OCTAVE_LIMIT,
    RowTable,
    TimeWalk,
    row_table,
    time_walk,
)
from realtime.view.shader import FRAGMENT, STRIP_GAP, VERTEX

GL_R16 = 0x822A
"""One channel of 16 bits, normalised (OpenGL 3.0, ARB_texture_rg)."""
LINE_PX = 1.0
"""Pixels on each side of the peak-hold line's centre."""
CROSS_OPACITY = 0.6
BACKGROUND = (0.05, 0.05, 0.06)
"""Where nothing is known: no sound yet, a gap, above half the sample rate."""


def supports_r16() -> bool:
    """Whether the current GL context keeps textures of 16 bits."""
    if "OpenGL ES" in str(gl.glGetParameter(gl.GL_VERSION)):
        return False
    gl.glGetError()
    handle = gl.glCreateTexture()
    gl.glBindTexture(gl.GL_TEXTURE_2D, handle)
    gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, GL_R16, gl.GL_LUMINANCE, gl.GL_UNSIGNED_SHORT, (1, 1))
    refused = gl.glGetError()
    gl.glDeleteTexture(handle)
    return refused == gl.GL_NO_ERROR


class Waterfall(Visual):
    """Draws one `ColumnHistory` into a rectangle of the canvas.

    deep : keep 16 bits a cell on the GPU; False for 8 (0.6 dB steps); None asks the driver.
    """

    def __init__(self, deep: bool | None = None):
        super().__init__(VERTEX, FRAGMENT)
        self._draw_mode = "triangle_strip"
        self.deep = deep
        self.uploaded = 0
        """Bytes of cells copied to the GPU so far."""
        self._history: ColumnHistory | None = None
        self._texture: Texture2D | None = None
        self._sent: list[int] = []
        self._epoch = -1
        self._hold_version = -1
        self._settled = (-1, -1)
        self._display = DisplaySettings()
        self._sample_rate = 48000
        self._right_edge = 0.0
        self._columns_per_span = 1.0
        self._spectrum_column: int | None = None
        self._size = (1, 1)
        self._strip = 0
        self._table_key: tuple[object, ...] = ()
        self._look_stale = True
        self._colormap = ""
        self._time: tuple[float, ...] = ()
        program = self.shared_program
        program["a_corner"] = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
        program["u_rect"] = (-1.0, -1.0, 1.0, 1.0)
        program["u_cross"] = (-1.0, -1.0, 0.0)
        program["u_background"] = (*BACKGROUND, 1.0)
        self.freeze()

    def _prepare_transforms(self, view: Visual) -> None:
        """Pixels are placed by `set_rect`; vispy's chain of transforms is not used."""

    # ------------------------------------------------------------------ what to show

    def set_history(self, history: ColumnHistory | None) -> None:
        if history is self._history:
            return
        old = self._history
        self._history = history
        self._epoch = -1
        self._table_key = ()
        if old is None or history is None or old.texture_shape != history.texture_shape:
            self._texture = None

    def set_rect(
        self, left: int, top: int, width: int, height: int, strip: int, canvas_size: tuple[int, int]
    ) -> None:
        """Place the pane: physical pixels from the upper left corner of the canvas.

        strip : how many of the pixels, at the right, show the spectrum; 0 for none.
        """
        canvas_width, canvas_height = canvas_size
        lower = canvas_height - top - height
        gap = STRIP_GAP if strip else 0
        self._size = (max(1, width - strip - gap), max(1, height))
        self._strip = strip
        program = self.shared_program
        program["u_rect"] = (
            2.0 * left / canvas_width - 1.0,
            2.0 * lower / canvas_height - 1.0,
            2.0 * (left + width) / canvas_width - 1.0,
            2.0 * (lower + height) / canvas_height - 1.0,
        )
        program["u_pane"] = (left, lower, self._size[0], height)

    def set_display(self, display: DisplaySettings, sample_rate: int) -> None:
        self._display = display
        self._sample_rate = sample_rate
        self._look_stale = True

    def set_scroll(self, right_edge: float, columns_per_span: float) -> None:
        self._right_edge = right_edge
        self._columns_per_span = columns_per_span

    def set_spectrum_column(self, column: int | None) -> None:
        """Show the spectrum of this column; None for that at the right edge."""
        self._spectrum_column = column

    def set_crosshair(self, x: int | None, row: int | None) -> None:
        """Column and row of pixels of this pane to draw lines at; None for no line."""
        self.shared_program["u_cross"] = (
            -1.0 if x is None else x,
            -1.0 if row is None else row,
            CROSS_OPACITY,
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the waterfall alone, in physical pixels."""
        return self._size

    # ------------------------------------------------------------------ drawing

    def draw(self) -> None:
        """Upload what is new and draw; needs a current GL context."""
        history = self._history
        if history is None or not self.visible:
            return
        if self._texture is None:
            self._make_texture(history)
        if self._look_stale:
            self._update_look()
        walk = time_walk(self._right_edge, self._columns_per_span, self._size[0], history.n_levels)
        self._update_rows(history)
        self._upload(history, walk.level)
        self._update_scroll(history, walk)
        self._program.draw(self._draw_mode)

    def _make_texture(self, history: ColumnHistory) -> None:
        limit = gl.glGetParameter(gl.GL_MAX_TEXTURE_SIZE)
        if max(history.texture_shape) > limit:
            raise RuntimeError(
                f"the picture needs a texture of {history.texture_shape}, this "
                f"OpenGL has at most {limit}; use --view terminal"
            )
        if self.deep is None:
            self.deep = supports_r16()
        self._texture = Texture2D(
            history.texture_shape, format="luminance", internalformat="r16" if self.deep else None
        )
        self._epoch = -1
        program = self.shared_program
        program["u_cells"] = self._texture
        height, width = history.texture_shape
        program["u_texture"] = (width, height, history.fold)

    def _update_look(self) -> None:
        self._look_stale = False
        display = self._display
        program = self.shared_program
        scale = 1.0 / (display.db_high - display.db_low)
        program["u_look"] = (display.db_low, scale, display.gamma, display.tilt)
        if self._colormap != display.colormap:
            self._colormap = display.colormap
            program["u_lut"] = Texture2D(lut(display.colormap)[None], interpolation="nearest")

    def _update_rows(self, history: ColumnHistory) -> None:
        display = self._display
        key = (
            display.scale,
            display.f_low,
            display.f_high,
            self._sample_rate,
            self._size[1],
            history.n_bins,
            history.bins_per_cell,
        )
        if key == self._table_key:
            return
        self._table_key = key
        table = row_table(
            self._size[1], display, self._sample_rate, history.n_bins, history.bins_per_cell
        )
        self.shared_program["u_rows"] = Texture2D(pack_rows(table), interpolation="nearest")

    def _upload(self, history: ColumnHistory, level: int) -> None:
        """Copy the new rows: at once those that are looked at, the other levels little by little.

        In the long run as many rows of other levels become complete as columns arrive, so that
        many a frame suffice, and no frame has to carry all levels that end in it.
        """
        if self._epoch != history.epoch:
            self._epoch = history.epoch
            self._sent = [0] * history.n_levels
            self._hold_version = -1
            self._settled = (-1, -1)
            self.shared_program["u_mean"] = float(history.reduce == "mean")
        budget = history.count - max(self._sent[0], history.oldest)
        self._send(history, 0, None)
        if level:
            self._send(history, level, None)
        for other in range(1, history.n_levels):
            if budget <= 0:
                break
            if other != level:
                budget -= self._send(history, other, budget)
        if self._settled != (level, history.count):
            self._settled = (level, history.count)
            row = history.settle(level)
            if row is not None:
                self._copy(history, row, row + 1)
        if self._hold_version != history.hold_version:
            self._hold_version = history.hold_version
            self._copy(history, history.hold_row, history.hold_row + 1)

    def _send(self, history: ColumnHistory, level: int, limit: int | None) -> int:
        done = history.count >> level
        sent = self._sent[level]
        if sent >= done:
            return 0
        n = 0
        for begin, end in history.rows_since(level, sent, limit):
            self._copy(history, begin, end)
            n += end - begin
        self._sent[level] = max(sent, done - history.ring(level)) + n
        return n

    def _copy(self, history: ColumnHistory, begin: int, end: int) -> None:
        fold = history.fold
        rows = history.cells[begin:end].reshape((end - begin) * fold, -1)
        if not self.deep:
            rows = to_bytes(rows)
        assert self._texture is not None
        self._texture.set_data(rows, offset=(begin * fold, 0))
        self.uploaded += rows.nbytes

    def _update_scroll(self, history: ColumnHistory, walk: TimeWalk) -> None:
        ring = history.ring(walk.level)
        low, high = (
            min(max(cell - walk.base, -FAR), FAR) for cell in history.valid_cells(walk.level)
        )
        program = self.shared_program
        program["u_scroll"] = (walk.start, walk.base % ring, low, high)
        time = (walk.step, float(walk.wide), ring, history.first_row(walk.level))
        if self._time != time:
            self._time = time
            program["u_time"] = time
        column = self._spectrum_column
        if column is None:
            column = min(int(np.ceil(self._right_edge)), history.count) - 1
        held = history.oldest <= column < history.count
        program["u_strip"] = (
            self._strip,
            column % history.n_columns if held else -1,
            history.hold_row if history.cells[history.hold_row, 0] else -1,
            LINE_PX / max(1, self._strip),
        )


def pack_rows(table: RowTable) -> NDArray[np.uint8]:
    """A `RowTable` as a texture of bytes, uint8 (2, n_rows, 4), exact on every OpenGL."""
    packed = np.zeros((2, len(table.first), 4), np.uint8)
    octaves = np.rint(table.octaves * (32767.0 / OCTAVE_LIMIT)).astype(np.int64) + 32768
    for line, byte, values in ((0, 0, table.first), (0, 2, table.last), (1, 0, octaves)):
        packed[line, :, byte] = values >> 8
        packed[line, :, byte + 1] = values & 255
    packed[1, :, 2] = np.where(table.valid, 255, 0)
    return packed


def to_bytes(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Codes in 8 bits, rounded (steps of 0.6 dB); only gaps become 0."""
    rounded = np.rint(codes * np.float32(255.0 / CODE_MAX)).astype(np.uint8)
    return np.maximum(rounded, codes > 0, dtype=np.uint8)
