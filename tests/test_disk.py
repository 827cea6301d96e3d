"""The folder of a recorder is kept in order, whatever the disk and the clock do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from captures import START_UTC, capture, recorder

from realtime.recording import disk as disk_module
from realtime.recording.disk import Disk
from realtime.recording.recorder import Recorder
from realtime.recording.recovery import parts
from realtime.recording.retention import Keep, MinFree
from realtime.recording.stream import Moment

SECOND = 10**9
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
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


def at(monotonic_ns: int, utc_ns: int = START_UTC) -> Moment:
    return Moment(monotonic_ns, utc_ns)


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
            disk.tend(writer, at(look * LOOK))
    assert left(tmp_path) == [0, 3, 4]
    assert disk.news == [
        "'20270115T080000Z' cannot be deleted (it is being used by another process): it is tried "
        "again every 10 s"
    ]
    disk.tend(writer, at(4 * LOOK))
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
            disk.tend(writer, at(look * LOOK))
    assert disk.news == ["the folder cannot be looked after (input/output error)"] * 2


@pytest.mark.parametrize("step_at", [0, 2])
def test_a_clock_that_leaps_is_believed_only_when_it_has_held(
    tmp_path: Path, writer: Recorder, step_at: int
) -> None:
    disk = Disk(tmp_path, Keep(seconds=30 * 86_400.0), MinFree(), drop=False)
    wrong = START_UTC + 40 * DAY
    for look in range(1, 5):
        disk.tend(writer, at(look * LOOK, wrong if look > step_at else START_UTC))
    disk.tend(writer, at(5 * HOUR, wrong))
    assert left(tmp_path) == [0, 1, 2, 3, 4]
    (told,) = disk.news
    assert told.startswith("the clock is ") and told.endswith("nothing goes for its age for 6h")
    disk.tend(writer, at(7 * HOUR, wrong))
    assert left(tmp_path) == []


def test_a_leap_that_was_set_right_costs_nothing(tmp_path: Path, writer: Recorder) -> None:
    disk = Disk(tmp_path, Keep(seconds=60.0), MinFree(), drop=False)
    disk.tend(writer, at(LOOK, START_UTC + 40 * DAY))
    for hour in range(1, 10):
        disk.tend(writer, at(hour * HOUR, START_UTC + 30 * SECOND))
    assert left(tmp_path) == [0, 1, 2, 3, 4]
    disk.tend(writer, at(10 * HOUR, START_UTC + 65 * SECOND))
    assert left(tmp_path) == [2, 3, 4]


def test_a_recorder_leaves_alone_what_lies_in_the_folder_of_another(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    inner = tmp_path / "inner"
    with capture(rng) as captured, Disk(inner, None, MinFree(), drop=False).mine():
        other, growing = recorder(captured, inner, 2.0), recorder(captured, tmp_path / "sub")
        captured.hear(3)
        other.step(captured.now)
        growing.step(captured.now)
        assert (len(list(inner.glob("*.wav"))), len(parts(inner))) == (2, 1)
        outer = Disk(tmp_path, Keep(n_bytes=1), MinFree(), drop=False)
        with outer.mine():
            assert [base.parent.name for base, _ in outer.left_behind(())] == ["sub"]
            outer.tend(other, at(LOOK))
        other.finish(captured.now)
        growing.finish(captured.now)
        assert len(list(inner.glob("*.wav"))) == 2
    assert outer.news == ["'inner' is a DIR that was recorded into by itself: it is left alone"]
