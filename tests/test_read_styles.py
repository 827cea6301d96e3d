"""Pictures that librosa and matplotlib draw are read back: the right numbers, and how surely."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from styles import Style, Truth, draw, tutorial, write_sound

from realtime.errors import SourceError
from realtime.picture.read.reader import Reading, read_foreign

MOST_DB = 0.3


def _holds(reading: Reading, truth: Truth, most_db: float = MOST_DB) -> None:
    """The reading is the truth, where a cell has a pixel."""
    found = reading.format
    assert (found.kind, found.sample_rate, found.hop, found.n_rows) == (
        truth.kind, truth.sample_rate, truth.hop, truth.n_rows,
    )  # fmt: skip
    assert reading.db.shape == (1, *truth.db.shape)
    shown = np.ix_(reading.frames_seen, reading.rows_seen)
    assert np.abs(reading.db[0] - truth.db)[shown].mean() <= most_db
    assert found.ref is None


@pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated")  # librosa.load
@pytest.mark.parametrize("seconds", [3.0, 13.7])
def test_the_tutorials_picture_is_read_to_a_seventh_of_a_decibel(
    seconds: float, tmp_path: Path
) -> None:
    write_sound(tmp_path / "sound.wav", seconds=seconds)
    db = tutorial(tmp_path / "sound.wav", tmp_path / "tutorial.png")
    reading = read_foreign(tmp_path / "tutorial.png")
    _holds(reading, Truth("mel", 22050, 512, 128, db), 0.15)
    assert np.abs(reading.db[0] - db).mean() <= 0.15
    assert reading.certainty > 0.8
    assert (reading.format.db_low, reading.format.db_high) == (-80, 0)


@pytest.mark.parametrize(
    "style",
    [
        Style(colormap="viridis", dpi=72, size=(6.4, 4.8), bar=None, n_mels=64),
        Style(colormap="gray_r", dpi=72, size=(6.4, 4.8), dark=True),
        Style(colormap="inferno", dpi=150, size=(4, 3), titled=False, n_mels=64, seconds=2.0),
        Style(colormap="jet", sample_rate=44100, top_db=60.0, seconds=2.0),
        Style(colormap="gray", sample_rate=48000, dpi=200, n_mels=256, bar=None, top_db=100.0),
        Style(sample_rate=16000, fmax=7600, seconds=3.0),
        Style(fmax=8000),
        Style(y="linear", n_fft=512, hop=256, colormap="plasma", titled=False),
        Style(y="log", n_fft=512, hop=256, horizontal=True, bar=None, size=(12, 6)),
        Style(program="pcolormesh", y="linear", n_fft=512, hop=128, bar=None, seconds=2.0),
        Style(program="pcolormesh", y="log", n_fft=512, hop=256, bar=None, dpi=150),
        Style(program="imshow", y="linear", n_fft=512, hop=256, size=(6.4, 4.8), dark=True),
    ],
    ids=lambda style: f"{style.program}-{style.y}-{style.colormap}-{style.dpi}",
)
def test_a_style_is_read_back(style: Style, tmp_path: Path) -> None:
    truth = draw(style, tmp_path / "style.png")
    reading = read_foreign(tmp_path / "style.png")
    _holds(reading, truth)
    assert reading.format.fmax == (style.fmax or style.sample_rate / 2)
    assert reading.certainty > 0.5


def test_frames_smaller_than_pixels_are_read_with_little_certainty(tmp_path: Path) -> None:
    truth = draw(Style(seconds=30.0), tmp_path / "long.png")
    reading = read_foreign(tmp_path / "long.png")
    assert reading.certainty <= 0.5
    assert "assumed" in reading.report["items"]["hop"]["how"]
    assert abs(reading.db.shape[1] - len(truth.db)) <= 2


@pytest.mark.parametrize(("suffix", "factor", "most_db"), [(".jpg", 1.0, 1.0), (".png", 1.5, 0.5)])
def test_a_picture_that_was_compressed_or_scaled_says_so(
    suffix: str, factor: float, most_db: float, tmp_path: Path
) -> None:
    truth = draw(Style(), tmp_path / "first.png")
    picture = Image.open(tmp_path / "first.png").convert("RGB")
    size = round(factor * picture.width), round(factor * picture.height)
    other = tmp_path / f"other{suffix}"
    picture.resize(size, Image.Resampling.BILINEAR).save(other)
    reading = read_foreign(other)
    _holds(reading, truth, most_db)
    assert reading.certainty <= 0.7
    assert reading.report["items"]["picture"]["value"] == "altered"


def test_jpeg_too_coarse_to_tell_frames_apart_is_refused(tmp_path: Path) -> None:
    draw(Style(y="linear", n_fft=512, hop=256), tmp_path / "first.png")
    Image.open(tmp_path / "first.png").convert("RGB").save(tmp_path / "other.jpg", quality=20)
    with pytest.raises(SourceError):
        read_foreign(tmp_path / "other.jpg")


def test_what_the_caller_says_counts_and_is_reported_as_given(tmp_path: Path) -> None:
    truth = draw(Style(), tmp_path / "style.png")
    given = {"db_low": -100.0, "db_high": -20.0, "n_fft": 1024, "seconds": None}
    reading = read_foreign(tmp_path / "style.png", given)
    assert reading.format.n_fft == 1024
    assert reading.report["items"]["db_low"] == {"value": -100.0, "how": "given", "certainty": 1.0}
    assert np.abs(reading.db[0] + 20 - truth.db).mean() <= MOST_DB


def test_without_a_colour_bar_map_and_range_may_be_given(tmp_path: Path) -> None:
    truth = draw(Style(colormap="viridis"), tmp_path / "style.png")
    picture = np.array(Image.open(tmp_path / "style.png").convert("RGB"))
    picture[:, 820:] = 255
    Image.fromarray(picture).save(tmp_path / "bare.png")
    with pytest.raises(SourceError, match="no colour bar"):
        read_foreign(tmp_path / "bare.png")
    given = {"colormap": "viridis", "db_low": -80.0, "db_high": 0.0}
    _holds(read_foreign(tmp_path / "bare.png", given), truth)


def test_the_report_says_how_each_thing_was_found(tmp_path: Path) -> None:
    draw(Style(), tmp_path / "style.png")
    items = read_foreign(tmp_path / "style.png").report["items"]
    found = {"axes_box", "bar_box", "colormap", "db_low", "db_high", "time_axis", "frequency_axis"}
    assert found | {"kind", "n_rows", "n_frames", "hop", "sample_rate", "n_fft"} <= items.keys()
    assert all(item["how"] for item in items.values())
    assert items["n_fft"]["certainty"] is None
    assert "assumed" in items["n_fft"]["how"]


def test_where_several_ranges_of_mel_fit_the_likeliest_is_a_guess_or_none_is_read(
    tmp_path: Path,
) -> None:
    """Few pixels a band: an edge that is one pixel off tells 80 Hz from 75 Hz, and 0 from 20 Hz."""
    style = Style(dpi=72, n_mels=64, sample_rate=16000, seconds=2.62, fmax=4000.0, fmin=80.0)
    draw(replace(style, colormap="inferno", bar=None, top_db=100.0, dark=True), tmp_path / "a.png")
    item = read_foreign(tmp_path / "a.png").report["items"]["fmin"]
    assert (item["value"], item["certainty"]) == (80, None)
    assert "75" in item["how"]
    small = replace(style, bar=None, size=(4, 3), seconds=3.73, fmin=20.0, colormap="inferno")
    draw(small, tmp_path / "b.png")
    with pytest.raises(SourceError, match="from 0 to 4000 Hz or from 20 to 4000 Hz"):
        read_foreign(tmp_path / "b.png")


def test_of_two_plots_the_one_asked_for_is_read(tmp_path: Path) -> None:
    truth = draw(Style(), tmp_path / "first.png")
    draw(Style(seconds=3.0, colormap="viridis"), tmp_path / "second.png")
    both = [np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("second", "first")]
    Image.fromarray(np.concatenate(both)).save(tmp_path / "both.png")
    with pytest.raises(SourceError, match=r"2 plots .*--axes-box") as refusal:
        read_foreign(tmp_path / "both.png")
    boxes = str(refusal.value).partition("(")[2].rstrip(")").split("; ")
    lower = max(boxes, key=lambda box: int(box.split(",")[1]))
    given = {"axes_box": [int(side) for side in lower.split(",")]}
    _holds(read_foreign(tmp_path / "both.png", given), truth)
