"""The terminal's page: waterfall, axes, a status line and the keys, laid out in cells.

A function of the model and of what was pressed; it writes to no terminal.
"""

from __future__ import annotations

from functools import lru_cache
from math import floor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realtime.config import DisplaySettings
from realtime.errors import SettingsError
from realtime.view.axes import frequency_ticks, time_ticks
from realtime.view.cells import PLAIN, Cells, blank, half_blocks, shades, write
from realtime.view.keys import BY_NAME, Action, help_rows
from realtime.view.mapping import View, colour_index, render_reference
from realtime.view.model import LiveModel
from realtime.view.sound import actions_for
from realtime.view.statusline import status_text

GUTTER = 8
"""Cells left of the picture for the time axis: "−10:00" and a mark."""
FOOTER = 2
"""Rows below the picture: frequency axis, status line."""
LEAST_ROWS, LEAST_COLUMNS = 5, 24
LEAST_PANE = 12
"""Cells; a narrower pane shows nothing, so that only as many channels are drawn as have room."""
TICK_ROOM = 7
"""Cells from one frequency label to the next: mark, "12.5k", space."""
TIME_ROOM = 5
"""Rows from one time label to the next."""
SCROLL_SHARE = 0.1
"""Share of the span that one key goes back or forward."""
REFUSAL_NS = 4_000_000_000
"""How long a refused change stays on the status line."""

PERFORMED = (
    "pause", "back", "forward", "live", "reset_hold", "save_sound", "quit", "help", "escape",
    "panic",
)  # fmt: skip
"""Actions without `change` that a terminal can do; the window has more."""


def shown_actions(monitors: bool) -> tuple[Action, ...]:
    """What a terminal can do of the table of a run."""
    table = actions_for(monitors)
    return tuple(a for a in table if a.change is not None or a.name in PERFORMED)


