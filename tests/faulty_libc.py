"""Faults that no disk here can be talked into: syncs that fail, and a clock that jumps.

A C library of ours stands between a program and the system (LD_PRELOAD) and looks for a file.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FaultyLibc:
    """folder : a new one, for library and files"""

    def __init__(self, folder: Path):
        folder.mkdir()
        self._folder, library = folder, folder / "faulty_libc.so"
        source = Path(__file__).with_suffix(".c")
        options = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["gcc", *options, "-o", library, source], check=True, timeout=60)
        self.env = {"LD_PRELOAD": str(library), "FAULTS": str(folder)}
        """What a program that is to meet them needs in its environment."""

    @contextmanager
    def failing_syncs(self) -> Iterator[None]:
        """fsync and fdatasync say "Input/output error"."""
        mark = self._folder / "eio"
        mark.touch()
        try:
            yield
        finally:
            mark.unlink()

    def step_clock(self) -> None:
        """From now on the clock on the wall, not the monotonic one, is an hour ahead."""
        (self._folder / "hour").touch()
