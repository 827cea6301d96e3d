"""The ticks of the waterfall's axes: `realtime.dsp.ticks` on the settings of the display.

Positions agree with the picture, since both come from `mapping.share_of_hz`.
"""

from __future__ import annotations

from math import floor

from realtime.config import DisplaySettings
from realtime.dsp.ticks import (
    LABEL_ROOM,
    MINUS,
    TIME_ROOM,
    Tick,
    hz_ticks,
    is_multiple,
    minor_step,
    time_step,
)
from realtime.view.mapping import frequency_range, share_of_hz


def frequency_ticks(
    display: DisplaySettings, sample_rate: int, height: float, room: float = LABEL_ROOM
) -> list[Tick]:
    """Ticks of the frequency axis, from low to high.

    height : length of the axis in logical pixels. room : pixels from label to label.
    """
    low, high = frequency_range(display, sample_rate)

    def pixels(hz: float) -> float:
        return float(share_of_hz(hz, display, sample_rate)) * height

    linear, notes = display.scale == "linear", display.scale == "notes"
    return hz_ticks(low, high, pixels, height, room, linear=linear, notes=notes)


def time_ticks(span: float, width: float, room: float = TIME_ROOM) -> list[Tick]:
    """Ticks of a running picture, counted back from "now" at its right edge.

    span : seconds across. width : logical pixels. The ticks stand still while sound moves.
    """
    step = time_step(span, width, room)
    minor = minor_step(step, span, width)
    ticks = []
    for n in range(floor(span / minor + 1e-9) + 1):
        seconds = round(n * minor, 3)
        major = is_multiple(seconds, step)
        label = "" if not major else "now" if n == 0 else f"{MINUS}{_ago(seconds, span, step)}"
        ticks.append(Tick(1 - seconds / span, label, major))
    return ticks[::-1]


def _ago(seconds: float, span: float, step: float) -> str:
    if span < 120:
        return f"{seconds:g} s"
    minutes, rest = divmod(int(seconds), 60)
    if span >= 7200:
        return f"{minutes // 60}:{minutes % 60:02} h"
    return f"{minutes} min" if step >= 60 else f"{minutes}:{rest:02} min"
