from __future__ import annotations

import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest
from disks import loop_disk, tmpfs

from realtime.recording import durable


def test_a_text_and_a_name_survive_a_power_cut_right_after_them(tmp_path):
    with loop_disk(tmp_path / "disk", 32) as disk:
        folder = disk.folder / "a"
        folder.mkdir()
        durable.sync_directory(disk.folder)
        durable.write_text(folder / "note.json", "old")
        durable.write_text(folder / "note.json", "new: ø\n")
        (folder / "sound.part").write_bytes(b"sound")
        fd = os.open(folder / "sound.part", os.O_RDWR)
        durable.sync(fd)
        os.close(fd)
        durable.replace(folder / "sound.part", folder / "sound")
        disk.cut_power()
        disk.restore_power()
        assert sorted(path.name for path in folder.iterdir()) == ["note.json", "sound"]
        assert (folder / "note.json").read_text(encoding="utf-8") == "new: ø\n"
        assert (folder / "sound").read_bytes() == b"sound"


def test_a_rename_from_folder_to_folder_leaves_no_second_name(tmp_path):
    with loop_disk(tmp_path / "disk", 32) as disk:
        one, two = disk.folder / "one", disk.folder / "two"
        one.mkdir(), two.mkdir()
        durable.write_text(one / "a", "a")
        durable.sync_directory(disk.folder)
        durable.replace(one / "a", two / "b")
        disk.cut_power()
        disk.restore_power()
        assert [path.name for path in one.iterdir()] == []
        assert (two / "b").read_text() == "a"


def test_on_a_full_disk_the_old_text_stays_and_nothing_lies_about(tmp_path):
    with tmpfs(tmp_path / "disk", "64k") as disk:
        durable.write_text(disk / "note", "old")
        with pytest.raises(OSError, match="No space") as caught:
            durable.write_text(disk / "note", "new" * 50_000)
        assert caught.value.errno == errno.ENOSPC
        assert (disk / "note").read_text() == "old"
        assert [path.name for path in disk.iterdir()] == ["note"]


def test_what_an_earlier_attempt_left_is_written_over(tmp_path):
    note = tmp_path / "note.json"
    durable.temporary(note).write_text("half of it, and longer than what comes")
    durable.write_text(note, "whole")
    assert note.read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["note.json"]
    assert durable.temporary(Path("a/b.json")) == Path("a/b.json.tmp")


@pytest.mark.parametrize("known", [True, False])
def test_on_macos_the_drive_itself_is_asked_where_the_file_system_lets_it(
    tmp_path, monkeypatch, known
):
    def control(descriptor, command):
        if not known:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        asked.append(command)

    asked = []
    file = os.open(tmp_path / "sound", os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: asked.append("fdatasync"))
    durable.sync(file)
    os.close(file)
    assert asked == [51 if known else "fdatasync"]


def test_folders_are_made_for_good_one_in_the_other(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync_directory", lambda path: synced.append(path))
    for _ in range(2):
        durable.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [tmp_path, tmp_path / "a"]
