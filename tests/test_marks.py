"""Boxes over the picture, drawn by real (software) OpenGL."""

from __future__ import annotations

import os

os.environ.setdefault("EGL_PLATFORM", "surfaceless")

import numpy as np
import pytest
from vispy.app.backends import _egl
from vispy.ext import egl

from realtime.config import DisplaySettings
from realtime.dsp.processors.parameters import Box
from realtime.view.boxes import strips
from realtime.view.canvas import PictureCanvas
from realtime.view.history import ColumnHistory
from realtime.view.mapping import share_of_hz

RATE = 48000
WIDTH, HEIGHT = 400, 240
SPAN = 200.0
EDGE_PX = 2.5
"""Nearer to an outline than this, a pixel may belong to it."""


@pytest.fixture(autouse=True, scope="module")
def _no_context_left():
    """Qt cannot make its own context current in a thread where one of EGL's still is."""
    yield
    nothing = (egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)
    egl.eglMakeCurrent(_egl._EGL_DISPLAY, *nothing)


@pytest.fixture
def canvas():
    """Two panes of a level in the middle of the colours, 900 columns so far."""
    canvas = PictureCanvas("egl", (WIDTH, HEIGHT))
    histories = [ColumnHistory(513, 1024) for _ in range(2)]
    for history in histories:
        history.append(np.full((900, 513), -50, np.float32))
    canvas.set_histories(histories)
    canvas.set_display(DisplaySettings(scale="mel", f_low=0, colormap="gray"), RATE)
    canvas.set_scroll(900.0, SPAN)
    yield canvas
    canvas.close()


def distance(canvas, box, pane):
    """Pixels from the outline of a box, positive inside, for each pixel of a waterfall."""
    view = canvas.view(pane)
    x = np.arange(view.n_cols) + 0.5
    y = np.arange(view.n_rows) + 0.5
    start, stop = (-np.inf, np.inf) if box.stop == 0 else (box.start, box.stop)
    left, right = (
        (1 + (column - view.right_edge) / view.columns_per_span) * view.n_cols
        for column in (start, stop)
    )
    lower, upper = (
        (1 - share_of_hz(hz, view.display, RATE)) * view.n_rows for hz in (box.f_low, box.f_high)
    )
    across = np.minimum(x - left, right - x)
    along = np.minimum(y - upper, lower - y)
    return np.minimum(across[None, :], along[:, None])


def change(canvas, boxes, taken=False):
    """What marks add to the grey of each pixel of the canvas."""
    canvas.set_marks(())
    before = canvas.grab()[..., 1].astype(int)
    canvas.set_marks(strips(boxes), taken)
    return canvas.grab()[..., 1].astype(int) - before


@pytest.mark.parametrize(
    "box", [Box(1000, 6000, 750, 850), Box(500, 2000), Box(4000, 24000, 600, 720)]
)
@pytest.mark.parametrize("taken", [False, True])
def test_a_box_is_filled_and_outlined_where_it_lies_in_every_pane(canvas, box, taken):
    added = change(canvas, [box], taken)
    sign = -1 if taken else 1
    for pane, (left, top, _, _) in enumerate(canvas.rects()):
        view = canvas.view(pane)
        here = added[top : top + view.n_rows, left : left + view.n_cols]
        away = distance(canvas, box, pane)
        assert (here[away < -EDGE_PX] == 0).all()
        assert (sign * here[away > EDGE_PX] > 5).all()
        assert (here[np.abs(away) < 0.5] > 60).mean() > 0.95, "a light line"
        added[top : top + view.n_rows, left : left + view.n_cols] = 0
    assert (added == 0).all(), "neither the spectrum nor the gap between panes"


def test_a_box_moves_with_its_sound_and_with_the_axis(canvas):
    box = Box(1000, 6000, 780, 850)
    for right, display in ((900.0, {}), (930.5, {}), (930.5, {"scale": "log", "f_low": 100})):
        canvas.set_scroll(right, SPAN)
        canvas.set_display(DisplaySettings(colormap="gray", **display), RATE)
        added = change(canvas, [box])[: canvas.view().n_rows, : canvas.view().n_cols]
        assert ((added > 5) == (distance(canvas, box, 0) > 0)).mean() > 0.98
        canvas.set_marks(strips([box]))


def test_boxes_that_overlap_are_one_area_with_one_outline(canvas):
    one = change(canvas, [Box(1000, 6000, 750, 850)])
    three = change(canvas, [Box(1000, 6000, 750, 820), Box(1000, 6000, 800, 850),
                            Box(2000, 5000, 760, 840)])  # fmt: skip
    assert (one == three).all()


def test_no_boxes_draw_nothing_and_ask_nothing_of_the_gpu(canvas):
    canvas.set_marks(())
    canvas.grab()
    assert canvas._marks._panes == []
