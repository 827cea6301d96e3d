"""Drawings as sounds: one sees them again."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.scales import SCALES
from realtime.dsp.spectra import stft
from realtime.errors import RequestError
from realtime.picture.drawn import drawn

RATE = 16000
HOP = 64


def image() -> np.ndarray:
    """A ring, a falling line and a grey bar: float64 (80, 120)."""
    y, x = np.mgrid[:80, :120]
    ring = np.abs(np.hypot(y - 30, x - 35) - 22) < 4
    line = np.abs(y - 10 - (x - 70) * 1.2) < 4
    return np.maximum(ring | (line & (x > 68)), 0.5 * ((y > 65) & (y < 75)))


def shown(samples: np.ndarray, scale: str, fmin: float, fmax: float, seconds: float) -> np.ndarray:
    """Magnitudes at the middle of each pixel."""
    frames = np.abs(stft(samples, 512, HOP))
    units = SCALES[scale]
    edges = np.linspace(units.forward(fmax), units.forward(fmin), 2 * 80 + 1)
    bins = np.rint(units.inverse(edges[1::2]) * 512 / RATE).astype(int)
    times = np.rint((np.arange(120) + 0.5) / 120 * seconds * RATE / HOP).astype(int)
    return frames[times][:, bins].T


@pytest.mark.parametrize(
    ("scale", "fmin", "fmax", "least"), [("linear", 0, 8000, 0.88), ("mel", 200, 7000, 0.85)]
)
@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_the_spectrogram_shows_the_image(scale: str, fmin: float, fmax: float, least, gamma):
    samples = drawn(
        image(), sample_rate=RATE, seconds=3.0, fmin=fmin, fmax=fmax, gamma=gamma, scale=scale
    )
    assert samples.shape == (3 * RATE,) and samples.dtype == np.float32
    seen = shown(samples, scale, fmin, fmax, 3.0) ** (1 / gamma)
    assert np.corrcoef(seen.ravel(), image().ravel())[0, 1] > least


def test_a_bright_row_is_its_frequency_and_a_bright_column_its_time():
    row = np.zeros((100, 50))
    row[20] = 1  # of 0 to 8000 Hz, the first row highest
    power = np.abs(np.fft.rfft(drawn(row, sample_rate=RATE, seconds=2, fmin=0, fmax=8000))) ** 2
    hz = np.fft.rfftfreq(2 * RATE, 1 / RATE)
    assert power @ hz / power.sum() == pytest.approx(8000 * (1 - 20.5 / 100), abs=40)
    column = np.zeros((50, 100))
    column[:, 20] = 1
    power = drawn(column, sample_rate=RATE, seconds=2, fmin=0, fmax=8000) ** 2
    assert power @ np.arange(2 * RATE) / power.sum() == pytest.approx(0.41 * RATE, abs=0.01 * RATE)


def test_the_peak_is_at_minus_3_dbfs_and_black_is_silence():
    samples = drawn(image(), sample_rate=RATE, seconds=1, fmax=8000)
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-3, abs=1e-3)
    assert not drawn(np.zeros((4, 4)), sample_rate=RATE, fmax=8000).any()


def test_the_same_arguments_make_the_same_sound():
    told: list[float] = []
    once = drawn(image(), sample_rate=RATE, seconds=1, fmax=8000, progress=told.append)
    assert np.array_equal(drawn(image(), sample_rate=RATE, seconds=1, fmax=8000), once)
    assert not np.array_equal(drawn(image(), sample_rate=RATE, seconds=1, fmax=8000, seed=1), once)
    assert told == sorted(told) and told[-1] == 1.0


@pytest.mark.parametrize("size", [(1, 1), (2, 3000), (3000, 2)])
def test_images_of_any_size_serve(size: tuple[int, int]):
    samples = drawn(np.ones(size), sample_rate=RATE, seconds=0.5, fmax=8000)
    assert samples.shape == (8000,) and np.isfinite(samples).all() and samples.any()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"image": np.ones((2, 2, 3))}, r"shape \(2, 2, 3\) must be \(n_rows, n_columns\)"),
        ({"image": np.full((2, 2), np.nan)}, "must be 0 to 1"),
        ({"image": np.full((2, 2), 255)}, "divide 8 bits by 255"),
        ({"scale": "linaer"}, "no scale is called 'linaer': choose one of linear, log"),
        ({"fmax": 9000}, "fmin=100 to fmax=9000 Hz must lie within 0 to 8000 Hz"),
        ({"fmin": 8000}, "fmin=8000 to fmax=8000 Hz"),
        ({"seconds": 0}, "seconds=0 and gamma=2 must be above 0"),
        ({"gamma": -1}, "gamma=-1 must be above 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        drawn(**{"image": np.ones((2, 2)), "sample_rate": RATE, "fmax": 8000, **arguments})
