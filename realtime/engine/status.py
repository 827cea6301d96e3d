"""The status block: what the engine counted, in shared memory, for anyone to look at.

Each cell has one writer: the delivering thread (the audio callback) owns the counts and the gap
list, the engine's loop owns heartbeat and state. A reader copies the block and looks at the
version again; an odd or changed version means the writer was in the middle, and it copies again.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from realtime.audio.shared import Segment

_GAP_ENTRIES = 512
"""Gaps kept; at one a second that is eight minutes, after which only the sum remains."""

_READ_TRIES = 1000
"""A write takes microseconds; a reader that meets a thousand in a row has met a dead writer."""


class State(enum.IntEnum):
    STARTING = 0
    RUNNING = 1
    STALLED = 2  # open, but no samples arrive
    ENDED = 3


class Cause(enum.IntEnum):
    """Why samples are missing, as far as anyone can tell."""

    OVERFLOW = 1  # the device flagged it
    STALL = 2  # nothing came for a while, and it was not made up for
    RESTART = 3  # the engine or the device was gone
    CLOCK = 4  # no flag, no stall: the count fell behind the clock
    DISK = 5  # captured, but the disk was full, gone or slow for longer than the ring lasts


class _Cell:
    VERSION = 0
    SAMPLES = 1
    LOST = 2
    OVERFLOWS = 3
    BLOCKS = 4
    FAULTS = 5
    LAST_BLOCK_NS = 6
    EPOCH_NS = 7
    LONGEST_NS = 8
    GAPS = 9
    HEARTBEAT_NS = 10
    STATE = 11
    PID = 12


_HEAD = 16  # int64 cells before the gap list
_CELLS = _HEAD + 4 * _GAP_ENTRIES


@dataclass(frozen=True)
class Gap:
    """`length` samples from `index` on were lost by the device and are zeros in the ring."""

    index: int
    length: int
    cause: Cause
    time_ns: int
    """Monotonic time of the arrival of the first block after the gap."""


@dataclass(frozen=True)
class StatusSnapshot:
    samples: int
    """Samples on the time line so far: received and lost."""
    lost: int
    overflows: int
    """Blocks the device flagged; flags explain, they do not count samples."""
    blocks: int
    faults: int
    """Exceptions caught inside the callback; anything but 0 is a defect."""
    last_block_ns: int
    epoch_ns: int
    """Monotonic time of sample 0, fitted to the fastest deliveries; 0 until the first block."""
    longest_ns: int
    """Longest time between two blocks."""
    n_gaps: int
    heartbeat_ns: int
    state: State
    pid: int
    gap_cells: list[int]
    """As in the block: few of those who look want to know each gap."""

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """The newest gaps, oldest first."""
        entries = []
        for i in range(max(0, self.n_gaps - _GAP_ENTRIES), self.n_gaps):
            at = 4 * (i % _GAP_ENTRIES)
            index, length, cause, time_ns = self.gap_cells[at : at + 4]
            entries.append(Gap(index, length, Cause(cause), time_ns))
        return tuple(entries)

    def time_ns(self, index: int, sample_rate: int) -> int:
        """Monotonic time at which sample `index` was delivered, at the earliest."""
        return self.epoch_ns + round(index * 1e9 / sample_rate)


class Status:
    """Use `create` in the process that owns the memory and `attach` everywhere else."""

    def __init__(self, segment: Segment):
        self._segment = segment
        self._cells = memoryview(segment.buffer)[: 8 * _CELLS].cast("q")

    @classmethod
    def create(cls) -> Status:
        return cls(Segment.create(8 * _CELLS))

    @classmethod
    def attach(cls, name: str) -> Status:
        return cls(Segment.attach(name))

    @property
    def name(self) -> str:
        return self._segment.name

    # The delivering thread's side.

    def count_block(
        self, samples: int, overflow: bool, now_ns: int, epoch_ns: int, interval_ns: int
    ) -> None:
        cells = self._cells
        cells[_Cell.VERSION] += 1
        cells[_Cell.SAMPLES] = samples
        cells[_Cell.OVERFLOWS] += overflow
        cells[_Cell.BLOCKS] += 1
        cells[_Cell.LAST_BLOCK_NS] = now_ns
        cells[_Cell.EPOCH_NS] = epoch_ns
        cells[_Cell.LONGEST_NS] = max(cells[_Cell.LONGEST_NS], interval_ns)
        cells[_Cell.VERSION] += 1

    def count_gap(self, gap: Gap) -> None:
        cells = self._cells
        cells[_Cell.VERSION] += 1
        at = _HEAD + 4 * (cells[_Cell.GAPS] % _GAP_ENTRIES)
        cells[at], cells[at + 1] = gap.index, gap.length
        cells[at + 2], cells[at + 3] = gap.cause, gap.time_ns
        cells[_Cell.GAPS] += 1
        cells[_Cell.LOST] += gap.length
        cells[_Cell.VERSION] += 1

    def count_fault(self) -> None:
        self._cells[_Cell.FAULTS] += 1

    def settle_version(self) -> None:
        """Called by a new writer: its predecessor may have died in the middle of a count."""
        self._cells[_Cell.VERSION] += self._cells[_Cell.VERSION] % 2

    # The engine loop's side.

    def beat(self, now_ns: int, state: State, pid: int) -> None:
        self._cells[_Cell.STATE] = state
        self._cells[_Cell.PID] = pid
        self._cells[_Cell.HEARTBEAT_NS] = now_ns

    # Any reader.

    @property
    def lost(self) -> int:
        """As in the snapshot; one cell."""
        return self._cells[_Cell.LOST]

    @property
    def epoch_ns(self) -> int:
        """As in the snapshot; one cell, so it needs no second look, and costs next to nothing."""
        return self._cells[_Cell.EPOCH_NS]

    def read(self) -> StatusSnapshot:
        cells = self._copy()
        return StatusSnapshot(
            samples=cells[_Cell.SAMPLES],
            lost=cells[_Cell.LOST],
            overflows=cells[_Cell.OVERFLOWS],
            blocks=cells[_Cell.BLOCKS],
            faults=cells[_Cell.FAULTS],
            last_block_ns=cells[_Cell.LAST_BLOCK_NS],
            epoch_ns=cells[_Cell.EPOCH_NS],
            longest_ns=cells[_Cell.LONGEST_NS],
            n_gaps=cells[_Cell.GAPS],
            heartbeat_ns=cells[_Cell.HEARTBEAT_NS],
            state=State(cells[_Cell.STATE]),
            pid=cells[_Cell.PID],
            gap_cells=cells[_HEAD:],
        )

    def _copy(self) -> list[int]:
        cells: list[int] = []
        for _ in range(_READ_TRIES):
            version = self._cells[_Cell.VERSION]
            used = _HEAD + 4 * min(self._cells[_Cell.GAPS], _GAP_ENTRIES)
            cells = self._cells[:used].tolist()
            if version % 2 == 0 and self._cells[_Cell.VERSION] == version:
                break
        return cells

    def close(self) -> None:
        """Let go of the memory; the creator also gives it back to the system. Safe twice."""
        if not self._segment.closed:
            self._cells.release()
            self._segment.close()
