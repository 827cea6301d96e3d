"""A bare spectrogram from elsewhere: all of it is the plot, and nothing says what it means.

One pixel is a bin or band and a frame, the lowest frequency at the bottom. What the caller does
not say is guessed from the number of rows and from what most programs do, and the report says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.picture.format import picture_format
from realtime.picture.read.colours import (
    FITS,
    FITS_LOSSY,
    NAMES,
    Table,
    map_colours,
    truncated_or_rounded,
    values_of,
)
from realtime.picture.read.pixels import load_pixels
from realtime.picture.read.reader import Reading
from realtime.picture.read.report import Report
from realtime.picture.read.usual import MELS, N_FFTS

SAMPLE_RATE, N_FFT, HOP = 22050, 2048, 512
"""librosa's."""

DB_RANGE = (-80.0, 0.0)
"""librosa's `power_to_db` below the loudest."""

LEAST_ON_MAP = 0.9
"""Share of pixels whose colour is on a map that is taken to be theirs."""

LOOKED_AT = 4096
"""Pixels, evenly over the picture."""

FEWEST_BINS = 512
"""A power of two of rows from here on is an STFT without its topmost bin, not a number of mels."""


def read_bare(path: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None) -> Reading:
    """Read a picture whose every pixel is a value.

    overrides : what the caller knows, by the names in `read.report.OVERRIDES`
    Returns a `Reading` whose report says of everything whether it was given, seen or guessed.
    Raises SourceError where it is no picture or its colours are on no map, RequestError where
    what is given does not fit.
    """
    report = Report(Path(path).name, overrides or {})
    pixels = load_pixels(path, least_side=1)
    levels = _levels(report, pixels.rgb, pixels.lossy)
    low, high = (_said(report, name, DB_RANGE[i]) for i, name in enumerate(("db_low", "db_high")))
    if not low < high:
        report.refuse(f"--db-low {low:g} must be below --db-high {high:g}")
    db = (low + levels[::-1].T * (high - low)).astype(np.float32)
    n_frames, n_rows = db.shape
    kind, n_fft = _kind(report, n_rows)
    if kind == "stft" and n_rows == n_fft // 2:
        db = np.concatenate([db, np.full((n_frames, 1), low, np.float32)], axis=1)
        report.add("n_rows", n_rows + 1, "the topmost bin is missing and taken as silent", None)
    elif report.say("n_rows") not in (None, n_rows):
        report.refuse(
            f"{n_rows} rows of pixels are not --n-mels {report.given['n_rows']}: one pixel must be "
            "one band, so save the picture without enlarging it"
        )
    rate = _said(report, "sample_rate", SAMPLE_RATE)
    hop = _hop(report, n_frames, rate, n_fft if kind == "stft" else None)
    rows = {} if kind in ("stft", "cqt") else {"fmax": report.say("fmax")}
    if kind == "mel":
        rows["htk"] = bool(report.say("htk"))
    if kind != "stft":
        rows |= {"n_rows": db.shape[1], "fmin": report.say("fmin")}
    picture = picture_format(
        kind, sample_rate=rate, n_fft=n_fft, hop=hop, ref=None, db_low=low, db_high=high, **rows
    )  # fmt: skip
    seen = np.ones(n_frames, bool), np.ones(db.shape[1], bool)
    return Reading(db[None], picture, *seen, report.as_dict(), report.certainty)


def _said(report: Report, name: str, otherwise: Any) -> Any:
    said = report.say(name)
    if said is None:
        report.add(name, otherwise, "guessed: librosa's default", None)
    return otherwise if said is None else said


def _kind(report: Report, n_rows: int) -> tuple[str, int]:
    """The kind, and n_fft."""
    kind, n_fft = report.say("kind"), report.say("n_fft")
    whole, cut = 2 * (n_rows - 1), 2 * n_rows
    if kind is None:
        bins = whole in N_FFTS or (cut in N_FFTS and n_rows >= FEWEST_BINS)
        kind = "stft" if bins and n_rows not in MELS else "mel"
        report.add("kind", kind, f"guessed from {n_rows} rows", None)
    if kind == "stft":
        if n_fft is None:
            n_fft = cut if cut in N_FFTS and whole not in N_FFTS else whole
            report.add("n_fft", n_fft, f"from {n_rows} rows", None)
        if n_fft not in (whole, cut):
            report.refuse(
                f"{n_rows} rows are not the bins of n_fft = {n_fft}, which are {n_fft // 2 + 1}: "
                f"leave out --n-fft, or say --kind mel"
            )
        return kind, n_fft
    if n_fft is None and kind != "cqt":
        n_fft = N_FFT
        report.add("n_fft", n_fft, "guessed: librosa's default", None)
    return kind, n_fft or N_FFT


def _hop(report: Report, n_frames: int, rate: int, n_fft: int | None) -> int:
    hop, seconds = report.say("hop"), report.say("seconds")
    if hop is not None:
        return hop
    if seconds is not None:
        hop = max(1, round(seconds * rate / n_frames))
        report.add("hop", hop, f"{n_frames} frames in {seconds:g} s", None)
        return hop
    hop = HOP if n_fft is None else max(1, n_fft // 4)
    report.add("hop", hop, "guessed: a quarter of a frame", None)
    return hop


def _levels(report: Report, rgb: NDArray[np.uint8], lossy: bool) -> NDArray[np.float32]:
    """0 darkest .. 1 loudest, (height, width)."""
    name = report.say("colormap")
    grey = bool((rgb == rgb[..., :1]).all())
    if name is None and grey:
        name = "gray"
        report.add("colormap", name, "guessed: white is loudest (gray_r: black is)", None)
    if name is None:
        name = _map_of(report, rgb, lossy)
    if name in ("gray", "gray_r") and grey:
        shades = rgb[..., 0] if name == "gray" else 255 - rgb[..., 0]
        return (shades / 255).astype(np.float32)
    table = truncated_or_rounded(rgb, Table(name, map_colours(name), 0.0))
    return values_of(rgb, table, between=lossy).levels


def _map_of(report: Report, rgb: NDArray[np.uint8], lossy: bool) -> str:
    flat = rgb.reshape(-1, 3)
    some = flat[:: -(-len(flat) // LOOKED_AT)]
    near = FITS_LOSSY if lossy else FITS
    best, most = "", 0.0
    for name in NAMES:
        off = values_of(some, Table(name, map_colours(name), 0.0), between=lossy).off
        share = float((off <= near).mean())
        if share > most:
            best, most = name, share
    if most < LEAST_ON_MAP:
        report.refuse(
            f"its colours are on no map known here (the nearest, {best or 'gray'}, has "
            f"{most:.0%} of them): give --colormap, or --image where it is a drawing"
        )
    report.add("colormap", best, f"{most:.0%} of the pixels are on it", most)
    return best
