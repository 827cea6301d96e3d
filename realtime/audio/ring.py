"""Samples in shared memory, addressed by absolute sample index since the stream began.

One writer, any number of readers, in any process. The writer never waits and never knows its
readers. A reader gets exactly the samples it names or an `Overrun`: it looks at what the writer
has claimed again after its copy, so torn samples are never returned.

The order "claim, copy, publish" relies on stores becoming visible in program order, as they do
on x86-64; on other processors the interpreter's own work between the two stores (hundreds of
instructions) stands in for the fence that Python does not offer.
"""

from __future__ import annotations

import numpy as np

from realtime.audio.shared import Segment, free_shared_bytes
from realtime.errors import Overrun, RequestError

_HEADER = 64  # bytes: eight int64 cells, one cache line
_CAPACITY, _CHANNELS, _RATE, _CLAIMED, _WRITTEN = range(5)

_SHARE_OF_FREE = 0.5
"""At most this part of the free shared memory: the rest belongs to other programs."""

_SHORTEST_SECONDS = 1.0
"""Below this a ring is of no use: it has to bridge a display that is late."""


class AudioRing:
    """Use `create` in the process that owns the memory and `attach` everywhere else."""

    def __init__(self, segment: Segment):
        self._segment = segment
        self._cells = memoryview(segment.buffer)[:_HEADER].cast("q")
        self.capacity = self._cells[_CAPACITY]
        """Samples held at most (int)."""
        self.n_channels = self._cells[_CHANNELS]
        self.sample_rate = self._cells[_RATE]
        self._data: np.ndarray = np.ndarray(
            (self.capacity, self.n_channels), np.float32, segment.buffer, _HEADER
        )

    @classmethod
    def create(cls, n_channels: int, sample_rate: int, seconds: float) -> AudioRing:
        """A ring of `seconds`, or of what the shared memory of this machine has room for.

        Every page is touched once, so that the memory is spent now and never grows.
        Raises `RequestError` where not even one second fits.
        """
        bytes_a_second = 4 * n_channels * sample_rate
        room = free_shared_bytes() * _SHARE_OF_FREE / bytes_a_second
        if min(seconds, room) < _SHORTEST_SECONDS:
            raise RequestError(
                f"a ring of {seconds:g} s needs {seconds * bytes_a_second / 1e6:.0f} MB of shared "
                f"memory, and {room:.1f} s fit: make room in /dev/shm or lower the sample rate "
                "or the channels"
            )
        capacity = int(min(seconds, room) * sample_rate)
        segment = Segment.create(_HEADER + 4 * n_channels * capacity)
        cells = memoryview(segment.buffer)[:_HEADER].cast("q")
        cells[_CAPACITY], cells[_CHANNELS], cells[_RATE] = capacity, n_channels, sample_rate
        cells[_CLAIMED] = cells[_WRITTEN] = 0
        cells.release()
        ring = cls(segment)
        try:
            ring._data.fill(0)
        except BaseException:  # Ctrl-C in just this moment: nobody else knows of the memory
            ring.close()
            raise
        return ring

    @classmethod
    def attach(cls, name: str) -> AudioRing:
        """The ring another process created; `name` is that ring's `name`."""
        return cls(Segment.attach(name))

    @property
    def name(self) -> str:
        return self._segment.name

    @property
    def seconds(self) -> float:
        return self.capacity / self.sample_rate

    @property
    def written(self) -> int:
        """Index of the sample that will be written next."""
        return self._cells[_WRITTEN]

    @property
    def oldest(self) -> int:
        """Index of the oldest sample that may still be read."""
        return max(0, self._cells[_CLAIMED] - self.capacity)

    def write(self, block: np.ndarray) -> None:
        """Append a block, float32 (n_samples, n_channels). Only the one writer calls this."""
        n = len(block)
        start = self._claim(n)
        if n > self.capacity:
            start += n - self.capacity
            block = block[n - self.capacity :]
        at = start % self.capacity
        first = min(len(block), self.capacity - at)
        self._data[at : at + first] = block[:first]
        if first < len(block):
            self._data[: len(block) - first] = block[first:]
        self._cells[_WRITTEN] = self._cells[_CLAIMED]

    def write_zeros(self, n: int) -> None:
        """Append `n` samples of silence: what a device lost. Only the one writer calls this."""
        start = self._claim(n)
        if n >= self.capacity:
            self._data.fill(0)
        else:
            at = start % self.capacity
            first = min(n, self.capacity - at)
            self._data[at : at + first] = 0
            self._data[: n - first] = 0
        self._cells[_WRITTEN] = self._cells[_CLAIMED]

    def _claim(self, n: int) -> int:
        start = self._cells[_WRITTEN]
        self._cells[_CLAIMED] = start + n
        return start

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples [start, stop) as a new array, float32 (stop - start, n_channels).

        Raises `Overrun` where any of them is gone or not there yet.
        """
        if not self.oldest <= start <= stop <= self.written:
            raise Overrun(start, stop, self.oldest, self.written)
        block = np.empty((stop - start, self.n_channels), np.float32)
        at = start % self.capacity
        first = min(len(block), self.capacity - at)
        block[:first] = self._data[at : at + first]
        if first < len(block):
            block[first:] = self._data[: len(block) - first]
        if start < self.oldest:  # the writer came round during the copy
            raise Overrun(start, stop, self.oldest, self.written)
        return block

    def close(self) -> None:
        """Let go of the memory; the creator also gives it back to the system. Safe twice."""
        if self._segment.closed:
            return
        self._cells.release()
        self._data = np.empty((0, self.n_channels), np.float32)
        self._segment.close()
