"""Work on complete files is done, told or put off, and never ends a recording."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from captures import RATE, capture, recorded, recorder, sidecars

from realtime.cli import main
from realtime.commands.record import NO_DEVICE
from realtime.errors import RecordingError
from realtime.recording import recovery, sidecar
from realtime.recording.chores import Chore, Chores
from realtime.recording.compress import uncompressed
from realtime.recording.disk import Disk
from realtime.recording.own_files import list_recordings
from realtime.recording.store import undrawn


class Doing:
    """Notes what was done, or raises what it is given."""

    def __init__(self, fault: Exception | None = None):
        self.fault, self.done = fault, []

    def __call__(self, base: Path) -> Chore:
        yield
        if self.fault is not None:
            raise self.fault
        self.done.append(str(base))


def do_all(chores: Chores, now_ns: int = 0) -> None:
    """Until nothing is to be done by now."""
    while chores.step(now_ns):
        pass


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (RecordingError("no FLAC"), "no FLAC"),
        (KeyError("utc_start"), "'a' stays as it is: KeyError('utc_start')"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_rest_is_done(fault: Exception, told: str) -> None:
    chores, failing, noting = Chores(), Doing(fault), Doing()
    chores.add(Path("a"), (failing, noting))
    chores.add(Path("b"), (noting,))
    do_all(chores)
    assert noting.done == ["a", "b"] and not chores
    assert chores.faults == [told]


def test_what_the_disk_refuses_is_told_once_and_done_later_and_holds_up_nothing() -> None:
    chores, noting = Chores(), Doing()
    refused = Doing(PermissionError(errno.EACCES, "Permission denied"))
    chores.add(Path("a"), (refused, noting))
    chores.add(Path("b"), (noting,))
    for second in range(60):
        do_all(chores, second * 10**9)
    assert noting.done == ["a", "b", *["a"] * 5]  # at once, then every ten seconds
    assert chores.faults == [
        "the disk refuses work on 'a' (permission denied): it is tried again every 10 s"
    ]
    refused.fault = None
    assert not chores.step(59 * 10**9) and len(chores) == 1
    chores.try_again()
    do_all(chores, 59 * 10**9)
    assert refused.done == ["a"] and not chores


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
