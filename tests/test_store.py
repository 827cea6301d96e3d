"""Columns beside the audio: xarray opens them, they are those of the sound, on one grid for the
whole stream; and under their name there is all of them or nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import xarray as xr
from captures import RATE, START_UTC, capture, recorder, sidecars
from drawing_child import STFT
from drawings import FLAC, LATE_MOST, WAV, bases, codes_of, contents, draw, opened, record
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.signal import ShortTimeFFT, get_window

from realtime.config import StftSettings
from realtime.errors import MissingDependency
from realtime.recording import sidecar, zarr_writer
from realtime.recording.columns import LOW_DB, STEP_DB, Complete, Grid
from realtime.recording.overview import TALLEST, WIDEST, Overview
from realtime.recording.own_files import delete_recording, list_recordings
from realtime.recording.store import load_libraries, undrawn


def by_scipy(samples: np.ndarray, columns: range, stft: StftSettings = STFT) -> np.ndarray:
    """dBFS (n_channels, n_columns, n_bins); scipy's slices too are centred on multiples of hop."""
    transform = ShortTimeFFT(
        get_window(stft.window, stft.n_fft),
        stft.hop_samples,
        RATE,
        fft_mode="onesided2X",
        mfft=stft.n_fft * stft.zero_pad,
        scale_to="magnitude",
        phase_shift=None,
    )
    amplitude = np.abs(transform.stft(samples.T.astype(float), p0=columns.start, p1=columns.stop))
    return 20 * np.log10(np.maximum(amplitude, 1e-9)).swapaxes(1, 2)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Three seconds of stereo without columns; the path without suffix."""
    record(tmp_path / "bare", after=[])
    return bases(tmp_path / "bare")[0]


@pytest.mark.parametrize(
    "stft",
    [
        STFT,
        StftSettings(n_fft=512, hop=128, window="blackman", zero_pad=2),
        StftSettings(n_fft=64, hop=64),
    ],
)
def test_columns_are_those_of_the_sound_within_half_a_step(bare: Path, stft: StftSettings) -> None:
    draw(bare, stft)
    (store,) = opened(bare.parent)
    samples, _ = soundfile.read(bare.with_suffix(".wav"))
    columns = range(store.first_column, store.first_column + store.n_columns)
    wanted = np.clip(by_scipy(samples, columns, stft), LOW_DB, LOW_DB + 255 * STEP_DB)
    assert store.db.dims == ("channel", "time", "frequency")
    assert np.abs(store.db.values - wanted).max() < STEP_DB / 2 + 1e-3
    assert len(samples) - LATE_MOST * stft.n_fft / STFT.n_fft < stft.hop_samples * len(columns)
    n_points = stft.n_fft * stft.zero_pad
    assert np.allclose(store.frequency, np.fft.rfftfreq(n_points, 1 / RATE))


def test_each_column_tells_its_sample_its_second_and_its_utc(tmp_path: Path) -> None:
    record(tmp_path, 1.0)
    store = opened(tmp_path)[1]
    samples = store["sample"].values
    assert store.start == RATE and not (samples % STFT.hop_samples).any()
    assert np.allclose(store.seconds, (samples - RATE) / RATE)
    assert store.seconds[0] < 0 <= store.seconds[1]  # the frame began before the recording
    utc_ns = START_UTC + samples * 10**9 // RATE
    assert np.array_equal(store.time.values, utc_ns.astype("datetime64[ns]"))


def test_the_store_says_how_it_was_made_and_how_codes_become_dbfs(bare: Path) -> None:
    draw(bare)
    raw = xr.load_dataset(bare.with_suffix(".zarr"), engine="zarr", mask_and_scale=False)
    assert raw.db.dtype == np.uint8
    assert (raw.db.scale_factor, raw.db.add_offset, raw.db.units) == (0.5, -120.0, "dBFS")
    assert "full-scale sine" in raw.db.calibration
    said = [raw.attrs[key] for key in ("n_fft", "hop", "window", "zero_pad", "sample_rate", "stop")]
    assert said == [256, 100, "hann", 1, RATE, 3 * RATE]
    (values,) = sidecars(bare.parent)
    assert (raw.stream, raw.utc_start) == (values["stream"], values["utc_start"])


def test_a_full_scale_sine_reads_0_dbfs_and_silence_the_lowest_code(tmp_path: Path) -> None:
    sine = np.sin(2 * np.pi * 32 / 256 * np.arange(2 * RATE)) * 32767 / 32768
    record(tmp_path, block=np.stack([sine, 0 * sine], 1).astype(np.float32))
    (store,) = opened(tmp_path)
    assert (store.db.sel(channel=0, frequency=1000) == 0).all()
    assert (store.db.sel(channel=1) == LOW_DB).all()


@pytest.mark.parametrize("after", [WAV, FLAC], ids=["wav", "flac"])
@pytest.mark.parametrize("rotate_at", [(), (0.5, 0.6, 2.2)])
def test_stores_one_behind_the_other_are_the_columns_of_the_stream(
    tmp_path: Path, after: list[Callable], rotate_at: tuple[float, ...]
) -> None:
    heard = record(tmp_path / "parts", 0.7, after=after, rotate_at=rotate_at)
    record(tmp_path / "whole", block=heard)
    whole, = opened(tmp_path / "whole")  # fmt: skip
    parts = opened(tmp_path / "parts")
    assert len(parts) >= 5
    joined = xr.concat(parts, "time")
    assert np.array_equal(joined["sample"], whole["sample"])
    assert np.array_equal(codes_of(joined), codes_of(whole))


def test_a_recording_shorter_than_a_frame_is_bridged(tmp_path: Path) -> None:
    with capture(np.random.default_rng(7)) as captured:
        writer = recorder(captured, tmp_path, None, after=WAV)
        for seconds in (1.0, 0.01, 0.005, 0.01, 1.0):
            captured.hear(seconds)
            writer.step(captured.now)
            writer.rotate(captured.now)
        writer.finish(captured.now)
        while writer.chores:
            writer.chores.step(captured.monotonic_ns)
        assert not writer.chores.faults
        record(tmp_path / "whole", block=captured.samples)
    (whole,) = opened(tmp_path / "whole")
    parts = [store for store in opened(tmp_path) if store.stream != whole.stream]
    joined = xr.concat(parts, "time")
    assert np.array_equal(joined["sample"], np.arange(200, 16200 - STFT.n_fft // 2 + 1, 100))
    assert np.array_equal(codes_of(joined), codes_of(whole))


def test_the_store_does_not_depend_on_how_large_its_chunks_are(tmp_path: Path, monkeypatch) -> None:
    record(tmp_path, block=np.random.default_rng(3).standard_normal((3 * RATE, 2)).astype("f4"))
    (large,) = opened(tmp_path)
    (base,) = bases(tmp_path)
    for suffix in (".zarr", ".png"):
        os.rename(base.with_suffix(suffix), tmp_path / f"large{suffix}.old")
    note = base.with_suffix(".json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"files": [f"{base.name}.wav"]}))
    monkeypatch.setattr(zarr_writer, "CHUNK_BYTES", 2 * 129 * 20)
    monkeypatch.setattr(zarr_writer, "COORDINATES", 50)
    draw(base)
    assert len(list(base.with_suffix(".zarr").glob("db/c/0/*/0"))) == 15  # of 16 columns
    (small,) = opened(tmp_path)
    assert small.identical(large)


def test_without_the_recording_before_only_whole_frames_are_there(tmp_path: Path) -> None:
    record(tmp_path, 1.0, after=[])
    first, second, third = bases(tmp_path)
    first.with_suffix(".wav").unlink()
    draw(second)
    draw(third)
    starts = [store.start for store in opened(tmp_path)]
    firsts = [int(store["sample"][0]) - STFT.n_fft // 2 for store in opened(tmp_path)]
    assert starts == [RATE, 2 * RATE]
    assert RATE <= firsts[0] < RATE + STFT.hop_samples
    assert 2 * RATE - STFT.n_fft < firsts[1] < 2 * RATE - STFT.n_fft + 1 + STFT.hop_samples


def test_another_stream_that_ends_where_this_one_begins_is_not_before_it(tmp_path: Path) -> None:
    record(tmp_path, 1.0, after=[])
    first, second, _ = bases(tmp_path)
    note = first.with_name(f"{first.name}.json")
    values = json.loads(note.read_text())
    note.write_text(json.dumps(values | {"stream": "another"}))
    draw(second)
    (store,) = opened(tmp_path)
    assert int(store["sample"][0]) - STFT.n_fft // 2 >= RATE


def test_the_recording_before_may_lie_in_another_folder(tmp_path: Path) -> None:
    record(tmp_path, 1.0, after=[])
    first, second, _ = bases(tmp_path)
    (tmp_path / "9th").mkdir()
    (tmp_path / "10th").mkdir()
    for folder, base in (("9th", first), ("10th", second)):
        for suffix in (".wav", ".json"):
            os.rename(base.with_suffix(suffix), tmp_path / folder / f"{base.name}{suffix}")
    draw(tmp_path / "10th" / second.name, folder=tmp_path)
    (store,) = opened(tmp_path)
    assert int(store["sample"][0]) - STFT.n_fft // 2 < RATE


@given(
    n_fft=st.integers(2, 50),
    data=st.data(),
    bounds=st.lists(st.integers(0, 400), min_size=2, max_size=8, unique=True),
)
def test_each_frame_of_a_stream_belongs_to_the_recording_it_ends_in(n_fft, data, bounds) -> None:
    grid = Grid(n_fft, data.draw(st.integers(1, n_fft)))
    bounds.sort()
    at = bounds[0]
    found = [k for a, b in pairwise(bounds) for k in grid.ending_in(a, b, at)]
    frames = ((k, grid.frame_start(k)) for k in range(500))
    assert found == [k for k, start in frames if at <= start and start + n_fft <= bounds[-1]]


def test_utc_follows_drift_and_steps_of_the_clock() -> None:
    lasted = 10 * 10**9 + 1000  # 0.1 ppm slow
    recording = Complete(
        Path("a"), "s", "d", 80_000, 160_000, RATE, 1, START_UTC, START_UTC + lasted + 3600 * 10**9,
        ((80_000, 5 * 10**9), (120_000, 3600 * 10**9)), (),
    )  # fmt: skip
    told = recording.utc_ns(np.array([79_992, 80_000, 119_992, 120_000, 160_000])) - START_UTC
    hour = 3600 * 10**9
    assert told.tolist() == [-1_000_000, 0, 4_999_000_500, hour + lasted // 2, hour + lasted]


def test_the_clock_stepped_while_it_recorded(tmp_path: Path) -> None:
    with capture(np.random.default_rng(7)) as captured:
        writer = recorder(captured, tmp_path, None, after=WAV)
        for at in range(60):
            captured.hear(0.1)
            captured.utc_ns += 3600 * 10**9 if at == 30 else 0
            writer.step(captured.now)
        writer.finish(captured.now)
        while writer.chores:
            writer.chores.step(captured.monotonic_ns)
    (store,) = opened(tmp_path)
    utc_ns = store.time.values.astype(np.int64) - store["sample"].values * 10**9 // RATE
    assert set(np.round((utc_ns - START_UTC) / 1e9, 3)) == {0, 3600}


def test_the_picture_holds_the_codes_of_the_store(bare: Path) -> None:
    draw(bare)
    (store,) = opened(bare.parent)
    with Image.open(bare.with_suffix(".png")) as picture:
        pixels, said = np.asarray(picture), json.loads(picture.info["realtime"])
        palette = np.array(picture.getpalette()).reshape(-1, 3)
    n_bins = len(store.frequency)
    for channel, codes in enumerate(codes_of(store)):
        pane = pixels[channel * n_bins :][:n_bins]
        assert np.array_equal(pane[::-1].T, codes)
    assert (said["low"], said["step"], said["start"]) == (LOW_DB, STEP_DB, 0)
    brightness = palette.sum(axis=1)
    assert (np.diff(brightness[40:241]) >= 0).all() and brightness[40] < 10 < 600 < brightness[240]


def test_a_picture_shows_the_loudest_of_many_cells_in_few_pixels(rng) -> None:
    shape = (3, 2 * WIDEST + 17, TALLEST + 5)
    overview = Overview(*shape)
    codes = np.zeros(shape, np.uint8)
    codes[1, 4001, 1000], codes[1, 4002, 1000] = 200, 100  # in one pixel
    codes[2, -1, -1] = 250
    cuts = [0, 0, *sorted([*rng.integers(0, shape[1], 20), 4002]), shape[1]]
    for a, b in pairwise(cuts):
        overview.append(codes[:, a:b])
    pixels = overview._pixels
    rows = TALLEST // 3
    assert pixels.shape == (3, WIDEST, rows)
    lit = {tuple(map(int, at)): int(pixels[tuple(at)]) for at in np.argwhere(pixels)}
    x, y = 4001 * WIDEST // shape[1], 1000 * rows // shape[2]
    assert lit == {(1, x, y): 200, (2, WIDEST - 1, rows - 1): 250}


@pytest.mark.parametrize("after", [WAV, FLAC], ids=["wav", "flac"])
def test_the_sidecar_lists_them_and_retention_takes_all(
    tmp_path: Path, after: list[Callable]
) -> None:
    record(tmp_path, 1.0, after=after)
    for values in sidecars(tmp_path):
        suffixes = [name.split(".")[1] for name in values["files"]]
        assert suffixes == ["wav" if after == WAV else "flac", "zarr", "png"]
        assert list(values["bytes"]) == values["files"] and values["complete"]
        store = tmp_path / values["files"][1]
        sizes = [path.stat().st_size for path in store.rglob("*") if path.is_file()]
        assert values["bytes"][store.name] == sum(sizes)
    own, left = list_recordings(tmp_path)
    assert len(own) == 3 and not left
    for recording in own:
        delete_recording(tmp_path, recording.name)
    assert not list(tmp_path.iterdir())


def test_what_has_no_columns_is_found_again(tmp_path: Path) -> None:
    record(tmp_path, 1.0, after=[])
    found = undrawn(tmp_path)
    assert found == bases(tmp_path)
    draw(found[1])
    assert undrawn(tmp_path) == [found[0], found[2]]
    before = contents(tmp_path)
    draw(found[1])
    assert contents(tmp_path) == before


def test_what_was_not_to_have_columns_is_not_found(tmp_path: Path) -> None:
    with capture(np.random.default_rng(7)) as captured:
        writer = recorder(captured, tmp_path, settings={"record.spectrogram": False})
        captured.hear(1)
        writer.step(captured.now)
        writer.finish(captured.now)
    (tmp_path / "odd.json").write_text(sidecar.text_of({"settings": 5, "complete": True}))
    (tmp_path / "other.json").write_text("{}")
    assert undrawn(tmp_path) == []


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = """
import sys, realtime.recording.store
print([name for name in ("zarr", "PIL", "cmap", "scipy", "soundfile") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_without_the_library_a_sentence_says_what_to_install(bare: Path, monkeypatch) -> None:
    load_libraries()
    monkeypatch.setitem(sys.modules, "zarr", None)
    monkeypatch.setitem(sys.modules, "zarr.storage", None)
    with pytest.raises(MissingDependency, match=r"pip install 'realtime-spectrogram\[record\]'"):
        load_libraries()
    with pytest.raises(MissingDependency):
        draw(bare)
