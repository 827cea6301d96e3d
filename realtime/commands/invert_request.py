"""A request to make sound from a picture, checked as far as it can be before anything opens."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.commands.request import collected
from realtime.commands.sound_file import checked_out
from realtime.dsp.scales import SCALES
from realtime.errors import RequestError, SettingsError
from realtime.picture.format_rules import KINDS
from realtime.replacing import check_replaceable
from realtime.wording import shown, shown_path, unknown

OVERRIDES: dict[str, Callable[[str], Any]] = {
    "kind": str,
    "sample_rate": int,
    "n_fft": int,
    "hop": int,
    "n_rows": int,
    "fmin": float,
    "fmax": float,
    "db_low": float,
    "db_high": float,
    "colormap": str,
    "seconds": float,
    "axes_box": str,
}
"""What flags say of a picture from elsewhere, by the names of `picture.read.report.OVERRIDES`."""

FLAGS = {"n_rows": "--n-mels"}
"""Of overrides whose flag is not their own name."""

OF_DRAWINGS = ("seconds", "fmin", "fmax", "sample_rate", "gamma", "scale")
"""What `--image` takes."""

LONGEST_DRAWING = 600.0
"""Seconds: 1.3 GB of frames at 44100 Hz."""


@dataclass(frozen=True)
class InvertRequest:
    picture: str
    out: Path
    depth: str | None
    """None: 16 bits where the picture's sound has them and it was not edited, else 24."""
    original: str | None
    like: str | None
    report: str | None
    """A path, or "-" for standard output."""
    way: str | None
    """"bare" or "image"; None: as the picture says."""
    given: dict[str, Any]
    """Overrides; of a drawing the arguments of `drawn`."""
    negative: bool


def checked_invert(args: argparse.Namespace) -> InvertRequest:
    """The request, or `SettingsError` with every fault of it."""
    faults: list[str] = []
    sources = [path for path in (args.picture, args.original, args.like) if path is not None]
    out = collected(faults, lambda: checked_out(args.output, sources, args.depth or "24"), None)
    if args.report not in (None, "-"):
        collected(faults, lambda: _check_report(args.report, [*sources, args.output or ""]), None)
    numbers = OVERRIDES | {"gamma": float, "scale": str}
    given: dict[str, Any] = {}
    for name, of_text in numbers.items():
        text = getattr(args, name)
        if text is not None:
            given[name] = collected(faults, lambda n=name, o=of_text, t=text: _value(n, o, t), None)
    if args.htk:
        given["htk"] = True
    faults += _wrong_together(args, given)
    if faults or out is None:
        raise SettingsError(faults)
    way = "image" if args.image else "bare" if args.bare else None
    return InvertRequest(
        args.picture, out, args.depth, args.original, args.like, args.report, way, given,
        args.negative,
    )  # fmt: skip


def flag(name: str) -> str:
    """How an override is given."""
    return FLAGS.get(name, f"--{name.replace('_', '-')}")


def _value(name: str, of_text: Callable[[str], Any], text: str) -> Any:
    if name == "kind" and text not in KINDS:
        raise RequestError(unknown("--kind", text, KINDS))
    if name == "scale" and text not in SCALES:
        raise RequestError(unknown("--scale", text, list(SCALES)))
    if name == "axes_box":
        return _box(text)
    try:
        value = of_text(text)
    except ValueError:
        value = None
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        what = "a whole number" if of_text is int else "a number"
        raise RequestError(f"{flag(name)} = {shown(text)} must be {what}")
    if isinstance(value, int | float) and not name.startswith("db_"):
        least = 0 if name == "fmin" else 1 if isinstance(value, int) else None
        if value < (least or 0) or (least is None and value == 0):
            rule = "above 0" if least is None else f"at least {least}"
            raise RequestError(f"{flag(name)} = {shown(text)} must be {rule}")
    return value


def _box(text: str) -> list[int]:
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise RequestError(
            f"--axes-box = {shown(text)} must be LEFT,TOP,RIGHT,BOTTOM in pixels (as in "
            "62,40,805,352)"
        ) from None
    if not 0 <= left < right or not 0 <= top < bottom:
        raise RequestError(f"--axes-box = {shown(text)} must have left < right and top < bottom")
    return [left, top, right, bottom]


def _check_report(text: str, others: list[str]) -> None:
    path = Path(text)
    if os.path.isdir(path) or not os.path.isdir(path.parent):
        raise RequestError(f"--report {shown_path(text)} must be a file in a folder that is there")
    check_replaceable(path, f"--report {shown_path(text)}")
    if any(_same_file(text, other) for other in others if other):
        raise RequestError(f"--report {shown_path(text)} is named already: name another file")


def _same_file(one: str, other: str) -> bool:
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.abspath(one) == os.path.abspath(other)


def _wrong_together(args: argparse.Namespace, given: dict[str, Any]) -> list[str]:
    faults = []
    if args.image and args.bare:
        faults.append("--image is a drawing, --bare a spectrogram without axes: give one of them")
    if args.image and (args.original or args.like):
        faults.append("--image is a drawing with no sound behind it: leave out --original, --like")
    if args.bare and (args.original or args.like):
        faults.append(
            "--bare is a picture from elsewhere, --original and --like one of 'realtime render': "
            "leave out --bare"
        )
    if args.image:
        faults += [
            f"{flag(name)} is of a spectrogram, and --image of a drawing: leave one of them out"
            for name in given
            if name not in OF_DRAWINGS
        ]
        if (given.get("seconds") or 0) > LONGEST_DRAWING:
            faults.append(
                f"--seconds = {given['seconds']:g} of a drawing must be at most {LONGEST_DRAWING:g}"
            )
    else:
        names = [name for name in ("gamma", "scale") if name in given]
        names += ["negative"] * args.negative
        faults += [f"--{name} is of a drawing: give --image as well" for name in names]
    if args.bare and "axes_box" in given:
        faults.append("--axes-box is of a picture with axes: leave out --bare")
    return faults
