"""Fewer columns than frames: the greatest or the mean of those that share a column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RequestError

WAYS = ("peak", "mean")
"""A click shows in its column in the one; in the other noise keeps its level."""


def column_edges(n_frames: int, n_columns: int) -> NDArray[np.intp]:
    """The first frame of each column, and the end of the last, (n_columns + 1,)."""
    return np.arange(n_columns + 1) * n_frames // n_columns


class Reducer:
    """Frames become columns between `column_edges`, however they come. As new when the last frame
    has been pushed."""

    def __init__(self, n_frames: int, n_columns: int, way: str = "peak"):
        """Raises RequestError unless n_columns is 1 to n_frames, and `way` one of `WAYS`."""
        if not 1 <= n_columns <= n_frames:
            raise RequestError(
                f"n_columns={n_columns} must be 1 to the {n_frames} frames there are"
            )
        if way not in WAYS:
            raise RequestError(f"reduce={way!r} must be one of {', '.join(WAYS)}")
        self.n_frames, self.n_columns = n_frames, n_columns
        self._edges = column_edges(n_frames, n_columns)
        self._join = np.maximum if way == "peak" else np.add
        self._mean = way == "mean"
        self._begin()

    def _begin(self) -> None:
        self._column, self._next = 0, 0
        self._open: NDArray | None = None

    def push(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """values : float32 (n, ...), frames first. Returns the columns completed, (n_columns, ...).

        Raises RequestError for more frames than there are.
        """
        stop = self._next + len(values)
        if stop > self.n_frames:
            raise RequestError(f"{stop} frames are more than the {self.n_frames} there are")
        if not len(values):
            return values
        edges = self._edges[self._column : self._column + len(values) + 2]
        starts = np.maximum(edges[edges < stop] - self._next, 0)
        sums = self._join.reduceat(values.astype(np.float64) if self._mean else values, starts)
        if self._open is not None:
            sums[0] = self._join(sums[0], self._open)
        n_done = int(np.count_nonzero(edges[1:] <= stop))
        self._open = sums[n_done].copy() if n_done < len(sums) else None
        done = sums[:n_done].copy()  # a view, even of nothing, would keep all of `sums`
        if self._mean:
            widths = np.diff(edges[: n_done + 1]).reshape(-1, *[1] * (values.ndim - 1))
            done = (done / widths).astype(np.float32)
        self._column, self._next = self._column + n_done, stop
        if stop == self.n_frames:
            self._begin()
        return done
