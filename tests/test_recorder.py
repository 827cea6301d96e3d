"""What was captured is in the files, sample for sample; what was not is on record."""

from __future__ import annotations

import errno
import hashlib
import os
from itertools import count
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile
from captures import RATE, START_UTC, capture, recorded, recorder, sidecars
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.engine.status import Cause, Status
from realtime.recording import durable, sidecar
from realtime.recording.excerpt import Excerpt
from realtime.recording.recorder import Recorder
from realtime.recording.segment import Segment
from realtime.recording.segments import Segmentation
from realtime.recording.stream import Stream


def test_segments_put_together_are_the_stream(tmp_path: Path, rng: np.random.Generator) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path)
        for _ in range(300):
            captured.hear(0.1)
            writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    entries = sidecars(tmp_path)
    assert [values["stop"] - values["start"] for values in entries] == [7 * RATE] * 4 + [2 * RATE]
    assert [values["ended"] for values in entries] == ["full"] * 4 + ["stopped"]
    assert not list(tmp_path.glob("*.part.*"))


def test_after_so_many_seconds_nothing_more_is_recorded(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, 2.0, seconds=4.0)
        for _ in range(50):
            captured.hear(0.13)
            writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples[: 4 * RATE])
    assert [values["stop"] for values in sidecars(tmp_path)] == [2 * RATE, 4 * RATE]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.001, 3.0), min_size=1, max_size=20), st.floats(1.0, 4.0))
def test_segments_do_not_depend_on_how_often_the_recorder_looks(
    pauses: list[float], seconds: float
) -> None:
    import tempfile

    with (
        tempfile.TemporaryDirectory() as folder,
        capture(np.random.default_rng(1), 60, 1) as captured,
    ):
        writer = recorder(captured, Path(folder), seconds)
        for pause in pauses:
            captured.hear(pause)
            writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(Path(folder)), captured.samples)
        lengths = {values["stop"] - values["start"] for values in sidecars(Path(folder))[:-1]}
        assert lengths <= {round(seconds * RATE)}


