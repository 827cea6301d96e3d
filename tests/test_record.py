"""`realtime record` from the command line to the files."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import children
import numpy as np
import pytest
import soundfile
from captures import recorded, sidecars
from readers import count_by_all
from recording_runs import END_SECONDS, record, running

from realtime.commands.record import GAPS
from realtime.recording import sidecar

RATE = 48000

LOST_SECONDS = 0.5
"""At most, by a kill; the ring, the step of the recorder and the source's own delay included."""

WITNESS_SECONDS = 0.01
"""Whoever sleeps for so long, again and again, wakes up late where the machine stands still."""

LANES = 2
"""Recorders that are killed at the same time."""


def test_files_put_together_are_the_source(tmp_path: Path, rng: np.random.Generator) -> None:
    sound = rng.integers(-32768, 32768, (5 * RATE, 2)).astype(np.int16)
    soundfile.write(tmp_path / "source.wav", sound, RATE)
    done = record(
        tmp_path / "out", str(tmp_path / "source.wav"), "--segment", "2s", "--depth", "16",
        "--channels", "2",
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (0, 2), done.stderr
    assert np.array_equal(recorded(tmp_path / "out") * 32768, sound)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["last"] and last["recorded_samples"] == len(sound)
    assert len(sidecars(tmp_path / "out")) == 3


def test_flac_holds_the_same_samples_and_the_wav_is_gone(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    sound = rng.integers(-32768, 32768, (3 * RATE, 1)).astype(np.int16)
    soundfile.write(tmp_path / "source.wav", sound, RATE)
    folder = tmp_path / "out"
    record(folder, str(tmp_path / "source.wav"), "--segment", "2s", "--depth", "16",
           "--format", "flac")  # fmt: skip
    assert [p.suffix for p in sorted(folder.iterdir()) if p.suffix != ".lock"] == [
        ".flac", ".json", ".flac", ".json",
    ]  # fmt: skip
    assert np.array_equal(recorded(folder) * 32768, sound)


def test_signals_end_it_begin_a_new_file_and_save_the_last_seconds(tmp_path: Path) -> None:
    with running(tmp_path / "out", "noise", "--set", "audio.ring_seconds=20") as recorder:
        recorder.wait_until_it_records()
        for name in (signal.SIGHUP, signal.SIGUSR1):  # as a service manager sends it to all
            recorder.engine.send_signal(name)
        recorder.signal("SIGHUP")
        children.wait_until(lambda: len(sidecars(tmp_path / "out")) == 1, "a complete file")
        recorder.signal("SIGUSR1")
        children.wait_until(lambda: len(sidecars(tmp_path / "out")) == 2, "the last seconds")
        children.wait_until(lambda: "saved '" in recorder.messages.read_text(), "the news")
        assert recorder.end() == 0
    entries = sidecars(tmp_path / "out")
    assert sorted(values["ended"] for values in entries) == ["asked for", "asked for", "stopped"]
    # the first file, and all that the ring held
    assert [values["start"] for values in entries[:2]] == [0, 0]
    assert entries[2]["start"] in (entries[0]["stop"], entries[1]["stop"])
    assert not list((tmp_path / "out").glob("*.part.*"))


def test_requests_that_come_too_early_do_no_harm(tmp_path: Path) -> None:
    with running(tmp_path / "out", "noise", "--json") as recorder:
        children.wait_until(lambda: (tmp_path / "out").exists(), "its folder")
        recorder.signal("SIGUSR1")
        recorder.signal("SIGHUP")
        recorder.wait_until_it_records()
        assert recorder.end() == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_it_ends_within_five_seconds_with_0_and_a_complete_file(tmp_path: Path, name: str) -> None:
    with running(tmp_path / "out", "demo", "--segment", "none") as recorder:
        recorder.wait_until_it_records()
        assert recorder.end(name) == 0
        assert recorder.lines[-1]["last"]
    (values,) = sidecars(tmp_path / "out")
    assert values["ended"] == "stopped" and not values["gaps"]


def test_only_what_is_asked_for_is_written_with_last(tmp_path: Path) -> None:
    with running(tmp_path / "out", "noise", "--last", "1s", "--json") as recorder:
        children.wait_until(lambda: bool(recorder.lines), "a health line")
        time.sleep(2.0)
        assert not list((tmp_path / "out").glob("*.wav"))
        recorder.signal("SIGUSR1")
        children.wait_until(lambda: bool(sidecars(tmp_path / "out")), "the last second")
        assert recorder.end() == 0
    (values,) = sidecars(tmp_path / "out")
    assert values["stop"] - values["start"] == RATE


@pytest.mark.parametrize("where", [">/dev/full", "| true", "<&- >&- 2>&-"])
def test_recording_goes_on_where_nobody_takes_its_lines(tmp_path: Path, where: str) -> None:
    command = f'"$0" -m realtime record "$1" noise --seconds 2 --json {where}'
    subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}", sys.executable, tmp_path / "out"],
        check=True, timeout=60,
    )  # fmt: skip
    (values,) = sidecars(tmp_path / "out")
    assert values["ended"] == "stopped" and values["stop"] > 1.5 * RATE


