"""From the device to the ring: counts what arrives against the clock, and keeps the time line true.

Runs inside the audio callback, so it copies and counts and does nothing else. Loss is measured:
sample N of a stream that lost nothing arrives at epoch + N / sample_rate or later, never
earlier, so the least lateness of many blocks is a firm line, and a loss lifts it for good. What
was lost is written as zeros where it was lost and entered in the status block.

After a suspicious block (flagged, or later than blocks have been of late) it is not yet known
whether the samples are gone or only late: a deep buffer delivers them in a burst. Blocks are then
held back, in memory set aside beforehand, until one arrives on the old line, which proves that
nothing is missing, or for a while (`SETTLE_SECONDS`), and judged together.
"""

from __future__ import annotations

import numpy as np

from realtime.audio.ring import AudioRing
from realtime.engine.status import Cause, Gap, Status

UNUSUAL = 1.5
"""A block that lets one wait this many times longer than any in the last second or two is
suspicious. (A server's flag comes some blocks after the loss, so one cannot wait for it.)"""

SETTLE_SECONDS = 0.25
"""How long a suspicion is watched: a late buffer is emptied within a few blocks, and the least
lateness of the dozens of blocks in this time is good to a fraction of a millisecond;"""

SETTLE_BLOCKS = 48
"""and so many it takes: of 12 blocks of 1024 samples that a server hands over two at a time, the
least lateness was up to 5 ms above that of the second before."""

HOLD_SECONDS = 2.0
"""Room for blocks held back; when it is full the verdict falls at once."""

CLOCK_WINDOW_SECONDS = 1.0
"""The unsuspected line is looked at this often."""

SHIFT_SECONDS = 0.05
"""Without a flag, only a shift of the line by more than this is loss: less is a server that
changed its buffer, or a clock that drifts (a bad crystal by 0.0001 s in a window)."""

SNAP = 0.2
"""A loss within this part of a block of a whole number of blocks is that number of blocks,"""

SNAP_SECONDS = 0.001
"""but not by more than this: a server that resamples loses no whole blocks."""


