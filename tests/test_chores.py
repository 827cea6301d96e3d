"""Work on complete files is done, told or put off, and never ends a recording."""

from __future__ import annotations

import errno
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captures import RATE, capture, recorded, recorder, sidecars

from realtime.cli import main
from realtime.commands.record import NO_DEVICE
from realtime.errors import RecordingError
from realtime.recording import recovery, sidecar
from realtime.recording.chores import Chore, Chores, in_turn
from realtime.recording.compress import uncompressed
from realtime.recording.disk import Disk
from realtime.recording.own_files import list_recordings
from realtime.recording.store import undrawn


def noting(done: list[str], word: str) -> Chore:
    done.append(word)
    yield


def raising(fault: Exception) -> Chore:
    yield
    raise fault


def do_all(chores: Chores) -> None:
    """Until nothing is to be done by now."""
    while chores.step(0):
        pass


def test_a_chore_that_meets_a_defect_is_told_and_the_next_is_done() -> None:
    chores, done = Chores(), []
    chores.add(partial(raising, KeyError("utc_start")))
    chores.add(partial(noting, done, "next"))
    do_all(chores)
    assert done == ["next"] and not chores
    (fault,) = chores.faults
    assert "stays as it is: KeyError('utc_start')" in fault


def test_what_becomes_of_one_chore_keeps_no_other_of_the_recording_from_being_done() -> None:
    chores, done = Chores(), []
    refused = OSError(errno.EACCES, "Permission denied")
    faults: list[Exception] = [RecordingError("no FLAC"), KeyError("odd"), refused]

    def failing(base: Path) -> Chore:
        return raising(faults[0]) if faults else noting(done, "made")

    def last(base: Path) -> Chore:
        return noting(done, "noted")

    chores.add(partial(in_turn, Path("a"), (failing, last)))
    chores.add(partial(in_turn, Path("b"), (failing, failing, last)))
    do_all(chores)
    assert done == ["noted"] * 2
    assert chores.faults == ["no FLAC", "no FLAC; no FLAC"]
    del faults[0], chores.faults[:]
    chores.add(partial(in_turn, Path("c"), (failing, last)))
    do_all(chores)
    assert done == ["noted"] * 3
    assert chores.faults == ["'c' stays as it is: KeyError('odd')"]
    del faults[0]
    chores.add(partial(in_turn, Path("d"), (failing, last)))
    do_all(chores)
    assert done == ["noted"] * 4 and len(chores) == 1
    faults.clear()
    chores.try_again()
    do_all(chores)
    assert done[4:] == ["made", "noted"] and not chores


def test_a_folder_whose_name_is_not_utf_8_is_recovered(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    with capture(rng) as captured:
        writer = recorder(captured, folder, None)
        captured.hear(2.0)
        writer.step(captured.now)
        assert writer._segment is not None
        writer._segment.give_up()
        (base,) = recovery.parts(folder)
        assert list(recovery.finish(base))
        (values,) = sidecars(folder)
        assert (values["ended"], values["stop"]) == ("interrupted", 2 * RATE)


def test_settings_that_are_none_of_ours_are_passed_over(tmp_path: Path) -> None:
    for name, settings in (("a", None), ("b", {"record.format": "flac"}), ("c", [1])):
        (tmp_path / f"{name}.wav").touch()
        values = {"format": "realtime recording", "version": 1, "settings": settings}
        (tmp_path / f"{name}.json").write_text(json.dumps(values))
    assert uncompressed(tmp_path) == [tmp_path / "b"]


def test_more_channels_than_flac_holds_are_refused_before_anything_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "out")
    assert main(["record", folder, "noise", "--channels", "10", "--format", "flac"]) == NO_DEVICE
    assert "has 10 channels at 48000 Hz, and FLAC takes up to 8 and" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*.wav"))


def test_a_defect_of_the_writing_thread_leaves_a_complete_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        if any(path.stat().st_size > 20_000 for path in tmp_path.glob("out/*.part.wav")):
            raise KeyError("a defect")

    monkeypatch.setattr(Disk, "tend", fails)
    assert main(["record", str(tmp_path / "out"), "noise", "--seconds", "20"]) == 1
    assert "internal error: KeyError: 'a defect'" in capsys.readouterr().err
    (values,) = sidecars(tmp_path / "out")
    assert values["ended"] == "interrupted"
    assert len(recorded(tmp_path / "out")) == values["stop"]


def test_foreign_files_neither_stop_nor_hold_up_what_looks_for_unfinished_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> dict[str, Any] | None:
        if path.name == "locked.json":
            raise PermissionError(errno.EACCES, "Permission denied")
        return as_ever(path)

    as_ever = sidecar.read
    monkeypatch.setattr(sidecar, "read", read)
    wanted = {"record.format": "flac", "record.spectrogram": True}
    values = {"format": "realtime recording", "version": 1, "complete": True, "files": ["z.wav"]}
    for name in ("locked", "z"):
        (tmp_path / f"{name}.json").write_text(json.dumps(values | {"settings": wanted}))
        (tmp_path / f"{name}.wav").touch()
    for suffix in (".json", ".part.json"):
        (tmp_path / f"a{suffix}").symlink_to("/nowhere")
        os.mkfifo(tmp_path / f"pipe{suffix}")
    assert uncompressed(tmp_path) == undrawn(tmp_path) == [tmp_path / "z"]
    assert recovery.parts(tmp_path) == []
    own, left = list_recordings(tmp_path)
    assert own == [] and len(left) == 2
    assert "'locked.json' cannot be read (Permission denied): it is left alone" in left
