"""The thread that steps a monitor: woken by the capture callback, which never waits for it."""

from __future__ import annotations

import contextlib
import os
import threading
import time

from realtime.engine.monitor import Monitor
from realtime.engine.monitor_status import MonitorStatus

PRIORITY = 5
"""Of the real-time priorities, 1..99: below any sound server's."""

WAKE_SECONDS = 0.1
"""A worker without work looks up so often, to see whether it is to end."""


def _hurry() -> None:
    """Real-time priority for this thread, where the system grants it (as it does to the server's
    own threads): sound is due in a few milliseconds, whatever else the machine does."""
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))


class Worker:
    """The thread that steps a monitor. `wake` never waits, so the callback may call it."""

    def __init__(self, monitor: Monitor, status: MonitorStatus):
        self._monitor, self._status = monitor, status
        self._nothing_new = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # it is awake already
            self._nothing_new.release()

    def stop(self) -> None:
        """Safe twice, and before `start`."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        _hurry()
        before = time.thread_time_ns()
        while not self._stopping:
            self._nothing_new.acquire(timeout=WAKE_SECONDS)
            while self._step() and not self._stopping:
                pass
            now = time.thread_time_ns()
            self._status.count_busy(now - before)
            before = now

    def _step(self) -> bool:
        try:
            return self._monitor.step()
        except Exception as fault:
            self._monitor.stumble(fault)
            return False
