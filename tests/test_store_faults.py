"""Under the name of a store there is all of it or nothing, whatever a kill, a disk, other people or
odd files do."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drawing_child
import numpy as np
import pytest
from captures import RATE, sidecars
from disks import loop_disk, tmpfs
from drawing_child import STFT
from drawings import bases, codes_of, contents, draw, opened, record
from PIL import Image

from realtime.config import StftSettings
from realtime.errors import RecordingError
from realtime.recording import durable
from realtime.recording import store as store_module
from realtime.recording.compress import as_flac
from realtime.recording.own_files import delete_recording, list_recordings
from realtime.recording.store import spectrogram, undrawn


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Three seconds of stereo without columns; the path without suffix."""
    record(tmp_path / "bare", after=[])
    return bases(tmp_path / "bare")[0]


# Crashes.


def is_whole_or_absent(base: Path) -> None:
    store, picture = base.with_suffix(".zarr"), base.with_suffix(".png")
    if store.exists():
        (found,) = opened(base.parent)
        assert found.db.shape == (2, 237, 129) and (codes_of(found).max(axis=(0, 2)) > 0).all()
    if picture.exists():
        assert store.exists()
        with Image.open(picture) as image:
            assert np.asarray(image).any(axis=0).all()


def test_a_chore_that_is_killed_leaves_all_or_nothing(bare: Path, rng) -> None:
    for pause in rng.uniform(0, 0.25, 4):
        command = [sys.executable, drawing_child.__file__, str(bare)]
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
        with child:
            assert child.stdout is not None and child.stdout.readline()
            time.sleep(pause)
            child.kill()
        is_whole_or_absent(bare)
    draw(bare)
    is_whole_or_absent(bare)
    assert sorted(path.suffix for path in bare.parent.iterdir()) == [
        ".json",
        ".png",
        ".wav",
        ".zarr",
    ]
    assert len(list_recordings(bare.parent)[0]) == 1


class Killed(BaseException):
    pass


@pytest.mark.parametrize("n_done", range(3))
def test_a_kill_between_two_renames_is_made_good(
    bare: Path, monkeypatch: pytest.MonkeyPatch, n_done: int
) -> None:
    done = 0

    def replace(source: Path, target: Path) -> None:
        nonlocal done
        if done == n_done:
            raise Killed
        done += 1
        os.replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "replace", replace)
        patch.setattr(store_module, "_remove_made", lambda *paths: None)
        with pytest.raises(Killed):
            draw(bare)
    is_whole_or_absent(bare)
    assert undrawn(bare.parent) == [bare]
    draw(bare)
    is_whole_or_absent(bare)
    assert undrawn(bare.parent) == [] and len(list_recordings(bare.parent)[0]) == 1
    assert not list(bare.parent.glob("*.zarr.tmp")) + list(bare.parent.glob("*.png.tmp"))


def test_what_is_listed_survives_a_power_cut(tmp_path: Path) -> None:
    with loop_disk(tmp_path / "disk") as disk:
        record(disk.folder / "folder", after=[])
        (base,) = bases(disk.folder / "folder")
        chore = spectrogram(base, stft=STFT)
        for _ in chore:
            pass
        before = contents(base.parent)
        disk.cut_power()
        disk.restore_power()
        assert contents(base.parent) == before
        assert len(opened(base.parent)) == 1


def test_a_chore_that_is_given_up_takes_back_what_it_made(bare: Path) -> None:
    before = contents(bare.parent)
    chore = spectrogram(bare, stft=STFT)
    for _ in range(3):
        next(chore)
    assert list(bare.parent.glob("*.zarr.tmp"))
    del chore
    assert contents(bare.parent) == before and len(list(bare.parent.iterdir())) == 2


# What a disk and other people may do.


@pytest.mark.parametrize("room", [0, 40, 120])
def test_a_full_disk_leaves_nothing_half(tmp_path: Path, room: int) -> None:
    """room : KiB left; store and picture take more than 100 each"""
    with tmpfs(tmp_path / "disk", "1m") as disk:
        folder, ballast = disk / "folder", disk / "ballast"
        record(folder, after=[])
        (base,) = bases(folder)
        before = contents(folder)
        about = os.statvfs(disk)
        ballast.write_bytes(bytes(about.f_bavail * about.f_frsize - room * 1024))
        with pytest.raises(OSError, match="No space left"):
            draw(base)
        assert contents(folder) == before and len(list(folder.iterdir())) == 2
        ballast.unlink()
        draw(base)
        is_whole_or_absent(base)
        assert undrawn(folder) == []


def test_a_disk_that_is_full_at_the_last_step_leaves_what_can_be_listed_later(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_text", refuse)
        with pytest.raises(OSError, match="No space left"):
            draw(bare)
    is_whole_or_absent(bare)
    made = contents(bare.parent)
    draw(bare)
    now = contents(bare.parent)
    assert {name for name in now if now[name] != made.get(name)} == {f"{bare.name}.json"}


def test_a_recording_that_was_taken_away_is_passed_by(bare: Path) -> None:
    sound, note = bare.with_suffix(".wav"), bare.with_suffix(".json")
    for gone, left in ((sound, note), (note, sound)):
        os.rename(gone, bare.parent / "elsewhere")
        draw(bare)
        assert not list(as_flac(bare))
        assert sorted(bare.parent.iterdir()) == sorted([bare.parent / "elsewhere", left])
        os.rename(bare.parent / "elsewhere", gone)


def test_sound_that_is_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    record(tmp_path, 30.0, 30.0, after=[])
    base, *_ = bases(tmp_path)
    chore = spectrogram(base, stft=STFT)
    for _ in range(3):
        next(chore)
    os.truncate(base.with_suffix(".wav"), 100_000)
    with pytest.raises(RecordingError, match="no longer what was recorded"):
        for _ in chore:
            pass
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".wav"]


