"""What has to go to make room, and that nothing goes which the recorder did not write."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import RealtimeError, RequestError
from realtime.recording import sidecar
from realtime.recording.own_files import delete_recording, list_recordings, read_recording
from realtime.recording.retention import (
    Keep,
    MinFree,
    Recording,
    RoomPlan,
    parse_keep,
    parse_min_free,
    plan_room,
    size_text,
)

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOW = 1_795_370_400 * SECOND
GB = 10**9


# What people write.


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("30d", Keep(seconds=30 * 86_400.0)),
        ("36h", Keep(seconds=36 * 3600.0)),
        ("1d12h", Keep(seconds=36 * 3600.0)),
        ("200GB", Keep(n_bytes=200 * GB)),
        ("200 gb", Keep(n_bytes=200 * GB)),
        ("1.5TB", Keep(n_bytes=1500 * GB)),
        ("2GiB", Keep(n_bytes=2**31)),
        ("5000000B", Keep(n_bytes=5_000_000)),
    ],
)
def test_keep_is_an_age_or_a_size(text: str, keep: Keep) -> None:
    assert parse_keep(text) == keep


@pytest.mark.parametrize(
    "text", ["", "30", "30M", "200G", "30x", "0GB", "5s", "-1d", "9" * 15 + "PB", "B"]
)
def test_a_keep_that_might_mean_something_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match=r"^record.keep = .*(try|write)") as refused:
        parse_keep(text)
    assert "\n" not in str(refused.value)


def test_free_space_is_a_size_or_a_part_of_the_disk() -> None:
    assert parse_min_free("5GB").bytes_of(10**12) == 5 * GB
    assert parse_min_free("5%").bytes_of(10**12) == 50 * GB
    assert parse_min_free("0") == MinFree()
    for text in ("", "5", "100%", "-1%", "5 percent", "nan%"):
        with pytest.raises(RequestError, match=r"record.min_free = .*try 5"):
            parse_min_free(text)


def test_sizes_are_told_as_disks_are_sold() -> None:
    sizes = (0, 999, 1000, 123_456, 4_800_000_000, 2 * 10**15)
    texts = ["0 bytes", "999 bytes", "1.0 kB", "123 kB", "4.8 GB", "2.0 PB"]
    assert [size_text(n) for n in sizes] == texts


# What has to go.


def hourly(n: int, n_bytes: int = GB, last_ns: int = NOW) -> list[Recording]:
    """The newest ends at `last_ns`."""
    hour = 3600 * SECOND
    starts = [last_ns - (n - k) * hour for k in range(n)]
    return [Recording(f"r{k}", s, s + hour, n_bytes) for k, s in enumerate(starts)]


def planned(recordings: list[Recording], **changes: Any) -> RoomPlan:
    values: dict[str, Any] = {
        "now_ns": NOW,
        "free_bytes": 100 * GB,
        "total_bytes": 1000 * GB,
        "bytes_per_second": 1e6,
        "keep": None,
        "least_free": MinFree(10 * GB),
        "drop": False,
    }
    return plan_room(recordings, **(values | changes))


def names(plan: RoomPlan) -> list[str]:
    return [recording.name for recording in plan.delete]


def test_with_room_and_without_keep_nothing_goes_and_the_time_left_is_told() -> None:
    assert planned(hourly(5)) == RoomPlan((), "", 90_000.0)


def test_what_ended_before_the_age_goes_oldest_first() -> None:
    plan = planned(hourly(10)[::-1], keep=Keep(seconds=3 * 3600.0))
    assert names(plan) == ["r0", "r1", "r2", "r3", "r4", "r5"]  # r6 ended three hours ago, sharp


def test_beyond_the_size_the_oldest_go_until_it_fits() -> None:
    assert names(planned(hourly(10), keep=Keep(n_bytes=7 * GB))) == ["r0", "r1", "r2"]
    assert names(planned(hourly(10), keep=Keep(n_bytes=7 * GB - 1))) == ["r0", "r1", "r2", "r3"]


def test_below_the_least_free_space_it_stops_with_a_reason() -> None:
    plan = planned(hourly(3), free_bytes=9_900_000_000)
    assert plan.delete == ()
    assert plan.seconds_left == 0
    assert plan.stop.startswith("9.9 GB are free on the disk, less than the 10.0 GB of --min-free")


def test_or_drops_the_oldest_and_stops_only_where_that_is_not_enough() -> None:
    plan = planned(hourly(3), free_bytes=8_500_000_000, drop=True)
    assert names(plan) == ["r0", "r1"]
    assert not plan.stop
    plan = planned(hourly(3), free_bytes=0, drop=True)
    assert names(plan) == ["r0", "r1", "r2"]
    assert "no recording of its own is left to delete" in plan.stop


def test_a_part_of_the_disk_is_taken_of_its_size() -> None:
    assert planned([], least_free=MinFree(part=0.2), total_bytes=1000 * GB).stop
    assert not planned([], least_free=MinFree(part=0.05), total_bytes=1000 * GB).stop


def test_what_goes_for_its_age_makes_room_before_it_stops() -> None:
    plan = planned(hourly(5), free_bytes=9 * GB, keep=Keep(seconds=2 * 3600.0))
    assert names(plan) == ["r0", "r1"]
    assert not plan.stop


def test_a_clock_that_cannot_be_trusted_makes_nothing_old() -> None:
    keep = Keep(seconds=86_400.0)
    assert names(planned(hourly(3), now_ns=NOW + 3650 * DAY, keep=keep)) == ["r0", "r1", "r2"]
    assert names(planned(hourly(3), now_ns=None, keep=keep)) == []


def test_what_was_recorded_before_the_clock_was_set_has_no_age() -> None:
    early = hourly(2, last_ns=2 * DAY)
    assert names(planned(early, keep=Keep(seconds=86_400.0))) == []
    assert names(planned(early, keep=Keep(n_bytes=GB))) == ["r0"]


def test_time_left_is_for_ever_where_keep_makes_room_first() -> None:
    def left(**changes: Any) -> float | None:
        return planned(hourly(5), **changes).seconds_left

    assert left(keep=Keep(n_bytes=90 * GB)) is None
    assert left(keep=Keep(n_bytes=96 * GB)) == 90_000.0
    assert left(keep=Keep(seconds=86_400.0)) is None  # 86.4 GB at this pace
    assert left(keep=Keep(seconds=2 * 86_400.0)) == 90_000.0
    assert left(bytes_per_second=0.0) is None


@given(
    sizes=st.lists(st.integers(1, 50), max_size=12),
    free=st.integers(0, 200),
    least=st.integers(0, 200),
    most=st.none() | st.integers(0, 300),
    drop=st.booleans(),
)
def test_no_more_goes_than_has_to(sizes, free, least, most, drop) -> None:
    recordings = [Recording(f"{k}", NOW + k, NOW + k + 1, size) for k, size in enumerate(sizes)]
    plan = planned(
        recordings,
        free_bytes=free,
        least_free=MinFree(least),
        keep=None if most is None else Keep(n_bytes=most),
        drop=drop,
    )
    n = len(plan.delete)
    assert list(plan.delete) == recordings[:n]

    def enough(n: int) -> bool:
        fits = most is None or sum(sizes[n:]) <= most
        return fits and (not drop or free + sum(sizes[:n]) >= least)

    assert enough(n) or n == len(sizes)
    assert n == 0 or not enough(n - 1)
    assert bool(plan.stop) == (free + sum(sizes[:n]) < least)


# Whose files they are.


def write(folder: Path, name: str, start_ns: int = NOW, **changes: Any) -> Path:
    """A recording of 100 bytes, and its sidecar with `changes`; the sidecar's path."""
    base = folder / name
    base.parent.mkdir(parents=True, exist_ok=True)
    audio = base.with_name(f"{base.name}.wav")
    audio.write_bytes(b"\0" * 100)
    values = {
        "files": [audio.name],
        "bytes": {audio.name: 100},
        "utc_start": sidecar.utc_text(start_ns),
        "utc_end": sidecar.utc_text(start_ns + 60 * SECOND),
    }
    note = base.with_name(f"{base.name}.json")
    note.write_text(sidecar.text_of(values | changes))
    return note


