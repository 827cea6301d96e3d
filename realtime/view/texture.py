"""The cells of a `ColumnHistory` on the GPU, in the same layout, and what of them is there.

An upload is contiguous rows, and only of what is new. It happens in `update` alone, which is
called while drawing: what is never drawn is never uploaded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import Texture2D, gl

from realtime.view.history import ColumnHistory
from realtime.view.mapping import CODE_MAX

GL_R16 = 0x822A
"""One channel of 16 bits, normalised (OpenGL 3.0, ARB_texture_rg)."""
FEWEST_ROWS = 2
"""Rows of a time level that nobody looks at: fewer wait for more."""


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


class CellTexture:
    """Needs a current GL context.

    deep : keep 16 bits a cell; False for 8 (0.6 dB steps).

    Raises RuntimeError when the driver has no texture large enough.
    """

    def __init__(self, history: ColumnHistory, deep: bool):
        limit = gl.glGetParameter(gl.GL_MAX_TEXTURE_SIZE)
        if max(history.texture_shape) > limit:
            raise RuntimeError(
                f"the picture needs a texture of {history.texture_shape}, this driver has at "
                f"most {limit}"
            )
        self.deep = deep
        self.history = history
        self.texture = Texture2D(
            history.texture_shape, format="luminance", internalformat="r16" if deep else None
        )
        self._forget()

    def follow(self, history: ColumnHistory) -> bool:
        """Show another history in the same texture; False when it does not fit."""
        if history.texture_shape != self.history.texture_shape:
            return False
        self.history = history
        self._forget()
        return True

    def update(self, level: int) -> int:
        """Copy what is new; return the bytes copied.

        level : the time level that is looked at: it, level 0, the newest cell and the peak hold
            are copied at once. The other levels follow, the longest waiting line first, in such
            measure that in all no more rows of levels are copied than there are new columns: in
            the long run no more become complete. So no frame has to carry every level that ends
            in it. A row alone waits for another: a call costs more than a row.
        """
        history = self.history
        if self._epoch != history.epoch:
            self._forget()
        budget = history.count - max(self._sent[0], history.oldest)
        copied = self._send(0)
        if level:
            rows = self._send(level)
            copied += rows
            budget -= rows
        while budget > 0:
            waiting = [(history.count >> k) - sent for k, sent in enumerate(self._sent)]
            most = max(waiting)
            if most < min(budget, FEWEST_ROWS):
                break
            rows = self._send(waiting.index(most), budget)
            budget -= rows
            copied += rows
        newest = (level, history.count, history.hold_version)
        if self._newest != newest:
            self._newest = newest
            history.settle(level)
            copied += self._copy(history.newest_row, history.hold_row + 1)
        return copied * history.cells.shape[1] * (2 if self.deep else 1)

    def _forget(self) -> None:
        self._epoch = self.history.epoch
        self._sent = [0] * self.history.n_levels
        """Absolute cell up to which each level has been copied."""
        self._newest = (-1, -1, -1)

    def _send(self, level: int, limit: int | None = None) -> int:
        done = self.history.count >> level
        sent = self._sent[level]
        if sent >= done:
            return 0
        rows = 0
        for begin, end in self.history.rows_since(level, sent, limit):
            rows += self._copy(begin, end)
        self._sent[level] = max(sent, done - self.history.ring(level)) + rows
        return rows

    def _copy(self, begin: int, end: int) -> int:
        fold = self.history.fold
        rows = self.history.cells[begin:end].reshape((end - begin) * fold, -1)
        if not self.deep:
            rows = to_bytes(rows)
        # What Texture2D.set_data comes to, less its checks of type and range, which are half of it.
        self.texture.glir.command("DATA", self.texture.id, (begin * fold, 0), rows[:, :, None])
        return end - begin


def to_bytes(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Codes in 8 bits, rounded (steps of 0.6 dB); only gaps become 0."""
    rounded = np.rint(codes * np.float32(255.0 / CODE_MAX)).astype(np.uint8)
    return np.maximum(rounded, codes > 0, dtype=np.uint8)
