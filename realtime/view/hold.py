"""Peak hold of the spectrum: each bin's greatest level stays a while, then falls.

Written into the histories, whose viewers draw it as one more row. Works on level codes, as the
histories keep them, because it runs in every frame.
"""

from __future__ import annotations

import numpy as np

from realtime.dsp.levels import CODES, DB_CEIL, DB_FLOOR
from realtime.view.history import GAP, ColumnHistory

HOLD_SECONDS = 1.0
"""A peak stays where it was for this long,"""

FALL_DB = 20.0
"""and then falls by so many dB a second: quick enough to show what the last bar did."""

MOST_COLUMNS = 256
"""Columns looked at in one update: more than arrive in a second of the usual settings."""

_FALL_CODES = FALL_DB * CODES / (DB_CEIL - DB_FLOOR)


class PeakHold:
    """One for a set of histories. Owner: the display's thread."""

    def __init__(self, histories: list[ColumnHistory]):
        self._counts = [max(0, history.count - 1) for history in histories]
        self._peaks = [np.full(history.n_bins, GAP + 1, np.int32) for history in histories]
        self._since = [np.zeros(history.n_bins) for history in histories]
        self._last = 0.0

    def update(self, histories: list[ColumnHistory], now_ns: int) -> None:
        """Take in the columns that are new since the last update; without any, nothing falls."""
        if [history.count for history in histories] == self._counts:
            return
        now = now_ns / 1e9
        fall = round(_FALL_CODES * (now - self._last)) if self._last else 0
        self._last = now
        for i, history in enumerate(histories):
            start = max(self._counts[i], history.oldest, history.count - MOST_COLUMNS)
            self._counts[i] = history.count
            if start == history.count:
                continue
            codes = history.loudest(start, history.count)
            peaks, since = self._peaks[i], self._since[i]
            np.subtract(peaks, fall, out=peaks, where=since < now - HOLD_SECONDS)
            higher = codes >= peaks
            np.copyto(peaks, codes, where=higher)
            np.copyto(since, now, where=higher)
            history.set_hold(peaks)