def everything(folder: Path) -> dict[str, int | None]:
    return {
        str(path.relative_to(folder)): path.lstat().st_size if not path.is_dir() else None
        for path in folder.rglob("*")
    }


def test_own_recordings_are_found_in_sub_folders_with_all_their_bytes(tmp_path: Path) -> None:
    first = write(tmp_path, "2026-11-22/a.b")
    write(tmp_path, "c", NOW + DAY)
    own, left = list_recordings(tmp_path)
    assert left == []
    n_bytes = 100 + first.stat().st_size
    assert sorted(own, key=lambda one: one.name)[0] == Recording(
        "2026-11-22/a.b", NOW, NOW + 60 * SECOND, n_bytes
    )
    assert {one.name for one in own} == {"2026-11-22/a.b", "c"}
    assert read_recording(tmp_path, "c") in own


def test_deleting_takes_sound_side_files_sidecar_and_the_empty_folder(tmp_path: Path) -> None:
    note = write(
        tmp_path,
        "day/hour/a",
        files=["a.wav", "a.png", "a.zarr", "a.gone.png"],
        bytes={"a.wav": 100, "a.png": 3, "a.zarr": 7, "a.gone.png": 9},
    )
    note.with_name("a.png").write_bytes(b"png")
    (note.with_name("a.zarr") / "c" / "0").mkdir(parents=True)
    (note.with_name("a.zarr") / "c" / "0" / "0").write_bytes(b"chunk")
    (note.with_name("a.zarr") / "zarr.json").write_bytes(b"{}")
    write(tmp_path, "day/b")
    size = note.stat().st_size
    assert delete_recording(tmp_path, "day/hour/a") == 110 + size
    assert set(everything(tmp_path)) == {"day", "day/b.wav", "day/b.json"}
    delete_recording(tmp_path, "day/b")
    assert everything(tmp_path) == {}
    assert tmp_path.is_dir()


