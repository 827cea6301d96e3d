"""Files of 4 GiB and more."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
import writing_child
from readers import READERS, count_by_all, count_by_two, digests_by_all, read_by_all
from wavs import FORMATS, as_bytes, head_of, new_writer, sound

from realtime.recording import durable, riff, wav
from realtime.recording.riff import HEADER_BYTES
from realtime.recording.wav import WavWriter, repair

BEFORE = (2**32 - HEADER_BYTES) // 6 - 1000
"""Samples of 24-bit stereo, a thousand before RIFF ends."""


SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


def start_near_the_limit(path: Path) -> WavWriter:
    """A file with a hole in it, as long as if the stream had begun `BEFORE` samples earlier."""
    writer = new_writer(path)
    writer.n_samples = BEFORE
    return writer


def tail(path: Path) -> bytes:
    values, _ = soundfile.read(path, dtype="int32", start=BEFORE)
    return values.reshape(-1, 1).view(np.uint8)[:, 1:].tobytes()


def test_a_file_becomes_rf64_as_it_passes_4_gib(tmp_path, rng):
    """Without sox, which reads an RF64 of this size from end to end to tell its length."""
    path, block = tmp_path / "a.wav", sound(rng, 2000)
    writer = start_near_the_limit(path)
    for start in range(0, 2000, 100):
        writer.write(block[start : start + 100])
        assert count_by_two(path) == [BEFORE + start + 100] * 2
        assert tail(path) == as_bytes(block[: start + 100], 24)
    assert head_of(path)[:16] == b"RF64\xff\xff\xff\xffWAVEds64"
    writer.close()
    assert count_by_two(path) == [BEFORE + 2000] * 2
    assert tail(path) == as_bytes(block, 24)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_all_three_read_five_gigabytes_without_a_hole(tmp_path):
    n_blocks, n = 1800, 480_000
    assert shutil.disk_usage(tmp_path).free > 8 << 30
    path = tmp_path / "a.wav"
    writer = new_writer(path)
    try:
        for k in range(n_blocks):
            writer.write(writing_child.samples(k * n, (k + 1) * n))
            writer.sync()
        writer.close()
        assert count_by_all(path) == [n_blocks * n] * 3
        assert digests_by_all(path, 24) == [writer.digest] * 3
    finally:
        path.unlink()


@pytest.fixture
def small_riff(monkeypatch):
    """RIFF ends at 20 kB here, so that all readers read all samples in no time."""
    monkeypatch.setattr(riff, "RIFF_MOST", 20_000)


@pytest.mark.parametrize(("depth", "n_channels"), FORMATS)
@pytest.mark.usefixtures("small_riff")
def test_every_reader_reads_rf64_before_and_after_the_seal(tmp_path, rng, depth, n_channels):
    path, block = tmp_path / "a.wav", sound(rng, 20_001, n_channels)
    writer = new_writer(path, depth, n_channels)
    writer.write(block[:10_000])
    assert read_by_all(path, depth) == as_bytes(block[:10_000], depth)
    writer.write(block[10_000:])
    writer.close()
    assert head_of(path)[:4] == b"RF64"
    assert read_by_all(path, depth) == as_bytes(block, depth)


def torn(before: bytes, after: bytes) -> list[bytes]:
    """What may lie there when the power goes while a disk writes `after` over `before`."""
    sectors = [slice(at, at + SECTOR) for at in range(0, len(before), SECTOR)]
    changed = [sector for sector in sectors if before[sector] != after[sector]]
    states = []
    for written in itertools.product([False, True], repeat=len(changed)):
        state = bytearray(before)
        for sector, is_written in zip(changed, written, strict=True):
            if is_written:
                state[sector] = after[sector]
        states.append(bytes(state))
    return states


@pytest.mark.usefixtures("small_riff")
def test_whatever_a_cut_leaves_of_the_change_to_rf64_is_readable(tmp_path, rng, monkeypatch):
    """Every state in which a write was done for some sectors of the disk and not for others, as
    long as the write before it was synced."""
    path, block = tmp_path / "a.wav", sound(rng, 4000)
    writer = new_writer(path)
    writer.write(block[:1000])
    headers, put, sync, steps = [head_of(path)], wav._put, durable.sync, []

    def put_and_note(file: io.FileIO, at: int, data: bytes) -> None:
        put(file, at, data)
        if at == 0:
            headers.append(head_of(path))
        steps.append("header" if at == 0 else "data")

    def sync_and_note(fd: int) -> None:
        sync(fd)
        steps.append("sync")

    monkeypatch.setattr(wav, "_put", put_and_note)
    monkeypatch.setattr(durable, "sync", sync_and_note)
    writer.write(block[1000:])
    monkeypatch.undo()
    writer.abandon()
    assert steps == ["data", "header", "sync", "header"]
    states = {state for pair in itertools.pairwise(headers) for state in torn(*pair)}
    assert len(states) == 3  # RIFF, RF64 with the old size before the data, RF64
    everything = path.read_bytes()[HEADER_BYTES:]
    for state in states:
        path.write_bytes(state + everything)
        n = 1000 if state[:4] == b"RIFF" else 4000
        *others, by_sox = (read(path, 24) for read in READERS)
        assert others == [as_bytes(block[:n], 24)] * 2
        assert by_sox in (as_bytes(block[:1000], 24), as_bytes(block, 24))  # believes the old size
        assert repair(path).n_samples == n
        assert read_by_all(path, 24) == as_bytes(block[:n], 24)


def test_an_rf64_cut_back_below_4_gib_becomes_riff_again(tmp_path, rng):
    path = tmp_path / "a.wav"
    writer = start_near_the_limit(path)
    writer.write(sound(rng, 2000))
    writer.abandon()
    os.truncate(path, HEADER_BYTES + 1000 * 6 + 1)
    assert repair(path).n_samples == 1000
    assert read_by_all(path, 24) == bytes(6000)
    assert head_of(path)[:16] == b"RIFF" + struct.pack("<I", 4088 + 6000) + b"WAVEJUNK"
