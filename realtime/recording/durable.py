"""Files that are there after a power cut: whole under their final name, or not at all.

A name is in its directory for certain once the directory is synced, which Windows neither needs
nor allows.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def sync(fd: int) -> None:
    """Return when data and size are on the disk. Raises `OSError`."""
    if sys.platform == "darwin":  # its fsync leaves them in the memory of the drive
        import fcntl

        with contextlib.suppress(OSError):  # a file system that does not know it
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)  # leaves out the times, and so one write a call
    else:
        os.fsync(fd)


def sync_directory(path: Path) -> None:
    """Return when the names in the directory `path` are on the disk. Raises `OSError`."""
    if os.name != "posix":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path) -> None:
    """Make `path`, and what it lies in, for good; nothing where it is there. Raises `OSError`."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def replace(source: Path, target: Path) -> None:
    """Rename a synced file for good, over whatever bore the name. Raises `OSError`."""
    os.replace(source, target)
    sync_directory(target.parent)
    if source.parent != target.parent:
        sync_directory(source.parent)


def write_text(path: Path, text: str) -> None:
    """Make `path` hold `text` in UTF-8: a reader, or a power cut, finds the old text or the new.
    Raises `OSError`, and then the old text is still there."""
    new = temporary(path)
    try:
        with open(new, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            sync(file.fileno())
        replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def reason(fault: OSError) -> str:
    """What the disk said, within a sentence."""
    return (fault.strerror or os.strerror(fault.errno or 0) or str(fault)).lower()


def temporary(path: Path) -> Path:
    """The name under which `path` grows until it is whole; one left behind is written over."""
    return path.with_name(path.name + ".tmp")
