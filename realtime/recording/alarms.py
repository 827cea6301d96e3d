"""What whoever looks after a recorder must hear of: it runs, and yet something is wrong.

Pure: `look` is told what is so about once a second, and says what is the matter now.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SILENT_SECONDS = 30.0
"""Exact zeros for so long: no converter does that, but a muted one and a missing permission."""

STUCK_SECONDS = 120.0
"""The level has not moved for so long,"""

STUCK_DB = 0.05
"""by this much: of one second of white noise the level moves by four times that in two minutes."""

CLIPPED_SECONDS = 3
"""So many of the last ten seconds reached full scale: one click is no alarm."""

GAP_SECONDS = 60.0
"""How long a gap stays an alarm."""

LATE_SECONDS = 2.0
"""No samples, or no sync, for so long."""

LOW_SECONDS = 86400.0
"""The disk is full within a day."""


@dataclass(frozen=True)
class Look:
    """How things are at one moment. Levels are those of the loudest channel."""

    seconds: float
    """On the monotonic clock."""
    running: bool
    zero_seconds: float
    rms_db: float
    clipped: bool
    """In the last second."""
    n_gaps: int
    sync_age: float | None
    """Seconds since the last sync that went well; None where nothing is being written."""
    trouble: str
    seconds_left: float | None
    plausible_clock: bool


class Alarms:
    """Follows one device."""

    def __init__(self) -> None:
        self._levels: deque[tuple[float, float]] = deque()
        self._clipped: deque[bool] = deque(maxlen=10)
        self._last_running = self._last_gap = float("-inf")
        self._n_gaps = 0

    def look(self, now: Look) -> dict[str, str]:
        """The alarms of this moment: a word for programs, a sentence for people."""
        self._remember(now)
        found = {
            "no samples": now.seconds - self._last_running > LATE_SECONDS
            and "the device delivers nothing: is it unplugged, or the sound server gone?",
            "silence": now.zero_seconds >= SILENT_SECONDS
            and f"exactly silent for {now.zero_seconds:.0f} s: is it muted, or not permitted?",
            "stuck": self._stuck()
            and "the level has not moved for two minutes: is anything connected?",
            "clipping": sum(self._clipped) >= CLIPPED_SECONDS
            and "again and again at full scale: turn the gain down",
            "gaps": now.seconds - self._last_gap < GAP_SECONDS
            and "samples were lost within the last minute: the sidecars say where",
            "disk": self._disk(now),
            "disk low": now.seconds_left is not None
            and now.seconds_left < LOW_SECONDS
            and f"the disk is full in {now.seconds_left / 3600:.1f} h",
            "clock": not now.plausible_clock
            and "the clock stands before 1980: names and times are wrong until it is set",
        }
        return {name: text for name, text in found.items() if text}

    def _remember(self, now: Look) -> None:
        if now.running:
            self._last_running = now.seconds
            self._levels.append((now.seconds, now.rms_db))
            self._clipped.append(now.clipped)
        elif self._last_running == float("-inf"):
            self._last_running = now.seconds
        while self._levels and now.seconds - self._levels[0][0] > STUCK_SECONDS:
            self._levels.popleft()
        if now.n_gaps > self._n_gaps:
            self._n_gaps, self._last_gap = now.n_gaps, now.seconds

    def _stuck(self) -> bool:
        if not self._levels or self._levels[-1][0] - self._levels[0][0] < STUCK_SECONDS - 2:
            return False
        levels = [level for _, level in self._levels]
        return max(levels) - min(levels) < STUCK_DB

    @staticmethod
    def _disk(now: Look) -> str:
        if now.trouble:
            return disk_fails(now.trouble)
        if now.sync_age is not None and now.sync_age > LATE_SECONDS:
            return f"the disk has not answered for {now.sync_age:.0f} s: what comes waits in memory"
        return ""


def disk_fails(trouble: str) -> str:
    return f"the disk fails ({trouble}): what comes waits in memory"
