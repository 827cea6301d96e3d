"""A file, or a folder of Zarr, that is written whole or not at all."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from realtime.errors import RealtimeError, RequestError
from realtime.wording import shown_path


def check_replaceable(path: Path, name: str) -> None:
    """Raises RequestError that begins with `name` where `replacing` could not write `path`; its
    folder is there."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass
    except OSError as fault:
        raise RequestError(
            f"{name} cannot be written ({fault.strerror}): choose another name"
        ) from fault
    if not os.access(path.parent, os.W_OK):
        raise RequestError(f"{name} may not be written: choose another folder")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new path beside `path` that takes its place at the end, or goes where that fails.
    Raises RealtimeError where it cannot be written."""
    short = zlib.crc32(os.fsencode(path.name))  # a name may be as long as a name can be
    new = path.with_name(f".{short:08x}.{os.getpid()}.tmp")
    old = new.with_suffix(".old")
    try:
        yield new
        if path.is_dir() and (path / "zarr.json").exists():
            _exchange(new, path, old)
        else:
            os.replace(new, path)
    except OSError as fault:
        raise RealtimeError(
            f"{shown_path(str(path))} cannot be written ({fault.strerror or fault}): check the "
            "folder and the disk"
        ) from fault
    finally:
        if new.is_dir():
            shutil.rmtree(new, ignore_errors=True)
        with suppress(OSError):  # a disk that is read-only refuses what is not there too
            new.unlink()


def _exchange(new: Path, path: Path, old: Path) -> None:
    """A folder takes the place of one, which no system does in one step: the old one comes back
    where that fails."""
    os.replace(path, old)
    try:
        os.replace(new, path)
    except OSError:
        os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)