def test_a_recording_that_is_deleted_meanwhile_gets_no_columns(bare: Path) -> None:
    chore = spectrogram(bare, stft=STFT)
    next(chore)
    next(chore)
    delete_recording(bare.parent, bare.name)
    for _ in chore:
        pass
    assert not list(bare.parent.iterdir())


@pytest.mark.parametrize(
    "odd",
    [
        {"stop": -1},
        {"stop": 3 * RATE + 1},
        {"stop": 1 << 80},
        {"stop": "many"},
        {"stop": None},
        {"start": float("nan")},
        {"channels": 1},
        {"channels": 0},
        {"sample_rate": RATE + 1},
        {"complete": False},
        {"utc_end": "yesterday"},
        {"clock": {"steps": [{"index": 5}]}},
        {"clock": []},
        {"files": None},
        {"stream": {}, "files": 5},
    ],
    ids=str,
)
def test_a_sidecar_that_is_not_true_is_refused(bare: Path, odd: dict[str, Any]) -> None:
    note = bare.with_suffix(".json")
    note.write_text(json.dumps(json.loads(note.read_text()) | odd))
    before = contents(bare.parent)
    with pytest.raises(RecordingError, match=r"does not say as ours|no longer what was recorded"):
        draw(bare)
    assert contents(bare.parent) == before


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "[" * 100_000])
def test_a_sidecar_that_is_none_is_refused(bare: Path, text: str) -> None:
    bare.with_suffix(".json").write_text(text)
    with pytest.raises(RecordingError, match="does not say as ours"):
        draw(bare)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(b"no sound at all" * 1000),
    ],
)
@pytest.mark.parametrize("after", [[], [as_flac]], ids=["wav", "flac"])
def test_sound_that_is_damaged_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], after: list[Callable]
) -> None:
    record(tmp_path, after=after)
    (base,) = bases(tmp_path)
    damage(base.with_suffix(".flac" if after else ".wav"))
    before = contents(tmp_path)
    with pytest.raises(RecordingError, match="no longer what was recorded"):
        draw(base)
    assert contents(tmp_path) == before


def test_damage_in_the_recording_before_costs_only_the_frames_that_need_it(tmp_path: Path) -> None:
    record(tmp_path, 1.0, after=[as_flac])
    first, second, _ = bases(tmp_path)
    path = first.with_suffix(".flac")
    os.truncate(path, path.stat().st_size // 2)
    draw(second)
    (store,) = opened(tmp_path)
    assert int(store["sample"][0]) - STFT.n_fft // 2 >= RATE


@pytest.mark.parametrize("suffix", [".zarr", ".png"])
@pytest.mark.parametrize("kind", ["file", "folder", "columns", "link", "dangling"])
def test_what_others_left_under_the_name_stays(bare: Path, suffix: str, kind: str) -> None:
    path, elsewhere = bare.with_suffix(suffix), bare.parent / "elsewhere"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
        (path / "zarr.json").write_text('{"attributes": {"format": "another"}}')
    elif kind == "columns":
        path.mkdir()
        about = {"format": "realtime columns", "stream": "another", "start": 0, "stop": 3 * RATE}
        (path / "zarr.json").write_text(json.dumps({"attributes": about}))
    else:
        path.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.mkdir()
        stream = sidecars(bare.parent)[0]["stream"]
        about = {"format": "realtime columns", "stream": stream, "start": 0, "stop": 3 * RATE}
        (elsewhere / "zarr.json").write_text(json.dumps({"attributes": about}))
    before = contents(bare.parent)
    with pytest.raises(RecordingError, match="none of ours"):
        draw(bare)
    assert contents(bare.parent) == before and os.path.lexists(path)


def test_a_link_under_the_temporary_name_is_not_followed(bare: Path) -> None:
    elsewhere = bare.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    durable.temporary(bare.with_suffix(".zarr")).symlink_to(elsewhere)
    draw(bare)
    assert [path.name for path in elsewhere.iterdir()] == ["kept"]
    assert len(opened(bare.parent)) == 1


def test_a_sound_of_less_than_a_frame_gets_no_columns(tmp_path: Path) -> None:
    record(tmp_path, block=np.ones((STFT.n_fft - 1, 1), np.float32), channels=1)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".wav"]


def test_settings_of_many_bins_and_channels_are_cut_into_steps(tmp_path: Path) -> None:
    stft = StftSettings(n_fft=16384, hop=512, zero_pad=4)
    record(tmp_path, block=np.full((3 * RATE, 8), 0.5, np.float32), channels=8, after=[])
    (base,) = bases(tmp_path)
    assert sum(1 for _ in spectrogram(base, stft=stft)) > 15
    (store,) = opened(tmp_path)
    assert store.db.shape == (8, 15, 32769) and (store.db[:, :, 0] == -6.0).all()
