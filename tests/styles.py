"""Spectrograms with axes as other people's programs draw them: librosa and matplotlib, any style.

`draw(Style(...), path)` saves a picture and returns what it shows, the truth a reader is held to.
`tutorial` is the tutorial's code, written anew from its description.
"""

from __future__ import annotations

import functools
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import librosa
import librosa.display
import matplotlib
import numpy as np
import soundfile
from numpy.typing import NDArray

matplotlib.use("Agg")

import matplotlib.pyplot as plt


@dataclass(frozen=True)
class Style:
    """One way to draw one sound. Defaults are the tutorial's."""

    program: str = "specshow"
    """"specshow", "pcolormesh" or "imshow"."""
    y: str = "mel"
    """"mel" (a mel matrix), "linear" or "log" (an STFT on that axis)."""
    colormap: str = "magma"
    dpi: int = 100
    size: tuple[float, float] = (10, 4)
    titled: bool = True
    dark: bool = False
    bar: str | None = "%+2.0f dB"
    """Format of the colour bar's ticks; None: matplotlib's own, with its minus sign."""
    horizontal: bool = False
    """The colour bar lies below."""
    top_db: float = 80.0
    sample_rate: int = 22050
    n_mels: int = 128
    n_fft: int = 2048
    hop: int = 512
    seconds: float = 4.0
    fmax: float | None = None
    fmin: float = 0.0
    htk: bool = False


@dataclass(frozen=True)
class Truth:
    """What a picture shows. db : float32 (n_frames, n_rows)."""

    kind: str
    sample_rate: int
    hop: int
    n_rows: int
    db: NDArray[np.float32]


@functools.lru_cache(maxsize=16)
def sound(sample_rate: int, seconds: float) -> NDArray[np.float32]:
    """Syllables of gliding harmonics, hiss between them, a moment of silence: float32 (n,)."""
    rng = np.random.default_rng(5)
    t = np.arange(round(sample_rate * seconds)) / sample_rate
    pitch = 140 + 60 * np.sin(2 * np.pi * 0.7 * t) + 30 * np.sin(2 * np.pi * 2.3 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    formant = 900 + 600 * np.sin(2 * np.pi * 1.1 * t)
    voice = np.zeros_like(t)
    for k in range(1, int(0.45 * sample_rate / 230)):
        hz = k * pitch
        gain = np.exp(-(((hz - formant) / 500) ** 2)) + 0.3 * np.exp(-(((hz - 2800) / 700) ** 2))
        voice += (gain + 0.2 / k) * np.sin(k * phase)
    gate = np.clip(3 * np.sin(2 * np.pi * 1.7 * t) + 1, 0, 1)
    hiss = rng.standard_normal(t.size) * (
        0.002 + 0.2 * np.clip(np.sin(2 * np.pi * 0.9 * t), 0, 1) ** 8
    )
    sounding = voice * gate * 0.3 + hiss
    sounding[int(0.6 * t.size) : int(0.65 * t.size)] = 0
    return (0.5 * sounding / np.abs(sounding).max()).astype(np.float32)


def matrix(style: Style) -> Truth:
    """The dB values a style shows."""
    samples, rate = sound(style.sample_rate, style.seconds), style.sample_rate
    shape = {"n_fft": style.n_fft, "hop_length": style.hop}
    if style.y == "mel":
        power = librosa.feature.melspectrogram(
            y=samples, sr=rate, n_mels=style.n_mels, fmin=style.fmin, fmax=style.fmax,
            htk=style.htk, **shape,
        )  # fmt: skip
    else:
        power = np.abs(librosa.stft(samples, **shape)) ** 2
    db = librosa.power_to_db(power, ref=np.max, top_db=style.top_db)
    kind = "mel" if style.y == "mel" else "stft"
    return Truth(kind, rate, style.hop, db.shape[0], db.T.astype(np.float32))


def draw(style: Style, path: Path | str, **saved: object) -> Truth:
    """Save the picture of `style`. `saved` goes to `savefig`."""
    truth = matrix(style)
    with ExitStack() as stack:
        if style.dark:
            stack.enter_context(plt.style.context("dark_background"))
        figure = plt.figure(figsize=style.size)
        stack.callback(plt.close, figure)
        {"specshow": _specshow, "pcolormesh": _pcolormesh, "imshow": _imshow}[style.program](
            style, truth
        )
        plt.colorbar(format=style.bar, orientation="horizontal" if style.horizontal else "vertical")
        if style.titled:
            plt.title("Mel spectrogram" if style.y == "mel" else "Spectrogram")
        plt.tight_layout()
        plt.savefig(path, dpi=style.dpi, **saved)
    return truth


def _specshow(style: Style, truth: Truth) -> None:
    librosa.display.specshow(
        truth.db.T, sr=style.sample_rate, hop_length=style.hop, x_axis="time", y_axis=style.y,
        cmap=style.colormap, fmin=style.fmin, fmax=style.fmax, htk=style.htk,
    )  # fmt: skip
    if not style.titled:
        plt.xlabel("")
        plt.ylabel("")


def _pcolormesh(style: Style, truth: Truth) -> None:
    times = np.arange(len(truth.db)) * style.hop / style.sample_rate
    hz = np.linspace(0, style.sample_rate / 2, truth.n_rows)
    plt.pcolormesh(times, hz, truth.db.T, cmap=style.colormap, shading="auto")
    if style.y == "log":
        plt.yscale("log")
        plt.ylim(style.sample_rate / style.n_fft / 2, style.sample_rate / 2)
    _labels(style)


def _imshow(style: Style, truth: Truth) -> None:
    extent = (0, style.seconds, 0, style.sample_rate / 2)
    plt.imshow(
        truth.db.T, origin="lower", aspect="auto", extent=extent, cmap=style.colormap
    )  # fmt: skip
    _labels(style)


def _labels(style: Style) -> None:
    if style.titled:
        plt.xlabel("Time [sec]")
        plt.ylabel("Frequency [Hz]")


def tutorial(audio: Path | str, path: Path | str) -> NDArray[np.float32]:
    """The tutorial: a file's mel spectrogram as a PNG. Returns its dB, float32 (n_frames, 128)."""
    y, sr = librosa.load(audio)
    mel = librosa.feature.melspectrogram(y=y, sr=sr, n_fft=2048, hop_length=512, n_mels=128)
    db = librosa.power_to_db(mel, ref=np.max)
    plt.figure(figsize=(10, 4))
    librosa.display.specshow(db, sr=sr, x_axis="time", y_axis="mel")
    plt.colorbar(format="%+2.0f dB")
    plt.title("Mel spectrogram")
    plt.tight_layout()
    plt.savefig(path)
    plt.close()
    return db.T.astype(np.float32)


def write_sound(path: Path | str, sample_rate: int = 22050, seconds: float = 4.0) -> None:
    soundfile.write(path, sound(sample_rate, seconds), sample_rate)
