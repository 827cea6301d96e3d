"""What a command writes is what was made, to the last bit that the file holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.commands.sound_file import write_sound
from realtime.errors import RealtimeError

RATE = 48000


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("depth", ["16", "24"])
def test_whole_numbers_are_written_as_they_were_read(
    tmp_path: Path, suffix: str, depth: str, rng: np.random.Generator
) -> None:
    """As int16, and as the floats that a reader makes of so many bits."""
    full = 1 << (int(depth) - 1)
    whole = rng.integers(-full, full, (200_000, 2))
    whole[:4, 0] = -full, full - 1, 1, 0
    out = tmp_path / f"x{suffix}"
    write_sound(out, [(whole / full).astype(np.float32)], RATE, 2, depth)
    read = np.right_shift(soundfile.read(out, dtype="int32")[0], 32 - int(depth))
    assert np.array_equal(read, whole)
    few = (whole >> (int(depth) - 16)).astype(np.int16)
    write_sound(out, [few], RATE, 2, depth)
    assert np.array_equal(soundfile.read(out, dtype="int16")[0], few)


@pytest.mark.parametrize("name", ["x.ogg", "x.mp3", "x.wav"])
def test_int16_is_as_loud_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 997 / RATE * np.arange(RATE))[:, None]
    whole = np.rint(tone * 32768).astype(np.int16)
    write_sound(tmp_path / name, [whole[:9999], whole[9999:]], RATE, 1, "24")
    read = soundfile.read(tmp_path / name)[0]
    assert np.std(read) == pytest.approx(np.std(tone), rel=0.02)


def test_what_is_louder_than_the_file_can_say_is_held_at_its_ends(tmp_path: Path) -> None:
    loud = np.array([[2.0], [-2.0], [1.0], [-1.0]])
    write_sound(tmp_path / "x.wav", [loud], RATE, 1, "16")
    read = soundfile.read(tmp_path / "x.wav", dtype="int16")[0]
    assert read.tolist() == [32767, -32768, 32767, -32768]


def test_a_file_that_was_there_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    out = tmp_path / "x.mp3"
    out.write_bytes(b"before")
    with pytest.raises(RealtimeError, match="cannot be written"):
        write_sound(out, [np.zeros((9, 12))], RATE, 12, "24")
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp3"]
