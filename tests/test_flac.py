"""A WAV becomes FLAC, and is lost in no case in which the FLAC is not the same."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from disks import loop_disk, tmpfs
from readers import read_by_all
from wavs import METADATA, RATE, as_bytes, sound, write_file

from realtime.errors import RecordingError
from realtime.recording import flac as flac_module
from realtime.recording.flac import FlacSealing
from realtime.recording.wav import WavWriter

SLICE = 1000


def digest_of(block: np.ndarray, depth: int) -> str:
    return hashlib.sha256(as_bytes(block, depth)).hexdigest()


def finish(sealing: FlacSealing, n_samples: int = SLICE) -> int:
    """How many steps it took."""
    steps = 1
    while not sealing.advance(n_samples):
        steps += 1
    sealing.close()
    return steps


@pytest.fixture
def wav(tmp_path, rng) -> Path:
    """Half a second of 24-bit stereo."""
    write_file(tmp_path / "a.wav", sound(rng, RATE // 2))
    return tmp_path / "a.wav"


@pytest.mark.parametrize("depth", [16, 24])
@pytest.mark.parametrize("n_channels", [1, 2, 8])
def test_all_readers_read_the_samples_of_the_wav(tmp_path, rng, depth, n_channels):
    block = sound(rng, 5001, n_channels)
    block[:100] = -1.0
    write_file(tmp_path / "a.wav", block, depth)
    sealing = FlacSealing(tmp_path / "a.wav", tmp_path / "a.flac")
    assert finish(sealing) >= 2 * 5  # encoded and checked a slice at a time
    assert sealing.digest == digest_of(block, depth)
    assert read_by_all(tmp_path / "a.flac", depth) == as_bytes(block, depth)
    assert soundfile.info(tmp_path / "a.flac").subtype == f"PCM_{depth}"
    assert read_by_all(tmp_path / "a.wav", depth) == as_bytes(block, depth)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "a.wav"]


@pytest.mark.parametrize("n_samples", [1, SLICE // 3, SLICE, 10 * SLICE])
def test_the_samples_do_not_depend_on_the_size_of_the_slices(tmp_path, rng, n_samples):
    block = sound(rng, SLICE)
    write_file(tmp_path / "a.wav", block)
    sealing = FlacSealing(tmp_path / "a.wav", tmp_path / "a.flac", digest_of(block, 24))
    finish(sealing, n_samples)
    assert read_by_all(tmp_path / "a.flac", 24) == as_bytes(block, 24)


def test_tags_are_there_for_other_programs(tmp_path, wav):
    tags = {"title": "20240506T125320Z", "date": "2024-05-06T12:53:20Z", "comment": "Möwe"}
    finish(FlacSealing(wav, tmp_path / "a.flac", tags=tags))
    command = ["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json"]
    result = subprocess.run([*command, tmp_path / "a.flac"], check=True, capture_output=True)
    read = json.loads(result.stdout)["format"]["tags"]
    assert {name.lower(): value for name, value in read.items()}.items() >= tags.items()


def test_the_name_is_given_only_at_the_end_and_nothing_is_left_of_an_attempt(tmp_path, wav):
    sealing = FlacSealing(wav, tmp_path / "a.flac")
    done = False
    while not done:
        assert not (tmp_path / "a.flac").exists()
        done = sealing.advance(SLICE)
    assert (tmp_path / "a.flac").exists()
    assert sealing.advance(SLICE)  # and stays done
    sealing.close()
    sealing.close()
    for steps in (0, 1, 10, 40):
        other = FlacSealing(wav, tmp_path / "b.flac")
        for _ in range(steps):
            assert not other.advance(SLICE)
        other.close()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "a.wav"]


def test_a_wav_that_is_no_longer_what_was_recorded_gives_no_flac(tmp_path, rng, wav):
    digest = digest_of(sound(rng, 10), 24)
    sealing = FlacSealing(wav, tmp_path / "a.flac", digest)
    with pytest.raises(RecordingError, match=r"a\.wav' no longer holds the samples"):
        finish(sealing)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_flac_that_decodes_to_something_else_is_removed(tmp_path, wav, monkeypatch):
    def write_wrongly(self: flac_module._Sound, block: np.ndarray) -> None:
        block = block.copy()
        block[0, 0] ^= 256
        right(self, block)

    right = flac_module._Sound.write
    monkeypatch.setattr(flac_module._Sound, "write", write_wrongly)
    sealing = FlacSealing(wav, tmp_path / "a.flac")
    with pytest.raises(RecordingError, match="does not hold the same samples, so the WAV stays"):
        finish(sealing)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_bit_that_flips_on_the_disk_is_found(tmp_path, wav):
    sealing = FlacSealing(wav, tmp_path / "a.flac")
    new = tmp_path / "a.flac.tmp"
    assert not sealing.advance(RATE)  # all is encoded,
    assert not sealing.advance(RATE)  # and on the disk
    raw = bytearray(new.read_bytes())
    raw[len(raw) // 2] ^= 1
    new.write_bytes(raw)
    with pytest.raises(RecordingError):
        finish(sealing)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


@pytest.mark.parametrize(
    ("form", "n_samples", "sentence"),
    [
        ((RATE, 2, 32), 10, "holds samples as FLOAT, and FLAC only integers: record 16 or 24"),
        ((RATE, 9, 24), 10, "has 9 channels at 48000 Hz, and FLAC takes up to 8"),
        ((768_000, 1, 24), 10, "has 1 channels at 768000 Hz, and FLAC takes up to 8 and 655350"),
        ((RATE, 2, 24), 0, "holds no sample"),
    ],
)
def test_what_flac_cannot_hold_is_refused_before_anything_is_made(
    tmp_path, rng, form: tuple[int, int, int], n_samples, sentence
):
    writer = WavWriter(tmp_path / "a.wav", *form, METADATA)
    writer.write(sound(rng, n_samples, form[1]))
    writer.close()
    with pytest.raises(RecordingError, match=sentence):
        FlacSealing(tmp_path / "a.wav", tmp_path / "a.flac")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_a_file_that_is_no_sound_is_refused_and_one_that_is_missing_is_the_disks_affair(tmp_path):
    (tmp_path / "a.wav").write_text("dear diary " * 1000)
    with pytest.raises(RecordingError, match=r"a\.wav' cannot be read or written as sound"):
        FlacSealing(tmp_path / "a.wav", tmp_path / "a.flac")
    with pytest.raises(FileNotFoundError):
        FlacSealing(tmp_path / "b.wav", tmp_path / "a.flac")


def test_a_full_disk_is_told_as_what_it_is_and_the_next_attempt_succeeds(tmp_path, rng):
    block = sound(rng, 200_000)
    write_file(tmp_path / "a.wav", block)
    with tmpfs(tmp_path / "disk", "1m") as disk:
        (disk / "ballast").write_bytes(bytes(500_000))
        sealing = FlacSealing(tmp_path / "a.wav", disk / "a.flac")
        with pytest.raises(OSError, match="No space") as caught:
            finish(sealing, 10_000)
        assert caught.value.errno == errno.ENOSPC
        assert [path.name for path in disk.iterdir()] == ["ballast"]
        (disk / "ballast").unlink()
        finish(FlacSealing(tmp_path / "a.wav", disk / "a.flac"), 10_000)
        assert read_by_all(disk / "a.flac", 24) == as_bytes(block, 24)


def test_a_flac_that_is_done_survives_a_power_cut_and_the_wav_may_go(tmp_path, rng):
    block = sound(rng, 20_000)
    with loop_disk(tmp_path / "disk", 32) as disk:
        write_file(disk.folder / "a.wav", block)
        finish(FlacSealing(disk.folder / "a.wav", disk.folder / "a.flac"))
        (disk.folder / "a.wav").unlink()
        disk.cut_power()
        disk.restore_power()
        assert read_by_all(disk.folder / "a.flac", 24) == as_bytes(block, 24)
