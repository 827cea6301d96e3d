"""The picture alone, without a display: realtime, bare gloo, vispy's Image. Prints JSON."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
from vispy import app, gloo, scene
from vispy.gloo import gl

from benchmarks.contenders import (
    FLOAT_IMAGE,
    GLOO,
    IMAGE,
    NEW_COLUMNS,
    OURS,
    RATE,
    WALL,
    Frame,
    columns,
    filled,
    print_figures,
    shift,
    take_turns,
)  # fmt: skip
from realtime.config import Settings
from realtime.dsp.levels import encode
from realtime.view.canvas import PictureCanvas
from realtime.view.history import ColumnHistory
from realtime.view.hold import PeakHold

HIDDEN_FRAMES = 1000
COUNTED_FRAMES = 200
"""Frames whose uploads are counted."""


def finish() -> None:
    if WALL:
        gl.glFinish()


def ours(bins: int, n_columns: int, size: tuple[int, int]) -> tuple[Frame, PictureCanvas, Any]:
    history = filled(bins, n_columns)
    canvas = PictureCanvas("egl", size)
    canvas.set_histories([history])
    canvas.set_display(Settings().display, RATE)
    hold = PeakHold([history])
    new = columns(bins + 1, 64)

    def scroll(i: int) -> None:
        at = NEW_COLUMNS * i % 64
        history.append(new[at : at + NEW_COLUMNS])
        hold.update([history], time.monotonic_ns())
        canvas.set_scroll(history.count - 0.3, n_columns - 1.0)

    def frame(i: int) -> None:
        scroll(i)
        canvas.set_current()
        canvas.events.draw()
        finish()

    return frame, canvas, scroll


def bare_gloo(bins: int, n_columns: int, size: tuple[int, int]) -> Frame:
    """The same ring: two columns made codes, two rows uploaded, one uniform, one quad."""
    canvas = app.Canvas(app="egl", size=size, autoswap=False)
    shape = ColumnHistory(bins + 1, n_columns).texture_shape
    texture = gloo.Texture2D(shape, format="luminance", internalformat="r16")
    program = gloo.Program(
        "attribute vec2 a; varying vec2 v; void main() { v = a; gl_Position = vec4(a, 0., 1.); }",
        "uniform sampler2D t; uniform float u; varying vec2 v;"
        "void main() { gl_FragColor = texture2D(t, v * 0.5 + 0.5 + u); }",
    )
    program["a"] = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)
    program["t"] = texture
    ring = np.zeros((n_columns, 2 * bins), np.uint16)
    new = columns(bins, 64)
    state = {"row": 0}

    def on_draw(_event: object) -> None:
        row = state["row"]
        ring[row : row + NEW_COLUMNS, :bins] = encode(new[row % 64 : row % 64 + NEW_COLUMNS])
        texture.set_data(ring[row : row + NEW_COLUMNS], offset=(row, 0))
        program["u"] = row / shape[0]
        program.draw("triangle_strip")

    canvas.events.draw.connect(on_draw)

    def frame(i: int) -> None:
        state["row"] = NEW_COLUMNS * i % n_columns
        canvas.set_current()
        canvas.events.draw()
        finish()

    frame.keep = canvas  # type: ignore[attr-defined]
    return frame


def vispy_image(bins: int, n_columns: int, size: tuple[int, int], texture: Any) -> Frame:
    canvas = scene.SceneCanvas(app="egl", size=size, autoswap=False)
    view = canvas.central_widget.add_view()
    data = np.zeros((bins, n_columns), np.float32)
    image = scene.visuals.Image(
        data, parent=view.scene, cmap="viridis", clim=(-100, 0), texture_format=texture
    )
    view.camera = scene.PanZoomCamera(rect=(0, 0, n_columns, bins))
    canvas.events.resize(size=size)
    new = columns(bins, NEW_COLUMNS).T

    def frame(_i: int) -> None:
        shift(data, new)
        image.set_data(data)
        canvas.set_current()
        canvas.events.draw()
        finish()

    frame.keep = canvas  # type: ignore[attr-defined]
    return frame


def egl(bins: int, n_columns: int, size: tuple[int, int]) -> dict[str, Any]:
    frame, canvas, scroll = ours(bins, n_columns, size)
    contenders = {OURS: frame, GLOO: bare_gloo(bins, n_columns, size)}
    for name, texture in ((FLOAT_IMAGE, np.float32), (IMAGE, None)):
        contenders[name] = vispy_image(bins, n_columns, size, texture)
    ms = take_turns(contenders)
    uploads = []
    for i in range(COUNTED_FRAMES):
        before = canvas.uploaded
        frame(i)
        uploads.append((canvas.uploaded - before) / 1024)
    before = canvas.uploaded
    for i in range(HIDDEN_FRAMES):
        scroll(i)
    hidden = (canvas.uploaded - before) / 1024
    kib = {OURS: statistics.fmean(uploads), FLOAT_IMAGE: bins * n_columns * 4 / 1024}
    return {"ms": ms, "kib": kib, "kib_most": max(uploads), "hidden_kib": hidden}


if __name__ == "__main__":
    print_figures(egl)
