"""A request to draw pictures, checked as far as it can be before anything opens."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime import config
from realtime.commands.request import collected, unused
from realtime.config import RenderSettings, Settings
from realtime.errors import RequestError, SettingsError
from realtime.picture.look import Look
from realtime.picture.render import SUFFIXES, suffix_of
from realtime.presets import parse_sets
from realtime.replacing import check_replaceable
from realtime.wording import shown_path, unknown

TEXTS = ("render.size", "render.title")
"""Flags taken as they are written, numbers too."""

OF_BANDS, OF_CQT = ("mel", "bark", "erb"), ("n_bins", "bins_per_octave")

HOP = 512
"""Samples, as in librosa, where nothing else is asked for and frames are no shorter."""

MOST_INCHES = 1000


@dataclass(frozen=True)
class RenderRequest:
    """jobs : sounds and where each is drawn. arguments : of `picture.render.render`."""

    jobs: Sequence[tuple[str, Path]]
    arguments: dict[str, Any]
    folder: Path | None


def checked_render(args: argparse.Namespace) -> RenderRequest:
    """The request, or `SettingsError` with every fault of it."""
    faults: list[str] = []
    load = lambda: config.load(args.preset, args.config, args.sets, _flags(args))  # noqa: E731
    settings = collected(faults, load, Settings()).render
    faults += unused(args, "render")
    folder = collected(faults, lambda: _folder(args), None)
    jobs = collected(faults, lambda: _jobs(args, folder), [])
    if not faults:
        faults += _wrong_together(settings, jobs)
    arguments = collected(faults, lambda: _arguments(settings), {})
    if faults:
        raise SettingsError(faults)
    return RenderRequest(jobs, arguments, folder)


def _flags(args: argparse.Namespace) -> dict[str, Any]:
    """The flags given, by the keys of settings."""
    given = {
        f"render.{name}": getattr(args, name)
        for name in RenderSettings.model_fields
        if getattr(args, name, None) is not None
    }
    texts = [f"{key}={v}" for key, v in given.items() if isinstance(v, str) and key not in TEXTS]
    return given | parse_sets(texts, config.FIELDS, [])


def _folder(args: argparse.Namespace) -> Path | None:
    """The folder for pictures; None where -o is a picture."""
    if args.output is None:
        raise RequestError("name what to write: -o PICTURE.png, or -o DIR for several sounds")
    name, path = f"-o {shown_path(args.output)}", Path(args.output)
    if args.output == "-":
        raise RequestError(f"{name}: standard output takes no picture, name a file (-o song.png)")
    is_picture = path.suffix.lower() in SUFFIXES and not args.output.endswith(("/", os.sep))
    if os.path.isdir(path) and not (is_picture and path.suffix.lower() == ".zarr"):
        return path
    if not is_picture and (args.output.endswith(("/", os.sep)) or not path.suffix):
        if os.path.exists(path):
            raise RequestError(f"{name} is a file: name a folder, or a picture")
        return path
    suffix_of(path)
    if len(args.sounds) > 1:
        raise RequestError(
            f"{name} is one picture, and there are {len(args.sounds)} sounds: name a folder "
            "(-o pictures/)"
        )
    if args.format is not None:
        raise RequestError(f"--format is of pictures in a folder: the end of {name} says it")
    if not os.path.isdir(path.parent):
        raise RequestError(f"{name}: there is no folder {shown_path(str(path.parent))}")
    if os.path.isdir(path) and not os.path.exists(path / "zarr.json"):
        raise RequestError(f"{name} is a folder that holds something else: name another")
    check_replaceable(path, name)
    return None


def _jobs(args: argparse.Namespace, folder: Path | None) -> list[tuple[str, Path]]:
    if args.output is None:
        return []
    if folder is None:
        return [(args.sounds[0], Path(args.output))]
    suffix = "." + (args.format or "png").lower().removeprefix(".")
    if suffix not in SUFFIXES:
        raise RequestError(unknown("--format", suffix[1:], [each[1:] for each in SUFFIXES]))
    # Some file systems take A.png and a.png for one file.
    stems = Counter(Path(sound).stem.casefold() for sound in args.sounds)
    jobs = []
    for sound in args.sounds:
        path = Path(sound)
        name = path.stem if stems[path.stem.casefold()] == 1 else path.name
        jobs.append((sound, folder / f"{name}{suffix}"))
    pictures = Counter(str(picture).casefold() for _, picture in jobs)
    for sound, picture in jobs:
        if (n_sounds := pictures[str(picture).casefold()]) > 1:
            raise RequestError(
                f"{n_sounds} sounds would be drawn into {shown_path(str(picture))}, "
                f"{shown_path(sound)} among them: render them into folders of their own"
            )
    return jobs


def _wrong_together(settings: RenderSettings, jobs: Sequence[tuple[str, Path]]) -> list[str]:
    faults = []
    kind, suffix = settings.kind, jobs[0][1].suffix.lower()
    if settings.n_mels is not None and kind not in OF_BANDS:
        faults.append(f"render.n_mels is of {', '.join(OF_BANDS)}, not of {kind} (try --kind mel)")
    for name in OF_CQT:
        if getattr(settings, name) is not None and kind != "cqt":
            faults.append(f"render.{name} is of cqt, not of {kind}: leave it out")
    if settings.n_fft is not None and kind == "cqt":
        faults.append("render.n_fft of a cqt follows from fmin and bins_per_octave: leave it out")
    if suffix != ".png" and (settings.bare or settings.keep_sound):
        faults.append(f"--bare and --keep-sound are of .png, not of {suffix}: leave them out")
    return faults


def _arguments(settings: RenderSettings) -> dict[str, Any]:
    values = dict(settings)
    n_rows = values.pop("n_bins"), values.pop("n_mels")
    values["n_rows"] = n_rows[0] if settings.kind == "cqt" else n_rows[1]
    if settings.hop is None:
        short = settings.n_fft is not None and settings.n_fft < HOP
        values["hop"] = max(1, settings.n_fft // 4) if short and settings.n_fft else HOP
    values["norm"] = None if settings.norm == "none" else settings.norm
    values["size"] = parse_size(settings.size, settings.dpi) if settings.size else None
    names = ("bare", "bits", "colormap", "scale", "size", "width", "dpi")
    Look(**{name: values[name] for name in names})
    return values


def parse_size(text: str, dpi: float) -> tuple[int, int]:
    """ "1000x400", or in inches "10x4in", in pixels. Raises RequestError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?[x×] ?(\d+(?:\.\d+)?) ?(in|px)?", text.strip().lower())
    sides = [float(side) for side in found.groups()[:2]] if found else []
    inches = bool(found) and found[3] == "in"
    whole = inches or all(side.is_integer() for side in sides)
    if not sides or not whole or (inches and max(sides) > MOST_INCHES) or math.inf in sides:
        raise RequestError(
            f"render.size = {text[:40]!r} must be WIDTHxHEIGHT in pixels, or inches as in 10x4in"
        )
    wide, tall = (round(side * dpi) if inches else int(side) for side in sides)
    return wide, tall
