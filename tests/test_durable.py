from __future__ import annotations

import errno
import os
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
