"""A sound that tells where each of its samples belongs.

Sample `index` carries its low 15 bits left and its next 15 bits right, as int16 or as the same
number over 32768 in float32, so both formats hold it exactly. Index 0 sounds like silence, which
is how a marked gap decodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BITS = 15
"""Bits a channel: int16 without its sign, so that no sample is negative."""

LIMIT = 1 << 2 * BITS
"""Indices are below this: 6.2 hours at 48000 Hz."""


def encode(start: int, stop: int) -> np.ndarray:
    """Samples [start, stop) as int16 (stop - start, 2)."""
    assert 0 <= start <= stop <= LIMIT
    index = np.arange(start, stop)
    return np.stack((index & (1 << BITS) - 1, index >> BITS), axis=1).astype(np.int16)


def decode(block: np.ndarray) -> np.ndarray:
    """Indices, int64 (n_samples,), from float32 (n_samples, 2). Asserts that nothing was rounded,
    scaled or mixed on the way."""
    scaled = block.astype(np.float64) * (1 << BITS)
    halves = scaled.astype(np.int64)
    assert np.array_equal(halves, scaled), "samples were altered on the way"
    assert halves.min(initial=0) >= 0, "samples were altered on the way"
    return halves[:, 0] + (halves[:, 1] << BITS)


@dataclass(frozen=True)
class Run:
    """`length` samples in a row, from `at` on, whose indices count up from `index`."""

    at: int
    length: int
    index: int

    @property
    def offset(self) -> int:
        """How much sounded before this run that is not found before it."""
        return self.index - self.at


def runs(indices: np.ndarray) -> list[Run]:
    """Unbroken stretches of the counter; silence between them is left out."""
    if len(indices) == 0:
        return []
    breaks = np.flatnonzero((np.diff(indices) != 1) | (indices[:-1] == 0)) + 1
    starts = np.concatenate(([0], breaks))
    stops = np.concatenate((breaks, [len(indices)]))
    return [
        Run(int(a), int(b - a), int(indices[a]))
        for a, b in zip(starts, stops, strict=True)
        if indices[a] != 0
    ]
