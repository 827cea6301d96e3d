"""The gaps of a stream: those that the files have not come to yet, and how many there were.

Owner: the recorder's thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.engine.status import Cause, Gap, Status
from realtime.recording.stream import joined, missing, within


class Gaps:
    def __init__(self, status: Status):
        self._status = status
        self._seen = 0
        self._known: list[Gap] = []
        self._last: list[Gap] = []
        self._counted = 0
        self.n = 0
        self.missing = 0
        """Samples of those counted."""
        self.missed = 0
        """Samples of those whose cause was the disk."""

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

    def why(self, start: int, stop: int, time_ns: int) -> list[Gap]:
        """Why samples [start, stop) are not to be had."""
        return missing(start, stop, self._known, time_ns)

    def count(self, parts: Sequence[Gap]) -> None:
        """Take these in, one behind the other, of which the first may go on where the last ended;
        what was counted before is left out, however often the disk has it written."""
        fresh = within(parts, self._counted, parts[-1].index + parts[-1].length)
        whole = joined(self._last, fresh)
        self.n += len(whole) - len(self._last)
        self._last = whole[-1:]
        for gap in fresh:
            self._counted = gap.index + gap.length
            self.missing += gap.length
            self.missed += gap.length if gap.cause is Cause.DISK else 0
