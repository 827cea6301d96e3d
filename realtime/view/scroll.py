"""Where the right edge of a running picture is: as steady as the clock, never past the newest column.

Columns arrive in bursts, as blocks do; an edge that followed them would jerk. So it follows the
clock, behind it by the greatest recent lag of the columns.
"""

from __future__ import annotations

FORGET_SECONDS = 2.0
"""A lag is forgotten with this time constant: between two blocks of 5 ms the edge drifts by a
quarter of a percent of the jitter, which no eye sees, and after a stall it recovers in seconds."""


class SmoothEdge:
    """Owner: the display's thread."""

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self.reset()

    def reset(self) -> None:
        """The columns changed; their lag is learned anew."""
        self._lag: float | None = None
        self._elapsed_ns = 0

    def at(self, elapsed_ns: int, newest: float) -> float:
        """The right edge as a fractional sample index.

        elapsed_ns : since sample 0 was delivered. newest : instant of the newest column.
        """
        ideal = elapsed_ns * self._rate / 1e9
        lag = ideal - newest
        if self._lag is None or lag >= self._lag:
            self._lag = lag
        else:
            step = min(1.0, (elapsed_ns - self._elapsed_ns) / 1e9 / FORGET_SECONDS)
            self._lag -= (self._lag - lag) * step
        self._elapsed_ns = elapsed_ns
        return ideal - self._lag
