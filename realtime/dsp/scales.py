"""Frequency scales: Hz to units in which the axis is even, and back. And notes by name.

All functions take and return float64 arrays or scalars.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.errors import RequestError

LOWEST_LOG_HZ = 1.0
"""Hz; a logarithmic axis has no 0, and no bin of any n_fft lies lower."""

A4_HZ = 440.0
"""Concert pitch (ISO 16)."""

_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_A4_NUMBER = 69  # MIDI note number
_MEL_BREAK_HZ, _MEL_FACTOR = 700.0, 2595.0


@dataclass(frozen=True)
class FrequencyScale:
    """`forward` takes Hz to units and grows with them; `inverse` takes them back."""

    name: str
    unit: str
    forward: Callable[[ArrayLike], NDArray[np.float64]]
    inverse: Callable[[ArrayLike], NDArray[np.float64]]


def _hz(hz: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(hz, np.float64)


def _octaves(hz: ArrayLike) -> NDArray[np.float64]:
    return np.log2(np.maximum(_hz(hz), LOWEST_LOG_HZ) / A4_HZ)


def _from_octaves(octaves: ArrayLike) -> NDArray[np.float64]:
    return A4_HZ * np.exp2(_hz(octaves))


SCALES: dict[str, FrequencyScale] = {
    scale.name: scale
    for scale in (
        FrequencyScale("linear", "Hz", _hz, _hz),
        FrequencyScale("log", "octaves", _octaves, _from_octaves),
        FrequencyScale(  # O'Shaughnessy (1987), as in HTK
            "mel",
            "mel",
            lambda hz: _MEL_FACTOR * np.log10(1 + _hz(hz) / _MEL_BREAK_HZ),
            lambda mel: _MEL_BREAK_HZ * (10 ** (_hz(mel) / _MEL_FACTOR) - 1),
        ),
        FrequencyScale(  # Traunmüller (1990)
            "bark",
            "Bark",
            lambda hz: 26.81 * _hz(hz) / (1960 + _hz(hz)) - 0.53,
            lambda bark: 1960 * (_hz(bark) + 0.53) / (26.28 - _hz(bark)),
        ),
        FrequencyScale(  # Glasberg & Moore (1990), ERB-rate
            "erb",
            "Cam",
            lambda hz: 21.4 * np.log10(1 + 0.00437 * _hz(hz)),
            lambda cam: (10 ** (_hz(cam) / 21.4) - 1) / 0.00437,
        ),
        FrequencyScale("notes", "octaves", _octaves, _from_octaves),
    )
}


def note_number(hz: float) -> float:
    """MIDI note number, fractional: 69 is A4, one is a semitone (100 cents)."""
    return _A4_NUMBER + 12 * math.log2(hz / A4_HZ)


def note_name(hz: float) -> str:
    """The nearest equally tempered note: "A4" for 440 Hz, "C#-1" for 8.7 Hz."""
    number = round(note_number(hz))
    return f"{_NOTES[number % 12]}{number // 12 - 1}"


def note_hz(name: str) -> float:
    """Hz of a note named like "A4", "C#3" or "Db-1". Raises `RequestError` for other text."""
    match = re.fullmatch(r"([A-Ga-g])([#b]?)(-?\d+)", name)
    if match is None:
        raise RequestError(f"note {name!r} must be a letter A to G, # or b, and an octave (try A4)")
    letter, accidental, octave = match.groups()
    number = _NOTES.index(letter.upper()) + {"": 0, "#": 1, "b": -1}[accidental]
    return A4_HZ * 2 ** ((number + 12 * (int(octave) + 1) - _A4_NUMBER) / 12)
