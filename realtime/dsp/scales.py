"""Frequency scales of the vertical axis, and names of notes.

Pure functions of numpy: `forward` takes Hz to units of the scale, `inverse` takes them back.
Both take any shape and give float64. `forward` increases strictly from 0 Hz on (`log` and
`notes` from `LOWEST_LOG_HZ` on; lower frequencies count as that one).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.errors import RequestError

LOWEST_LOG_HZ = 1.0
"""Hz: a logarithm has no 0 Hz, and nothing below one cycle a second is shown."""

CONCERT_PITCH_HZ = 440.0
"""Hz of A4 (ISO 16:1975), which is MIDI note 69."""
CONCERT_PITCH_NOTE = 69

NOTE_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

SLANEY_LINEAR_HZ = 1000.0
"""Below, Slaney's mel are linear, 200/3 Hz each; above, 27 of them make a factor of 6.4."""
_SLANEY_HZ = 200 / 3
_SLANEY_STEP = np.log(6.4) / 27

Curve = Callable[[ArrayLike], NDArray[np.float64]]


@dataclass(frozen=True)
class FrequencyScale:
    """One scale: `forward(hz) -> units`, `inverse(units) -> hz`."""

    name: str
    unit: str
    forward: Curve
    inverse: Curve


def _float64(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)


def _log_forward(hz: ArrayLike) -> NDArray[np.float64]:
    return np.log2(np.maximum(_float64(hz), LOWEST_LOG_HZ))


def _log_inverse(octaves: ArrayLike) -> NDArray[np.float64]:
    return np.exp2(_float64(octaves))


def _notes_forward(hz: ArrayLike) -> NDArray[np.float64]:
    return CONCERT_PITCH_NOTE + 12 * (_log_forward(hz) - np.log2(CONCERT_PITCH_HZ))


def _notes_inverse(notes: ArrayLike) -> NDArray[np.float64]:
    return CONCERT_PITCH_HZ * np.exp2((_float64(notes) - CONCERT_PITCH_NOTE) / 12)


def _mel_forward(hz: ArrayLike) -> NDArray[np.float64]:
    return 2595 * np.log10(1 + _float64(hz) / 700)


def _mel_inverse(mel: ArrayLike) -> NDArray[np.float64]:
    return 700 * (10 ** (_float64(mel) / 2595) - 1)


def _slaney_forward(hz: ArrayLike) -> NDArray[np.float64]:
    hz = _float64(hz)
    above = np.log(np.maximum(hz, SLANEY_LINEAR_HZ) / SLANEY_LINEAR_HZ) / _SLANEY_STEP
    return np.minimum(hz, SLANEY_LINEAR_HZ) / _SLANEY_HZ + above


def _slaney_inverse(mel: ArrayLike) -> NDArray[np.float64]:
    mel = _float64(mel)
    knee = SLANEY_LINEAR_HZ / _SLANEY_HZ
    return np.minimum(mel, knee) * _SLANEY_HZ * np.exp(np.maximum(mel - knee, 0) * _SLANEY_STEP)


def _bark_forward(hz: ArrayLike) -> NDArray[np.float64]:
    hz = _float64(hz)
    return 26.81 * hz / (1960 + hz) - 0.53


def _bark_inverse(bark: ArrayLike) -> NDArray[np.float64]:
    bark = _float64(bark)
    return 1960 * (bark + 0.53) / (26.28 - bark)


def _erb_forward(hz: ArrayLike) -> NDArray[np.float64]:
    return 21.4 * np.log10(1 + 0.00437 * _float64(hz))


def _erb_inverse(erb: ArrayLike) -> NDArray[np.float64]:
    return (10 ** (_float64(erb) / 21.4) - 1) / 0.00437


SCALES: dict[str, FrequencyScale] = {
    scale.name: scale
    for scale in (
        FrequencyScale("linear", "Hz", _float64, _float64),
        FrequencyScale("log", "octaves above 1 Hz", _log_forward, _log_inverse),
        # O'Shaughnessy 1987, the formula of HTK: smooth, where Slaney's has a kink at 1 kHz.
        FrequencyScale("mel", "mel", _mel_forward, _mel_inverse),
        # Traunmüller 1990, without his corrections at the ends, which have kinks too.
        FrequencyScale("bark", "Bark", _bark_forward, _bark_inverse),
        # Glasberg & Moore 1990.
        FrequencyScale("erb", "ERB", _erb_forward, _erb_inverse),
        # Equal temperament, MIDI note numbers.
        FrequencyScale("notes", "semitones", _notes_forward, _notes_inverse),
    )
}

SLANEY = FrequencyScale("slaney", "mel", _slaney_forward, _slaney_inverse)
"""Slaney 1998, Auditory Toolbox: librosa's default mel. Not among `SCALES`, for the axis of a
live picture has no use for its kink at 1 kHz."""


def note_name(hz: float) -> str:
    """Name the note of equal temperament nearest to `hz`, as in "A4" for 440 Hz or "C#2".

    Raises: RequestError for a frequency that is not above 0 and finite.
    """
    number = round(_note_number(hz))
    return f"{NOTE_NAMES[number % 12]}{number // 12 - 1}"


def note_cents(hz: float) -> float:
    """Tell how far `hz` lies above the note `note_name(hz)`, in cents (-50..50).

    Raises: RequestError for a frequency that is not above 0 and finite.
    """
    number = _note_number(hz)
    return 100 * (number - round(number))


def note_hz(name: str) -> float:
    """Give the frequency in Hz of a note such as "A4", "C#2", "Db-1" (C4 is the middle C).

    Raises: RequestError for a name that is no note.
    """
    match = re.fullmatch(r"([A-Ga-g])([#♯b♭]?)(-?\d{1,2})", name.strip())
    if match is None:
        raise RequestError(
            f"'{name}' is no note: write a letter A to G, perhaps # or b, and an octave, as in A4"
        )
    letter, accidental, octave = match.groups()
    shift = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[accidental]
    number = 12 * (int(octave) + 1) + NOTE_NAMES.index(letter.upper()) + shift
    return float(_notes_inverse(number))


def _note_number(hz: float) -> float:
    if not 0 < hz < np.inf:
        raise RequestError(f"{hz} Hz has no note: give a frequency above 0 Hz")
    return CONCERT_PITCH_NOTE + 12 * float(np.log2(hz / CONCERT_PITCH_HZ))
