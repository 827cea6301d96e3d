"""What the disk, a kill and a power cut do to a file."""

from __future__ import annotations

import errno
import hashlib
import io
import mmap
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import writing_child
from children import wait_until
from disks import LoopDisk, loop_disk, tmpfs
from readers import by_soundfile, read_by_all
from wavs import as_bytes, head_of, new_writer, sound, write_file

from realtime.recording import durable, wav
from realtime.recording.riff import HEADER_BYTES
from realtime.recording.wav import repair


@pytest.mark.parametrize("same_writer", [True, False])
def test_a_full_disk_keeps_what_was_written_and_recording_goes_on_when_there_is_room(
    tmp_path, rng, same_writer
):
    block = sound(rng, 400_000)
    with tmpfs(tmp_path / "disk", "1m") as disk:
        ballast, first = disk / "ballast", disk / "1.wav"
        ballast.write_bytes(bytes(400_000))
        writer = new_writer(first)
        with pytest.raises(OSError, match="No space") as caught:
            writer.write(block)
        assert caught.value.errno == errno.ENOSPC
        n = writer.n_samples
        assert 0 < n < len(block)
        assert writer.digest == hashlib.sha256(as_bytes(block[:n], 24)).hexdigest()
        assert read_by_all(first, 24) == as_bytes(block[:n], 24)
        ballast.unlink()
        more = block[n : n + 40_000]
        if same_writer:
            writer.write(more)
            writer.close()
            assert read_by_all(first, 24) == as_bytes(block[: n + 40_000], 24)
        else:
            writer.close()
            write_file(disk / "2.wav", more)
            assert read_by_all(first, 24) == as_bytes(block[:n], 24)
            assert read_by_all(disk / "2.wav", 24) == as_bytes(more, 24)


def test_a_disk_without_room_for_a_header_gets_no_file(tmp_path):
    with tmpfs(tmp_path / "disk", "64k") as disk:
        (disk / "ballast").write_bytes(bytes(64 << 10))
        with pytest.raises(OSError, match="No space"):
            new_writer(disk / "a.wav")
        assert [path.name for path in disk.iterdir()] == ["ballast"]


