"""Work that keeps Python's interpreter lock, as a long call into C does that never gives it up."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from collections.abc import Iterator

PAUSE_SECONDS = 0.02
"""Between two holds, so that the other threads run at all."""


@contextlib.contextmanager
def holding_the_interpreter(seconds: float) -> Iterator[None]:
    """A thread holds the lock for `seconds`, lets go for a moment, and begins again; 0 for not
    at all. Every other thread of this process stands still meanwhile."""
    if seconds <= 0:
        yield
        return
    hold = ctypes.PyDLL(None).usleep  # PyDLL: unlike CDLL it keeps the lock during the call
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            hold(int(seconds * 1e6))
            time.sleep(PAUSE_SECONDS)

    thread = threading.Thread(target=work, name="torture")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
