"""What the fields of a `PictureFormat` must be, each and together. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from realtime.dsp.constant_q import LONGEST_N_FFT, cqt_n_fft
from realtime.dsp.windows import WINDOWS
from realtime.errors import RequestError, SettingsError
from realtime.wording import shown, unknown

KINDS = ("stft", "mel", "bark", "erb", "cqt")

SAMPLE_RATES = (1000, 768_000)
"""Hz; wider than any device made."""
N_FFTS = (2, LONGEST_N_FFT)
ROWS = (1, LONGEST_N_FFT // 2 + 1)
"""As many as the longest frame has bins."""
BINS_PER_OCTAVE = (1, 480)
"""480 are 2.5 cents each, finer than pitch is heard."""
CHANNELS = (1, 64)
SAMPLES = (0, 1 << 40)
"""Of one channel: 265 days at 48000 Hz."""
POWERS = (0.1, 10.0)
REFS = (1e-300, 1e300)
DECIBELS = (-1000.0, 1000.0)
"""float32 holds 770 above and below 1."""

ROUNDING = 1e-6
"""Relative: edges were computed, or printed and read again."""

Fields = Mapping[str, Any]


def checked(picture: Fields) -> dict[str, Any]:
    """The fields as plain Python values. Raises SettingsError, with all faults at once."""
    faults = list(_wrong_types(picture))
    values = {} if faults else {name: _plain(name, value) for name, value in picture.items()}
    faults = faults or list(_wrong_values(values)) or list(_wrong_together(values))
    if faults:
        raise SettingsError(faults)
    return values


def _wrong_types(picture: Fields) -> Iterator[str]:
    for name, value in picture.items():
        kind, optional = _TYPES[name]
        if not (_FITS[kind](value) or (optional and value is None)):
            yield f"{name} = {shown(value)} must be {_WORDS[kind]}{' or null' * optional}"


def _wrong_values(picture: Fields) -> Iterator[str]:
    if picture["kind"] not in KINDS:
        yield unknown("picture.kind", picture["kind"], KINDS)
    if picture["window"] not in WINDOWS:
        yield unknown("picture.window", picture["window"], WINDOWS)
    if picture["norm"] not in ("slaney", None):
        yield f"norm = {shown(picture['norm'])} must be 'slaney' or null"
    for name, (low, high) in _LIMITS.items():
        value = picture[name]
        if value is not None and not low <= value <= high:
            yield f"{name} = {shown(value)} must be {low:.7g} to {high:.7g}"
    if not picture["db_low"] < picture["db_high"]:
        low, high = picture["db_low"], picture["db_high"]
        yield f"db_low = {low:g} must be below db_high = {high:g} (try {high - 80:g})"


def _wrong_together(picture: Fields) -> Iterator[str]:
    n_fft, hop, kind = picture["n_fft"], picture["hop"], picture["kind"]
    low, high, nyquist = picture["fmin"], picture["fmax"], picture["sample_rate"] / 2
    if hop > n_fft:
        yield f"hop = {hop} must be at most n_fft = {n_fft} (try {n_fft // 4 or 1})"
    if not low < high <= nyquist * (1 + ROUNDING):
        hint = "try a lower fmin or fewer rows" if kind == "cqt" else "leave them out"
        yield (
            f"fmin = {low:g} to fmax = {high:g} Hz must rise and end by {nyquist:g} Hz, half the "
            f"sample rate ({hint})"
        )
    if kind != "mel" and (picture["htk"] or picture["norm"]):
        yield f"htk and norm belong to mel: with kind = {kind!r} they must be false and null"
    if (kind == "cqt") != (picture["bins_per_octave"] is not None):
        yield "bins_per_octave must be given for a cqt, and null for all else"
    elif kind == "cqt":
        yield from _wrong_cqt(picture)
    n_columns, n_samples = picture["n_columns"], picture["n_samples"]
    if n_columns is not None and n_samples is not None:
        n_frames = frames_in(n_samples, n_fft, hop, center=picture["center"], kind=kind)
        if n_columns > n_frames:
            yield f"n_columns = {n_columns} must be at most the {n_frames} frames there are"
    if kind == "stft":
        if picture["n_rows"] != n_fft // 2 + 1:
            rule = f"n_fft // 2 + 1 = {n_fft // 2 + 1}"
            yield f"n_rows = {picture['n_rows']} of an stft must be {rule}"
        if low or not math.isclose(high, nyquist, rel_tol=ROUNDING):
            yield (
                f"fmin and fmax of an stft must be 0 and {nyquist:g} Hz: leave them out (a "
                "sample_rate of twice fmax ends the picture there; mel and cqt begin at fmin)"
            )


def _wrong_cqt(picture: Fields) -> Iterator[str]:
    rate, fmin, per_octave = (picture[name] for name in ("sample_rate", "fmin", "bins_per_octave"))
    try:
        n_fft = cqt_n_fft(rate, fmin, per_octave)
    except RequestError as fault:
        yield str(fault)
        return
    if picture["n_fft"] != n_fft:
        yield f"n_fft = {picture['n_fft']} of this cqt must be {n_fft}"
    octaves = picture["n_rows"] / per_octave
    if abs(math.log2(picture["fmax"] / fmin) - octaves) > ROUNDING:
        yield f"fmax = {picture['fmax']:g} must lie n_rows / bins_per_octave octaves above fmin"
    if not picture["center"]:
        yield "center of a cqt must be true"


def frames_in(n_samples: int, n_fft: int, hop: int, *, center: bool, kind: str) -> int:
    """Frames that `n_samples` make: librosa's counts."""
    if kind == "cqt":
        return n_samples // hop + 1
    padded = n_samples + 2 * (n_fft // 2) * center
    return max(0, (padded - n_fft) // hop + 1)


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    if _is_whole(value):
        return abs(value) < 1 << 64
    return isinstance(value, (float, np.floating)) and math.isfinite(value)


def _plain(name: str, value: Any) -> Any:
    return None if value is None else _TYPES[name][0](value)


_FITS: dict[type, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    int: _is_whole,
    float: _is_number,
    bool: lambda value: isinstance(value, (bool, np.bool_)),
}
_WORDS = {str: "text", int: "a whole number", float: "a finite number", bool: "true or false"}

_TYPES: dict[str, tuple[type, bool]] = {
    **dict.fromkeys(("kind", "window"), (str, False)),
    **dict.fromkeys(("sample_rate", "n_fft", "hop", "n_rows", "n_channels"), (int, False)),
    **dict.fromkeys(("fmin", "fmax", "power", "db_low", "db_high"), (float, False)),
    **dict.fromkeys(("center", "htk"), (bool, False)),
    **dict.fromkeys(("bins_per_octave", "n_samples", "n_columns"), (int, True)),
    "norm": (str, True),
    "ref": (float, True),
}
"""Of each field, and whether it may be None."""

_LIMITS: dict[str, tuple[float, float]] = {
    "sample_rate": SAMPLE_RATES,
    "n_fft": N_FFTS,
    "hop": (1, LONGEST_N_FFT),
    "n_rows": ROWS,
    "fmin": (0.0, SAMPLE_RATES[1]),
    "fmax": (0.0, math.inf),
    "bins_per_octave": BINS_PER_OCTAVE,
    "power": POWERS,
    "ref": REFS,
    "db_low": DECIBELS,
    "db_high": DECIBELS,
    "n_samples": SAMPLES,
    "n_channels": CHANNELS,
    "n_columns": (1, SAMPLES[1]),
}
"""Least and most, both allowed."""
