"""`realtime info`: what a picture holds, and how well it can go back to sound."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from realtime.errors import RequestError
from realtime.picture.own import OwnPicture, describe, read_picture
from realtime.picture.placing import ROWS
from realtime.recording.overview import overview_of
from realtime.wording import say, shown_path

if TYPE_CHECKING:
    from realtime.picture.format import PictureFormat
    from realtime.picture.read.reader import Reading


def run(args: argparse.Namespace) -> int:
    """Of several pictures a bad one does not keep the others from being told."""
    code = 0
    for path in args.pictures:
        try:
            sys.stdout.write(_text_of(path, args.json) + "\n")
        except RequestError as fault:
            if len(args.pictures) == 1:
                raise
            say(str(fault))
            code = 1
    return code


def _text_of(path: str, as_json: bool) -> str:
    if os.path.isdir(path):
        raise RequestError(f"{shown_path(path)} is a folder: name pictures in it")
    if (overview := overview_of(path)) is not None:
        if as_json:
            return json.dumps({"picture": path, "from": "record", **overview})
        return _lines(path, _of_overview(overview))
    found = read_picture(path)
    if as_json:
        return json.dumps({"picture": path, **_told(found)}, allow_nan=False, default=str)
    return _lines(path, _of_ours(found) if isinstance(found, OwnPicture) else _of_others(found))


def _lines(path: str, lines: list[tuple[str, str]]) -> str:
    return "\n".join([path, *(f"  {name:10}{line}" for name, line in lines)])


def _told(found: OwnPicture | Reading) -> dict[str, Any]:
    if isinstance(found, OwnPicture):
        return {"from": "render", **describe(found), "way_back": way_back(found)}
    return {"from": "another program", **found.report, "format": found.format.to_dict()}


def _of_ours(picture: OwnPicture) -> list[tuple[str, str]]:
    form, placing = picture.format, picture.placing
    axis = "" if placing.scale == ROWS else f", on a {placing.scale} axis"
    kept = picture.png.sound
    return [
        ("made by", f"{picture.made_by} from {shown_path(picture.source)}"),
        *_of_format(form),
        ("picture", f"{placing.width} x {placing.height} pixels, {len(placing.panes)} "
         f"pane{'s' * (len(placing.panes) > 1)}{axis}"),
        ("colours", f"{placing.colormap}, {placing.bits} bits: steps of {picture.step_db:.3g} dB"),
        ("kept", "nothing but the picture" if kept is None else
         f"the sound itself, {kept[1] / 1e6:.2f} MB of FLAC"),
        ("way back", way_back(picture)),
    ]  # fmt: skip


def _of_overview(says: Mapping[str, Any]) -> list[tuple[str, str]]:
    """says : what `recording.overview` wrote into the picture"""
    rate = says["sample_rate"]
    seconds = (says["stop"] - says["start"]) / rate
    return [
        ("made by", f"'realtime record' from {shown_path(str(says['device']))}"),
        ("sound", f"{seconds:.2f} s at {rate} Hz, from {says['utc_start']} on"),
        ("frames", f"n_fft {says['n_fft']}, hop {says['hop']}, {says['window']}"),
        ("levels", f"{says['dark']:g} to {says['bright']:g} dBFS"),
        ("way back", "none, it is for looking: the sound lies beside it"),
    ]


def _of_others(reading: Reading) -> list[tuple[str, str]]:
    return [
        ("made by", "another program: what follows was read from the picture"),
        *_of_format(reading.format),
        ("certainty", f"{reading.certainty:.0%}"),
        ("way back", "'realtime invert' makes sound of it; --report tells how each was read"),
    ]


def _of_format(form: PictureFormat) -> list[tuple[str, str]]:
    channels = f"{form.n_channels} channel{'s' * (form.n_channels > 1)} at {form.sample_rate} Hz"
    lines = []
    if form.n_samples is not None:
        lines.append(("sound", f"{form.n_samples / form.sample_rate:.2f} s, {channels}"))
    rows = f"{form.n_rows} {'bins' if form.kind == 'stft' else 'bands'}"
    mel = f", {'HTK' if form.htk else 'Slaney'}" if form.kind == "mel" else ""
    zero = "unknown" if form.ref is None else f"{form.ref:.4g} of magnitude ** {form.power:g}"
    return [
        *lines,
        ("values", f"{form.kind}, {rows}, {form.fmin:g} to {form.fmax:g} Hz{mel}"),
        ("frames", f"n_fft {form.n_fft}, hop {form.hop}, {form.window}"),
        ("levels", f"{form.db_low:g} to {form.db_high:g} dB (0 dB is {zero})"),
    ]


def way_back(picture: OwnPicture) -> str:
    """A sentence on what `realtime invert` can do with it."""
    form = picture.format
    if picture.png.sound is not None:
        return "exact: what is not edited comes back as it was"
    parts = []
    if form.n_columns is not None:
        parts.append(f"{form.n_frames} frames share {form.n_columns} columns")
    if not picture.rows_alone.all():
        parts.append(f"{picture.rows_alone.mean():.0%} of the rows have a pixel of their own")
    if picture.off:
        parts.append(f"colours are up to {picture.off} of 255 beside the map: it was edited")
    if not parts:
        parts.append(f"each value of each frame within {picture.step_db / 2:.2g} dB")
    return "; ".join(parts) + "; the phase has to be found (--original FILE knows it)"
