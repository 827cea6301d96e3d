"""Peak hold of the spectrum: each bin's greatest level stays a while, then falls.

Written into the histories, whose viewers draw it as one more row.
"""

from __future__ import annotations

import numpy as np

from realtime.dsp.levels import DB_FLOOR
from realtime.view.history import ColumnHistory

HOLD_SECONDS = 1.0
"""A peak stays where it was for this long,"""

FALL_DB = 20.0
"""and then falls by so many dB a second (IEC 60268-10 meters fall by 20 dB in 1.7 s)."""

MOST_COLUMNS = 256
"""Columns looked at in one update: more than arrive in a second of the usual settings."""


class PeakHold:
    """One for a set of histories. Owner: the display's thread."""

    def __init__(self, histories: list[ColumnHistory]):
        self._counts = [max(0, history.count - 1) for history in histories]
        self._peaks = [np.full(history.n_bins, DB_FLOOR, np.float32) for history in histories]
        self._since = [np.zeros(history.n_bins) for history in histories]
        self._last_ns = 0

    def update(self, histories: list[ColumnHistory], now_ns: int) -> None:
        """Take in the columns that are new since the last update."""
        now = now_ns / 1e9
        passed = now - self._last_ns / 1e9 if self._last_ns else 0.0
        for i, history in enumerate(histories):
            first = max(self._counts[i], history.oldest, history.count - MOST_COLUMNS)
            self._counts[i] = history.count
            if first >= history.count:
                continue
            newest = history.column(first)
            for index in range(first + 1, history.count):
                np.maximum(newest, history.column(index), out=newest)
            peaks, since = self._peaks[i], self._since[i]
            falling = now - since > HOLD_SECONDS
            peaks[falling] -= FALL_DB * passed
            higher = newest >= peaks
            peaks[higher], since[higher] = newest[higher], now
            history.set_hold(peaks)
        self._last_ns = now_ns
