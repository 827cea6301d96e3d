"""Samples on their way from one thread to another of the same process, by absolute index.

One thread writes, one reads; neither waits. Safe under the interpreter lock, and without it as
far as two plain integers are: the writer moves `written` after its copy. What the reader leaves
lying for longer than the capacity is overwritten.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SampleFifo:
    """capacity : samples kept. Both ends address samples by index since the beginning."""

    def __init__(self, capacity: int, n_channels: int):
        self._data = np.zeros((capacity, n_channels), np.float32)
        self.capacity = capacity
        self.written = 0
        """Index of the sample that will be written next."""

    def write(self, block: NDArray) -> None:
        """Append a block, float32 (n, n_channels). The writer's side."""
        written = self.written + len(block)
        block = block[-self.capacity :]
        at = (written - len(block)) % self.capacity
        first = min(len(block), self.capacity - at)
        self._data[at : at + first] = block[:first]
        self._data[: len(block) - first] = block[first:]
        self.written = written

    def read_into(self, start: int, out: NDArray) -> None:
        """Copy samples from index `start` on, as many as `out` (n, n_channels) takes.

        The reader's side; it has looked at `written` before and asks for no more than is there.
        """
        at = start % self.capacity
        first = min(len(out), self.capacity - at)
        out[:first] = self._data[at : at + first]
        out[first:] = self._data[: len(out) - first]
