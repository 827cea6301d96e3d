"""`realtime invert`: whatever the picture, a sound, or one sentence that says why not."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from realtime.cli import main
from realtime.recording.overview import Overview

RATE = 22050


def heard(path: Path) -> tuple[np.ndarray, int]:
    return soundfile.read(path)


def peak_hz(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """One row of 513 is bright: 2000 Hz of an STFT at 16000 Hz."""
    rows = np.zeros((513, 126), np.uint8)
    rows[512 - 128] = 255
    Image.fromarray(rows).save(tmp_path / "bare.png")
    return tmp_path / "bare.png"


def test_a_bare_picture_is_heard_and_what_was_guessed_is_said(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.wav"
    assert main(["invert", str(bare), "--bare", "--sample-rate", "16000", "-o", str(out)]) == 0
    said = capsys.readouterr().err
    assert "read as stft, 513 bins, 16000 Hz, hop 256, -80 to 0 dB\n" in said
    guesses = "--colormap gray, --db-low -80, --db-high 0, --kind stft, --n-fft 1024, --hop 256"
    assert f"guessed {guesses}: give what is otherwise" in said
    samples, rate = heard(out)
    assert (rate, len(samples)) == (16000, 125 * 256)
    assert peak_hz(samples, rate) == pytest.approx(2000, abs=8)


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3"])
def test_every_kind_of_sound_file_is_written(bare: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    assert main(["invert", str(bare), "--bare", "--kind", "stft", "-o", str(out)]) == 0
    samples, rate = heard(out)
    assert rate == RATE and peak_hz(samples, rate) == pytest.approx(RATE / 8, abs=10)


def test_a_drawing_is_heard_where_it_was_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line from the lower left to the upper right rises."""
    picture, out = tmp_path / "line.png", tmp_path / "line.wav"
    rows = np.zeros((100, 200), np.uint8)
    for column in range(200):
        rows[99 - column // 2, column] = 255
    Image.fromarray(rows).save(picture)
    asked = ["--image", "--fmin", "1000", "--fmax", "5000", "--seconds", "2", "--gamma", "1"]
    assert main(["invert", str(picture), "-o", str(out), *asked, "--report", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["from"] == "drawing"
    samples, rate = heard(out)
    assert (rate, len(samples)) == (44100, 88200)
    for share in (0.25, 0.5, 0.75):
        at = int(share * len(samples))
        found = peak_hz(samples[at - 1024 : at + 1024], rate)
        assert found == pytest.approx(1000 + share * 4000, abs=60)


def test_ink_on_paper_is_heard_as_its_negative(tmp_path: Path) -> None:
    rows = np.zeros((60, 80), np.uint8)
    rows[30] = 255
    Image.fromarray(rows).save(tmp_path / "light.png")
    Image.fromarray(255 - rows).save(tmp_path / "ink.png")
    for name, *more in (("light",), ("ink", "--negative")):
        asked = [str(tmp_path / f"{name}.png"), "-o", str(tmp_path / f"{name}.wav")]
        assert main(["invert", *asked, "--image", "--seconds", "1", *more]) == 0
    assert np.array_equal(heard(tmp_path / "light.wav")[0], heard(tmp_path / "ink.wav")[0])


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (["P"], ["name the file to write: -o FILE.wav"]),
        (["P", "-o", "x.txt"], ["-o 'x.txt' must end in one of .wav, .flac, .ogg, .mp3"]),
        (["no.png", "-o", "x.wav"], ["no.png does not exist"]),
        (["P", "-o", "x.wav"], ["P.png: no axes were found"]),
        (["P", "-o", "x.wav", "--hop", "9.5"], ["--hop = '9.5' must be a whole number"]),
        (["P", "-o", "x.wav", "--fmin", "nan"], ["--fmin = 'nan' must be a number"]),
        (["P", "-o", "x.wav", "--seconds", "0"], ["--seconds = '0' must be above 0"]),
        (["P", "-o", "x.wav", "--n-mels", "0"], ["--n-mels = '0' must be at least 1"]),
        (["P", "-o", "x.wav", "--kind", "mell"], ["unknown --kind 'mell', did you mean 'mel'?"]),
        (["P", "-o", "x.wav", "--axes-box", "1,2"], ["--axes-box = '1,2' must be LEFT,TOP"]),
        (["P", "-o", "x.wav", "--axes-box", "9,9,1,1"], ["--axes-box = '9,9,1,1' must have left"]),
        (["P", "-o", "x.wav", "--gamma", "2"], ["--gamma is of a drawing: give --image as well"]),
        (["P", "-o", "x.wav", "--image", "--hop", "9"], ["--hop is of a spectrogram"]),
        (["P", "-o", "x.wav", "--image", "--seconds", "1e9"], ["--seconds = 1e+09 of a drawing"]),
        (["P", "-o", "x.wav", "--image", "--scale", "lin"], ["unknown --scale 'lin'"]),
        (["P", "-o", "x.wav", "--image", "--fmin", "9e3", "--fmax", "9"], ["fmin=9000 to fmax=9"]),
        (["P", "-o", "x.wav", "--image", "--sample-rate", "8000"], ["fmin=100 to fmax=10000 Hz"]),
        (
            ["P", "-o", "x.wav", "--image", "--original", "P"],
            ["--image is a drawing with no sound"],
        ),
        (["P", "-o", "x.wav", "--report", "no/x.json"], ["--report 'no/x.json' must be a file"]),
        (["P", "-o", "x.wav", "--report", "P"], ["--report 'P.png' is named already"]),
        (["P", "-o", "x.wav", "--bare", "--hop", "9999"], ["hop = 9999 must be at most n_fft"]),
        (["P", "-o", "x.wav", "--bare", "--sample-rate", "9"], ["sample_rate = 9 must be 1000 to"]),
        (["P", "-o", "x.wav", "--bare", "--original", "P"], ["--bare is a picture from elsewhere"]),
        (["P", "-o", "x.wav", "--kind", "a", "--hop", "b"], ["unknown --kind 'a'", "--hop = 'b'"]),
        (["P", "-o", "x.flac", "--depth", "32"], ["--depth 32 is float"]),
    ],
)
def test_what_cannot_be_is_one_sentence_each(
    bare: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentences: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    bare.rename("P.png")
    assert main(["invert", *("P.png" if text == "P" else text for text in arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(sentences)
    for line, sentence in zip(lines, sentences, strict=True):
        assert line.startswith(f"realtime: {sentence}")
    assert [path.name for path in tmp_path.iterdir()] == ["P.png"]


def test_a_report_does_not_take_the_place_of_what_a_link_leads_to(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link.png").symlink_to(bare)
    asked = [str(tmp_path / "link.png"), "-o", str(tmp_path / "x.wav"), "--report", str(bare)]
    assert main(["invert", "--bare", *asked]) == 2
    assert "is named already" in capsys.readouterr().err


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("way", [[], ["--bare"], ["--image"]])
@pytest.mark.parametrize("size", [(60_000, 60_000), (9_000, 9_000)])
def test_a_bomb_and_a_lie_are_refused(
    tmp_path: Path, way: list[str], size: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )  # fmt: skip
    assert main(["invert", str(path), "-o", str(tmp_path / "x.wav"), *way]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and ("more than" in said or "cannot be decoded" in said)


def test_a_picture_of_more_than_fits_into_memory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("L", (20_000, 80), 9).save(tmp_path / "x.png")
    asked = [str(tmp_path / "x.png"), "--bare", "--n-fft", "32768", "--hop", "8192"]
    assert main(["invert", *asked, "-o", str(tmp_path / "x.wav")]) == 2
    assert "20000 frames of 16385 bins are more than fit" in capsys.readouterr().err


def test_the_small_picture_beside_a_recording_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overview = Overview(1, 300, 200)
    overview.append(np.zeros((1, 300, 200), np.uint8))
    says = {"device": "mic", "start": 0, "stop": RATE, "sample_rate": RATE, "n_fft": 8, "hop": 4}
    overview.save(tmp_path / "r.png", {**says, "utc_start": "2026", "window": "hann"})
    assert main(["invert", str(tmp_path / "r.png"), "-o", str(tmp_path / "x.wav")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "give the audio beside it" in said
