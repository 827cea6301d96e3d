"""A named piece of shared memory with one owner, who alone removes it.

The owner is the process that called `create`. Should it die without closing, the resource
tracker of Python's multiprocessing removes the memory once every process of the family is gone.
"""

from __future__ import annotations

import contextlib
import os
import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

_LINUX_SHM = "/dev/shm"


class Segment:
    """Shared bytes; `buffer` is a writable memoryview while the segment is open."""

    def __init__(self, memory: SharedMemory, owner: bool):
        self._memory: SharedMemory | None = memory
        self._owner = owner
        self.name = memory.name

    @classmethod
    def create(cls, n_bytes: int) -> Segment:
        """New memory; Linux and macOS hand it out filled with zeros."""
        return cls(SharedMemory(create=True, size=n_bytes), owner=True)

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
        with contextlib.suppress(BufferError):  # a view still looks at it: unmapped with the view
            memory.close()


def free_shared_bytes() -> float:
    """Bytes of shared memory that are free; infinite where the system sets no limit of its own.

    On Linux it is a file system that containers often cut down to 64 MB; writing past its end
    kills the process, so one looks first.
    """
    if not os.path.isdir(_LINUX_SHM):
        return float("inf")
    disk = os.statvfs(_LINUX_SHM)
    return float(disk.f_bavail * disk.f_frsize)
