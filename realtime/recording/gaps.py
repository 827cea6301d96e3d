"""The gaps of a stream: those that the files have not come to yet, and how many there were.

Owner: the recorder's thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.engine.status import Gap, Status
from realtime.recording.stream import joined, missing, within


class Gaps:
    def __init__(self, status: Status):
        self._status = status
        self._seen = 0
        self._known: list[Gap] = []
        self._last: list[Gap] = []

    def look(self, oldest: int) -> None:
        """Take note of new ones, and forget what ended before sample `oldest`. A gap is told
        before its zeros, so after a read everything that was read is explained."""
        snapshot = self._status.read()
        fresh = snapshot.n_gaps - self._seen
        if fresh:
            self._seen = snapshot.n_gaps
            self._known += snapshot.gaps[-fresh:]
        self._known = [gap for gap in self._known if gap.index + gap.length > oldest]

    def within(self, start: int, stop: int) -> list[Gap]:
        """Their parts in samples [start, stop)."""
        return within(self._known, start, stop)

    def missing(self, start: int, stop: int, time_ns: int) -> list[Gap]:
        """Why samples [start, stop) are not to be had."""
        return missing(start, stop, self._known, time_ns)

    def count(self, parts: Sequence[Gap]) -> int:
        """How many more there are with these, one behind the other; the first may go on where
        the last ended."""
        whole = joined(self._last, parts)
        more = len(whole) - len(self._last)
        self._last = whole[-1:]
        return more