def test_a_recording_that_somebody_changed_is_left_alone_and_named(tmp_path: Path) -> None:
    write(tmp_path, "a")
    (tmp_path / "a.wav").write_bytes(b"edited")
    write(tmp_path, "b", files=["b.wav", "b.png"], bytes={"b.wav": 100, "b.png": 1})
    (tmp_path / "b.png").write_bytes(b"edited")
    write(tmp_path, "c")
    (tmp_path / "c.wav").unlink()
    before = everything(tmp_path)
    own, left = list_recordings(tmp_path)
    assert own == []
    assert sorted(left) == [
        "'a.wav' was changed since it was recorded: it is left alone, with all beside it",
        "'b.png' was changed since it was recorded: it is left alone, with all beside it",
        "'c.wav' is gone since it was recorded: it is left alone, with all beside it",
    ]
    for name in "abc":
        with pytest.raises(RealtimeError, match="left alone"):
            delete_recording(tmp_path, name)
    assert everything(tmp_path) == before


def test_one_that_changed_between_listing_and_deleting_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "a")
    assert len(list_recordings(tmp_path)[0]) == 1
    with (tmp_path / "a.wav").open("ab") as file:
        file.write(b"more")
    with pytest.raises(RealtimeError, match="was changed"):
        delete_recording(tmp_path, "a")
    assert (tmp_path / "a.wav").stat().st_size == 104


