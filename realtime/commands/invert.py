"""`realtime invert`: the sound of a picture, whoever drew it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime.commands.invert_own import INT16, edited_sound, original_of, own_picture
from realtime.commands.invert_request import InvertRequest, checked_invert, flag
from realtime.commands.progress import progress
from realtime.commands.sound_file import check_held, write_sound
from realtime.errors import RequestError, SourceError
from realtime.recording.overview import overview_of
from realtime.replacing import replacing
from realtime.wording import say, shown_path

if TYPE_CHECKING:
    from realtime.picture.format import PictureFormat
    from realtime.picture.own import OwnPicture
    from realtime.picture.read.reader import Reading

MOST_VALUES = 1 << 26
"""Frames times bins times channels that are made sound at once, some 3 GB: 25 minutes of 1025
bins, 43 frames a second."""

NORMALISED = "the picture does not tell how loud it was: the peak is at -3 dBFS"

OR_LIKE = "; of a picture that 'realtime render' drew and an editor saved, give --like"

Progress = Callable[[float], None]


@dataclass
class Made:
    """A sound, and what is told of it.

    samples : float32 or int16 (n_samples, n_channels)
    report : for `--report`
    """

    samples: NDArray
    sample_rate: int
    report: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    quieter: bool = True
    """It may be made so, where it would be cut off at full scale; else it is."""


def run(args: argparse.Namespace) -> int:
    request = checked_invert(args)
    with progress("sound", 1.0) as done:
        made = {"image": _drawing, "bare": _bare, None: _picture}[request.way](request, done)
    samples = made.samples
    depth = request.depth or ("16" if samples.dtype == np.int16 else "24")
    if samples.dtype != np.int16 and depth != "32":
        samples = _within_full_scale(made)
    n_samples = write_sound(request.out, [samples], made.sample_rate, samples.shape[1], depth)
    made.report["sound"] = {
        "sample_rate": made.sample_rate,
        "n_samples": n_samples,
        "n_channels": samples.shape[1],
    }
    made.report["notes"] = made.notes
    if request.report is not None:
        _write_report(request.report, made.report)
    for note in made.notes:
        say(note)
    say(f"{n_samples / made.sample_rate:.2f} s written to {shown_path(str(request.out))}")
    return 0


def _drawing(request: InvertRequest, done: Progress) -> Made:
    from realtime.picture.drawing import read_drawing
    from realtime.picture.drawn import drawn

    image = read_drawing(request.picture, negative=request.negative)
    sample_rate = request.given.get("sample_rate", 44100)
    check_held(request.out, sample_rate, 1)
    samples = drawn(image, progress=done, **{**request.given, "sample_rate": sample_rate})
    report = {"picture": request.picture, "from": "drawing", "size": [*image.shape[::-1]]}
    return Made(samples[:, None], sample_rate, report | {"given": request.given})


def _bare(request: InvertRequest, done: Progress) -> Made:
    from realtime.picture.bare import read_bare

    return _from_reading(request, read_bare(request.picture, request.given), "bare", done)


def _picture(request: InvertRequest, done: Progress) -> Made:
    if overview_of(request.picture) is not None:
        raise SourceError(
            f"{shown_path(request.picture)} is the small picture that a recording has for looking, "
            "with nothing to make sound of: give the audio beside it"
        )
    edited = request.like is not None or request.original is not None
    own = own_picture(request.picture, request.like, required=edited)
    if own is not None:
        return _own(request, own, done)
    from realtime.picture.png import is_png
    from realtime.picture.read.reader import read_foreign

    try:
        reading = read_foreign(request.picture, request.given)
    except SourceError as fault:
        if not is_png(request.picture):
            raise
        raise SourceError(f"{fault}{OR_LIKE}") from fault
    return _from_reading(request, reading, "axes", done)


def _own(request: InvertRequest, own: OwnPicture, done: Progress) -> Made:
    from realtime.picture.own import describe

    if request.given:
        flags = ", ".join(map(flag, request.given))
        raise RequestError(
            f"{shown_path(request.picture)} says itself how it was made: leave out {flags}"
        )
    check_held(request.out, own.format.sample_rate, own.format.n_channels)
    report = {"picture": request.picture, "from": "own", **describe(own)}
    found = original_of(own, request.original)
    if found is None:
        samples, normalised = _inverted(own.db, own.format, done)
        made = Made(samples, own.format.sample_rate, report | {"phase": "found"})
        if normalised:
            made.notes.append(NORMALISED)
        if not own.rows_alone.all():
            made.notes.append(
                f"only {own.rows_alone.mean():.0%} of the {own.format.n_rows} rows have a pixel of "
                "their own, so it is less exact than a bare or a higher picture"
            )
        return made
    original, source = found
    name = "the sound in the picture" if source == "kept" else "the sound given"
    samples = edited_sound(own, original, done)
    made = Made(samples, own.format.sample_rate, report | {"phase": source}, quieter=False)
    if samples is original:
        made.notes.append(f"not edited: {name} as it was")
    else:
        full = INT16 if original.dtype == np.int16 else 1.0
        changed = float((samples != (original / full).astype(np.float32)).any(axis=1).mean())
        made.report["samples_changed"] = changed
        made.notes.append(f"{changed:.1%} of the samples differ from {name}")
    return made


def _from_reading(request: InvertRequest, reading: Reading, source: str, done: Progress) -> Made:
    picture = reading.format
    check_held(request.out, picture.sample_rate, picture.n_channels)
    samples, normalised = _inverted(reading.db, picture, done)
    report = {"picture": request.picture, "from": source, **reading.report}
    made = Made(samples, picture.sample_rate, report | {"format": picture.to_dict()})
    made.notes.append(_read_as(picture, reading.certainty if source == "axes" else None))
    assumed = {k: v for k, v in reading.report["items"].items() if v["certainty"] is None}
    if assumed:
        texts = [f"{flag(name)} {_short(item['value'])}" for name, item in assumed.items()]
        made.notes.append(f"guessed {', '.join(texts)}: give what is otherwise")
    if normalised:
        made.notes.append(NORMALISED)
    return made


def _read_as(picture: PictureFormat, certainty: float | None) -> str:
    rows = f"{picture.n_rows} {'bins' if picture.kind == 'stft' else 'bands'}"
    sure = "" if certainty is None else f", {certainty:.0%} certain"
    return (
        f"read as {picture.kind}, {rows}, {picture.sample_rate} Hz, hop {picture.hop}, "
        f"{picture.db_low:g} to {picture.db_high:g} dB{sure}"
    )


def _inverted(
    db: NDArray[np.float32], picture: PictureFormat, done: Progress
) -> tuple[NDArray[np.float32], bool]:
    from realtime.picture.invert import cqt_frame, invert

    n_fft = cqt_frame(picture) if picture.kind == "cqt" else picture.n_fft
    n_frames = db.shape[1] if picture.n_columns is None else picture.n_frames or db.shape[1]
    n_values = n_frames * (n_fft // 2 + 1) * picture.n_channels
    if n_values > MOST_VALUES:
        raise RequestError(
            f"{n_frames} frames of {n_fft // 2 + 1} bins are more than fit into memory at once "
            f"({n_values / MOST_VALUES:.1f} times): make pictures of shorter parts of the sound"
        )
    made = invert(db, picture, progress=done)
    return made.samples, made.normalised


def _within_full_scale(made: Made) -> NDArray:
    peak = float(np.abs(made.samples).max(initial=0))
    if peak <= 1 or not made.quieter:
        if peak > 1:
            made.notes.append("cut off at full scale (--depth 32 keeps what is louder)")
        return np.clip(made.samples, -1, 1)
    made.notes.append(
        f"{20 * np.log10(peak):.1f} dB quieter than the picture says, or it would be cut off "
        "(--depth 32 keeps it)"
    )
    return made.samples / np.float32(peak)


def _write_report(target: str, report: dict[str, Any]) -> None:
    text = json.dumps(report, indent=2, allow_nan=False, default=_plain)
    if target == "-":
        sys.stdout.write(text + "\n")
        return
    with replacing(Path(target)) as new:
        new.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
