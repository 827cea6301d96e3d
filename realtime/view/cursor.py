"""What lies under the pointer, in numbers: exact values of the history, not off the picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from realtime.dsp.scales import note_cents, note_name
from realtime.view.axes import MINUS, clock_label
from realtime.view.canvas import Place
from realtime.view.history import ColumnHistory
from realtime.view.mapping import View, hz_of_share

COLUMNS_AT_MOST = 64
"""Columns of one pixel that are looked through; more only where a pixel is a minute wide."""


@dataclass(frozen=True)
class Reading:
    """ago : seconds before now, None over the spectrum. seconds : since the stream began.

    db : the level there, None where nothing is known.
    """

    ago: float | None
    seconds: float | None
    hz: float
    db: float | None


def level_under(history: ColumnHistory, view: View, place: Place) -> float | None:
    """dB under a pixel: the loudest (or, by setting, the mean power) of its bins and columns.

    Tilt is not in it: it is the level that was measured.
    """
    if place.column is None:
        return None
    half = view.columns_per_span / view.n_cols / 2
    first, last = _span(place.column - half, place.column + half, place.column)
    first, last = max(first, history.oldest), min(last, history.count - 1)
    if first > last:
        return None
    bins = _bins(history, view, place)
    columns = range(first, last + 1, max(1, (last - first) // COLUMNS_AT_MOST))
    db = np.concatenate([history.column(index)[bins] for index in columns])
    if view.display.reduce == "mean":
        return float(10 * np.log10(np.mean(10 ** (db / 10))))
    return float(db.max())


def _bins(history: ColumnHistory, view: View, place: Place) -> slice:
    shares = 1.0 - np.array([place.row + 1, place.row]) / view.n_rows
    edges = hz_of_share(shares, view.display, view.sample_rate)
    bins_per_hz = 2.0 * history.n_bins / view.sample_rate
    low, high = (float(hz) * bins_per_hz + 0.5 / history.bins_per_cell for hz in edges)
    first, last = _span(low, high, (low + high) / 2)
    first = min(max(first, 0), history.n_bins - 1)
    return slice(first, min(max(last, first), history.n_bins - 1) + 1)


def _span(low: float, high: float, centre: float) -> tuple[int, int]:
    """Cells that an extent touches; where it is smaller than a cell, the one under its centre."""
    if high - low <= 1.0:
        return floor(centre), floor(centre)
    return floor(low), ceil(high) - 1


def note_and_cents(hz: float) -> str:
    """440 -> "A4", 445 -> "A4 +20 ct"."""
    cents = round(note_cents(hz))
    text = note_name(hz).replace("#", "♯").replace("-", MINUS)
    return f"{text} {_signed(cents)} ct" if cents else text


def reading_text(reading: Reading, paused: bool) -> str:
    """The line in the status bar."""
    parts = []
    if paused and reading.seconds is not None:
        parts.append(clock_label(reading.seconds, 3))
    elif reading.ago is not None:
        parts.append(f"{MINUS}{abs(reading.ago):.2f} s")
    parts.append(f"{reading.hz:.1f} Hz")
    if reading.hz > 1:
        parts.append(note_and_cents(reading.hz))
    if reading.db is not None:
        parts.append(f"{_signed(reading.db, '.1f')} dBFS")
    return "   ".join(parts)


def _signed(value: float, form: str = "") -> str:
    sign = MINUS if value < 0 else "+" if value > 0 and not form else ""
    return f"{sign}{abs(value):{form}}"