HOSTILE: dict[str, dict[str, Any]] = {
    "climbs": {"files": ["a.wav", "../victim.txt"], "bytes": {"a.wav": 100, "../victim.txt": 6}},
    "climbs far": {
        "files": ["../../../etc/passwd"],
        "bytes": {"../../../etc/passwd": os.stat("/etc/passwd").st_size},
    },
    "absolute": {"files": ["/etc/passwd"], "bytes": {"/etc/passwd": 1}},
    "its name and a way": {
        "files": ["a.wav", "a./../b.txt"],
        "bytes": {"a.wav": 100, "a./../b.txt": 6},
    },
    "another's": {"files": ["a.wav", "b.txt"], "bytes": {"a.wav": 100, "b.txt": 6}},
    "another's alone": {"files": ["b.txt"], "bytes": {"b.txt": 6}},
    "begins like it": {"files": ["a.wav", "ab.txt"], "bytes": {"a.wav": 100, "ab.txt": 6}},
    "hidden": {"files": ["a.wav", ".bashrc"], "bytes": {"a.wav": 100, ".bashrc": 6}},
    "a fraction": {"files": ["a.wav"], "bytes": {"a.wav": 100.0}},
    "nul": {"files": ["a.wav", "a.\0"], "bytes": {"a.wav": 100, "a.\0": 1}},
    "growing": {"files": ["a.part.wav"], "bytes": {"a.part.wav": 6}},
    "a folder": {"files": ["a.wav", "a.dir"], "bytes": {"a.wav": 100, "a.dir": 0}},
    "itself": {"files": ["a.json"], "bytes": {"a.json": 1}},
    "no files": {"files": [], "bytes": {}},
    "no list": {"files": "a.wav", "bytes": {"a.wav": 100}},
    "numbers": {"files": [7], "bytes": {"7": 100}},
    "nothing": {"files": None, "bytes": None},
    "no size": {"files": ["a.wav"], "bytes": {}},
    "true": {"files": ["a.wav"], "bytes": {"a.wav": True}},
    "text": {"files": ["a.wav"], "bytes": {"a.wav": "100"}},
    "no time": {"utc_start": "yesterday"},
    "no end": {"utc_end": None},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_sidecar_that_names_what_is_not_its_own_deletes_nothing(case: str, tmp_path: Path):
    folder = tmp_path / "DIR"
    write(folder, "a", **HOSTILE[case])
    for victim in (
        tmp_path / "victim.txt",
        folder / "b.txt",
        folder / "ab.txt",
        folder / ".bashrc",
    ):
        victim.write_bytes(b"victim")
    (folder / "a.part.wav").write_bytes(b"victim")
    (folder / "a.dir").mkdir()
    before = everything(tmp_path)
    own, left = list_recordings(folder)
    assert own == []
    assert len(left) == 1
    with pytest.raises(RealtimeError, match="left alone"):
        delete_recording(folder, "a")
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '"realtime recording"',
        "{}",
        '{"format": "other", "version": 1, "files": ["a.wav"], "bytes": {"a.wav": 100}}',
        '{"format": "realtime recording", "version": 2, "files": ["a.wav"]}',
        "[" * 100_000,
        '{"format":' * 50_000,
        "\ud800",
    ],
    ids=range(11),
)
def test_foreign_json_and_what_is_none_says_nothing_and_stays(text: str, tmp_path: Path) -> None:
    note = write(tmp_path, "a")
    note.write_bytes(text.encode(errors="surrogatepass"))
    before = everything(tmp_path)
    assert list_recordings(tmp_path) == ([], [])
    with pytest.raises(RealtimeError, match="no recording of ours"):
        delete_recording(tmp_path, "a")
    assert everything(tmp_path) == before


def test_a_sidecar_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    note = write(tmp_path, "a")
    with note.open("ab") as file:
        file.truncate(10**9)
    assert list_recordings(tmp_path) == ([], [])


def test_foreign_files_are_not_even_looked_at(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_bytes(b"RIFF")
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    write(tmp_path, "a.part")
    write(tmp_path, "store.zarr/inside")
    before = everything(tmp_path)
    assert list_recordings(tmp_path) == ([], [])
    assert everything(tmp_path) == before


def test_links_are_neither_followed_nor_deleted(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "DIR"
    write(outside, "a")
    write(folder, "sound")
    (folder / "sound.wav").unlink()
    (folder / "sound.wav").symlink_to(outside / "a.wav")
    (folder / "a.json").symlink_to(outside / "a.json")
    (folder / "a.wav").write_bytes(b"\0" * 100)
    (folder / "sub").symlink_to(outside)
    size = 100 + (outside / "a.json").stat().st_size
    note = write(folder, "z", files=["z.wav", "z.zarr"], bytes={"z.wav": 100, "z.zarr": size})
    note.with_name("z.zarr").symlink_to(outside)
    write(folder, "y", files=["y.wav", "y.zarr"], bytes={"y.wav": 100, "y.zarr": 0})
    (folder / "y.zarr").mkdir()
    (folder / "y.zarr" / "c").symlink_to(outside)
    before = everything(tmp_path)
    own, left = list_recordings(folder)
    assert own == []
    assert len(left) == 3
    for name in (
        "sound",
        "a",
        "sub/a",
        "y",
        "z",
        "none/a",
        "../outside/a",
        "./sound",
        "/etc/passwd",
    ):
        with pytest.raises(RealtimeError, match="left alone"):
            delete_recording(folder, name)
    assert everything(tmp_path) == before


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        list_recordings(tmp_path / "missing")


def test_what_a_part_is_called_on_the_disk_does_not_hide_a_plain_name(tmp_path: Path) -> None:
    write(tmp_path, "a.party")
    assert [one.name for one in list_recordings(tmp_path)[0]] == ["a.party"]
    assert json.loads((tmp_path / "a.party.json").read_text())["version"] == sidecar.VERSION
