"""What has to go to make room: `--keep`, `--min-free`, `--when-full`.

Pure functions, of a list of recordings and the room on the disk. Which recordings there are, and
how one is deleted, is told by `own_files`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from realtime.errors import RequestError
from realtime.recording.clock import EARLIEST_NS
from realtime.recording.segments import seconds_of
from realtime.wording import shown

LEAST_KEEP_SECONDS = 60.0
"""Less is a slip of the pen, and costs every recording."""

LARGEST_BYTES = 10**18

_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgtp]?)(i?)b", re.IGNORECASE)


class Keep(NamedTuple):
    """What may stay; one of the two is None."""

    seconds: float | None = None
    n_bytes: int | None = None


class MinFree(NamedTuple):
    """What must stay free: so many bytes, or a part (0..1) of the disk."""

    n_bytes: int = 0
    part: float = 0.0

    def bytes_of(self, total_bytes: int) -> int:
        return max(self.n_bytes, round(self.part * total_bytes))


@dataclass(frozen=True, slots=True)
class Recording:
    """name : path below the folder, with `/` and without suffix. n_bytes : with all side files"""

    name: str
    utc_start_ns: int
    utc_end_ns: int
    n_bytes: int


@dataclass(frozen=True)
class RoomPlan:
    delete: tuple[Recording, ...]
    """In this order."""
    stop: str
    """Why recording has to stop, a sentence; empty where it need not."""
    seconds_left: float | None
    """Until --min-free is reached at this pace; None for never."""


def parse_keep(text: str, key: str = "record.keep") -> Keep:
    """`30d` or `200GB`. Raises RequestError."""
    if re.search("b$", text.strip(), re.IGNORECASE):
        return Keep(n_bytes=_bytes_of(text, key, "200GB"))
    if re.fullmatch(r"[0-9.]+[KMGTP]?i?", text.strip()):  # 30M is neither 30m nor 30MB
        raise RequestError(
            f"{key} = {shown(text)} could be a size or a time: write as in 200GB or 30d"
        )
    return Keep(seconds=seconds_of(text, key, LEAST_KEEP_SECONDS, example="30d, or 200GB"))


def parse_min_free(text: str, key: str = "record.min_free") -> MinFree:
    """`5GB`, `5%`, or `0`. Raises RequestError."""
    percent = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%", text.strip())
    if percent:
        if float(percent[1]) > 99:
            raise RequestError(f"{key} = {shown(text)} must be 0% to 99% (try 5%)")
        return MinFree(part=float(percent[1]) / 100)
    return MinFree(0 if text.strip() == "0" else _bytes_of(text, key, "5GB, or 5%"))


def _bytes_of(text: str, key: str, example: str) -> int:
    """Units as disks are sold: 1 GB is 10**9; 1 GiB is 2**30."""
    size = _SIZE.fullmatch(text.strip())
    n_bytes = 0.0
    if size:
        n_bytes = float(size[1]) * (1024 if size[3] else 1000) ** _UNITS[size[2].lower()]
    if not size or not 0 < n_bytes <= LARGEST_BYTES:
        raise RequestError(
            f"{key} = {shown(text)} must be a size such as 500MB, 200GB or 1.5TB (try {example})"
        )
    return round(n_bytes)


def size_text(n_bytes: int) -> str:
    """As disks are sold: `4.8 GB`."""
    power = min(max(len(str(abs(n_bytes))) - 1, 0) // 3, 5)
    unit = ["bytes", "kB", "MB", "GB", "TB", "PB"][power]
    value = n_bytes / 1000**power
    return f"{value:.0f} {unit}" if power == 0 or value >= 100 else f"{value:.1f} {unit}"


def plan_room(
    recordings: Iterable[Recording],
    *,
    now_ns: int | None,
    free_bytes: int,
    total_bytes: int,
    bytes_per_second: float,
    keep: Keep | None,
    least_free: MinFree,
    drop: bool,
) -> RoomPlan:
    """Which recordings go, oldest first; whether to stop; how long there is room. A pure function.

    recordings : the recorder's own, complete ones, in any order
    now_ns : UTC; None where the clock is not to be trusted (it was just set, by years), and then
        nothing is too old. A recording dated before 1980 has no age either.
    drop : where less than `least_free` is free, the oldest go; otherwise recording stops
    """
    ordered = sorted(recordings, key=lambda recording: (recording.utc_start_ns, recording.name))
    used = sum(recording.n_bytes for recording in ordered)
    least = least_free.bytes_of(total_bytes)
    keep = keep or Keep()
    delete = []
    for recording in ordered:
        too_old = (
            keep.seconds is not None
            and now_ns is not None
            and recording.utc_start_ns >= EARLIEST_NS
            and recording.utc_end_ns < now_ns - round(keep.seconds * 1e9)
        )
        too_much = keep.n_bytes is not None and used > keep.n_bytes
        too_full = drop and free_bytes < least
        if too_old or too_much or too_full:
            delete.append(recording)
            used -= recording.n_bytes
            free_bytes += recording.n_bytes
    stop = ""
    if free_bytes < least:
        more = ", and no recording of its own is left to delete" if drop else ""
        stop = (
            f"{size_text(free_bytes)} are free on the disk, less than the {size_text(least)} of "
            f"--min-free{more}: make room, or lower --min-free"
        )
    room = max(0, free_bytes - least)
    return RoomPlan(tuple(delete), stop, _seconds_left(room, used, bytes_per_second, keep))


def _seconds_left(room: int, used: int, bytes_per_second: float, keep: Keep) -> float | None:
    if bytes_per_second <= 0:
        return None
    # --keep makes room from then on.
    most = keep.n_bytes
    if keep.seconds is not None:
        most = round(keep.seconds * bytes_per_second)
    if most is not None and most - used <= room:
        return None
    return room / bytes_per_second