def test_closing_its_terminal_ends_it_in_good_order(tmp_path: Path) -> None:
    keyboard, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "realtime", "record", tmp_path / "out", "noise"],
        stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    seen = b""
    while b"no gaps" not in seen:
        seen += os.read(keyboard, 4096)
    os.close(keyboard)
    assert process.wait(END_SECONDS) == 0
    (values,) = sidecars(tmp_path / "out")
    assert values["ended"] == "stopped"


def test_a_folder_belongs_to_one_recorder(tmp_path: Path) -> None:
    with running(tmp_path / "out", "noise") as recorder:
        recorder.wait_until_it_records()
        second = record(tmp_path / "out", "noise")
        assert second.returncode == 2
        assert "is being recorded into by another program: name another folder" in second.stderr
        recorder.process.kill()
        recorder.process.wait()
    assert record(tmp_path / "out", "noise", "--seconds", "1").returncode == 0


def test_several_devices_go_into_a_folder_each(tmp_path: Path) -> None:
    done = record(
        tmp_path / "a", "noise", str(tmp_path / "b"), "tone:440", "--seconds", "2", "--json"
    )
    assert done.returncode == 0, done.stderr
    (a,), (b,) = sidecars(tmp_path / "a"), sidecars(tmp_path / "b")
    assert a["stop"] == b["stop"] == 2 * RATE  # --seconds are of sound, to the sample
    assert json.loads(done.stdout.splitlines()[-1])["state"] == "stopped"
    assert (a["source"], b["source"]) == ("noise", "tone:440")
    assert {line["folder"] for line in map(json.loads, done.stdout.splitlines())} == {
        str(tmp_path / "a"), str(tmp_path / "b"),
    }  # fmt: skip


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "realtime", "record", str(tmp_path / "out"),
         "noise", "--seconds", "1"],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "numpy" in imported
    heavy = {"vispy", "PySide6", "scipy.signal", "scipy.fft", "matplotlib", "zarr", "astral"}
    assert not heavy & imported


def assert_nothing_is_wrong(folder: Path) -> None:
    """Every sample but those of gaps is that of the tone, whose period is 48 samples."""
    for values in sidecars(folder):
        samples, _ = soundfile.read(folder / values["files"][0], dtype="int16")
        assert len(samples) == values["stop"] - values["start"]
        repeats = samples[48:] == samples[:-48]
        for gap in values["gaps"]:
            at = gap["index"] - values["start"]
            assert not samples[at : at + gap["length"]].any()
            repeats[max(at - 48, 0) : at + gap["length"]] = True
        assert repeats.all()


def seconds_of_this_run(folder: Path, before: set[Path]) -> float:
    """In the files as they lie there, the same to all readers."""
    total = 0
    for path in set(folder.glob("*.wav")) - before:
        if not soundfile.info(path).frames:
            continue  # just begun; of a header alone ffprobe tells no length
        count, *others = count_by_all(path)
        assert others == [count] * 2, path
        total += count
    return total / RATE


