from __future__ import annotations

import hashlib
import struct
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from readers import count_by_all, read_by_all
from wavs import FORMATS, METADATA, RATE, as_bytes, in_any_folder, new_writer, sound, write_file

from realtime.recording.riff import HEADER_BYTES
from realtime.recording.wav import SLICE_VALUES, WavWriter


@pytest.mark.parametrize(("depth", "n_channels"), FORMATS)
def test_every_reader_reads_the_samples_before_and_after_the_seal(tmp_path, rng, depth, n_channels):
    path, block = tmp_path / "a.wav", sound(rng, 2 * SLICE_VALUES // n_channels + 1, n_channels)
    writer = new_writer(path, depth, n_channels)
    half = len(block) // 2
    writer.write(block[:half])
    assert read_by_all(path, depth) == as_bytes(block[:half], depth)
    writer.write(block[half:])
    writer.sync()
    assert read_by_all(path, depth) == as_bytes(block, depth)
    writer.close()
    assert read_by_all(path, depth) == as_bytes(block, depth)
    assert writer.digest == hashlib.sha256(as_bytes(block, depth)).hexdigest()
    assert count_by_all(path) == [len(block)] * 3
    info = soundfile.info(path)
    assert (info.samplerate, info.channels) == (RATE, n_channels)
    assert path.stat().st_size % 2 == 0


@pytest.mark.parametrize(("depth", "n_channels"), FORMATS)
def test_the_chunks_are_as_the_standard_asks(tmp_path, rng, depth, n_channels):
    path, n = tmp_path / "a.wav", 1001
    write_file(path, sound(rng, n, n_channels), depth)
    raw = path.read_bytes()
    assert int.from_bytes(raw[4:8], "little") == len(raw) - 8
    plain = {16: "WAVE_FORMAT_PCM", 24: "WAVE_FORMAT_PCM", 32: "WAVE_FORMAT_IEEE_FLOAT"}[depth]
    with soundfile.SoundFile(path) as file:
        assert ("WAVE_FORMAT_EXTENSIBLE" if n_channels > 2 else plain) in file.extra_info
    if depth == 32:
        at = raw.index(b"fact")
        assert raw[at + 4 : at + 12] == struct.pack("<II", 4, n)
    else:
        assert b"fact" not in raw[:HEADER_BYTES]
    if depth < 32 and n_channels <= 2:  # Python's own reader, and all that build on it
        with wave.open(str(path)) as file:
            assert file.getparams()[:4] == (n_channels, depth // 8, RATE, n)


@pytest.mark.parametrize("depth", [16, 24, 32])
def test_a_file_is_readable_before_its_first_sample(tmp_path, depth):
    writer = new_writer(tmp_path / "a.wav", depth)
    assert read_by_all(tmp_path / "a.wav", depth) == b""
    writer.close()
    assert read_by_all(tmp_path / "a.wav", depth) == b""


@in_any_folder
@given(
    depth=st.sampled_from([16, 24, 32]),
    n_channels=st.integers(1, 5),
    cuts=st.lists(st.integers(0, 9000), max_size=5),
    syncs=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_the_file_does_not_depend_on_how_writes_and_syncs_are_cut(
    tmp_path, depth, n_channels, cuts, syncs
):
    block = sound(np.random.default_rng(7), 9000, n_channels)
    whole, cut = tmp_path / "whole.wav", tmp_path / "cut.wav"
    write_file(whole, block, depth)
    writer = new_writer(cut, depth, n_channels)
    for part, sync in zip(np.split(block, sorted(cuts)), syncs, strict=False):
        writer.write(part)
        assert writer.n_synced <= writer.n_samples
        if sync:
            writer.sync()
            assert writer.n_synced == writer.n_samples
    writer.close()
    assert cut.read_bytes() == whole.read_bytes()
    whole.unlink(), cut.unlink()


def test_a_block_of_any_layout_in_memory_is_written_in_order(tmp_path, rng):
    block = sound(rng, 1000, 4)
    write_file(tmp_path / "a.wav", np.asfortranarray(block)[::2, 1::2])
    assert read_by_all(tmp_path / "a.wav", 24) == as_bytes(block[::2, 1::2], 24)


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "a.wav").write_text("dear")
    with pytest.raises(FileExistsError):
        new_writer(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_text() == "dear"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ((48_000, 2, 20), "a depth of 20 bits is none of 16, 24 and 32"),
        ((48_000, 0, 24), "0 channels do not fit"),
        ((48_000, 20_000, 24), "20000 channels do not fit into a WAV file: record 1 to 16383"),
        ((0, 2, 24), "a sample rate of 0 Hz"),
    ],
)
def test_what_a_wav_cannot_hold_is_refused_and_no_file_made(
    tmp_path, form: tuple[int, int, int], sentence
):
    with pytest.raises(ValueError, match=sentence):
        WavWriter(tmp_path / "a.wav", *form, METADATA)
    assert not (tmp_path / "a.wav").exists()


def test_closing_twice_and_abandoning_after_it_do_nothing(tmp_path, rng):
    writer = new_writer(tmp_path / "a.wav")
    writer.write(sound(rng, 100))
    writer.close()
    before = (tmp_path / "a.wav").read_bytes()
    writer.close()
    writer.abandon()
    assert (tmp_path / "a.wav").read_bytes() == before
