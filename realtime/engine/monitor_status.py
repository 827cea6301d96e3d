"""What the monitor counts, in shared memory, for anyone to look at.

Each cell is one whole number with one writer: the worker, the playback callback, or the engine's
loop. They are independent, so a reader needs no second look.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from realtime.audio.shared import Segment

_GAIN_UNIT = 1_000_000
"""A gain of 1 in the cell's whole numbers."""


class Playing(enum.IntEnum):
    """What the loudspeaker gets."""

    WAITING = 0  # no playback device, or it is gone
    SETTLING = 1  # silence, until it is known how late samples come
    SOUND = 2


class _Cell(enum.IntEnum):
    # The worker's.
    ALGORITHMIC = 0
    EFFECTS = 1
    DROPPED = 2
    FAULTS = 3
    HOWLS = 4
    HOWL_HZ = 5
    GAIN = 6
    BUSY_NS = 7
    # The playback callback's.
    STATE = 8
    UNDERFLOWS = 9
    MISSING = 10
    DELAY = 11
    PLAYED = 12
    # The engine loop's.
    DEVICE = 13


@dataclass(frozen=True)
class MonitorSnapshot:
    """Latencies in samples at the capture's rate; one after the other they make the whole."""

    algorithmic: int
    """Delay of the STFT and its inverse."""
    effects: int
    """What look-ahead of the effects adds."""
    transport: int
    """From the capture callback to the playback callback, without the two above."""
    device: int
    """What the devices say of themselves."""
    dropped: int
    """Captured samples given up by a worker that was late."""
    faults: int
    """Calls of an effect that went wrong, and steps of the monitor."""
    howls: int
    howl_hz: int
    gain: float
    """Of limiter and feedback guard, now: 1 where neither holds anything back."""
    busy_ns: int
    """Time the worker has spent, for its share of a core."""
    state: Playing
    underflows: int
    missing: int
    """Samples of silence played for want of sound."""
    played: int


class MonitorStatus:
    """Use `create` in the process that owns the memory and `attach` everywhere else."""

    def __init__(self, segment: Segment):
        self._segment = segment
        self._cells = memoryview(segment.buffer)[: 8 * len(_Cell)].cast("q")

    @classmethod
    def create(cls) -> MonitorStatus:
        return cls(Segment.create(8 * len(_Cell)))

    @classmethod
    def attach(cls, name: str) -> MonitorStatus:
        return cls(Segment.attach(name))

    @property
    def name(self) -> str:
        return self._segment.name

    def show_path(self, algorithmic: int, effects: int, gain: float) -> None:
        """By the worker: what stands between capture and playback now."""
        cells = self._cells
        cells[_Cell.ALGORITHMIC], cells[_Cell.EFFECTS] = algorithmic, effects
        cells[_Cell.GAIN] = round(gain * _GAIN_UNIT)

    def count_faults(self, faults: int) -> None:
        self._cells[_Cell.FAULTS] += faults

    def count_dropped(self, samples: int) -> None:
        self._cells[_Cell.DROPPED] += samples

    def count_howl(self, hz: float) -> None:
        self._cells[_Cell.HOWL_HZ] = round(hz)
        self._cells[_Cell.HOWLS] += 1

    def count_busy(self, ns: int) -> None:
        self._cells[_Cell.BUSY_NS] += ns

    def show_playback(self, state: Playing, delay: int, played: int) -> None:
        """By the playback callback."""
        cells = self._cells
        cells[_Cell.STATE], cells[_Cell.DELAY], cells[_Cell.PLAYED] = state, delay, played

    def count_missing(self, samples: int, underflows: int) -> None:
        self._cells[_Cell.MISSING] += samples
        self._cells[_Cell.UNDERFLOWS] += underflows

    def show_device(self, samples: int) -> None:
        """By the engine's loop."""
        self._cells[_Cell.DEVICE] = samples

    def read(self) -> MonitorSnapshot:
        cells = self._cells
        algorithmic, effects = cells[_Cell.ALGORITHMIC], cells[_Cell.EFFECTS]
        return MonitorSnapshot(
            algorithmic=algorithmic,
            effects=effects,
            transport=max(0, cells[_Cell.DELAY] - algorithmic),
            device=cells[_Cell.DEVICE],
            dropped=cells[_Cell.DROPPED],
            faults=cells[_Cell.FAULTS],
            howls=cells[_Cell.HOWLS],
            howl_hz=cells[_Cell.HOWL_HZ],
            gain=cells[_Cell.GAIN] / _GAIN_UNIT,
            busy_ns=cells[_Cell.BUSY_NS],
            state=Playing(cells[_Cell.STATE]),
            underflows=cells[_Cell.UNDERFLOWS],
            missing=cells[_Cell.MISSING],
            played=cells[_Cell.PLAYED],
        )

    def close(self) -> None:
        """Let go of the memory; the creator also gives it back to the system. Safe twice."""
        if not self._segment.closed:
            self._cells.release()
            self._segment.close()