class Witness:
    """How late this machine lets a program wake up, while the block runs."""

    def __enter__(self) -> Witness:
        self.late_seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(WITNESS_SECONDS):
            now = time.monotonic()
            self.late_seconds = max(self.late_seconds, now - before - WITNESS_SECONDS)
            before = now


def kill_again_and_again(folder: Path, n_kills: int, seed: int) -> None:
    """Recorder, engine or both, at random moments, also while one file follows another; the next
    run finishes what the one before could not."""
    dice = random.Random(seed)
    for _ in range(n_kills):
        before = set(folder.glob("*.wav"))
        with running(folder, "tone:1000", "--segment", "1s", "--depth", "16") as recorder:
            recorder.wait_until_it_records()
            before |= set(folder.glob("*.wav")) - recorder.new_parts
            started_ns = min(
                sidecar.utc_ns(values["utc_start"])
                for part in recorder.new_parts
                if (values := sidecar.read(part.with_suffix(".json")))
            )
            with Witness() as witness:
                time.sleep(dice.uniform(0.0, 1.2))
            engine = recorder.engine
            victims = dice.choice(["engine", "recorder", "both"])
            if victims != "engine":
                recorder.process.kill()
            if victims != "recorder":
                engine.kill()
            killed_ns = time.time_ns()
            if victims == "engine":
                children.wait_until(
                    lambda r=recorder: "' is back" in r.messages.read_text(), "a new engine", 3.0
                )
                assert recorder.end() in (0, GAPS)
                continue
            recorder.process.wait()
            engine.wait(5)  # it sees that it is alone
            lasted = (killed_ns - started_ns) / 1e9
            lost = lasted - seconds_of_this_run(folder, before)
            assert lost < LOST_SECONDS + witness.late_seconds
    assert record(folder, "tone:1000", "--seconds", "1").returncode == 0
    assert not list(folder.glob("*.part.*"))
    assert_nothing_is_wrong(folder)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("n_kills", [40, pytest.param(100, marks=pytest.mark.soak)])
def test_after_a_kill_files_are_readable_right_and_at_most_half_a_second_short(
    tmp_path: Path, n_kills: int
) -> None:
    with ThreadPoolExecutor(LANES) as lanes:
        for done in [
            lanes.submit(kill_again_and_again, tmp_path / f"{lane}", n_kills // LANES, lane)
            for lane in range(LANES)
        ]:
            done.result()


def test_columns_and_a_picture_lie_beside_each_file_on_request(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    folder = tmp_path / "out"
    options = ("--segment", "2s", "--seconds", "5", "--spectrogram", "--format", "flac")
    assert record(folder, "tone:1000", *options).returncode == 0
    entries = sidecars(folder)
    for values in entries[:-1]:
        base = Path(values["files"][0]).stem
        assert sorted(values["files"]) == [f"{base}.flac", f"{base}.png", f"{base}.zarr"]
    columns = xarray.concat(
        [xarray.open_zarr(folder / f"{Path(v['files'][0]).stem}.zarr") for v in entries[:-1]],
        "time",
    )
    assert np.all(np.diff(columns["sample"]) == 480)
    loudest = columns["db"].isel(channel=0).mean("time").idxmax("frequency")
    assert float(loudest) == pytest.approx(1000, abs=RATE / 1024)
    assert float(columns["db"].max()) == pytest.approx(-6, abs=0.5)


def test_what_a_kill_left_behind_becomes_what_was_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    options = ("tone:1000", "--format", "flac", "--spectrogram", "--segment", "none")
    with running(folder, *options) as recorder:
        recorder.wait_until_it_records()
        time.sleep(1.0)
        recorder.process.kill()
        recorder.process.wait()
    assert record(folder, *options, "--seconds", "2").returncode == 0
    interrupted = [v for v in sidecars(folder) if v["ended"] == "interrupted"]
    assert [sorted(Path(name).suffix for name in v["files"]) for v in interrupted] == [
        [".flac", ".png", ".zarr"]
    ]
