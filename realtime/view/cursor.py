"""What lies under the pointer, in numbers: exact values of the history, not off the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan

from realtime.dsp.scales import note_cents, note_name
from realtime.dsp.ticks import MINUS, clock_label
from realtime.view.canvas import Place
from realtime.view.history import ColumnHistory
from realtime.view.mapping import View, render_reference


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
    """dB of the pixel at `place`, as the picture shows it, tilt left out: what was measured."""
    if place.column is None:
        return None
    width = view.columns_per_span / view.n_cols
    pixel = replace(
        view,
        n_cols=1,
        right_edge=place.column + width / 2,
        columns_per_span=width,
        display=view.display.model_copy(update={"tilt": 0.0}),
    )
    db = float(render_reference(history, pixel)[place.row, 0])
    return None if isnan(db) else db


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
