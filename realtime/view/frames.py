"""When frames are drawn: as fast as the screen takes them, at most `fps`, and none while hidden.

The screen's own clock (`frameSwapped`) asks for the next frame. Where the driver does not wait
for the screen, a timer holds the rate. A slow watch looks after both ends: it starts the chain
when the window appears, and keeps the model alive, without drawing, while nothing is seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

WATCH_MS = 250
"""How often a hidden window's model is looked after, and how long a lost frame stays lost."""
VSYNC_SLACK = 0.002
"""Seconds by which a frame may be early: a driver that waits for the screen does the waiting."""


class Frames(QObject):
    """Owner: the main thread.

    shown : whether anyone can see the picture; asked by the watch alone, since a hidden window
    swaps no frame, which ends the chain by itself. draw : begins a frame, which must lead to a
    call of `swapped`. rest : called now and then while nothing is seen.
    """

    def __init__(
        self,
        fps: int,
        shown: Callable[[], bool],
        draw: Callable[[], object],
        rest: Callable[[], object],
        parent: QObject | None = None,
    ):
        super().__init__(parent)
        self._period = 1.0 / fps
        self._shown, self._draw, self._rest = shown, draw, rest
        self._due = self._begun = 0.0
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setTimerType(Qt.TimerType.PreciseTimer)
        self._next.timeout.connect(self._begin)
        self._watch = QTimer(self)
        self._watch.timeout.connect(self._look)
        self._stopped = True
        self.drawn = 0
        """Frames begun so far."""

    def start(self) -> None:
        self._stopped = False
        self._watch.start(WATCH_MS)

    def stop(self) -> None:
        self._stopped = True
        self._watch.stop()
        self._next.stop()

    def set_fps(self, fps: int) -> None:
        self._period = 1.0 / fps

    def swapped(self) -> None:
        """A frame is on screen (or on its way to it)."""
        if self._stopped or self._next.isActive():
            return
        wait = self._due - time.perf_counter()
        self._next.start(max(0, round(wait * 1000)) if wait > VSYNC_SLACK else 0)

    def _begin(self) -> None:
        if self._stopped:
            return
        now = time.perf_counter()
        self._begun = now
        self._due = max(self._due, now - self._period) + self._period
        self.drawn += 1
        self._draw()

    def _look(self) -> None:
        if not self._shown():
            self._rest()
        elif time.perf_counter() - self._begun > WATCH_MS / 1000 and not self._next.isActive():
            self._begin()
