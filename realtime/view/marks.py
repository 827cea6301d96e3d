"""The boxes one has drawn, over the waterfall of each pane: one draw call a pane, and none without
boxes.

What changes from frame to frame is one uniform; vertices are made again when the boxes or the
frequency axis have changed. GL calls happen in `draw` alone, on the thread that owns the canvas.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray
from vispy.gloo import VertexBuffer

from realtime.config import DisplaySettings
from realtime.view.boxes import Strip, borders
from realtime.view.mapping import share_of_hz
from realtime.view.quad import Painting

WHITE, BLACK = 1.0, 0.0
FILL_KEPT = (WHITE, 0.10)
"""Grey and opacity of what is heard: the picture shines through."""
FILL_TAKEN = (BLACK, 0.45)
"""Of what is not heard."""
HALO, LINE = (BLACK, 0.55), (WHITE, 0.95)
"""A light line with a dark one around it is seen on every colour map."""
HALO_PX, LINE_PX = 1.5, 0.5
"""Half widths, logical pixels."""
FAR = 1e6
"""Columns; further than any picture reaches."""

VERTEX = """
attribute vec2 a_place;       // column after the base, share of the frequency axis
attribute vec2 a_offset;      // logical pixels, right and up
attribute vec2 a_paint;       // grey, opacity
uniform vec2 u_time;          // share of the width at the base, shares a column
uniform vec4 u_rect;          // the pane in clip coordinates: left, lower, right, upper
uniform vec2 u_pixel;         // a logical pixel in clip coordinates
varying vec2 v_paint;
void main() {
    vec2 share = clamp(vec2(u_time.x + a_place.x * u_time.y, a_place.y), -1.0, 2.0);
    gl_Position = vec4(mix(u_rect.xy, u_rect.zw, share) + a_offset * u_pixel, 0.0, 1.0);
    v_paint = a_paint;
}
"""

FRAGMENT = """
uniform vec4 u_pane;          // left, lower edge, width, height; pixels
varying vec2 v_paint;
void main() {
    vec2 at = gl_FragCoord.xy - u_pane.xy;
    if (at.x < 0.0 || at.y < 0.0 || at.x > u_pane.z || at.y > u_pane.w) discard;
    gl_FragColor = vec4(vec3(v_paint.x), v_paint.y);
}
"""

VERTEX_TYPE = np.dtype(
    [("a_place", np.float32, 2), ("a_offset", np.float32, 2), ("a_paint", np.float32, 2)]
)
CORNERS = np.array([(0, 0), (1, 0), (0, 1), (0, 1), (1, 0), (1, 1)])
"""Two triangles."""

Pane = tuple[int, int, int, int]
"""left, top, width, height; physical pixels from the upper left corner of the canvas."""


class Marks:
    """`area` : what is drawn, empty for nothing."""

    def __init__(self) -> None:
        self.area: Sequence[Strip] = ()
        self._taken = False
        self._stale = True
        self._base = 0.0
        self._panes: list[_Outline] = []

    def set_area(self, area: Sequence[Strip], taken: bool) -> None:
        """area : its times in absolute columns. taken : what lies inside is not heard."""
        self.area, self._taken = area, taken
        self._stale = True

    def set_axis(self) -> None:
        """The frequency axis has changed."""
        self._stale = True

    def draw(
        self,
        panes: Sequence[Pane],
        canvas: tuple[int, int],
        scale: float,
        scroll: tuple[float, float],
        axis: tuple[DisplaySettings, int],
    ) -> None:
        """Needs a current GL context; blending is on.

        panes : the waterfalls. scale : physical pixels in a logical one. scroll : column at the
        right edge and columns across. axis : display settings and sample rate.
        """
        if self._stale or len(self._panes) != len(panes):
            self._stale = False
            starts = [strip.start for strip in self.area if isfinite(strip.start)]
            self._base = min(starts, default=0.0)
            made = vertices(self.area, self._base, self._taken, *axis)
            self._panes = (self._panes + [_Outline() for _ in panes])[: len(panes)]
            for outline in self._panes:
                outline.set_vertices(made)
        right, across = scroll
        for outline, pane in zip(self._panes, panes, strict=True):
            outline.set_rect(*pane, canvas)
            outline.set("u_pixel", (2.0 * scale / canvas[0], 2.0 * scale / canvas[1]))
            outline.set("u_time", (1.0 + (self._base - right) / across, 1.0 / across))
            outline.draw()


class _Outline(Painting):
    """In one pane."""

    def __init__(self) -> None:
        super().__init__(VERTEX, FRAGMENT, "triangles")

    def set_vertices(self, made: NDArray[np.void]) -> None:
        self._program.bind(VertexBuffer(made))
        self.n_vertices = len(made)


def vertices(
    area: Sequence[Strip], base: float, taken: bool, display: DisplaySettings, sample_rate: int
) -> NDArray[np.void]:
    """Triangles of the fill, then of the outline; `VERTEX_TYPE` (n,). Times are after `base`."""
    rects = [(s.start, s.stop, low, high) for s in area for low, high in s.bands]
    edges = [(start, stop, hz, hz) for start, stop, *band in rects for hz in band]
    sides = [(at, at, low, high) for at, (low, high) in borders(area)]
    lines = [*edges, *sides]
    parts = [_quads(rects, base, 0.0, FILL_TAKEN if taken else FILL_KEPT, display, sample_rate)]
    for half, paint in ((HALO_PX, HALO), (LINE_PX, LINE)):
        parts.append(_quads(lines, base, half, paint, display, sample_rate))
    return np.concatenate(parts)


def _quads(
    rects: Sequence[tuple[float, float, float, float]],
    base: float,
    half: float,
    paint: tuple[float, float],
    display: DisplaySettings,
    sample_rate: int,
) -> NDArray[np.void]:
    """Rectangles of columns and Hz, made `half` a pixel wider where they have no width."""
    corners = np.array(rects, np.float64).reshape(-1, 2, 2)
    made = np.zeros((len(corners), len(CORNERS)), VERTEX_TYPE)
    columns = np.clip(corners[:, 0] - base, -FAR, FAR)
    shares = share_of_hz(corners[:, 1], display, sample_rate)
    for axis, ends in enumerate((columns, shares)):
        thin = corners[:, axis, 0] == corners[:, axis, 1]
        made["a_place"][..., axis] = ends[:, CORNERS[:, axis]]
        made["a_offset"][..., axis] = thin[:, None] * np.where(CORNERS[:, axis], half, -half)
    made["a_paint"] = paint
    return made.ravel()
