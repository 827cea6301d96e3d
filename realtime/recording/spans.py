"""Which samples are wanted: activity with its pre-roll and post-roll, as starts and stops.

A small state machine without a clock. Spans are [start, stop) in sample indices. What it decides
depends on the spans alone, not on how they were cut before they came here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Span = tuple[int, int]


class Decision(NamedTuple):
    """From `index` on samples are wanted (start), or no longer (stop)."""

    kind: Literal["start", "stop"]
    index: int


class WantedSpans:
    """The union of spans that come bit by bit, as decisions that hold.

    Spans that touch are one. A start is decided as soon as no span to come can lie before it, a
    stop as soon as none can touch it; starts and stops take turns, and indices never fall.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all, as if new."""
        self._waiting: list[Span] = []
        self._open = False
        self._horizon = self._stopped = 0

    @property
    def decided(self) -> int:
        """Between a start and its stop: samples before this index are wanted. Otherwise: samples
        before it are not, but for those decided already."""
        return self._waiting[0][1] if self._open else max(self._horizon, self._stopped)

    def advance(self, spans: Iterable[Span], horizon: int, oldest: int = 0) -> list[Decision]:
        """Take more spans; return what is decided now.

        horizon : no span that is still to come starts before this index
        oldest : index of the oldest sample that can be had: no start lies before it
        """
        self._horizon = max(self._horizon, horizon)
        self._waiting = _union([*self._waiting, *spans])
        decisions: list[Decision] = []
        while self._waiting:
            start, stop = self._waiting[0]
            if not self._open:
                if start > self._horizon:
                    break
                start = max(start, oldest, self._stopped)
                if start < stop:
                    decisions.append(Decision("start", start))
                    self._open = True
            if stop >= self._horizon:
                break
            if self._open:
                decisions.append(Decision("stop", stop))
                self._open, self._stopped = False, stop
            del self._waiting[0]
        return decisions


def _union(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
