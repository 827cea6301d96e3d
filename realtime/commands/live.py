"""`realtime live`: checks the whole request, starts the engine, hands the model to a view.

The engine starts before the view is imported, so that both happen at the same time.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from realtime import config
from realtime.audio.sources import SourceSpec, parse_source
from realtime.errors import (
    DeviceError,
    MissingDependency,
    RequestError,
    SettingsError,
)
from realtime.presets import parse_sets
from realtime.view.display import find_display
from realtime.wording import say, unknown

if TYPE_CHECKING:
    from realtime.view.model import LiveModel

VIEWS = ("auto", "window", "terminal", "none")
LONGEST_SECONDS = 366 * 86400
WINDOW_HINT = "install it with pip install 'realtime-spectrogram[gui]'"

T = TypeVar("T")
Show = Callable[["LiveModel"], object]


@dataclass(frozen=True)
class Request:
    """What was asked for, checked as far as it can be before anything opens."""

    settings: config.Settings
    source: SourceSpec
    view: str
    seconds: float | None
    screenshot: Path | None
    json: bool


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


def run(args: argparse.Namespace) -> int:
    request = checked(args, Surroundings.here())
    from realtime.engine.process import EngineProcess
    from realtime.view.model import LiveModel

    engine = EngineProcess(request.source, request.settings.audio)
    try:
        engine.launch()
        show = _view(request)
        note = ""
        try:
            engine.start()
        except (DeviceError, MissingDependency) as error:
            if not plays_demo_instead(request):
                raise
            note = f"{error}; playing the demo"
            if request.view != "none":  # which tells every message by itself
                say(note)
            engine.stop()
            engine = EngineProcess(parse_source("demo"), request.settings.audio)
            engine.start()
        show(LiveModel(request.settings, engine, note))
    except KeyboardInterrupt:
        pass  # how a run without an end is ended
    finally:
        _ignore_signals()
        engine.stop()
    return 0


def checked(args: argparse.Namespace, here: Surroundings) -> Request:
    """The request, or `SettingsError` with every fault of it."""
    faults: list[str] = []
    view = collected(
        faults, lambda: choose_view(args.view, here, args.json, args.screenshot is not None), "none"
    )
    remembered = _remembered() if view == "window" and args.screenshot is None else {}
    settings = collected(faults, lambda: load_settings(args, remembered), config.Settings())
    source = collected(faults, lambda: parse_source(args.source), SourceSpec("demo"))
    seconds = collected(faults, lambda: seconds_given(args.seconds), None)
    screenshot = collected(faults, lambda: screenshot_path(args), None)
    if faults:
        raise SettingsError(faults)
    return Request(settings, source, view, seconds, screenshot, args.json)


def load_settings(
    args: argparse.Namespace, remembered: Mapping[str, Any] | None = None
) -> config.Settings:
    """`remembered` counts where neither a preset nor a file says how things are to be."""
    if args.preset is not None or args.config is not None:
        remembered = None
    channels = getattr(args, "channels", None)
    if channels is not None and channels.lstrip("-").isdecimal():
        channels = int(channels)
    flags = {"audio.channels": channels}
    return config.load(args.preset, args.config, args.sets, flags, remembered)


def _remembered() -> dict[str, Any]:
    try:
        from realtime.view.remember import remembered_settings
    except ImportError:  # told when the window is opened
        return {}
    texts = [f"{key}={text}" for key, text in remembered_settings().items()]
    return parse_sets(texts, config.FIELDS, [])


def collected(faults: list[str], check: Callable[[], T], otherwise: T) -> T:
    """What `check` gives; where it refuses, its sentences go to `faults`."""
    try:
        return check()
    except RequestError as error:
        faults += error.faults if isinstance(error, SettingsError) else [str(error)]
        return otherwise


def seconds_given(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_SECONDS:
        raise RequestError(
            f"--seconds = {text!r} must be a number above 0, a year at most (try 10)"
        )
    return seconds


def screenshot_path(args: argparse.Namespace) -> Path | None:
    if args.screenshot is None:
        return None
    path, name = Path(args.screenshot), f"--screenshot {args.screenshot!r}"
    if args.seconds is None:
        raise RequestError(f"{name} is taken at the end of --seconds N: give both (try 5)")
    if path.suffix.lower() != ".png":
        raise RequestError(f"{name} must end in .png, the only kind of picture written")
    if path.is_dir():
        raise RequestError(f"{name} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise RequestError(f"{name}: there is no folder {str(path.parent)!r}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise RequestError(f"{name} may not be written: choose another folder")
    return path


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


def plays_demo_instead(request: Request) -> bool:
    """Without a microphone, unless one was named or asked to be like this or that."""
    audio = request.settings.audio
    return not request.source.named and audio.sample_rate is None and audio.channels is None


def _view(request: Request) -> Show:
    """The function that shows the model, its imports done."""
    if request.view == "window":
        try:
            from realtime.view.window import run_window
        except ImportError as error:
            raise MissingDependency(
                f"the window cannot be opened ({error}): 'realtime doctor' says what is missing; "
                "--view terminal works without it"
            ) from error
        return lambda model: run_window(
            model, seconds=request.seconds, screenshot=request.screenshot
        )
    if request.view == "terminal":
        from realtime.view.terminal import run_terminal

        return lambda model: run_terminal(model, seconds=request.seconds)
    from realtime.view.statusline import run_status

    return lambda model: run_status(model, seconds=request.seconds, json=request.json)


def _ignore_signals() -> None:
    """The end has begun; a second Ctrl-C must not leave the engine running."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