def test_a_sidecar_tells_times_levels_and_the_hash_of_the_samples(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        captured.play(np.full((RATE, 2), (0.5, -1.0), np.float32))
        writer.step(captured.now)
        writer.finish(captured.now)
    (values,) = sidecars(tmp_path)
    assert values["complete"] and values["device"] == "a microphone"
    assert sidecar.utc_ns(values["utc_start"]) == START_UTC
    assert sidecar.utc_ns(values["utc_end"]) == START_UTC + 10**9
    assert values["levels"] == {
        "peak_dbfs": [-6.02, 0.0], "rms_dbfs": [-3.01, 3.01], "clipped_samples": [0, RATE],
    }  # fmt: skip
    path = tmp_path / values["files"][0]
    assert values["bytes"] == {path.name: path.stat().st_size}
    samples, _ = soundfile.read(path, dtype="int16")
    assert values["sha256"] == hashlib.sha256(samples.tobytes()).hexdigest()


def test_gaps_of_the_device_are_zeros_with_an_entry_in_the_file_they_lie_in(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, 5.0)
        captured.hear(1.0)
        captured.lose(0.5)
        captured.hear(3.0)
        captured.lose(1.5, Cause.RESTART)  # over the end of the first file
        captured.hear(1.0)
        writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    first, second = sidecars(tmp_path)
    assert first["gaps"] == [
        {"index": RATE, "length": RATE // 2, "cause": "stall"},
        {"index": 4.5 * RATE, "length": RATE // 2, "cause": "restart"},
    ]
    assert second["gaps"] == [{"index": 5 * RATE, "length": RATE, "cause": "restart"}]
    assert writer.report.missing == 2 * RATE and writer.report.missed == 0


def test_a_stall_shorter_than_the_ring_loses_nothing(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng, ring_seconds=30) as captured:
        writer = recorder(captured, tmp_path)
        captured.hear(1)
        writer.step(captured.now)
        captured.hear(29.5)
        writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    assert writer.report.missing == 0


def test_a_stall_longer_than_the_ring_is_a_gap_of_the_disk(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng, ring_seconds=10) as captured:
        writer = recorder(captured, tmp_path, None)
        captured.hear(1)
        writer.step(captured.now)
        captured.hear(15)
        writer.step(captured.now)
        captured.hear(1)
        writer.step(captured.now)
        writer.finish(captured.now)
        whole, sent = recorded(tmp_path), captured.samples
    (values,) = sidecars(tmp_path)
    (gap,) = values["gaps"]
    assert gap == {"index": RATE, "length": 5.25 * RATE, "cause": "disk"}
    assert writer.report.missed == gap["length"]
    sent[gap["index"] : gap["index"] + gap["length"]] = 0
    assert np.array_equal(whole, sent)


def test_a_gap_of_more_than_a_minute_begins_a_new_file(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng, ring_seconds=10, channels=1) as captured:
        writer = recorder(captured, tmp_path, None)
        captured.hear(2)
        writer.step(captured.now)
        captured.lose(100, Cause.RESTART)
        captured.hear(2)
        writer.step(captured.now)
        writer.finish(captured.now)
        whole, sent = recorded(tmp_path), captured.samples
    first, second = sidecars(tmp_path)
    (gap,) = second["gaps_before"]
    assert (first["ended"], first["stop"]) == ("gap", 2 * RATE)
    assert gap["index"] == 2 * RATE and gap["cause"] == "restart"
    assert gap["index"] + gap["length"] == second["start"]
    known = ~np.isnan(whole[:, 0])
    assert np.array_equal(whole[known], sent[known])
    assert known[102 * RATE :].all()
    # The time line is true although nothing was written for it.
    assert sidecar.utc_ns(second["utc_start"]) == START_UTC + second["start"] * 10**9 // RATE


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_costs_nothing_while_the_ring_holds(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        for seconds in range(20):
            with monkeypatch.context() as patch:
                if 5 <= seconds < 12:
                    patch.setattr(durable, "sync", broken)
                captured.hear(1)
                writer.step(captured.now)
                trouble = writer.report.trouble
                assert bool(trouble) == (5 <= seconds < 12), seconds
        for _ in range(20):
            captured.hear(1)
            writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    assert writer.report.missing == 0 and writer.report.troubles == 1
    assert not list(tmp_path.glob("*.part.*"))
    assert [values["ended"] for values in sidecars(tmp_path)] == ["disk", "stopped"]


@pytest.mark.parametrize("seconds", [3, 40, 100])
def test_after_an_outage_of_the_disk_the_report_and_the_sidecars_say_the_same(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with capture(rng, ring_seconds=10, channels=1) as captured:
        writer = recorder(captured, tmp_path, None)
        for at in range(10 * (20 + seconds + 20)):
            if at == 195:
                captured.lose(0.1)  # not yet synced when the disk fails
            captured.hear(0.1)
            with monkeypatch.context() as patch:
                if 200 <= at < 200 + 10 * seconds:
                    patch.setattr(durable, "sync", broken)
                writer.step(captured.now)
        writer.finish(captured.now)
        while writer.chores.step(captured.monotonic_ns + 60 * 10**9):
            pass
        sent = captured.samples
    entries, report = sidecars(tmp_path), writer.report
    assert all(values["start"] < values["stop"] for values in entries)
    gaps = [gap for values in entries for gap in values["gaps"] + values["gaps_before"]]
    assert report.n_files == len(entries) == 2
    assert report.recorded == sum(values["stop"] - values["start"] for values in entries)
    assert report.missing == sum(gap["length"] for gap in gaps)
    assert report.missed == sum(gap["length"] for gap in gaps if gap["cause"] == "disk")
    assert report.n_gaps == len(gaps) == (1 if seconds < 10 else 2)
    at = 0
    for values in entries:
        at += sum(gap["length"] for gap in values["gaps_before"])
        assert values["start"] == at
        at = values["stop"]
    assert at == len(sent)
    whole = recorded(tmp_path)
    for gap in gaps:
        whole[gap["index"] : gap["index"] + gap["length"]] = np.nan
    known = ~np.isnan(whole[:, 0])
    assert np.array_equal(whole[known], sent[known])
    assert known.sum() == len(sent) - report.missing


def test_names_and_times_follow_a_stepped_clock_and_indices_do_not_jump(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng, channels=1) as captured:
        writer = recorder(captured, tmp_path, 10.0)
        for seconds in range(40):
            if seconds == 15:
                captured.utc_ns += 3600 * 10**9
            captured.hear(1)
            writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    entries = sidecars(tmp_path)
    assert [values["files"][0] for values in entries] == [
        "20270115T080000Z.wav", "20270115T080010Z.wav",
        "20270115T090020Z.wav", "20270115T090030Z.wav",
    ]  # fmt: skip
    (step,) = entries[1]["clock"]["steps"]
    assert step["seconds"] == pytest.approx(3600, abs=1e-3)
    assert step["index"] == pytest.approx(16 * RATE, abs=RATE)


def test_a_new_segment_when_asked_for_and_the_last_seconds_beside_it(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        for _ in range(5):
            captured.hear(1)
            writer.step(captured.now)
        writer.save_last(2.0, captured.now)
        writer.rotate(captured.now)
        captured.hear(1)
        writer.step(captured.now)
        writer.finish(captured.now)
    spans = [(values["start"] / RATE, values["stop"] / RATE) for values in sidecars(tmp_path)]
    assert spans == [(0, 5), (3, 5), (5, 6)]


def test_all_that_the_ring_holds_is_saved_without_what_it_loses_meanwhile(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_slowly(*arguments: object) -> Segment:
        captured.hear(0.2)
        return as_ever(*arguments)

    as_ever = Recorder._open
    with capture(rng, ring_seconds=10) as captured:
        writer = recorder(captured, tmp_path, None)
        for _ in range(15):
            captured.hear(1)
            writer.step(captured.now)
        captured.lose(0.5)
        writer.step(captured.now)
        before = writer.report
        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "_open", open_slowly)
            assert writer.save_last(60.0, captured.now) is not None
        counted = ("recorded", "missing", "missed", "n_gaps")
        assert [getattr(writer.report, name) for name in counted] == [
            getattr(before, name) for name in counted
        ]
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    _, saved = sidecars(tmp_path)
    assert (saved["start"], saved["stop"]) == (5.75 * RATE, 15.5 * RATE)
    assert saved["gaps"] == [{"index": 15 * RATE, "length": RATE // 2, "cause": "stall"}]


def test_aligned_segments_begin_at_whole_multiples(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng, channels=1) as captured:
        captured.utc_ns += 3_400_000_000
        writer = recorder(captured, tmp_path, segmentation=Segmentation(10.0, align=True))
        for _ in range(25):
            captured.hear(1)
            writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    starts = [values["utc_start"][17:23] for values in sidecars(tmp_path)]
    assert starts == ["03.400", "10.000", "20.000"]


def test_a_trigger_records_what_came_before_and_after_in_a_file_each(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    quiet, tone = np.zeros((RATE, 1), np.float32), np.full((RATE, 1), 0.5, np.float32)
    tone[::2] *= -1
    with capture(rng, channels=1) as captured:
        writer = recorder(captured, tmp_path, None, trigger="level:db=-20,before=2s,after=3s")
        for seconds in range(40):
            captured.play(tone if seconds in (10, 11, 30) else quiet)
            writer.step(captured.now)
        writer.finish(captured.now)
        whole, sent = recorded(tmp_path), captured.samples
    spans = [(values["start"] / RATE, values["stop"] / RATE) for values in sidecars(tmp_path)]
    assert spans == [(8, 15), (28, 34)]
    assert np.array_equal(whole[8 * RATE : 15 * RATE], sent[8 * RATE : 15 * RATE])


def test_last_minutes_that_cannot_be_saved_leave_the_recording_alone(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        captured.hear(3)
        writer.step(captured.now)
        with monkeypatch.context() as patch:
            patch.setattr(durable, "sync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
            with pytest.raises(OSError, match="full"):
                writer.save_last(2.0, captured.now)
        captured.hear(1)
        writer.step(captured.now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)
    assert len(sidecars(tmp_path)) == 1


@pytest.mark.parametrize(
    ("seconds", "broken"), [(0, range(0)), (3, range(1, 9)), (3, range(2, 3))]
)  # syncs: of the sidecar, of the header, of the samples
def test_an_excerpt_that_cannot_be_saved_says_why_and_leaves_nothing_about(
    tmp_path: Path,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    broken: range,
) -> None:
    def full(descriptor: int) -> None:
        if next(syncs) in broken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with capture(rng) as captured:
        if seconds:
            captured.hear(seconds)
        syncs = count()
        with monkeypatch.context() as patch:
            patch.setattr(durable, "sync", full)
            stream = Stream("a microphone", "mic", RATE, 2)
            excerpt = Excerpt(tmp_path, stream, captured.ring, captured.status)
            excerpt.wait()
    reason = "no space left on device" if seconds else "no sound has come yet"
    assert excerpt.told == f"nothing could be saved in '{tmp_path}': {reason}"
    assert not list(tmp_path.iterdir())


def test_what_was_captured_before_the_first_step_is_recorded_too(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        captured.hear(1)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)


@pytest.mark.parametrize("late", range(1, 6))
def test_the_first_block_may_arrive_at_any_moment(
    tmp_path: Path, rng: np.random.Generator, late: int
) -> None:
    class Arriving:
        """A status in which the first block shows at the reading number `late`."""

        readings = 0

        def __getattr__(self, name: str) -> object:
            if name == "epoch_ns":
                self.readings += 1
                if self.readings == late:
                    captured.hear(0.1)
            return getattr(captured.status, name)

    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        writer._status = cast(Status, Arriving())
        now = captured.now
        for _ in range(3):
            writer.step(now)
        writer.finish(captured.now)
        assert np.array_equal(recorded(tmp_path), captured.samples)


def test_a_sub_folder_of_a_name_is_on_the_disk_before_the_file_in_it(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_directory", synced.append)
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None, name="{device}/{index}")
        captured.hear(1)
        writer.finish(captured.now)
    (sound,) = tmp_path.rglob("*.wav")
    assert synced[:2] == [tmp_path, sound.parent]
