"""Times of day at which to record: by the clock on the wall, or by the sun.

Pure functions of UTC. Sunrise and sunset come from the library astral, which is loaded when a sun
is asked for; where it neither rises nor sets, it counts as set from noon on and never risen
(polar night), or as risen at midnight and never set (polar day), as on the days beside those.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from realtime.errors import MissingDependency
from realtime.recording.segments import duration_text

_SECOND = 1_000_000_000
_DAY = 86_400
_EPOCH_DAY = date(1970, 1, 1)
_LONGEST_WAIT = (_DAY + 3600) * _SECOND
"""From one event of the sun to the next: events move by up to half an hour a day."""

HORIZON_DEGREES = -0.8333
"""Elevation of the sun's centre as its upper edge comes or goes: its radius, and refraction."""


@dataclass(frozen=True)
class Moment:
    """A time of each day: `seconds` after midnight, or after (before: negative) the sun's event."""

    event: Literal["midnight", "sunrise", "sunset"]
    seconds: int

    def __str__(self) -> str:
        if self.event == "midnight":
            hours, rest = divmod(self.seconds, 3600)
            text = f"{hours:02}:{rest // 60:02}"
            return f"{text}:{rest % 60:02}" if rest % 60 else text
        if not self.seconds:
            return self.event
        sign = "-" if self.seconds < 0 else "+"
        return f"{self.event}{sign}{duration_text(abs(self.seconds))}"


@dataclass(frozen=True)
class Schedule:
    """From one moment to the next other one, each day.

    zone : of times on the wall; None for the system's own
    latitude, longitude : degrees, north and east positive; needed for the sun
    """

    start: Moment
    stop: Moment
    zone: tzinfo | None = UTC
    latitude: float = 0.0
    longitude: float = 0.0

    def active(self, utc_ns: int) -> bool:
        return any(start <= utc_ns < stop for start, stop in self.intervals(utc_ns))

    def intervals(self, utc_ns: int) -> tuple[tuple[int, int], ...]:
        """All that begin within a day or two of `utc_ns`, in UTC nanoseconds, oldest first."""
        return _intervals(self, utc_ns // (_DAY * _SECOND))


@lru_cache(maxsize=16)
def _intervals(schedule: Schedule, day: int) -> tuple[tuple[int, int], ...]:
    return tuple(_each_interval(schedule, day))


def _each_interval(schedule: Schedule, day: int) -> Iterator[tuple[int, int]]:
    first = schedule.start
    for near in range(day - 2, day + 3):
        event = _event_ns(schedule, first, near)
        if event is None:
            continue
        start = event + first.seconds * _SECOND
        stop = _stop_ns(schedule, near, event, start)
        if stop > start:
            yield start, stop


def _stop_ns(schedule: Schedule, day: int, event: int, start: int) -> int:
    """Where the interval ends that begins at `start` by `event`; one that is empty ends before.

    Two events of the sun follow each other, whatever is added to them: from an hour after sunset
    to an hour before sunrise is never in a night of less than two hours. With a time on the wall,
    the end is the first such time after the start.
    """
    first, last = schedule.start, schedule.stop
    by_sun = "midnight" not in (first.event, last.event)
    for near in range(day - 1, day + 3):
        end = _event_ns(schedule, last, near)
        if end is None:
            continue
        stop = end + last.seconds * _SECOND
        later = (end, last.seconds) > (event, first.seconds) if by_sun else stop > start
        if later and end - (event if by_sun else start) <= _LONGEST_WAIT:
            return stop
    return start + _DAY * _SECOND  # the sun does not come back today


def _event_ns(schedule: Schedule, moment: Moment, day: int) -> int | None:
    """UTC of the event of `moment` on a day (since 1970), without what is added to it."""
    if moment.event == "midnight":
        return _wall_ns(schedule.zone, moment.seconds, day) - moment.seconds * _SECOND
    return sun_ns(moment.event, day, schedule.latitude, schedule.longitude)


def _wall_ns(zone: tzinfo | None, seconds: int, day: int) -> int:
    """UTC at which clocks on the wall show so many seconds after midnight."""
    midnight = datetime(1970, 1, 1, tzinfo=zone) + timedelta(days=day)
    wall = midnight.replace(hour=seconds // 3600, minute=seconds // 60 % 60, second=seconds % 60)
    return round(wall.timestamp()) * _SECOND


@lru_cache(maxsize=64)
def sun_ns(
    event: Literal["sunrise", "sunset"], day: int, latitude: float, longitude: float
) -> int | None:
    """UTC of sunrise or sunset on a day (since 1970) as the sun tells it at this longitude.

    Sunrise lies in the twelve hours before noon, sunset in those after. To a minute or two; None
    where the sun stays where it was. Raises: MissingDependency.
    """
    require_astral()
    from astral import Observer, SunDirection
    from astral.sun import SUN_APPARENT_RADIUS, elevation, time_of_transit

    observer = Observer(latitude, longitude)
    rising = event == "sunrise"
    # Mean solar noon; the sun is up to 17 minutes before or behind it.
    noon = datetime(1970, 1, 1, 12, tzinfo=UTC) + timedelta(days=day, minutes=-4 * longitude)
    try:
        moment = time_of_transit(
            observer,
            _EPOCH_DAY + timedelta(days=day),
            90.0 + SUN_APPARENT_RADIUS,
            SunDirection.RISING if rising else SunDirection.SETTING,
        )
    except ValueError:
        stays_up = elevation(observer, noon) > HORIZON_DEGREES
        if rising != stays_up:
            return None
        return round((noon - timedelta(hours=12 * rising)).timestamp()) * _SECOND
    # The library counts days at Greenwich.
    middle = noon + timedelta(hours=-6 if rising else 6)
    moment -= timedelta(days=round((moment - middle) / timedelta(days=1)))
    return round(moment.timestamp()) * _SECOND


def require_astral() -> None:
    """Raise MissingDependency where sunrise and sunset cannot be computed."""
    if importlib.util.find_spec("astral") is None:
        raise MissingDependency(
            "sunrise and sunset need the library astral: "
            "pip install 'realtime-spectrogram[record]', or give times such as from=22:00"
        )
