"""A request of the command line, checked as far as it can be before anything opens."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from realtime import config
from realtime.audio.sources import SourceSpec, parse_source
from realtime.commands.views import Surroundings, View, choose_view
from realtime.errors import RequestError, SettingsError
from realtime.presets import parse_sets, preset_names, read_preset

RECORD_FLAGS = [key for key in config.FIELDS if key.startswith("record.")]
NUMBERS = ("audio.channels", "record.depth", "record.metrics_port")
"""Flags whose text is a number; what is none of one is told as it was written."""

LONGEST_SECONDS = 366 * 86400

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    candidates: Sequence[config.Settings]
    """As `candidates` gives them: the first that fits the source holds."""
    source: SourceSpec
    view: View

    @property
    def settings(self) -> config.Settings:
        """What was asked for, and all that is remembered and fits it."""
        return self.candidates[0]


def checked(args: argparse.Namespace, here: Surroundings) -> Request:
    """The request, or `SettingsError` with every fault of it."""
    faults: list[str] = []
    picture = args.screenshot is not None
    view = collected(faults, lambda: choose_view(args.view, here, args.json, picture), "none")
    remembers = view == "window" and not picture and args.preset is None and args.config is None
    remembered = _remembered() if remembers else {}
    settings = collected(faults, lambda: candidates(args, remembered), [])
    source = collected(faults, lambda: parse_source(args.source), SourceSpec("demo"))
    seconds = collected(faults, lambda: seconds_given(args.seconds), None)
    screenshot = collected(faults, lambda: screenshot_path(args), None)
    if faults:
        raise SettingsError(faults)
    otherwise = None
    if args.view == "auto" and not picture:
        otherwise = "terminal" if here.terminal else "none"
    return Request(settings, source, View(view, otherwise, seconds, screenshot, args.json))


def candidates(args: argparse.Namespace, remembered: Mapping[str, Any]) -> list[config.Settings]:
    """Settings with all that is remembered, with all of it but one value, and with none: as many
    as go with what was asked for, the fullest first.

    Raises SettingsError for what is wrong without anything remembered.
    """
    found: list[config.Settings] = []
    for left_out in ("", *remembered) if remembered else ():
        kept = {key: value for key, value in remembered.items() if key != left_out}
        with contextlib.suppress(SettingsError):
            found.append(load_settings(args, kept))
    return [*found, load_settings(args)]


def load_settings(
    args: argparse.Namespace,
    remembered: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> config.Settings:
    """`remembered` counts over `defaults`, which are those of the command, in place of the
    program's; neither counts over what `args` say."""
    remembered = {**(defaults or {}), **(remembered or {})}
    flags: dict[str, Any] = {
        "audio.channels": getattr(args, "channels", None),
        "monitor.output": getattr(args, "output", None),
        "effect": getattr(args, "effects", None) or None,
    }
    if args.command == "record":
        flags |= {key: getattr(args, key.split(".")[1], None) for key in RECORD_FLAGS}
        if isinstance(triggers := flags["record.trigger"], list):
            flags["record.trigger"] = " ".join(triggers)
    for key in flags.keys() & {*NUMBERS}:
        with contextlib.suppress(TypeError, ValueError):
            flags[key] = int(flags[key])
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


def unused(args: argparse.Namespace, *sections: str) -> list[str]:
    """Sentences on a --preset and on --sets that change nothing in a command that goes by those
    sections alone."""
    goes_by, faults = " and ".join(f"[{section}]" for section in sections), []
    if args.preset in preset_names():
        tell = [name for name in preset_names() if _sections_of(name) & {*sections}]
        if args.preset not in tell:
            faults.append(
                f"preset '{args.preset}' says nothing of {goes_by}, and this goes by that alone: "
                f"leave it out (of these there are {', '.join(tell)})"
            )
    for text in args.sets:
        section, dot, name = text.partition("=")[0].strip().partition(".")
        if f"{section}{dot}{name}" in config.FIELDS and section not in sections:
            alike = [key for each in sections if (key := f"{each}.{name}") in config.FIELDS]
            hint = f"try {alike[0]}" if alike else "leave it out"
            faults.append(f"--set {text} changes nothing here: this goes by {goes_by} ({hint})")
    return faults


def _sections_of(preset: str) -> set[str]:
    return {key.partition(".")[0] for key in read_preset(preset, [])}


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
    if os.path.isdir(path):
        raise RequestError(f"{name} is a folder: name a file in it")
    if not os.path.isdir(path.parent):
        raise RequestError(f"{name}: there is no folder {str(path.parent)!r}; make it first")
    if not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
        raise RequestError(f"{name} may not be written: choose another folder")
    return path
