"""Where the right edge of a running picture is: steady as the clock, not past the newest column.

Columns arrive in bursts, as blocks do; an edge that followed them would jerk. So it follows the
clock, behind it by the greatest lag the columns had of late.
"""

from __future__ import annotations

WINDOW_SECONDS = 1.0
"""A lag counts for one to two of these: longer than any column or burst of blocks is apart."""

EASE_SECONDS = 0.5
"""When the lag has become less, the edge catches up with this time constant, not in a jump."""


class SmoothEdge:
    """Owner: the display's thread."""

    def __init__(self, sample_rate: int):
        self._rate = sample_rate
        self.reset()

    def reset(self) -> None:
        """The columns changed; their lag is learned anew."""
        self._lag: float | None = None
        self._elapsed = self._window_end = 0.0
        self._greatest = self._greatest_before = float("-inf")

    def at(self, elapsed_ns: int, newest: float) -> float:
        """The right edge as a fractional sample index.

        elapsed_ns : since sample 0 was delivered. newest : instant of the newest column.
        """
        elapsed = elapsed_ns / 1e9
        lag = elapsed * self._rate - newest
        if elapsed >= self._window_end:
            self._window_end = elapsed + WINDOW_SECONDS
            self._greatest_before, self._greatest = self._greatest, lag
        self._greatest = max(self._greatest, lag)
        if self._lag is None or lag >= self._lag:
            self._lag = lag
        else:
            recent = max(self._greatest, self._greatest_before)
            ease = min(1.0, (elapsed - self._elapsed) / EASE_SECONDS)
            self._lag -= (self._lag - recent) * ease
        self._elapsed = elapsed
        return elapsed * self._rate - self._lag
