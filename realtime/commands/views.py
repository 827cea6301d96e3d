"""Where `live` shows itself: which view there can be here, and running it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.errors import MissingDependency, RequestError
from realtime.view.display import find_display
from realtime.wording import say, unknown

if TYPE_CHECKING:
    from realtime.view.model import LiveModel

VIEWS = ("auto", "window", "terminal", "none")
WINDOW_HINT = "install it with pip install 'realtime-spectrogram[gui]'"

Show = Callable[["LiveModel"], object]


@dataclass(frozen=True)
class Surroundings:
    """What there is to show things on."""

    display: bool
    why_no_display: str
    gui: bool
    terminal: bool

    @classmethod
    def here(cls) -> Surroundings:
        why = find_display(os.environ, sys.platform)
        parts = ("vispy", "PySide6")
        return cls(
            display=not why or os.environ.get("QT_QPA_PLATFORM") == "offscreen",
            why_no_display=why,
            gui=all(importlib.util.find_spec(part) is not None for part in parts),
            terminal=sys.stdout.isatty() and os.environ.get("TERM") != "dumb",
        )


def choose_view(wanted: str, here: Surroundings, json: bool, screenshot: bool) -> str:
    """window, terminal or none. A pure function; raises what cannot be."""
    if wanted not in VIEWS:
        raise RequestError(unknown("view", wanted, VIEWS))
    if screenshot and wanted in ("terminal", "none"):
        raise RequestError(f"--screenshot shows the window: leave --view {wanted} out")
    if json and (screenshot or wanted in ("window", "terminal")):
        raise RequestError("--json goes with --view none: ask for numbers or for a picture")
    if wanted == "auto":
        if screenshot:
            wanted = "window"
        elif json:
            return "none"
        elif here.display and here.gui:
            return "window"
        else:
            return "terminal" if here.terminal else "none"
    if wanted == "window" and not here.gui:
        raise RequestError(f"the window needs vispy and PySide6: {WINDOW_HINT}")
    if wanted == "window" and not here.display and not screenshot:
        raise RequestError(
            f"there is no display for the window ({here.why_no_display}): use --view terminal, or "
            "--screenshot with --seconds"
        )
    if wanted == "terminal" and not here.terminal:
        raise RequestError(
            "--view terminal draws on a terminal, and standard output is none: use --view none"
        )
    return wanted


@dataclass(frozen=True)
class View:
    """A view that can be here. otherwise : taken where a window that nobody asked for by name
    cannot be opened after all (a library or OpenGL is missing); None to refuse instead."""

    name: str
    otherwise: str | None = None
    seconds: float | None = None
    screenshot: Path | None = None
    json: bool = False

    def prepared(self) -> Show:
        """Import what it needs; returns the function that shows a model until its end.

        Raises MissingDependency, as the function does.
        """
        if self.name == "window":
            return self._window()
        return self._plain(self.name)

    def _window(self) -> Show:
        try:
            from realtime.view.window import run_window
        except ImportError as error:
            return self._plain_instead(
                MissingDependency(
                    f"the window cannot be opened ({error}): 'realtime doctor' says what is "
                    "missing; --view terminal works without it"
                )
            )

        def show(model: LiveModel) -> object:
            try:
                return run_window(model, seconds=self.seconds, screenshot=self.screenshot)
            except MissingDependency as error:
                return self._plain_instead(error)(model)

        return show

    def _plain_instead(self, error: MissingDependency) -> Show:
        if self.otherwise is None:
            raise error
        say(str(error))
        return self._plain(self.otherwise)

    def _plain(self, name: str) -> Show:
        if name == "terminal":
            from realtime.view.terminal import run_terminal

            return lambda model: run_terminal(model, seconds=self.seconds)
        from realtime.view.statusline import run_status

        return lambda model: run_status(model, seconds=self.seconds, json=self.json)
