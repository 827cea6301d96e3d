"""Disks that tests may fill, freeze and cut the power of. They need root, as the tests have it
where everything is tested; elsewhere these tests are skipped."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

FS_IOC_SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2
"""linux/fs.h: the file system stops at once, and what its journal has not written is gone."""


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")


@contextlib.contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """A disk of `size`, such as "1m"."""
    _need_root()
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", "--lazy", folder)


class LoopDisk:
    """An ext4 file system in a file, mounted at `folder`."""

    def __init__(self, folder: Path, megabytes: int):
        self.folder, self._image = folder, folder.with_suffix(".img")
        folder.mkdir()
        with open(self._image, "wb") as file:
            file.truncate(megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", self._image)
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", self._image, self.folder)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Whoever writes, waits."""
        _run("fsfreeze", "--freeze", self.folder)
        try:
            yield
        finally:
            _run("fsfreeze", "--unfreeze", self.folder)

    def go_read_only(self) -> None:
        """As the system does when it finds the file system damaged."""
        found = subprocess.run(
            ["findmnt", "-no", "SOURCE", self.folder], check=True, capture_output=True, text=True
        )
        device = Path(found.stdout.strip()).name
        _run("mount", "-o", "remount,errors=remount-ro", self.folder)
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")

    def cut_power(self) -> None:
        """From here on every access fails."""
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(fd)

    def restore_power(self) -> None:
        """What was not synced before the cut is gone. No file may be open."""
        _run("umount", self.folder)
        self._mount()

    def remove(self) -> None:
        _run("umount", "--lazy", self.folder)


@contextlib.contextmanager
def loop_disk(folder: Path, megabytes: int = 64) -> Iterator[LoopDisk]:
    _need_root()
    if not Path("/dev/loop-control").exists():
        pytest.skip("this machine has no loop devices")
    disk = LoopDisk(folder, megabytes)
    try:
        yield disk
    finally:
        disk.remove()
