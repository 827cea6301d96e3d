"""Our own pictures that an image editor saved, and that say nothing of themselves any more: read
right from what is seen, or refused with the flag that helps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from styles import sound

from realtime.errors import SourceError
from realtime.picture.load import Sound
from realtime.picture.own import read_own
from realtime.picture.read.cells import changes_along
from realtime.picture.read.own_sheet import count_cells
from realtime.picture.read.reader import read_foreign
from realtime.picture.render import render

MOST_DB = 0.3


def _saved_again(folder: Path, mode: str = "RGB", *, seconds: float = 3.0, **look: Any) -> Path:
    """A picture of ours as an editor saves it; the first one lies beside it."""
    samples = sound(22050, seconds)
    channels = [samples, samples[::-1]][: look.pop("n_channels", 1)]
    drawn = Sound(np.stack(channels, axis=1), 22050)
    render(drawn, folder / "own.png", **look)
    picture = Image.open(folder / "own.png").convert(mode)
    picture.info.clear()
    picture.save(folder / "again.png")
    return folder / "again.png"


@pytest.mark.parametrize(
    "look",
    [
        {"kind": "stft"},  # a pixel a row
        {"kind": "stft", "n_fft": 512, "hop": 256, "scale": "linear", "colormap": "viridis"},
        {"kind": "stft", "n_fft": 1024, "dpi": 150, "title": "", "colormap": "gray_r"},
        {"kind": "stft", "n_fft": 512, "size": (1000, 600), "colormap": "hot", "top_db": None},
        {"kind": "mel", "fmin": 50},
        {"kind": "mel", "htk": True, "n_rows": 77, "dpi": 72},
        {"kind": "bark", "n_rows": 40},
        {"kind": "erb", "fmin": 50, "fmax": 8000, "dpi": 200},
    ],
    ids=lambda look: "-".join(str(value) for value in look.values()),
)
def test_a_picture_of_ours_saved_again_is_read_as_it_was_drawn(
    look: dict[str, Any], tmp_path: Path
) -> None:
    mode = "RGBA" if look.get("title") == "" else "RGB"
    reading = read_foreign(_saved_again(tmp_path, mode, **look))
    own = read_own(tmp_path / "own.png")
    names = ("kind", "sample_rate", "hop", "n_rows", "fmin", "fmax", "htk", "db_high")
    wanted = {name: getattr(own.format, name) for name in names}
    assert {name: getattr(reading.format, name) for name in names} == wanted
    assert reading.format.db_low == pytest.approx(own.format.db_low, abs=0.05)
    assert np.abs(reading.db - own.db).mean() <= MOST_DB
    assert reading.frames_seen.mean() > 0.98
    assert reading.rows_seen.mean() > 0.98
    assert reading.certainty >= 0.6


@pytest.mark.parametrize(
    ("look", "why"),
    [
        ({"kind": "cqt"}, "sample rate: give --like"),
        ({"kind": "cqt", "size": (1000, 400)}, "sample rate: give --like"),
        ({"kind": "stft", "scale": "log"}, "sample rate: give --like"),
        ({"kind": "stft", "scale": "mel"}, "not all of one height.* --like"),
        ({"kind": "mel", "scale": "linear"}, "not all of one height.* --like"),
        ({"kind": "stft", "size": (800, 400)}, "less than a pixel: give --like"),
        ({"kind": "mel", "width": 400, "hop": 128}, "--like"),  # of 517 frames
        ({"kind": "mel", "fmin": 37}, "give --fmin and --fmax"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_what_a_picture_of_ours_does_not_show_is_refused(
    look: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=why):
        read_foreign(_saved_again(tmp_path, **look))


def test_what_it_does_not_show_may_be_given(tmp_path: Path) -> None:
    path = _saved_again(tmp_path, kind="mel", fmin=37, fmax=9000, hop=256)
    given = {"fmin": 37.0, "fmax": 9000.0, "sample_rate": 22050}
    reading = read_foreign(path, given)
    assert np.abs(reading.db - read_own(tmp_path / "own.png").db).mean() <= MOST_DB
    assert (reading.format.fmin, reading.format.hop) == (37, 256)


def test_rates_that_make_the_same_picture_are_named(tmp_path: Path) -> None:
    items = read_foreign(_saved_again(tmp_path, kind="mel", fmax=3800, hop=256)).report["items"]
    assert (items["sample_rate"]["value"], items["hop"]["value"]) == (22050, 256)
    assert items["sample_rate"]["certainty"] is None  # a guess, and the command says so
    assert "512 at 44100 Hz" in items["hop"]["how"]


def test_ten_milliseconds_are_taken_for_a_rate_that_has_them(tmp_path: Path) -> None:
    """220 and 221 at 22050 Hz are nearly as long."""
    path = _saved_again(tmp_path, kind="mel", fmax=3800, hop=160, sample_rate=16000)
    items = read_foreign(path).report["items"]
    assert (items["sample_rate"]["value"], items["hop"]["value"]) == (16000, 160)
    assert "480 at 48000 Hz" in items["hop"]["how"]


def test_painted_and_compressed_pictures_of_ours_ask_for_the_one_before(tmp_path: Path) -> None:
    path = _saved_again(tmp_path, kind="mel")
    Image.open(path).save(tmp_path / "again.jpg", quality=95)
    with pytest.raises(SourceError, match=r"changed by compression.*: give --like"):
        read_foreign(tmp_path / "again.jpg")


def test_of_two_channels_one_may_be_chosen(tmp_path: Path) -> None:
    path = _saved_again(tmp_path, kind="mel", n_channels=2)
    with pytest.raises(SourceError, match=r"2 plots .*--axes-box") as refusal:
        read_foreign(path)
    boxes = str(refusal.value).partition("(")[2].rstrip(")").split("; ")
    lower = max(boxes, key=lambda box: int(box.split(",")[1]))
    reading = read_foreign(path, {"axes_box": [int(side) for side in lower.split(",")]})
    assert np.abs(reading.db[0] - read_own(tmp_path / "own.png").db[1]).mean() <= MOST_DB


@pytest.mark.parametrize(("n", "n_pixels"), [(40, 40), (40, 97), (63, 80), (128, 512)])
def test_cells_are_counted_exactly_or_not_at_all(
    n: int, n_pixels: int, rng: np.random.Generator
) -> None:
    cell = (np.arange(n_pixels) + 0.5) * n // n_pixels
    plane = rng.integers(0, 256, (n, 30, 3), dtype=np.uint8)[cell.astype(int)]
    grid = count_cells(changes_along(plane, 10, plane), 10, 10 + n_pixels, range(8, 600))
    assert grid is not None
    assert grid.n == n
    uneven = np.sort(rng.permutation(n_pixels - 1)[: n - 1]) + 1
    cell = np.searchsorted(uneven, np.arange(n_pixels), "right")
    plane = rng.integers(0, 256, (n, 30, 3), dtype=np.uint8)[cell]
    changes = changes_along(plane, 10, plane)
    assert n == n_pixels or count_cells(changes, 10, 10 + n_pixels, range(8, 600)) is None
