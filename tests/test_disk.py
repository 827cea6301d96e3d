"""The folder of a recorder is kept in order, whatever the disk and the clock do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from captures import capture, recorder

from realtime.recording import disk as disk_module
from realtime.recording.disk import Disk
from realtime.recording.recorder import Recorder
from realtime.recording.retention import Keep, MinFree

SECOND = 10**9
LOOK = 11 * SECOND
"""Longer than from one look at the disk to the next."""


@pytest.fixture
def writer(tmp_path: Path, rng: np.random.Generator) -> Iterator[Recorder]:
    """Of five complete recordings of 2 s, 32 kB each."""
    with capture(rng, channels=1) as captured:
        writer = recorder(captured, tmp_path, 2.0)
        for _ in range(5):
            captured.hear(2)
            writer.step(captured.now)
        yield writer


def left(folder: Path) -> list[int]:
    """Their numbers, from 0."""
    return sorted(int(path.stem[-3:-1]) // 2 for path in folder.glob("*.wav"))


def test_what_the_disk_does_not_let_go_is_told_once_and_goes_when_it_does(
    tmp_path: Path, writer: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlink(path: Path, **options: bool) -> None:
        if path.name == "20270115T080000Z.wav":
            raise PermissionError(errno.EACCES, "it is being used by another process")
        os.unlink(path)

    disk = Disk(tmp_path, Keep(n_bytes=100_000), MinFree(), drop=False)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        for look in range(1, 4):
            disk.tend(writer, look * LOOK)
    assert left(tmp_path) == [0, 3, 4]
    assert disk.news == [
        "'20270115T080000Z' cannot be deleted (it is being used by another process): it is tried "
        "again every 10 s"
    ]
    disk.tend(writer, 4 * LOOK)
    assert left(tmp_path) == [3, 4]
    assert len(disk.news) == 1


def test_a_disk_that_is_away_is_told_once_each_time(
    tmp_path: Path, writer: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    disk = Disk(tmp_path, None, MinFree(), drop=False)
    for look in range(1, 13):
        with monkeypatch.context() as patch:
            if look % 6 > 2:
                patch.setattr(disk_module.shutil, "disk_usage", away)
            disk.tend(writer, look * LOOK)
    assert disk.news == ["the folder cannot be looked after (input/output error)"] * 2
