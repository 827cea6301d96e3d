"""When to record, as people write it: `NAME[:key=value,...]`, and the decisions that follow.

`level:db=-40,before=5s,after=10s` and the like are parsed and checked when settings are read.
`Triggers` then hears the stream and tells from where to where samples are wanted: those of any
trigger, each with its own pre-roll and post-roll. One thread owns it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RequestError
from realtime.recording.detectors import (
    AlwaysActive,
    BandDetector,
    Detector,
    LevelDetector,
    TimeDetector,
    UtcOf,
)
from realtime.recording.schedule import Moment, Schedule, require_astral
from realtime.recording.segments import seconds_of
from realtime.recording.spans import Decision, Span, WantedSpans
from realtime.wording import shown, unknown

LONGEST_BEFORE_SECONDS = 600.0
"""A pre-roll comes from memory."""

LONGEST_AFTER_SECONDS = 86_400.0


@dataclass(frozen=True)
class Trigger:
    """What is wanted, checked. before, after : seconds of pre-roll and post-roll"""

    name: str
    values: Mapping[str, Any]
    before: float
    after: float

    def detector(self, sample_rate: int, n_channels: int) -> Detector:
        """Raises RequestError where a band does not fit the sample rate."""
        if self.name == "level":
            return LevelDetector(self.values["db"], sample_rate, n_channels)
        if self.name == "band":
            low, high, over = (self.values[key] for key in ("low", "high", "over"))
            return BandDetector(low, high, over, sample_rate, n_channels)
        if self.name == "schedule":
            return TimeDetector(_schedule(self.values).active, sample_rate, n_channels)
        return AlwaysActive()


class Triggers:
    """Several triggers, of which any one suffices, on one stream."""

    def __init__(self, triggers: Sequence[Trigger], sample_rate: int, n_channels: int):
        self.continuous = any(trigger.name == "continuous" for trigger in triggers)
        """Whether all samples are wanted anyway."""
        self._detectors = [
            (
                trigger.detector(sample_rate, n_channels),
                round(trigger.before * sample_rate),
                round(trigger.after * sample_rate),
            )
            for trigger in triggers
        ]
        self._wanted = WantedSpans()

    @property
    def decided(self) -> int:
        """As in `WantedSpans`."""
        return self._wanted.decided

    def push(
        self, start: int, block: NDArray[np.float32], utc_ns: UtcOf, oldest: int = 0
    ) -> list[Decision]:
        """Hear the next samples; return what is decided now.

        block : float32 (n_samples, n_channels); `start` is the index of its first sample
        utc_ns : UTC in nanoseconds of a sample index
        oldest : index of the oldest sample that can still be had
        """
        spans: list[Span] = []
        horizons: list[int] = []
        for detector, before, after in self._detectors:
            active = detector.push(start, block, utc_ns)
            spans += ((first - before, stop + after) for first, stop in active)
            horizons.append(detector.until - before)
        return self._wanted.advance(spans, min(horizons), oldest)

    def reset(self) -> None:
        """Forget all, as if new."""
        for detector, _, _ in self._detectors:
            detector.reset()
        self._wanted.reset()


def parse_triggers(text: str, key: str = "record.trigger") -> tuple[Trigger, ...]:
    """Triggers with blanks between them; none means continuous. Raises RequestError."""
    return tuple(parse_trigger(one, key) for one in text.split() or ["continuous"])


def parse_trigger(text: str, key: str = "record.trigger") -> Trigger:
    """`continuous`, `level:db=-40`, `band:low=2000,high=8000,over=10`,
    `schedule:from=22:00,to=04:00` or `schedule:from=sunset-1h,to=sunrise+30m,latitude=52.5,
    longitude=13.4`, all but the first with `before=5s,after=10s`.

    A schedule's times are UTC, or with `zone=local` the system's, or of `zone=Europe/Berlin`.
    Raises: RequestError; MissingDependency where a sun is asked for and astral is not there.
    """
    name, _, settings = text.strip().partition(":")
    if name not in _TRIGGERS:
        raise RequestError(f"{key}: {unknown('trigger', name, list(_TRIGGERS))}")
    known = _TRIGGERS[name]
    values: dict[str, Any] = {}
    for setting in filter(None, settings.split(",")):
        setting_key, equals, value = setting.partition("=")
        if not equals:
            raise RequestError(f"{key}: {shown(setting)} must be key=value (as in level:db=-40)")
        if setting_key not in known:
            raise RequestError(
                f"{key}: {name}: {unknown('key', setting_key, list(known) or ['none'])}"
            )
        reader, _ = known[setting_key]
        values[setting_key] = reader(value, f"{key}: {name}: {setting_key}")
    values = {known_key: default for known_key, (_, default) in known.items()} | values
    _check(values, f"{key}: {name}")
    before, after = values.pop("before", 0.0), values.pop("after", 0.0)
    return Trigger(name, values, before, after)


Reader = Callable[[str, str], Any]
"""Turns a value's text into what it means; the second text is the key, for the sentence."""


