"""The waterfall in a terminal: time runs down, the newest sound at the top, frequency to the right.

That way round, a new line of sound moves the rest by one control sequence of a few bytes, and
only the line itself is sent: the window's way round would send every cell each time. Measured
at 120 x 40, 12 s, 24-bit colours: the demo sound 15 KB/s, a tone 3 KB/s; 35 KB/s at 220 x 60.

One write a frame, at most 20 frames a second. The terminal gets back what it was, also after
Ctrl-C. Owner: the display's thread.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from realtime.view.cells import Palette, difference, scroll_text, scrolled
from realtime.view.colormaps import lut
from realtime.view.model import LiveModel
from realtime.view.page import Page
from realtime.view.tty import open_terminal

FRAME_SECONDS = 0.05
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Terminals that know synchronised output show the frame at once; the others ignore these."""


def run_terminal(model: LiveModel, seconds: float | None = None) -> None:
    """Show the model until `seconds` are over, q is pressed, or KeyboardInterrupt (passed on).

    Raises BrokenPipeError when the terminal is gone: its window closed, the ssh connection lost.
    """
    try:
        _run(model, seconds)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise BrokenPipeError("the terminal is gone") from error


def _run(model: LiveModel, seconds: float | None) -> None:
    until = time.perf_counter() + seconds if seconds is not None else float("inf")
    terminal = open_terminal()
    page = Page(model, glyphs=_can_print("▀−·…"))
    screen = _Screen(terminal.number_of_colors)
    with _whole_screen(terminal):
        due = time.perf_counter()
        while time.perf_counter() < until and not page.over:
            now_ns = time.perf_counter_ns()
            model.tick(now_ns)
            text = screen.turn_into(page, terminal.height, terminal.width, now_ns)
            if text:
                sys.stdout.write(BEGIN + text + END)
                sys.stdout.flush()
            due = max(due + FRAME_SECONDS, time.perf_counter())
            if not terminal.is_a_tty or not sys.stdin.isatty():
                if model.ended:
                    return
                time.sleep(max(due - time.perf_counter(), 0))
                continue
            key = terminal.inkey(timeout=max(due - time.perf_counter(), 0))
            while key:
                page.press(key_name(key))
                key = terminal.inkey(timeout=0)


KEY_NAMES = {
    " ": "Space",
    "KEY_ESCAPE": "Esc",
    "KEY_PGUP": "PgUp",
    "KEY_PGDOWN": "PgDown",
    "KEY_SUP": "Shift+Up",
    "KEY_SDOWN": "Shift+Down",
    "KEY_SHIFT_UP": "Shift+Up",
    "KEY_SHIFT_DOWN": "Shift+Down",
}


def key_name(key: Any) -> str:
    """The portable name of a blessed keystroke, as in `keys.ACTIONS`: "[", "Shift+C", "PgUp"."""
    if key.is_sequence:
        return KEY_NAMES.get(key.name) or key.name.removeprefix("KEY_").capitalize()
    text = str(key)
    if text in KEY_NAMES:
        return KEY_NAMES[text]
    return f"Shift+{text}" if text.isalpha() and text.isupper() else text.upper()


class _Screen:
    """What the terminal shows now."""

    def __init__(self, colours: int):
        self._colours = colours
        self._palette: tuple[str, Palette] | None = None
        self._cells = None
        self._top = 0

    def turn_into(self, page: Page, n_rows: int, n_columns: int, now_ns: int) -> str:
        """The text that brings the terminal to what `page` shows."""
        name = page.colormap
        if self._palette is None or self._palette[0] != name:
            self._palette = (name, Palette.of(lut(name), self._colours))
            self._cells = None
        wanted = page.cells(n_rows, n_columns, now_ns, self._colours >= 256)
        text = ""
        if self._cells is None or self._cells.shape != wanted.shape:
            text = "\x1b[0m\x1b[2J"
            self._cells = wanted.copy()
            self._cells[:] = -1
        by = page.top - self._top
        self._top = page.top
        if 0 < by < page.height:
            moved = scrolled(self._cells, by, page.height)
            if (moved != wanted).sum() < (self._cells != wanted).sum():
                text += scroll_text(by, page.height)
                self._cells = moved
        text += difference(self._cells, wanted, self._palette[1])
        self._cells = wanted
        return text


@contextlib.contextmanager
def _whole_screen(terminal: Any) -> Iterator[None]:
    """The alternate screen without a cursor, keys at once; all of it undone at the end.

    Ctrl-Z is off meanwhile: a stopped program could not give the terminal back.
    """
    stop = getattr(signal, "SIGTSTP", None)
    before = signal.signal(stop, signal.SIG_IGN) if stop is not None else None
    try:
        with terminal.fullscreen(), terminal.hidden_cursor(), terminal.cbreak():
            try:
                yield
            finally:
                sys.stdout.write("\x1b[r\x1b[0m")
                sys.stdout.flush()
    finally:
        if stop is not None:
            signal.signal(stop, before)


def _can_print(signs: str) -> bool:
    try:
        signs.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