class Intake:
    """`accept` every block in one thread; times are given to it, so it runs without a clock."""

    def __init__(self, ring: AudioRing, status: Status):
        self._ring = ring
        self._status = status
        self._rate = ring.sample_rate
        status.settle_version()
        before = status.read()
        # A successor to a lost engine or device goes on where that one was.
        self._epoch: float | None = before.epoch_ns / 1e9 if before.blocks else None
        self._next_cause: Cause | None = Cause.RESTART if before.blocks else None
        self._last = before.last_block_ns / 1e9
        self._warm_at: float | None = None if self._epoch is None else 0.0
        self._held = np.zeros((int(HOLD_SECONDS * self._rate), ring.n_channels), np.float32)
        self._n_held = self._block = 0
        self._suspicions: list[_Suspicion] = []
        self._window_end = 0.0
        self._window_least = float("inf")
        self._usual = _Usual()

    def accept(self, block: np.ndarray, now_ns: int, overflow: bool = False) -> None:
        """Take a block, float32 (n_samples, n_channels), delivered at monotonic time `now_ns`."""
        now = now_ns / 1e9
        n = self._block = len(block)
        interval = now - self._last if self._last else 0.0
        self._last = now
        cause = self._suspect(now, overflow, interval, n / self._rate)
        if cause is not None:
            self._suspicions.append(_Suspicion(cause, self._n_held, now))
        if self._suspicions:
            self._hold(block, now)
        else:
            self._ring.write(block)
            self._follow(now)
        self._status.count_block(
            self._ring.written,
            overflow,
            now_ns,
            int((self._epoch or 0.0) * 1e9),
            int(interval * 1e9),
        )

    def close(self) -> None:
        """No block will follow: write what was held back."""
        if self._suspicions:
            self._judge(self._block)

    def _suspect(self, now: float, overflow: bool, interval: float, own: float) -> Cause | None:
        """`interval`: seconds since the block before; `own`: seconds this block lasts."""
        unusual = interval > UNUSUAL * max(own, self._usual.longest)
        self._usual.push(now, interval)
        if self._warm_at is None:
            self._warm_at = now + CLOCK_WINDOW_SECONDS
        cause, self._next_cause = self._next_cause, None
        if cause is not None:
            return cause
        if now < self._warm_at:  # servers stutter while a stream starts: nothing to lose yet
            return None
        if overflow:
            return Cause.OVERFLOW
        return Cause.STALL if unusual else None

    def _lateness(self, now: float, index: int) -> float:
        """Seconds by which a block that ends at `index` is behind sample 0 of the time line."""
        return now - index / self._rate

    def _follow(self, now: float) -> None:
        """Keep the epoch on the line of the fastest deliveries."""
        lateness = self._lateness(now, self._ring.written)
        if self._epoch is None or lateness < self._epoch:
            self._epoch = lateness
        self._window_least = min(self._window_least, lateness)
        if now < self._window_end:
            return
        shift = self._window_least - self._epoch
        assert self._warm_at is not None
        settled = now - self._warm_at > CLOCK_WINDOW_SECONDS
        if self._window_end and settled and shift > SHIFT_SECONDS:
            self._fill(round(shift * self._rate), Cause.CLOCK, now)
        elif self._window_end:
            self._epoch = self._window_least
        self._window_end, self._window_least = now + CLOCK_WINDOW_SECONDS, float("inf")

    def _hold(self, block: np.ndarray, now: float) -> None:
        last = self._suspicions[-1]
        stop = self._n_held + len(block)
        last.least = min(last.least, self._lateness(now, self._ring.written + stop))
        if stop > len(self._held):
            self._judge(len(block))
            self._ring.write(block)
            return
        self._held[self._n_held : stop] = block
        self._n_held = stop
        assert self._epoch is not None
        on_the_line = last.least - self._epoch < len(block) / 2 / self._rate
        settled = now - last.since >= max(SETTLE_SECONDS, SETTLE_BLOCKS * len(block) / self._rate)
        if on_the_line or settled:
            self._judge(len(block))

    def _judge(self, block_samples: int) -> None:
        """Write what was held back, with zeros where the line was lifted."""
        assert self._epoch is not None
        # Loss only ever lifts the line: a later, lower part proves the earlier was merely late.
        line = float("inf")
        for suspicion in reversed(self._suspicions):
            line = suspicion.least = min(line, suspicion.least)
        flagged = any(suspicion.cause is Cause.OVERFLOW for suspicion in self._suspicions)
        written, filled = 0, 0
        for suspicion in self._suspicions:
            cause = suspicion.cause
            if flagged and cause is Cause.STALL:  # it is known now why
                cause = Cause.OVERFLOW
            self._ring.write(self._held[written : suspicion.at])
            written = suspicion.at
            shift = suspicion.least - self._epoch - filled / self._rate
            lost = lost_samples(shift, cause, self._rate, block_samples)
            if lost:
                self._fill(lost, cause, suspicion.since)
                filled += lost
        self._ring.write(self._held[written : self._n_held])
        self._suspicions.clear()
        self._n_held = 0
        self._window_end, self._window_least = 0.0, float("inf")

    def _fill(self, n: int, cause: Cause, now: float) -> None:
        self._status.count_gap(Gap(self._ring.written, n, cause, int(now * 1e9)))
        self._ring.write_zeros(n)


class _Suspicion:
    """From sample `at` of what is held back, samples before it may be missing."""

    __slots__ = ("at", "cause", "least", "since")

    def __init__(self, cause: Cause, at: int, since: float):
        self.cause, self.at, self.since = cause, at, since
        self.least = float("inf")


class _Usual:
    """The longest interval in the last one to two windows."""

    def __init__(self) -> None:
        self._end = 0.0
        self._now = self._before = 0.0

    @property
    def longest(self) -> float:
        return max(self._now, self._before)

    def push(self, now: float, interval: float) -> None:
        if now >= self._end:
            self._end, self._before, self._now = now + CLOCK_WINDOW_SECONDS, self._now, 0.0
        self._now = max(self._now, interval)


def lost_samples(shift: float, cause: Cause, sample_rate: int, block_samples: int) -> int:
    """Samples lost when the line of least lateness moved up by `shift` seconds.

    A flag is believed from half a block on, since a server that flags loses whole blocks; after
    a stall or restart only a shift that no change of buffer size explains counts as loss.
    """
    lost = round(shift * sample_rate)
    least = block_samples // 2 if cause is Cause.OVERFLOW else round(SHIFT_SECONDS * sample_rate)
    if lost < max(least, 1):
        return 0
    blocks = round(lost / block_samples)
    near = min(SNAP * block_samples, SNAP_SECONDS * sample_rate)
    if blocks and abs(lost - blocks * block_samples) <= near:
        return blocks * block_samples
    return lost
