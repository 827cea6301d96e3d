"""Where one segment ends and the next begins; and durations as people write them.

Pure functions. A segment without alignment has the same number of samples as every other. An
aligned one ends at the first sample whose UTC is a whole multiple of the length (counted from
1970, and so from midnight where the length divides a day), as the fitted clock tells it; after a
step of the system's clock that is the new UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime.errors import RequestError
from realtime.recording.clock import ClockStep
from realtime.wording import shown

SHORTEST_SECONDS = 1.0
"""A segment; shorter ones would fill a folder with names and the day with syncing."""

LONGEST_SECONDS = 10 * 365 * 86_400.0
"""Of any duration: ten years fit in all that is computed from it."""

_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_PARTS = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in _UNITS))

_SECOND = 1_000_000_000


class Clock(Protocol):
    """What is asked of a `UtcClock`."""

    @property
    def steps(self) -> Sequence[ClockStep]: ...
    def utc_ns(self, index: int) -> int: ...


def seconds_of(
    text: str, key: str, least: float = 0.0, longest: float = LONGEST_SECONDS, example: str = "10m"
) -> float:
    """Seconds of `90`, `90s`, `10m`, `1h30m`, `1.5h`, `2d12h`, `250ms`.

    key : the setting or flag, for the sentence
    Raises: RequestError where it is no duration, or not from `least` to `longest` seconds.
    """
    stripped = text.strip().lower()
    parts = _PARTS.fullmatch(stripped)
    if re.fullmatch(_NUMBER, stripped):
        seconds = float(stripped)
    elif stripped and parts:
        seconds = sum(
            float(number) * unit
            for number, unit in zip(parts.groups(), _UNITS.values(), strict=True)
            if number
        )
    else:
        raise RequestError(
            f"{key} = {shown(text)} must be a time such as 90s, 10m, 1h30m or 1d (try {example})"
        )
    if not least <= seconds <= longest:
        rule = f"{duration_text(least)} to {duration_text(longest)}"
        raise RequestError(f"{key} = {shown(text)} must be {rule} (try {example})")
    return seconds


def duration_text(seconds: float) -> str:
    """As `seconds_of` reads it, to the millisecond: `1h30m`, `0s`."""
    rest = round(seconds * 1000)
    text = ""
    for unit, length in _UNITS.items():
        whole, rest = divmod(rest, round(length * 1000))
        text += f"{whole}{unit}" if whole else ""
    return text or "0s"


@dataclass(frozen=True)
class Segmentation:
    """How a stream is cut. seconds : of a segment; None for one until the end"""

    seconds: float | None
    align: bool = False

    def end(self, start: int, sample_rate: int, clock: Clock) -> int | None:
        """The index behind the last sample of the segment that begins at `start`; None for never.

        Of an aligned segment it moves, by a sample or two, as long as the clock is being learnt,
        and after a step. It is always after `start`, but may be before the newest sample.
        """
        if self.seconds is None:
            return None
        if not self.align:
            return start + max(1, round(self.seconds * sample_rate))
        return _aligned_end(start, self.seconds, sample_rate, clock)


def parse_segmentation(text: str, align: bool = False, key: str = "record.segment") -> Segmentation:
    """`10m`, or `none` for one file until the end. Raises RequestError."""
    if text.strip().lower() == "none":
        return Segmentation(None, align)
    return Segmentation(seconds_of(text, key, SHORTEST_SECONDS), align)


def _aligned_end(start: int, seconds: float, sample_rate: int, clock: Clock) -> int:
    # A segment that saw the system's clock stepped ends by the new UTC.
    base = max([start, *(step.index for step in clock.steps if step.index > start)])
    length_ns = round(seconds * _SECOND)
    base_ns = clock.utc_ns(base)
    boundary_ns = (base_ns // length_ns + 1) * length_ns
    if boundary_ns - base_ns < min(SHORTEST_SECONDS * _SECOND, length_ns / 2):
        boundary_ns += length_ns  # it began on a boundary, as near as the clock knew
    return _first_at(boundary_ns, base, sample_rate, clock)


def _first_at(utc_ns: int, base: int, sample_rate: int, clock: Clock) -> int:
    """The first index after `base` whose UTC is at or after `utc_ns`; no step lies after `base`."""
    low, ahead = base, (utc_ns - clock.utc_ns(base)) * sample_rate // _SECOND + 1
    high = low + ahead
    while clock.utc_ns(high) < utc_ns:
        low, high = high, high + 1 + ahead // 100
    while high - low > 1:
        middle = (low + high) // 2
        if clock.utc_ns(middle) < utc_ns:
            low = middle
        else:
            high = middle
    return high
