"""A file that was not sealed, in every state in which a kill or a power cut may leave it."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import guano
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from readers import read_by_all
from wavs import FORMATS, RATE, as_bytes, in_any_folder, new_writer, sound, write_file

from realtime.errors import RecordingError
from realtime.recording.riff import HEADER_BYTES
from realtime.recording.wav import repair

N = 5001
"""Samples. Odd, so that data of 24-bit mono is of odd length and needs a byte behind it."""


def fixed() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def part(tmp_path, rng) -> Path:
    """24-bit mono, abandoned."""
    writer = new_writer(tmp_path / "a.part.wav", 24, 1)
    writer.write(sound(rng, N, 1))
    writer.abandon()
    return tmp_path / "a.part.wav"


def put(path: Path, at: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def claim(path: Path, n_bytes: int) -> None:
    """As the header stood at an earlier moment."""
    put(path, 4, struct.pack("<I", HEADER_BYTES - 8 + n_bytes))
    put(path, HEADER_BYTES - 4, struct.pack("<I", n_bytes))


@pytest.mark.parametrize(
    ("damage", "n_left", "n_cut"),
    [
        (lambda path: None, N, 0),
        (lambda path: claim(path, 3 * 4000), 4000, 3 * 1001),
        (lambda path: claim(path, 0), 0, 3 * N),
        (lambda path: os.truncate(path, HEADER_BYTES + 3 * 4000), 4000, 0),
        (lambda path: os.truncate(path, HEADER_BYTES + 3 * 4000 + 2), 4000, 2),
        (lambda path: os.truncate(path, HEADER_BYTES), 0, 0),
        (lambda path: append(path, bytes(10_000)), N, 9999),
        (lambda path: append(path, b"\xff" * 10_000), N, 9999),
        (lambda path: claim(path, 3 * N + 9000) or append(path, b"\0"), N, 0),
    ],
    ids=[
        "sealed by no one",
        "the header claims less than there is",
        "the header claims nothing yet",
        "the header claims more than there is",
        "torn in a sample",
        "torn behind the header",
        "zeros behind the claim",
        "noise behind the claim",
        "the claim was written, and of the data one byte",
    ],
)
def test_what_the_header_claims_and_the_file_holds_is_kept(
    part, rng, damage: Callable[[Path], None], n_left, n_cut
):
    data = part.read_bytes()[HEADER_BYTES:]
    damage(part)
    repaired = repair(part)
    assert (repaired.n_samples, repaired.n_cut) == (n_left, n_cut)
    assert repaired.format.sample_rate == RATE
    assert read_by_all(part, 24) == data[: 3 * n_left]
    assert part.stat().st_size == HEADER_BYTES + 3 * n_left + n_left % 2
    assert guano.GuanoFile(str(part))["Length"] == pytest.approx(n_left / RATE, abs=1e-6)
    sealed = part.read_bytes()
    assert repair(part).n_cut == 0
    assert part.read_bytes() == sealed


@pytest.mark.parametrize(("depth", "n_channels"), FORMATS)
def test_a_repaired_file_is_the_same_as_one_that_was_closed(tmp_path, rng, depth, n_channels):
    block = sound(rng, N, n_channels)
    closed, abandoned = tmp_path / "closed.wav", tmp_path / "abandoned.wav"
    write_file(closed, block, depth)
    writer = new_writer(abandoned, depth, n_channels)
    writer.write(block)
    writer.abandon()
    form = repair(abandoned).format
    assert (form.depth, form.n_channels) == (depth, n_channels)
    assert abandoned.read_bytes() == closed.read_bytes()
    repair(closed)
    assert abandoned.read_bytes() == closed.read_bytes()


@pytest.mark.parametrize(("most", "n_left"), [(0, 0), (1234, 1234), (N, N), (10**9, N)])
def test_no_more_is_kept_than_may_be_trusted(part, most, n_left):
    data = part.read_bytes()[HEADER_BYTES:]
    assert repair(part, most).n_samples == n_left
    assert read_by_all(part, 24) == data[: 3 * n_left]


@in_any_folder
@given(size=st.integers(0, HEADER_BYTES + 3 * N), claimed=st.integers(0, 2**32 - 2 * HEADER_BYTES))
def test_wherever_the_file_ends_and_whatever_it_claims_whole_samples_are_left(
    tmp_path, size, claimed
):
    path = tmp_path / "a.wav"
    writer = new_writer(path, 24, 1)
    data = as_bytes(sound(fixed(), N, 1), 24)
    writer.write(sound(fixed(), N, 1))
    writer.abandon()
    claim(path, claimed)
    os.truncate(path, size)
    try:
        n = repair(path).n_samples
    except RecordingError:
        assert size < HEADER_BYTES
        assert path.stat().st_size == size
    else:
        assert n == min(claimed // 3, (size - HEADER_BYTES) // 3)
        assert soundfile.info(path).frames == n
        assert path.read_bytes()[HEADER_BYTES : HEADER_BYTES + 3 * n] == data[: 3 * n]
    path.unlink()


@in_any_folder
@given(at=st.integers(0, HEADER_BYTES - 8), damage=st.binary(min_size=1, max_size=8))
def test_a_damaged_header_is_refused_and_left_alone_or_the_file_becomes_readable(
    tmp_path, at, damage
):
    path = tmp_path / "a.wav"
    write_file(path, sound(fixed(), 100))
    put(path, at, damage)
    before = path.read_bytes()
    try:
        n = repair(path).n_samples
    except RecordingError:
        assert path.read_bytes() == before
    else:
        assert soundfile.info(path).frames == n
    path.unlink()


def other_wav(path: Path) -> None:
    soundfile.write(path, sound(fixed(), 5000), RATE, subtype="PCM_24")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.touch(),
        lambda path: path.write_bytes(b"RIFF"),
        lambda path: path.write_bytes(bytes(100_000)),
        lambda path: path.write_bytes(b"dear diary " * 1000),
        other_wav,
        lambda path: write_file(path, sound(fixed(), 10)) or put(path, 0, bytes(HEADER_BYTES)),
    ],
    ids=["empty", "torn", "zeros", "text", "another program's", "header never written"],
)
def test_what_is_no_file_of_ours_is_refused_in_one_sentence_and_left_alone(tmp_path, make):
    path = tmp_path / "a.wav"
    make(path)
    before = path.read_bytes()
    with pytest.raises(RecordingError, match=r"a\.wav' does not begin like a recording of this"):
        repair(path)
    assert path.read_bytes() == before


def test_a_file_that_is_not_there_is_the_disks_affair(tmp_path):
    with pytest.raises(FileNotFoundError):
        repair(tmp_path / "a.wav")
