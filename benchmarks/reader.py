"""Pictures of other programs read back: a matrix of styles, fresh from librosa and matplotlib.

Each style is drawn by `tests/styles.py`, read, and held against the numbers that were drawn.
right: kind, sample rate, hop, rows, bands and range of dB as drawn, and at most MOST_DB of mean
error over the cells that have a pixel. coarse: read with a certainty of at most COARSE, for cells
are smaller than pixels. altered: right but for values that compression or scaling changed, and so
reported. refused: with a sentence. wrong: anything else, the one thing that must never be.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from rich.table import Table

from realtime.errors import RealtimeError
from realtime.picture.read.reader import Reading, read_foreign
from tests.styles import Style, Truth, draw

MOST_DB = 0.3
LEAST_RIGHT = 0.95
COARSE = 0.5
N_STYLES = 240
SEED = 3

MAPS = ("magma", "viridis", "inferno", "plasma", "jet", "gray", "gray_r")
DPIS = (72, 100, 150, 200, 300)
SIZES = ((4, 3), (6.4, 4.8), (10, 4), (12, 6), (20, 8))
RATES = (22050, 16000, 44100, 48000)


WHAT = ("right", "coarse", "altered", "refused", "wrong")


class Outcome(NamedTuple):
    """what : one of WHAT. why : a sentence. error : dB, mean."""

    style: Style
    what: str
    error: float
    why: str
    seconds: float


def matrix(n: int = N_STYLES, seed: int = SEED) -> Iterator[Style]:
    """Styles drawn by chance, each property as often as any other; sounds as long as the plot
    has pixels for."""
    rng = np.random.default_rng(seed)

    def one(values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    for _ in range(n):
        program = one(("specshow", "specshow", "specshow", "pcolormesh", "imshow"))
        y = one(("mel", "mel", "linear", "log")) if program == "specshow" else "linear"
        y = one(("linear", "log")) if program == "pcolormesh" else y
        size, dpi, rate = one(SIZES), one(DPIS), one(RATES)
        hop = one((512, 512, 256, 1024))
        wide, tall = (0.8 * size[0] - 1.4) * dpi, 0.72 * size[1] * dpi
        n_fft = max(m for m in (256, 512, 1024, 2048) if m < 1.7 * tall) if y != "mel" else 2048
        hop = min(hop, n_fft)
        seconds = min(14.0, 0.9 * wide * hop / rate, rng.uniform(1, 14))
        n_mels = one([m for m in (64, 128, 256) if m < 0.8 * tall])
        bands = {}
        if y == "mel":
            highest = one([None, None, *(f for f in (4000.0, 7600.0, 8000.0) if f < rate / 2)])
            bands = {"fmin": one((0.0, 0.0, 20.0, 50.0, 80.0)), "fmax": highest}
            bands["htk"] = one((False, False, False, True))
        yield Style(
            program=program, y=y, colormap=one(MAPS), dpi=dpi, size=size, titled=one((True, False)),
            dark=one((False, False, True)), bar=one(("%+2.0f dB", None)),
            top_db=one((80.0, 60.0, 100.0)),
            sample_rate=rate, n_mels=n_mels, n_fft=n_fft, hop=hop, seconds=round(seconds, 2),
            **bands,
        )  # fmt: skip


def judged(style: Style, truth: Truth, read: Callable[[], Reading]) -> Outcome:
    """What came of reading the picture of `style`."""
    start = time.perf_counter()
    try:
        reading = read()
    except RealtimeError as refusal:
        return Outcome(style, "refused", np.nan, str(refusal), time.perf_counter() - start)
    took = time.perf_counter() - start
    found = reading.format
    names = ["kind", "sample_rate", "hop", "n_rows"]
    same = found.hop * truth.sample_rate == truth.hop * found.sample_rate
    if style.fmax is not None and same:  # nothing shows which rate above 2 fmax it was
        names = ["kind", "n_rows"]
    faults = [
        f"{name} = {getattr(found, name)} is {getattr(truth, name)}"
        for name in names
        if getattr(found, name) != getattr(truth, name)
    ]
    highest = style.fmax or style.sample_rate / 2
    if truth.kind == "mel" and (found.fmin, found.fmax, found.htk) != (
        style.fmin,
        highest,
        style.htk,
    ):
        faults.append(f"{found.fmin:g} to {found.fmax:g} Hz, htk {found.htk}")
    ends = float(truth.db.min()), float(truth.db.max())
    if max(abs(found.db_low - ends[0]), abs(found.db_high - ends[1])) > MOST_DB:
        faults.append(
            f"{found.db_low:.2f} to {found.db_high:.2f} dB are {ends[0]:.2f} to {ends[1]:.2f}"
        )
    error = _error(reading, truth)
    if not error <= MOST_DB:
        faults.append(f"{error:.2f} dB, {reading.db[0].shape} of {truth.db.shape}")
    what = "wrong" if faults else "right"
    if reading.certainty <= COARSE:
        what = "coarse"
    elif (
        "picture" in reading.report["items"]
        and np.isfinite(error)
        and len(faults) == (error > MOST_DB)
    ):
        what = "altered"
    return Outcome(style, what, error, "; ".join(faults), took)


def _error(reading: Reading, truth: Truth) -> float:
    """Mean, in dB, over the cells that have a pixel; nan where frames are more or fewer by two.
    One may be hidden by the frame of the axes, or the other end's frame be shown a pixel wide."""
    read, drawn = reading.db[0], truth.db
    if read.shape[1] != drawn.shape[1] or abs(len(read) - len(drawn)) > 1:
        return np.nan
    n = min(len(read), len(drawn))
    errors = []
    for a, b in {(0, 0), (len(read) - n, len(drawn) - n)}:
        off = np.abs(read[a : a + n] - drawn[b : b + n])
        shown = off[np.ix_(reading.frames_seen[a : a + n], reading.rows_seen)]
        errors.append(float(shown.mean()) if shown.size else np.nan)
    return min(errors)