class _Refusing:
    """Stands between a writer and its file: the write number `refused` puts half of its bytes
    there and fails, once or from then on."""

    def __init__(self, refused: int, for_good: bool):
        self._refused, self._for_good = refused, for_good
        self.n_writes = 0

    def __call__(self, file: io.FileIO, at: int, data: bytes) -> None:
        self.n_writes += 1
        late = self.n_writes - self._refused
        file.seek(at)
        if late == 0:
            file.write(data[: len(data) // 2])
        if late == 0 or (late > 0 and self._for_good):
            raise OSError(errno.EIO, "Input/output error")
        file.write(data)


@pytest.mark.parametrize("for_good", [False, True])
@pytest.mark.parametrize("refused", range(1, 5))
def test_whichever_write_fails_halfway_all_before_it_stays(
    tmp_path, rng, monkeypatch, refused, for_good
):
    """Writes after the first block: data, header, data, header."""
    path, block = tmp_path / "a.wav", sound(rng, 3000)
    writer = new_writer(path)
    writer.write(block[:1000])
    monkeypatch.setattr(wav, "_put", _Refusing(refused, for_good))
    n = 1000
    if refused > 2:
        writer.write(block[n:2000])
        n = 2000
    with pytest.raises(OSError, match="Input/output"):
        writer.write(block[n : n + 1000])
    assert writer.n_samples == n
    assert path.stat().st_size == HEADER_BYTES + n * 6  # gives back the room too
    if not for_good:
        assert head_of(path)[4:8] == struct.pack("<I", path.stat().st_size - 8)
    monkeypatch.undo()
    assert read_by_all(path, 24) == as_bytes(block[:n], 24)
    writer.write(block[n:])
    writer.close()
    assert read_by_all(path, 24) == as_bytes(block, 24)
    assert writer.digest == hashlib.sha256(as_bytes(block, 24)).hexdigest()


def test_a_sync_that_fails_is_told_and_counts_nothing_as_safe(tmp_path, rng, monkeypatch):
    def refuse(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    block = sound(rng, 2001, 1)
    writer = new_writer(tmp_path / "a.wav", 24, 1)
    writer.write(block[:1000])
    writer.sync()
    writer.write(block[1000:])
    monkeypatch.setattr(durable, "sync", refuse)
    for refused in (writer.sync, writer.close):
        with pytest.raises(OSError, match="Input/output"):
            refused()
    assert (writer.n_samples, writer.n_synced) == (2001, 1000)
    assert read_by_all(tmp_path / "a.wav", 24) == as_bytes(block, 24)
    writer.abandon()
    monkeypatch.undo()
    assert repair(tmp_path / "a.wav").n_samples == 2001
    assert read_by_all(tmp_path / "a.wav", 24) == as_bytes(block, 24)


# Kill and power cut


class Child:
    """`writing_child` at work on `path`."""

    def __init__(self, path: Path, folder: Path, pace: float = 0.0):
        self.path = path
        progress = folder / "progress"
        progress.write_bytes(bytes(16))
        with open(progress, "r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 16)
        command = [sys.executable, writing_child.__file__, path, progress, str(pace)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.n_synced > 0, "the first sync")

    @property
    def n_written(self) -> int:
        return struct.unpack_from("Q", self._shared, 0)[0]

    @property
    def n_synced(self) -> int:
        return struct.unpack_from("Q", self._shared, 8)[0]

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def check(path: Path, at_least: int, at_most: int) -> None:
    """All readers read the same, which is all that should be there, also after a repair."""
    read = read_by_all(path, writing_child.DEPTH)
    n_samples = len(read) // 6
    assert at_least <= n_samples <= at_most
    assert read == writing_child.as_bytes(0, n_samples)
    assert repair(path).n_samples == n_samples
    assert by_soundfile(path, writing_child.DEPTH) == read


def kill_once(folder: Path, seconds: float, pace: float = 0.0) -> None:
    path = folder / "a.wav"
    child = Child(path, folder, pace)
    time.sleep(seconds)
    child.kill()
    # what was written is all there: a kill takes at most the block that was being written
    check(path, child.n_written, child.n_written + writing_child.BLOCK)
    path.unlink()


def cut_once(folder: Path, disk: LoopDisk, seconds: float, pace: float = 0.0) -> None:
    path = disk.folder / "a.wav"
    child = Child(path, folder, pace)
    try:
        time.sleep(seconds)
        synced = child.n_synced
        disk.cut_power()
    finally:
        child.kill()
    disk.restore_power()
    # written since: what the sync under way, or one more, took along
    check(path, synced, child.n_written + writing_child.BLOCK)
    path.unlink()


def test_a_kill_at_any_moment_takes_no_sample_that_was_written(tmp_path, rng):
    for seconds in rng.uniform(0, 0.05, 12):
        kill_once(tmp_path, seconds)


def test_a_power_cut_takes_no_sample_that_was_synced(tmp_path, rng):
    with loop_disk(tmp_path / "disk", 256) as disk:
        for seconds in rng.uniform(0, 0.1, 3):
            cut_once(tmp_path, disk, seconds)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_kills_and_twenty_power_cuts_in_real_time_and_far_ahead_of_it(tmp_path, rng):
    pace = writing_child.BLOCK / writing_child.RATE
    for seconds in rng.uniform(0, 0.3, 90):
        kill_once(tmp_path, seconds)
    for seconds in rng.uniform(0, 3, 10):
        kill_once(tmp_path, seconds, pace)
    with loop_disk(tmp_path / "disk", 512) as disk:
        for seconds in rng.uniform(0, 0.3, 100):
            cut_once(tmp_path, disk, seconds)
        for seconds in rng.uniform(0, 8, 20):
            cut_once(tmp_path, disk, seconds, pace)
