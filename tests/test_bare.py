"""Bare spectrograms from elsewhere: what is given is used, what is seen is told, the rest guessed
aloud."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from realtime.errors import RequestError, SourceError
from realtime.picture.bare import read_bare

STEP = 80 / 255
"""dB of one of 8 bits."""


def shades(rng: np.random.Generator, n_frames: int, n_rows: int) -> np.ndarray:
    """uint8 (n_frames, n_rows), the lowest row first."""
    shape = rng.integers(0, 256, (n_frames // 4 + 1, n_rows), dtype=np.uint8)
    return np.repeat(shape, 4, axis=0)[:n_frames]


def saved(path: Path, values: np.ndarray, colormap: str | None = None) -> Path:
    picture = values.T[::-1]
    if colormap is not None:
        picture = matplotlib.colormaps[colormap](picture, bytes=True)[..., :3]
    Image.fromarray(np.ascontiguousarray(picture)).save(path)
    return path


@pytest.mark.parametrize("colormap", [None, "magma", "viridis", "inferno", "plasma", "jet"])
def test_values_come_back_whatever_map_they_were_painted_with(
    tmp_path: Path, rng: np.random.Generator, colormap: str | None
) -> None:
    values = shades(rng, 60, 80)
    reading = read_bare(saved(tmp_path / "x.png", values, colormap))
    assert reading.report["items"]["colormap"]["value"] == (colormap or "gray")
    error = np.abs(reading.db[0] - (values * STEP - 80))
    assert error.mean() < STEP / 2 and error.max() < 4 * STEP  # some of jet's colours are alike


def test_black_may_be_the_loudest(tmp_path: Path, rng: np.random.Generator) -> None:
    values = shades(rng, 60, 80)
    path = saved(tmp_path / "x.png", 255 - values)
    reading = read_bare(path, {"colormap": "gray_r", "db_low": -100.0, "db_high": 20.0})
    assert reading.db[0] == pytest.approx(values * (120 / 255) - 100, abs=1e-3)


@pytest.mark.parametrize(
    ("n_rows", "kind", "n_fft", "bins"),
    [
        (80, "mel", 2048, 80),
        (128, "mel", 2048, 128),
        (129, "stft", 256, 129),
        (513, "stft", 1024, 513),
        (1024, "stft", 2048, 1025),
        (1025, "stft", 2048, 1025),
        (97, "mel", 2048, 97),
    ],
)
def test_the_number_of_rows_tells_bins_from_bands(
    tmp_path: Path, rng: np.random.Generator, n_rows: int, kind: str, n_fft: int, bins: int
) -> None:
    reading = read_bare(saved(tmp_path / "x.png", shades(rng, 9, n_rows)))
    made = reading.format
    assert (made.kind, made.n_fft, made.n_rows, made.sample_rate) == (kind, n_fft, bins, 22050)
    assert reading.db.shape == (1, 9, bins) and made.hop == n_fft // 4 and made.ref is None
    assert reading.report["items"]["kind"]["certainty"] is None


def test_what_is_given_is_no_guess(tmp_path: Path, rng: np.random.Generator) -> None:
    given = {
        "kind": "mel", "sample_rate": 16000, "n_fft": 1024, "seconds": 1.0, "htk": True,
        "fmin": 80.0, "fmax": 7600.0, "n_rows": 80, "db_low": -100.0, "db_high": 0.0,
        "colormap": "gray",
    }  # fmt: skip
    reading = read_bare(saved(tmp_path / "x.png", shades(rng, 100, 80)), given)
    made = reading.format
    assert (made.hop, made.n_fft, made.htk, made.fmin, made.fmax) == (160, 1024, True, 80, 7600)
    unsure = [k for k, v in reading.report["items"].items() if v["certainty"] is None]
    assert unsure == ["hop"]


@pytest.mark.parametrize("kind", ["bark", "erb", "cqt"])
def test_other_bands_are_read_where_they_are_named(
    tmp_path: Path, rng: np.random.Generator, kind: str
) -> None:
    reading = read_bare(saved(tmp_path / "x.png", shades(rng, 9, 60)), {"kind": kind})
    assert (reading.format.kind, reading.format.n_rows) == (kind, 60)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n_rows": 64}, "80 rows of pixels are not --n-mels 64"),
        ({"kind": "stft", "n_fft": 1024}, "80 rows are not the bins of n_fft = 1024"),
        ({"db_low": 0.0, "db_high": -80.0}, "--db-low 0 must be below --db-high -80"),
        ({"hop": 4096}, "hop = 4096 must be at most n_fft = 2048"),
        ({"fmax": 20_000.0}, "fmin = 0 to fmax = 20000 Hz must rise"),
        ({"colormap": "mauve"}, "colormap 'mauve' is unknown"),
        ({"hops": 9}, "override 'hops' is unknown"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, rng: np.random.Generator, given: dict, sentence: str
) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_bare(saved(tmp_path / "x.png", shades(rng, 9, 80)), given)


def test_colours_of_no_map_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    Image.fromarray(rng.integers(0, 256, (80, 90, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(SourceError, match=r"on no map known here .* give --colormap, or --image"):
        read_bare(tmp_path / "x.png")
