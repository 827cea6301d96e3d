"""Pictures drawn in ways of their own: read right, or refused in a sentence that says why."""

from __future__ import annotations

from pathlib import Path

import librosa.display
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import spectrogram
from styles import Style, draw, matrix, sound

from realtime.errors import SourceError
from realtime.picture.read.reader import Reading, read_foreign

MOST_DB = 0.3
RATE, N_FFT, HOP = 22050, 512, 448
"""scipy's hop: seven eighths of a frame."""


def _scipys() -> tuple[NDArray, NDArray, NDArray]:
    hz, seconds, power = spectrogram(sound(RATE, 3.0), RATE, nperseg=N_FFT)
    return hz, seconds, 10 * np.log10(power + 1e-10)


def _read(path: Path, db: NDArray) -> Reading:
    plt.colorbar()
    plt.savefig(path, dpi=120)
    plt.close()
    reading = read_foreign(path)
    found = reading.format
    assert (found.kind, found.sample_rate, found.hop, found.n_fft) == ("stft", RATE, HOP, N_FFT)
    assert np.abs(reading.db[0] - db.T).mean() <= MOST_DB
    return reading


@pytest.mark.parametrize("labels", ["title", "unit"])
def test_an_axis_in_khz_is_read(labels: str, tmp_path: Path) -> None:
    hz, seconds, db = _scipys()
    plt.figure(figsize=(8, 5))
    if labels == "title":
        plt.pcolormesh(seconds, hz / 1000, db)
        plt.ylabel("Frequency [kHz]")
    else:
        plt.pcolormesh(seconds, hz, db)
        plt.gca().yaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k")
    _read(tmp_path / "a.png", db)


def test_a_few_marks_upon_a_plot_are_told_and_read_around(tmp_path: Path) -> None:
    hz, seconds, db = _scipys()
    plt.figure(figsize=(8, 5))
    plt.pcolormesh(seconds, hz, db)
    plt.text(1.0, 5000, "here", color="red")
    reading = _read(tmp_path / "a.png", db)
    assert 0 < reading.report["items"]["stray"]["value"] < 0.01
    assert reading.certainty <= 0.7


def _grid(path: Path) -> None:
    plt.figure(figsize=(10, 4))
    librosa.display.specshow(matrix(Style()).db.T, sr=RATE, x_axis="time", y_axis="mel")
    plt.colorbar(format="%+2.0f dB")
    plt.grid(color="w")
    plt.savefig(path)


def _frameless(path: Path) -> None:
    with plt.style.context("ggplot"):
        plt.figure(figsize=(10, 4))
        librosa.display.specshow(matrix(Style()).db.T, sr=RATE, x_axis="time", y_axis="mel")
        plt.colorbar(format="%+2.0f dB")
        plt.savefig(path)


def _with_silence(path: Path) -> None:
    """Where the sound is exactly 0 there is no logarithm, and the paper shows."""
    plt.figure(figsize=(8, 5))
    with np.errstate(divide="ignore"):
        *_, image = plt.specgram(sound(RATE, 3.0), NFFT=N_FFT, Fs=RATE, noverlap=256)
    plt.colorbar(image)
    plt.savefig(path)


def _smooth(path: Path) -> None:
    hz, seconds, db = _scipys()
    plt.figure(figsize=(5, 3))
    plt.pcolormesh(seconds, hz, db, shading="gouraud")
    plt.colorbar()
    plt.savefig(path, dpi=120)


def _constant_q(path: Path) -> None:
    db = librosa.amplitude_to_db(np.abs(librosa.cqt(sound(RATE, 3.0), sr=RATE)), ref=np.max)
    plt.figure(figsize=(10, 4))
    librosa.display.specshow(db, sr=RATE, x_axis="time", y_axis="cqt_hz")
    plt.colorbar(format="%+2.0f dB")
    plt.savefig(path)


def _milliseconds(path: Path) -> None:
    hz, seconds, db = _scipys()
    plt.pcolormesh(1000 * seconds, hz, db)
    plt.colorbar()
    plt.savefig(path, dpi=120)


@pytest.mark.parametrize(
    ("draw_it", "why"),
    [
        (_grid, "colours that the bar has not"),
        (_frameless, "no frame of one colour"),
        (_with_silence, "colours that the bar has not"),
        (_smooth, "cannot be told apart"),
        (_constant_q, "no bins of a usual n_fft"),
        (_milliseconds, "no usual hop"),
    ],
)
def test_what_is_not_shown_plainly_is_refused(draw_it, why: str, tmp_path: Path) -> None:
    draw_it(tmp_path / "a.png")
    plt.close("all")
    with pytest.raises(SourceError, match=why):
        read_foreign(tmp_path / "a.png")


def test_a_small_palette_is_told(tmp_path: Path) -> None:
    draw(Style(), tmp_path / "a.png")
    Image.open(tmp_path / "a.png").convert("RGB").quantize(64).save(tmp_path / "b.png")
    reading = read_foreign(tmp_path / "b.png")
    assert reading.certainty <= 0.7
    assert reading.report["items"]["steps"]["value"] <= 64


def test_gray_that_was_scaled_counts_as_altered(tmp_path: Path) -> None:
    truth = draw(Style(colormap="gray", y="linear", n_fft=512, hop=256), tmp_path / "a.png")
    picture = Image.open(tmp_path / "a.png").convert("RGB")
    wide, tall = picture.size
    picture.resize((2 * wide, 2 * tall), Image.Resampling.BICUBIC).save(tmp_path / "b.png")
    reading = read_foreign(tmp_path / "b.png")
    assert reading.db.shape[1:] == truth.db.shape
    assert reading.report["items"]["picture"]["value"] == "altered"