class Page:
    """`press` keys, then take `cells`; `top` counts the rows the picture has moved down so far."""

    def __init__(self, model: LiveModel, glyphs: bool = True):
        self._model = model
        self._actions = shown_actions(model.monitors)
        self._keys = {key: action for action in self._actions for key in action.keys}
        self._glyphs = glyphs
        self._help = False
        self._refusal = ""
        self._refused_ns = 0
        self._now_ns = 0
        self.over = False
        self.top = 0
        self.height = 0

    @property
    def colormap(self) -> str:
        return self._model.settings.display.colormap

    def press(self, key: str) -> None:
        """Do what a key means, by its name in `keys.ACTIONS`; unknown keys do nothing."""
        action = self._keys.get(key)
        if action is None:
            return
        model = self._model
        if action.change is not None:
            try:
                model.change(action.change(model.settings, model.sample_rate))
            except SettingsError as error:
                self._refusal, self._refused_ns = str(error), self._now_ns
            return
        step = SCROLL_SHARE * model.settings.display.span
        match action.name:
            case "pause":
                model.pause(not model.paused)
            case "back":
                model.scroll(-step)
            case "forward":
                model.scroll(step)
            case "live":
                model.pause(False)
            case "reset_hold":
                model.reset_hold()
                model.reset_clip()
            case "panic":
                model.panic()
            case "save_sound":
                model.save_sound(Path.cwd())
            case "help":
                self._help = not self._help
            case "escape":
                self._help = False
            case "quit":
                self.over = True

    def cells(self, n_rows: int, n_columns: int, now_ns: int, colours: bool = True) -> Cells:
        """The screen, (n_rows, n_columns, 3)."""
        self._now_ns = now_ns
        screen = blank(n_rows, n_columns)
        self.height = n_rows - FOOTER
        if n_rows < LEAST_ROWS or n_columns < LEAST_COLUMNS:
            self.height = 0
            write(screen, 0, 0, f"make me {LEAST_COLUMNS} x {LEAST_ROWS}")
            return screen
        self._draw_panes(screen, now_ns, colours and self._glyphs)
        self._draw_times(screen)
        write(screen, n_rows - 1, 0, self._status(n_columns))
        if self._help:
            self._draw_help(screen)
        if not self._glyphs:
            signs = screen[..., 0]
            signs[signs == ord("−")] = ord("-")
            signs[signs > 126] = ord("'")
        return screen

    def _draw_panes(self, screen: Cells, now_ns: int, half: bool) -> None:
        histories = self._model.histories
        room = screen.shape[1] - GUTTER
        n_panes = min(len(histories), max(1, room // LEAST_PANE))
        width = (room - (n_panes - 1)) // n_panes
        for i in range(n_panes):
            left = GUTTER + i * (width + 1)
            levels = self._levels(i, width, now_ns)
            screen[: self.height, left : left + width] = (half_blocks if half else shades)(levels)
            self._draw_frequencies(screen, left, width)

    def _levels(self, pane: int, width: int, now_ns: int) -> NDArray[np.int_]:
        """Colour steps, newest line first, low frequencies left; `PLAIN` where nothing is known.

        Lines stand on multiples of their own length since the stream began, so that they look the
        same wherever they have moved to.
        """
        model = self._model
        n_lines = 2 * self.height
        per_line = model.columns_per_span / n_lines
        complete = floor(model.right_edge(now_ns) / per_line)
        self.top = (complete + 1) // 2
        view = View(
            n_rows=width,
            n_cols=n_lines,
            right_edge=2 * self.top * per_line,
            columns_per_span=model.columns_per_span,
            display=model.settings.display,
            sample_rate=model.sample_rate,
        )
        db = render_reference(model.histories[pane], view).T[::-1, ::-1]
        steps = colour_index(db, model.settings.display).astype(np.int32)
        levels = np.where(np.isnan(db), PLAIN, steps)
        if complete < 2 * self.top:
            levels[0] = PLAIN  # not yet complete: it would change its look
        return levels

    def _draw_frequencies(self, screen: Cells, left: int, width: int) -> None:
        row = self.height
        model = self._model
        for at, label in _frequency_labels(model.settings.display, model.sample_rate, width):  # type: ignore
            write(screen, row, left + at, f"╵{label}")

    def _draw_times(self, screen: Cells) -> None:
        for row, label in _time_labels(self._model.settings.display.span, self.height):
            write(screen, row, 0, f"{label:>{GUTTER - 1}}")

    def _status(self, n_columns: int) -> str:
        if self._refusal and self._now_ns - self._refused_ns < REFUSAL_NS:
            return self._refusal
        hint = f"  {BY_NAME['help'].keys[0].lower()} keys"
        message = self._model.readout.message
        text = f"{message} · {status_text(self._model)}" if message else status_text(self._model)
        return f"{text[: n_columns - len(hint)]:<{n_columns - len(hint)}}{hint}"

    def _draw_help(self, screen: Cells) -> None:
        rows = [
            f" {' '.join(keys):<14} {text} "
            for menu in dict.fromkeys(action.menu for action in self._actions)
            for keys, text in help_rows(menu, self._actions)
        ]
        width = max(len(text) for text in rows)
        left = max((screen.shape[1] - width) // 2, 0)
        first = max((self.height - len(rows)) // 2, 0)
        for i, text in enumerate(rows[: self.height]):
            write(screen, first + i, left, f"{text:<{width}}")


@lru_cache(maxsize=4)
def _frequency_labels(
    display: DisplaySettings, sample_rate: int, width: int
) -> list[tuple[int, str]]:
    """Cell and text of each label that fits."""
    labels = []
    for tick in frequency_ticks(display, sample_rate, width, TICK_ROOM):
        at = min(floor(tick.position * width), width - 1)
        if tick.major and at + 1 + len(tick.label) <= width:
            labels.append((at, tick.label))
    return labels


@lru_cache(maxsize=4)
def _time_labels(span: float, height: int) -> list[tuple[int, str]]:
    """Row and text of each label."""
    return [
        (
            min(floor((1 - tick.position) * height), height - 1),
            tick.label.removesuffix(" min").removesuffix(" h"),
        )
        for tick in time_ticks(span, height, TIME_ROOM)
        if tick.major
    ]