def _number(low: float, high: float, unit: str, example: float) -> Reader:
    def read(text: str, key: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            rule = f"a number from {low:g} to {high:g} {unit} (try {example:g})"
            raise RequestError(f"{key} = {shown(text)} must be {rule}")
        return number

    return read


def _duration(longest: float, example: str) -> Reader:
    return lambda text, key: seconds_of(text, key, 0.0, longest, example)


def _moment(text: str, key: str) -> Moment:
    wall = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", text)
    if wall:
        hours, minutes, seconds = (int(part or 0) for part in wall.groups())
        return Moment("midnight", hours * 3600 + minutes * 60 + seconds)
    sun = re.fullmatch(r"(sunrise|sunset)(?:([+-])(.+))?", text)
    if not sun:
        raise RequestError(
            f"{key} = {shown(text)} must be a time such as 22:00, sunset-1h or sunrise+30m"
        )
    _, sign, added = sun.groups()
    event = "sunrise" if sun[1] == "sunrise" else "sunset"
    seconds = round(seconds_of(added, key, 0.0, 12 * 3600.0, "30m")) if added else 0
    return Moment(event, -seconds if sign == "-" else seconds)


def _zone(text: str, key: str) -> tzinfo | None:
    if text.lower() in ("utc", "local"):
        return UTC if text.lower() == "utc" else None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError) as error:
        raise RequestError(
            f"{key} = {shown(text)} is no time zone known here: write utc, local, or a name such "
            "as Europe/Berlin"
        ) from error


_ROLLS = {
    "before": (_duration(LONGEST_BEFORE_SECONDS, "5s"), 5.0),
    "after": (_duration(LONGEST_AFTER_SECONDS, "10s"), 10.0),
}
_TRIGGERS: dict[str, dict[str, tuple[Reader, Any]]] = {
    "continuous": {},
    "level": {"db": (_number(-120, 0, "dBFS", -40), -40.0), **_ROLLS},
    "band": {
        "low": (_number(20, 200_000, "Hz", 2000), 2000.0),
        "high": (_number(40, 400_000, "Hz", 8000), 8000.0),
        "over": (_number(1, 60, "dB", 10), 10.0),
        **_ROLLS,
    },
    "schedule": {
        "from": (_moment, None),
        "to": (_moment, None),
        "latitude": (_number(-90, 90, "degrees north", 52.5), None),
        "longitude": (_number(-180, 180, "degrees east", 13.4), None),
        "zone": (_zone, UTC),
        "before": (_ROLLS["before"][0], 0.0),
        "after": (_ROLLS["after"][0], 0.0),
    },
}
"""Of each trigger its keys, how each is read, and its default."""

LEAST_BAND_HZ = 40.0
"""Two bins: fewer tell noise from noise."""


def _check(values: Mapping[str, Any], start: str) -> None:
    """What no single value tells."""
    if "high" in values and values["high"] < values["low"] + LEAST_BAND_HZ:
        raise RequestError(
            f"{start}: high = {values['high']:g} must be at least {LEAST_BAND_HZ:g} Hz above "
            f"low = {values['low']:g} (try {2 * values['low']:g})"
        )
    if "from" not in values:
        return
    if values["from"] is None or values["to"] is None:
        raise RequestError(f"{start}: needs from and to (as in schedule:from=22:00,to=04:00)")
    if values["from"] == values["to"]:
        raise RequestError(
            f"{start}: from and to are both {values['from']}: "
            "leave the trigger out to record always"
        )
    if any(values[key].event != "midnight" for key in ("from", "to")):
        if values["latitude"] is None or values["longitude"] is None:
            raise RequestError(
                f"{start}: needs to know where the sun is seen (as in latitude=52.5,longitude=13.4)"
            )
        require_astral()


def _schedule(values: Mapping[str, Any]) -> Schedule:
    return Schedule(
        values["from"],
        values["to"],
        values["zone"],
        values["latitude"] or 0.0,
        values["longitude"] or 0.0,
    )
