"""Samples as the bytes of a WAV file: little-endian, integers of 16 or 24 bits, or 32-bit float."""

from __future__ import annotations

import numpy as np

DEPTHS = (16, 24, 32)
"""Bits of a value; 32 is IEEE float."""


class Packer:
    """Packs blocks into buffers of its own, made once: the memory of a recorder stays flat.

    n_clipped : values so far that lay beyond full scale and were set to it (integers only)
    n_bad : NaN and infinite values so far, each replaced by zero
    """

    def __init__(self, depth: int, n_values: int):
        """n_values : most values (samples times channels) in one block"""
        self.n_clipped = self.n_bad = 0
        self._depth = depth
        self._scale = np.float32(1.0 if depth == 32 else 2.0 ** (depth - 1))
        self._most = np.float32(1.0 if depth == 32 else 1.0 - 1.0 / self._scale)
        """No value above this: the largest integer, as a float."""
        self._values = np.empty(n_values, "<f4")
        self._words = np.empty(n_values, "<i4")
        self._bytes = np.empty((n_values, depth // 8), np.uint8)

    def pack(self, block: np.ndarray) -> memoryview:
        """The bytes of a block, float32 (n_samples, n_channels), valid until the next call.

        An integer is round(x * 2**(depth - 1)), halves to even, so sound that came as integers of
        no more bits leaves bit for bit: float32 holds 24 of them, and scaling by a power of two
        rounds nothing.
        """
        values = self._values[: block.size]
        shaped = values.reshape(block.shape)
        # as is nearly always the case; NaN compares as false, and goes the long way too
        fits = block.max(initial=0) <= self._most and block.min(initial=0) >= -1
        if not fits:
            np.copyto(shaped, block)
            self._silence(values)
            block = shaped
        np.multiply(block, self._scale, out=shaped)
        if self._depth == 32:
            return values.view(np.uint8).data
        np.rint(values, out=values)
        if not fits:
            self._clip(values)
        words, packed = self._words[: block.size], self._bytes[: block.size]
        words[:] = values
        _take_low_bytes(words, packed)
        return packed.reshape(-1).data

    def _silence(self, values: np.ndarray) -> None:
        """Make values finite, and such that scaling keeps them so."""
        self.n_bad += int(np.count_nonzero(~np.isfinite(values)))
        np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        if self._depth < 32:
            np.clip(values, -2.0, 2.0, out=values)

    def _clip(self, values: np.ndarray) -> None:
        low, high = -self._scale, self._scale - 1
        beyond = np.count_nonzero(values > high) + np.count_nonzero(values < low)
        self.n_clipped += int(beyond)
        np.clip(values, low, high, out=values)


def low_bytes(words: np.ndarray, depth: int) -> memoryview:
    """The bytes of integers of `depth` bits, given as int32 (n_samples, n_channels)."""
    packed = np.empty((words.size, depth // 8), np.uint8)
    _take_low_bytes(words.astype("<i4", copy=False).reshape(-1), packed)
    return packed.reshape(-1).data


def _take_low_bytes(words: np.ndarray, packed: np.ndarray) -> None:
    each = words.view(np.uint8).reshape(-1, 4)
    for k in range(packed.shape[1]):  # a column at a time: rows of two or three bytes are slow
        packed[:, k] = each[:, k]
