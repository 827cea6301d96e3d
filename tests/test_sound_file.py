"""What a command writes is what was made, to the last bit that the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.commands.sound_file import FORMATS, HELD, write_sound
from realtime.errors import RealtimeError, RequestError
from realtime.replacing import replacing

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
    def pieces() -> Iterator[np.ndarray]:
        yield np.zeros((9, 1))
        raise OSError(28, "No space left on device")

    out = tmp_path / "x.mp3"
    out.write_bytes(b"before")
    with pytest.raises(RealtimeError, match="No space left on device"):
        write_sound(out, pieces(), RATE, 1, "24")
    assert out.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["x.mp3"]


@pytest.mark.parametrize(
    ("name", "sample_rate", "n_channels"),
    [("x.ogg", 384_000, 1), ("x.mp3", 96_000, 1), ("x.mp3", RATE, 3), ("x.flac", RATE, 9)],
)
def test_a_sound_that_such_a_file_cannot_hold_is_refused_before_it_is_made(
    tmp_path: Path, name: str, sample_rate: int, n_channels: int
) -> None:
    """libsndfile would die of the first, in the middle."""
    made = iter([np.zeros((9, n_channels))])
    with pytest.raises(RequestError, match=r"cannot hold .*name a \.wav"):
        write_sound(tmp_path / name, made, sample_rate, n_channels, "24")
    assert len(list(made)) == 1 and not list(tmp_path.iterdir())


def test_a_name_may_be_as_long_as_a_name_can_be(tmp_path: Path) -> None:
    out = tmp_path / ("x" * 251 + ".wav")
    write_sound(out, [np.zeros((9, 1))], RATE, 1, "24")
    assert list(tmp_path.iterdir()) == [out]
    with (
        pytest.raises(RealtimeError, match="File name too long"),
        replacing(tmp_path / ("x" * 252 + ".png")) as new,
    ):
        new.touch()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["x.ogg", "x.mp3", "x.flac", "x.wav"])
def test_what_is_said_to_fit_fits(tmp_path: Path, name: str) -> None:
    most, rates, _ = HELD[FORMATS[Path(name).suffix]]
    for sample_rate in (8000, 48_000, 192_000, 200_000, 384_000):
        if sample_rate in rates:
            for n_channels in (1, most):
                sound = np.zeros((99, n_channels), np.float32)
                write_sound(tmp_path / name, [sound], sample_rate, n_channels, "24")
                info = soundfile.info(tmp_path / name)
                assert (info.samplerate, info.channels) == (sample_rate, n_channels)


def test_a_disk_that_is_read_only_is_a_sentence(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """There even taking away what is not there is refused."""

    def refuse(*args: object, **more: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(RealtimeError, match="Read-only file system"):
        write_sound(tmp_path / "x.wav", [np.zeros((9, 1))], RATE, 1, "24")
    with (
        pytest.raises(RealtimeError, match="Read-only file system"),
        replacing(tmp_path / "x.png") as new,
    ):
        new.touch()


def test_what_is_too_long_for_a_wav_becomes_rf64_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """With a WAV that ends at 30 kB instead of 4 GB."""
    monkeypatch.setattr("realtime.commands.sound_file.WAV_BYTES", 30_000)
    pieces = [rng.integers(-9, 9, (3000, 2)).astype(np.int16)] * 3
    write_sound(tmp_path / "x.wav", pieces, RATE, 2, "16", expected=9000)
    assert (tmp_path / "x.wav").read_bytes()[:4] == b"RF64"
    assert np.array_equal(
        soundfile.read(tmp_path / "x.wav", dtype="int16")[0], np.concatenate(pieces)
    )
    with pytest.raises(RealtimeError, match=r"longer than a WAV can be \(4 GB\): name a \.flac"):
        write_sound(tmp_path / "y.wav", pieces, RATE, 2, "16")
    assert not (tmp_path / "y.wav").exists()
