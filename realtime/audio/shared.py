"""A named piece of shared memory with one owner, who alone removes it.

The owner is the process that called `create`. Should it die without closing, the resource
tracker of Python's multiprocessing removes the memory once every process of the family is gone.
A service manager may kill the tracker, too: what then lies about is removed by whoever next calls
`create`, who knows it by the lock that its owner no longer holds (on Linux).
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import sys
import time
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

_LINUX_SHM = "/dev/shm"
_OURS = "realtime-"
_ORPHAN_SECONDS = 10.0
"""What is younger may not be locked yet: that takes its owner microseconds."""


class Segment:
    """Shared bytes; `buffer` is a writable memoryview while the segment is open."""

    def __init__(self, memory: SharedMemory, owner: bool, lock: int | None = None):
        self._memory: SharedMemory | None = memory
        self._owner, self._lock = owner, lock
        self.name = memory.name

    @classmethod
    def create(cls, n_bytes: int) -> Segment:
        """New memory; Linux and macOS hand it out filled with zeros."""
        _remove_orphans()
        memory = SharedMemory(_OURS + secrets.token_hex(6), create=True, size=n_bytes)
        return cls(memory, owner=True, lock=_locked(f"{_LINUX_SHM}/{memory.name}"))

    @classmethod
    def attach(cls, name: str) -> Segment:
        if sys.version_info >= (3, 13):
            return cls(SharedMemory(name, track=False), owner=False)
        # Up to Python 3.12 attaching registers the memory as if this process owned it, and the
        # tracker would remove it when this process ends, under the feet of the owner.
        register = resource_tracker.register
        resource_tracker.register = lambda name, rtype: None
        try:
            return cls(SharedMemory(name), owner=False)
        finally:
            resource_tracker.register = register

    @property
    def buffer(self) -> memoryview:
        assert self._memory is not None, "the segment is closed"
        assert self._memory.buf is not None
        return self._memory.buf

    @property
    def closed(self) -> bool:
        return self._memory is None

    def close(self) -> None:
        """Unmap, and remove if this is the owner. Safe twice."""
        memory, self._memory = self._memory, None
        if memory is None:
            return
        if self._owner:
            memory.unlink()
        if self._lock is not None:
            os.close(self._lock)
        with contextlib.suppress(BufferError):  # a view still looks at it: unmapped with the view
            memory.close()


def _locked(path: str) -> int | None:
    """A descriptor that holds the lock of a file until it is closed; None where somebody else
    holds it, where the file is not ours, and on systems that keep no memory there."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_orphans() -> None:
    for path in glob.glob(f"{_LINUX_SHM}/{_OURS}*"):
        with contextlib.suppress(OSError):
            if time.time() - os.stat(path).st_mtime < _ORPHAN_SECONDS:
                continue
            lock = _locked(path)
            if lock is not None:
                os.unlink(path)
                os.close(lock)


def free_shared_bytes() -> float:
    """Bytes of shared memory that are free; infinite where the system sets no limit of its own.

    On Linux it is a file system that containers often cut down to 64 MB; writing past its end
    kills the process, so one looks first.
    """
    if not os.path.isdir(_LINUX_SHM):
        return float("inf")
    disk = os.statvfs(_LINUX_SHM)
    return float(disk.f_bavail * disk.f_frsize)
