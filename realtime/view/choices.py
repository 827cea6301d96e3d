"""What people may choose while it runs: one table for the side panel, the menus and the keys.

Pure: a choice reads a value out of `Settings` and gives the changes that set another one. It
offers what is usual; a preset may well set a value that stands in no list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from realtime.config import COLORMAPS, N_FFT_RANGE, Settings, values_of
from realtime.rules import ZERO_PAD_RANGE

Changes = Mapping[str, Any]

LIST_VALUES = 20
"""A choice with more values than this is a slider."""


@dataclass(frozen=True)
class Choice:
    """One setting with its usual values.

    key : the settings key. values : from small to large. text : how people read a value.
    get : the value now. put : the changes that set a value. cyclic : after the last the first.
    """

    key: str
    group: str
    label: str
    tip: str
    values: tuple[Any, ...]
    text: Callable[[Any], str]
    get: Callable[[Settings], Any]
    put: Callable[[Settings, Any], Changes]
    cyclic: bool = False

    @property
    def slider(self) -> bool:
        """Too many values for a list or a menu."""
        return len(self.values) > LIST_VALUES

    def step(self, settings: Settings, by: int) -> Changes:
        """The changes to the next (1) or the previous (-1) value; none at the end of the list."""
        now = self.get(settings)
        if self.cyclic:
            at = self.values.index(now) if now in self.values else -1
            return self.put(settings, self.values[(at + by) % len(self.values)])
        beyond = [value for value in self.values if (value - now) * by > 1e-9]
        if not beyond:
            return {}
        return self.put(settings, min(beyond, key=lambda value: (value - now) * by))


def _plain(
    key: str,
    group: str,
    label: str,
    tip: str,
    values: tuple[Any, ...],
    text: Callable[[Any], str],
    cyclic: bool = False,
) -> Choice:
    def get(settings: Settings) -> Any:
        return values_of(settings)[key]

    def put(settings: Settings, value: Any) -> Changes:
        return {key: value}

    return Choice(key, group, label, tip, values, text, get, put, cyclic)


def overlap(settings: Settings) -> float:
    """Hops in one n_fft."""
    return settings.stft.n_fft / settings.stft.hop_samples


def _put_overlap(settings: Settings, hops: float) -> Changes:
    return {"stft.hop": round(settings.stft.n_fft / hops)}


def _put_n_fft(settings: Settings, n_fft: int) -> Changes:
    """A hop that was given keeps its share of n_fft."""
    if settings.stft.hop is None:
        return {"stft.n_fft": n_fft}
    return {"stft.n_fft": n_fft, "stft.hop": round(n_fft / overlap(settings))}


def span_text(seconds: float) -> str:
    """12 -> "12 s", 90 -> "90 s", 600 -> "10 min"."""
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


N_FFTS = tuple(1 << k for k in range(N_FFT_RANGE[0].bit_length() - 1, N_FFT_RANGE[1].bit_length()))
WINDOW_TEXT = {
    "hann": "Hann",
    "hamming": "Hamming",
    "blackman": "Blackman",
    "blackmanharris": "Blackman-Harris",
    "kaiser": "Kaiser",
    "gaussian": "Gaussian",
    "flattop": "Flat-top",
}
SCALE_TEXT = {
    "linear": "Linear",
    "log": "Logarithmic",
    "mel": "Mel",
    "bark": "Bark",
    "erb": "ERB",
    "notes": "Notes",
}
PANES_TEXT = {"each": "One each", "mean": "Their mean"}
REDUCE_TEXT = {"peak": "Peaks", "mean": "Mean power"}


# fmt: off
CHOICES: tuple[Choice, ...] = (
    Choice("stft.n_fft", "Analysis", "Size", "n_fft, samples in one frame", N_FFTS, str,
           get=lambda settings: settings.stft.n_fft, put=_put_n_fft),
    Choice("stft.hop", "Analysis", "Hop", "From frame to frame, as a part of n_fft",
           (2.0, 4.0, 8.0, 16.0, 32.0), lambda hops: f"n / {hops:.4g}",
           get=overlap, put=_put_overlap),
    _plain("stft.window", "Analysis", "Window", "Shape of one frame",
           tuple(WINDOW_TEXT), WINDOW_TEXT.__getitem__, cyclic=True),
    _plain("stft.zero_pad", "Analysis", "Padding", "Zeros added: finer bins, no finer resolution",
           tuple(range(ZERO_PAD_RANGE[0], ZERO_PAD_RANGE[1] + 1)),
           lambda factor: "none" if factor == 1 else f"{factor} × n"),
    _plain("display.scale", "Frequency", "Scale", "Frequency axis",
           tuple(SCALE_TEXT), SCALE_TEXT.__getitem__, cyclic=True),
    _plain("display.gamma", "Level", "Gamma", "Above 1 darkens quiet sounds, below 1 lifts them",
           tuple(round(0.1 * n, 1) for n in range(2, 41)), lambda gamma: f"{gamma:.1f}"),
    _plain("display.tilt", "Level", "Tilt", "dB added per octave above 1 kHz",
           tuple(0.5 * n for n in range(-24, 25)),
           lambda tilt: f"{tilt:+.1f} dB/oct" if tilt else "0 dB/oct"),
    _plain("display.colormap", "View", "Colours", "Colour map",
           COLORMAPS, lambda name: "paper" if name == "gray_r" else name, cyclic=True),
    _plain("display.span", "View", "Span", "Time from the left to the right edge: scroll speed",
           (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0), span_text),
    _plain("display.panes", "View", "Panes", "One pane for each channel, or for their mean",
           tuple(PANES_TEXT), PANES_TEXT.__getitem__, cyclic=True),
    _plain("display.reduce", "View", "Show", "What many bins under one pixel become",
           tuple(REDUCE_TEXT), REDUCE_TEXT.__getitem__, cyclic=True),
)
# fmt: on
BY_KEY = {choice.key: choice for choice in CHOICES}
