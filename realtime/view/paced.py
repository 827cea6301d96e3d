"""Changes by the hand of a person, let through at the pace at which they can be heard and seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer

PACE_MS = 16
"""A mouse moves up to a thousand times a second; sixty changes a second are as smooth."""

BUSY_MS = 5
"""A change that takes longer to carry out (an effect with large tables) is made so much more
seldom: the picture keeps two thirds of the time."""

Send = Callable[[Mapping[Hashable, Any]], object]


class Paced(QObject):
    """`put` the value of a thing; `send` gets the newest of each thing, the first at once."""

    def __init__(self, send: Send, parent: QObject | None = None):
        super().__init__(parent)
        self._send = send
        self._waiting: dict[Hashable, Any] = {}
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setTimerType(Qt.TimerType.PreciseTimer)
        self._rest.timeout.connect(self.flush)

    def put(self, thing: Hashable, value: Any) -> None:
        self._waiting[thing] = value
        if not self._rest.isActive():
            self.flush()

    def flush(self) -> None:
        """Send what waits, now."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self._rest.start(PACE_MS)
            began = time.perf_counter()
            self._send(waiting)
            took_ms = 1000 * (time.perf_counter() - began)
            if took_ms > BUSY_MS:
                self._rest.start(round(took_ms / BUSY_MS * PACE_MS))
