"""How loud a segment is, as a whole."""

from __future__ import annotations

import math

import numpy as np

from realtime.dsp.levels import CLIP_LEVEL, DB_FLOOR


class SegmentLevels:
    """Peak, rms and full-scale samples of each channel since the start."""

    def __init__(self, n_channels: int):
        self._n_channels = n_channels
        self._n_samples = 0
        self._peak = np.zeros(n_channels)
        self._square = np.zeros(n_channels)
        self._clipped = np.zeros(n_channels, np.int64)

    def push(self, block: np.ndarray) -> None:
        """Take in a block, float32 (n_samples, n_channels), n_samples at least 1."""
        self._n_samples += len(block)
        channels = np.ascontiguousarray(block.T)  # each in one run: five times faster
        peak = np.maximum(channels.max(axis=1), -channels.min(axis=1))
        if not np.isfinite(peak).all():  # what the writer makes zeros
            channels = np.nan_to_num(channels, nan=0.0, posinf=0.0, neginf=0.0)
            peak = np.maximum(channels.max(axis=1), -channels.min(axis=1))
        self._peak = np.maximum(self._peak, peak)
        self._square += np.einsum("ij,ij->i", channels, channels, dtype=np.float64)
        if peak.max() >= CLIP_LEVEL:
            self._clipped += np.count_nonzero(np.abs(channels) >= CLIP_LEVEL, axis=1)

    def summary(self) -> dict[str, list[float] | list[int]]:
        """Numbers for the sidecar, one a channel. rms : a full-scale sine reads 0 dBFS (AES17)."""
        mean = self._square / max(self._n_samples, 1)
        return {
            "peak_dbfs": [_db(value) for value in self._peak],
            "rms_dbfs": [_db(math.sqrt(2 * value)) for value in mean],
            "clipped_samples": [int(count) for count in self._clipped],
        }


def _db(amplitude: float) -> float:
    return round(max(20 * math.log10(amplitude), DB_FLOOR), 2) if amplitude > 0 else DB_FLOOR
