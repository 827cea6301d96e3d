"""Recording onto disks that stand still, fill up and break: nothing that the ring still holds is
lost, what is lost is on record, and what was there stays."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import children
import numpy as np
import pytest
import soundfile
from captures import sidecars
from disks import LoopDisk, loop_disk, tmpfs
from faulty_libc import FaultyLibc
from readers import count_by_all
from recording_runs import Running, record, running

from realtime.commands.record import DISK_FAILED
from realtime.recording import sidecar

RATE = 48000
TONE = ("tone:1000", "--depth", "16")
"""96 kB a second, the same after each 48 samples."""


def assert_whole(folder: Path, n_gaps: int = 0) -> None:
    """All samples since the start are there, one file behind the other, but for gaps."""
    at, gaps = 0, 0
    for values in sidecars(folder):
        assert values["start"] == at
        samples, _ = soundfile.read(folder / values["files"][0], dtype="int16")
        repeats = samples[48:] == samples[:-48]
        for gap in values["gaps"]:
            first = gap["index"] - values["start"]
            assert not samples[first : first + gap["length"]].any()
            repeats[max(first - 48, 0) : first + gap["length"]] = True
            gaps += 1
        assert repeats.all()
        assert len(samples) == values["stop"] - values["start"]
        at = values["stop"]
    assert gaps == n_gaps


def wait_for_alarm(recorder: Running, name: str, seconds: float = 10.0) -> None:
    children.wait_until(lambda: name in recorder.lines[-1]["alarms"], f"the alarm {name}", seconds)


def test_a_disk_that_stands_still_costs_nothing_and_is_told(tmp_path: Path) -> None:
    with loop_disk(tmp_path / "disk") as disk:
        folder = disk.folder / "out"
        with running(folder, *TONE, "--min-free", "0", log=tmp_path / "log") as recorder:
            recorder.wait_until_it_records()
            with disk.frozen():
                wait_for_alarm(recorder, "disk")
                assert "has not answered for" in recorder.lines[-1]["alarms"]["disk"]
                time.sleep(2.0)
            time.sleep(1.0)
            assert recorder.end() == 0
        assert_whole(folder)


def test_a_disk_that_stands_still_for_longer_than_the_ring_makes_a_gap(tmp_path: Path) -> None:
    with loop_disk(tmp_path / "disk") as disk:
        folder = disk.folder / "out"
        with running(
            folder, *TONE, "--min-free", "0", "--set", "audio.ring_seconds=2", log=tmp_path / "log"
        ) as recorder:
            recorder.wait_until_it_records()
            with disk.frozen():
                time.sleep(5.0)
            time.sleep(1.0)
            assert recorder.end() == DISK_FAILED
        assert_whole(folder, n_gaps=1)
        (gap,) = sidecars(folder)[0]["gaps"]
        assert gap["cause"] == "disk" and 2.5 < gap["length"] / RATE < 4.0


def test_a_full_disk_is_told_and_recording_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "2m") as disk:
        folder = disk / "out"
        (disk / "filler").write_bytes(bytes(1_700_000))
        with running(folder, *TONE, "--min-free", "0", log=tmp_path / "log") as recorder:
            recorder.wait_until_it_records()
            wait_for_alarm(recorder, "disk")
            assert "no space left on device" in recorder.lines[-1]["alarms"]["disk"]
            for path in folder.glob("*.wav"):
                count, *others = count_by_all(path)
                assert count and others == [count] * 2
            time.sleep(1.0)
            (disk / "filler").unlink()
            children.wait_until(lambda: "disk" not in recorder.lines[-1]["alarms"], "room", 15)
            time.sleep(1.0)
            assert recorder.end() == 0
        told = recorder.messages.read_text()
        assert "the disk fails (no space left on device): what comes waits in memory" in told
        assert "the disk takes the sound again" in told
        assert not list(folder.glob("*.part.*"))
        assert_whole(folder)


def test_a_disk_still_full_at_the_end_is_code_4_and_all_before_is_intact(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "1m") as disk:
        folder = disk / "out"
        (disk / "filler").write_bytes(bytes(700_000))
        with running(folder, *TONE, "--min-free", "0", log=tmp_path / "log") as recorder:
            recorder.wait_until_it_records()
            wait_for_alarm(recorder, "disk")
            assert recorder.end() == DISK_FAILED
        (disk / "filler").unlink()
        assert record(folder, *TONE, "--seconds", "1", "--min-free", "0").returncode == 0
        assert not list(folder.glob("*.part.*"))
        first, second = sidecars(folder)
        assert first["stream"] != second["stream"]
        assert min(first["stop"], second["stop"]) > 0.5 * RATE


def test_below_min_free_it_stops_with_a_reason(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "disk", "1m") as disk:
        done = record(disk / "out", *TONE, "--min-free", "5MB")
        assert done.returncode == DISK_FAILED
        assert "less than the 5.0 MB of --min-free: make room, or lower --min-free" in done.stderr
        assert_whole(disk / "out")


def test_a_disk_that_turns_read_only_is_told_and_all_before_is_intact(tmp_path: Path) -> None:
    with loop_disk(tmp_path / "disk") as disk:
        folder = disk.folder / "out"
        with running(folder, *TONE, "--min-free", "0", log=tmp_path / "log") as recorder:
            recorder.wait_until_it_records()
            disk.go_read_only()
            wait_for_alarm(recorder, "disk")
            assert "read-only file system" in recorder.lines[-1]["alarms"]["disk"]
            (part,) = folder.glob("*.part.wav")
            count, *others = count_by_all(part)
            assert count > 0.1 * RATE and others == [count] * 2
            assert recorder.end() == DISK_FAILED


def test_syncs_that_fail_are_told_and_cost_nothing_that_was_recorded(tmp_path: Path) -> None:
    libc = FaultyLibc(tmp_path / "libc")
    folder = tmp_path / "out"
    with running(folder, *TONE, "--min-free", "0", env=os.environ | libc.env) as recorder:
        recorder.wait_until_it_records()
        with libc.failing_syncs():
            wait_for_alarm(recorder, "disk")
            assert "input/output error" in recorder.lines[-1]["alarms"]["disk"]
            time.sleep(1.0)
        children.wait_until(lambda: "disk" not in recorder.lines[-1]["alarms"], "a sync")
        time.sleep(1.0)
        assert recorder.end() == 0
    assert not list(folder.glob("*.part.*"))
    assert_whole(folder)


def test_a_clock_that_jumps_is_on_record_and_no_sample_does(tmp_path: Path) -> None:
    libc = FaultyLibc(tmp_path / "libc")
    folder = tmp_path / "out"
    with running(folder, *TONE, "--segment", "2s", env=os.environ | libc.env) as recorder:
        recorder.wait_until_it_records()
        libc.step_clock()
        time.sleep(5.0)
        assert recorder.end() == 0
    assert_whole(folder)
    entries = sidecars(folder)
    (step,) = [step for values in entries for step in values["clock"]["steps"]]
    assert abs(step["seconds"] - 3600) < 0.1
    first, last = entries[0], entries[-1]
    apart = sidecar.utc_ns(last["utc_start"]) - sidecar.utc_ns(first["utc_start"])
    assert abs(apart / 1e9 - 3600 - (last["start"] - first["start"]) / RATE) < 0.1


def cut_the_power(disk: LoopDisk, tmp_path: Path, number: int, seconds: float) -> None:
    folder = disk.folder / f"{number}"
    with running(folder, *TONE, "--min-free", "0", "--segment", "1s", log=tmp_path / "log") as r:
        r.wait_until_it_records()
        time.sleep(seconds)
        captured = r.seconds_captured()
        disk.cut_power()
        r.process.kill()
        r.process.wait()
    disk.restore_power()
    on_disk = 0
    for path in folder.glob("*.wav"):
        if soundfile.info(path).frames:
            count, *others = count_by_all(path)
            assert others == [count] * 2
            on_disk += count
    assert captured - on_disk / RATE < 1.0
    assert record(folder, *TONE, "--seconds", "1", "--min-free", "0").returncode == 0
    assert not list(folder.glob("*.part.*"))
    for values in sidecars(folder):
        samples, _ = soundfile.read(folder / values["files"][0], dtype="int16")
        assert np.array_equal(samples[48:], samples[:-48])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("n_cuts", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_a_power_cut_costs_at_most_a_second(tmp_path: Path, n_cuts: int) -> None:
    dice = random.Random(n_cuts)
    with loop_disk(tmp_path / "disk", 128) as disk:
        for number in range(n_cuts):
            cut_the_power(disk, tmp_path, number, dice.uniform(0.5, 2.5))
