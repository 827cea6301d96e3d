"""A file, or a folder of Zarr, that is written whole or not at all."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from realtime.errors import RealtimeError
from realtime.wording import shown_path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new path beside `path` that takes its place at the end, or goes where that fails.
    Raises RealtimeError where it cannot be written."""
    short = zlib.crc32(os.fsencode(path.name))  # a name may be as long as a name can be
    new = path.with_name(f".{short:08x}.{os.getpid()}.tmp")
    try:
        yield new
        if path.is_dir() and (path / "zarr.json").exists():
            shutil.rmtree(path)
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
