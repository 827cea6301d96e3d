"""A gloo program that is drawn again and again, and a rectangle filled by one: the least a vispy
visual can be.

A `BaseVisual` with a plain gloo program: of vispy's transforms, filters, views and shader
templates it needs none, and they would cost half of a frame.
"""

from __future__ import annotations

import numpy as np
from vispy.gloo import Program
from vispy.visuals.visual import BaseVisual

from realtime.view.shader import VERTEX, fragment


class Painting(BaseVisual):
    """Draws a number of vertices as `primitive`, its uniforms set only where they change."""

    def __init__(self, vertex: str, fragment: str, primitive: str, n_vertices: int = 0):
        super().__init__()
        self.n_vertices = n_vertices
        self._primitive = primitive
        self._values: dict[str, object] = {}
        self._program = Program(vertex, fragment)
        self._known = False

    def set_rect(
        self, left: int, top: int, width: int, height: int, canvas_size: tuple[int, int]
    ) -> None:
        """Cover these physical pixels, counted from the upper left corner of the canvas."""
        canvas_width, canvas_height = canvas_size
        lower = canvas_height - top - height
        self.set(
            "u_rect",
            (
                2.0 * left / canvas_width - 1.0,
                2.0 * lower / canvas_height - 1.0,
                2.0 * (left + width) / canvas_width - 1.0,
                2.0 * (lower + height) / canvas_height - 1.0,
            ),
        )
        self.set("u_pane", (left, lower, width, height))

    def set(self, name: str, value: object) -> None:
        """Set a uniform, where it has changed."""
        if isinstance(value, tuple) and self._values.get(name) == value:
            return
        self._values[name] = value
        self._program[name] = value

    def draw(self) -> None:
        """Queue the drawing for the current canvas, whose `flush_commands` carries it out."""
        if not self._known:
            self._known = True
            self._program.draw(self._primitive)  # joins the queue of the canvas, with checks
        else:
            span = (0, self.n_vertices)
            self._program.glir.command("DRAW", self._program.id, self._primitive, span, 1)


class Quad(Painting):
    """main : the GLSL of `main` (see `shader`)."""

    def __init__(self, main: str):
        self._main = main
        self._flags: frozenset[str] = frozenset()
        super().__init__(VERTEX, fragment(main, self._flags), "triangle_strip", 4)
        self.set("a_corner", np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32))

    def set_flags(self, flags: frozenset[str]) -> None:
        """Choose the variant of the shader; compiled when it is drawn next."""
        if flags != self._flags:
            self._flags = flags
            self._program.set_shaders(VERTEX, fragment(self._main, flags))
