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
from realtime.recording import recovery, sidecar
from realtime.recording.chores import Chore, Chores
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