def outcomes(styles: Iterator[Style]) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "style.png"
        for style in styles:
            truth = draw(style, path)
            yield judged(style, truth, lambda: read_foreign(path))


def degraded() -> Iterator[tuple[str, Outcome]]:
    """The tutorial's picture as JPEG and as screenshots."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tutorial.png"
        for style in (Style(), Style(colormap="viridis", y="linear", n_fft=512, hop=256)):
            truth = draw(style, path)
            picture = Image.open(path).convert("RGB")
            for name, changed, suffix, options in (
                ("JPEG 95", picture, ".jpg", {"quality": 95}),
                ("JPEG 75", picture, ".jpg", {"quality": 75}),
                ("JPEG 30", picture, ".jpg", {"quality": 30}),
                ("WebP 80", picture, ".webp", {"quality": 80}),
                ("150 %", _scaled(picture, 1.5), ".png", {}),
                ("125 %", _scaled(picture, 1.25), ".png", {}),
                ("80 %", _scaled(picture, 0.8), ".png", {}),
            ):
                other = path.with_suffix(suffix) if suffix != ".png" else path.with_name("s.png")
                changed.save(other, **options)
                outcome = judged(style, truth, lambda other=other: read_foreign(other))
                yield f"{style.y}, {name}", outcome


def _scaled(picture: Image.Image, factor: float) -> Image.Image:
    size = (round(picture.width * factor), round(picture.height * factor))
    return picture.resize(size, Image.Resampling.BILINEAR)


def tables() -> Iterator[Table]:
    yield _counts(list(outcomes(matrix())))
    table = Table(title="JPEG and screenshots of it")
    for column in ("picture", "outcome", "error, dB", "why"):
        table.add_column(column)
    for name, outcome in degraded():
        table.add_row(name, outcome.what, f"{outcome.error:.2f}", outcome.why)
    yield table


def _counts(all_of: list[Outcome]) -> Table:
    table = Table(title=f"{len(all_of)} styles read back")
    for column in ("outcome", "pictures", "share", "mean error, dB", "largest", "seconds each"):
        table.add_column(column, justify="left" if column == "outcome" else "right")
    for what in WHAT:
        some = [outcome for outcome in all_of if outcome.what == what]
        errors = np.array([outcome.error for outcome in some if outcome.error == outcome.error])
        table.add_row(
            what,
            str(len(some)),
            f"{len(some) / max(len(all_of), 1):.1%}",
            f"{errors.mean():.3f}" if errors.size else "",
            f"{errors.max():.3f}" if errors.size else "",
            f"{np.mean([outcome.seconds for outcome in some]):.2f}" if some else "",
        )
    return table
