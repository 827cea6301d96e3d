"""Our own pictures back to sound: with phase found, or with the sound's own where it is at hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image
from styles import sound

from realtime.cli import main
from realtime.picture.own import read_own
from realtime.picture.read.reader import read_foreign
from realtime.picture.render import render

RATE = 22050
KINDS = ("stft", "mel", "bark", "erb", "cqt")
LOOKS = ({}, {"bare": True}, {"bare": True, "bits": 16, "colormap": "gray"})
"""With axes, and one pixel a value, of 8 and 16 bits."""


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "voice.wav", sound(RATE, 3.0), RATE, subtype="PCM_16")
    return tmp_path / "voice.wav"


def invert(picture: Path, out: str, *more: object) -> tuple[np.ndarray, soundfile._SoundFileInfo]:
    """The sound as int16, and what the file says."""
    path = picture.with_name(out)
    assert main(["invert", str(picture), "-o", str(path), *map(str, more)]) == 0
    return soundfile.read(path, dtype="int16")[0], soundfile.info(path)


def as_an_editor_saves(picture: Path, columns: tuple[int, int] = (0, 0), channel: int = 0) -> Path:
    """In colours, without what was beside the pixels, and with some columns of values black."""
    own = read_own(picture)
    left, top, width, height = own.placing.panes[channel]
    start, stop = (left + round(k * width / own.db.shape[1]) for k in columns)
    image = Image.open(picture).convert("RGB")
    image.paste((0, 0, 0), (start, top, stop, top + height))
    image.save(picture.with_name("edited.png"))
    return picture.with_name("edited.png")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_of_every_kind_sounds_like_what_it_shows(
    audio: Path, tmp_path: Path, kind: str, look: dict
) -> None:
    """Heard and drawn again it looks the same."""
    render(audio, tmp_path / "p.png", kind, **look)
    _, info = invert(tmp_path / "p.png", "heard.wav", "--depth", "24")
    assert (info.samplerate, info.frames, info.subtype) == (RATE, 3 * RATE, "PCM_24")
    render(tmp_path / "heard.wav", tmp_path / "again.png", kind, **look)
    shown, again = (read_own(tmp_path / f"{name}.png").db[0] for name in ("p", "again"))
    loud = shown > shown.max() - 60
    # A row of a constant-Q picture says nothing of where in it the sound is.
    assert np.corrcoef(shown[loud], again[loud])[0, 1] > (0.8 if kind == "cqt" else 0.995)


def test_a_file_that_cannot_hold_the_sound_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "bat.wav", np.zeros(30000), 250000)
    render(tmp_path / "bat.wav", tmp_path / "p.png", bare=True)
    monkeypatch.setattr("realtime.picture.invert.invert", lambda *_, **__: pytest.fail("worked"))
    assert main(["invert", str(tmp_path / "p.png"), "-o", str(tmp_path / "bat.ogg")]) == 2
    assert "cannot hold 1 channel at 250000 Hz" in capsys.readouterr().err


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("kind", KINDS)
def test_kept_sound_comes_back_to_the_bit(
    audio: Path, tmp_path: Path, kind: str, look: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    render(audio, tmp_path / "p.png", kind, keep_sound=True, **look)
    samples, info = invert(tmp_path / "p.png", "heard.flac")
    assert info.subtype == "PCM_16"
    assert np.array_equal(samples, soundfile.read(audio, dtype="int16")[0])
    assert "not edited: the sound in the picture as it was" in capsys.readouterr().err


@pytest.mark.parametrize(
    "look", [{"bare": True}, {"scale": "log"}, {"scale": "mel", "size": (1500, 500)}]
)
def test_an_erased_second_is_silent_and_what_is_elsewhere_keeps_every_bit(
    audio: Path, tmp_path: Path, look: dict, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where many rows share a pixel."""
    before = tmp_path / "before.png"
    render(audio, before, top_db=100.0, **look)
    edited = as_an_editor_saves(before, (43, 86))
    samples, info = invert(edited, "x.wav", "--like", before, "--original", audio)
    original = soundfile.read(audio, dtype="int16")[0]
    assert info.subtype == "PCM_24" and "of the samples differ" in capsys.readouterr().err
    differ = np.flatnonzero(samples != original)
    assert differ[0] >= 41 * 512 - 512 and differ[-1] <= 87 * 512 + 512
    middle = slice(47 * 512, 81 * 512)
    left = np.sum(samples[middle].astype(float) ** 2) / np.sum(original[middle].astype(float) ** 2)
    assert left < 1e-6


@pytest.mark.parametrize("reduce", ["peak", "mean"])
def test_columns_of_several_frames_can_be_edited_too(
    audio: Path, tmp_path: Path, reduce: str
) -> None:
    before = tmp_path / "before.png"
    render(audio, before, "mel", keep_sound=True, width=40, bare=True, reduce=reduce, top_db=100.0)
    original = soundfile.read(audio, dtype="int16")[0]
    assert np.array_equal(invert(before, "x.wav")[0], original)
    edited = as_an_editor_saves(before, (10, 20))  # frames 32 to 64
    samples, _ = invert(edited, "x.wav", "--like", before)
    differ = np.flatnonzero(samples != original)
    assert differ[0] >= 30 * 512 and differ[-1] <= 67 * 512
    assert np.abs(samples[37 * 512 : 60 * 512]).max() <= 3


def test_means_of_what_is_too_quiet_to_be_shown_are_no_edit(audio: Path, tmp_path: Path) -> None:
    render(audio, tmp_path / "p.png", keep_sound=True, width=40, reduce="mean", top_db=30.0)
    samples, _ = invert(tmp_path / "p.png", "x.wav")
    assert np.array_equal(samples, soundfile.read(audio, dtype="int16")[0])


def test_floats_beyond_full_scale_come_back_as_they_were(tmp_path: Path) -> None:
    audio = tmp_path / "loud.wav"
    samples = np.rint(sound(RATE, 1.0) * 32768) / 32768
    samples[9000:9100] = -1.5
    soundfile.write(audio, samples, RATE, subtype="FLOAT")
    render(audio, tmp_path / "p.png")
    invert(tmp_path / "p.png", "x.wav", "--original", audio, "--depth", "32")
    assert np.array_equal(soundfile.read(tmp_path / "x.wav")[0], samples)


def test_the_picture_before_may_keep_the_sound(audio: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.png"
    render(audio, before, keep_sound=True)
    samples, _ = invert(as_an_editor_saves(before), "x.wav", "--like", before)
    assert np.array_equal(samples, soundfile.read(audio, dtype="int16")[0])


def test_each_channel_is_edited_alone(tmp_path: Path) -> None:
    audio, before = tmp_path / "two.wav", tmp_path / "before.png"
    both = np.stack([sound(RATE, 2.0), sound(RATE, 2.0)[::-1]], axis=1)
    soundfile.write(audio, both, RATE, subtype="PCM_16")
    render(audio, before, "mel")
    edited = as_an_editor_saves(before, (20, 40), channel=1)
    samples, _ = invert(edited, "x.wav", "--like", before, "--original", audio)
    original = soundfile.read(audio, dtype="int16")[0]
    assert np.array_equal(samples[:, 0], original[:, 0])
    assert not np.array_equal(samples[:, 1], original[:, 1])


def test_an_original_of_more_bits_keeps_them(audio: Path, tmp_path: Path) -> None:
    """At another rate and with two channels it becomes what the picture was made of."""
    audio = tmp_path / "float.wav"
    both = np.stack([sound(44100, 2.0)] * 2, axis=1)
    soundfile.write(audio, both, 44100, subtype="PCM_24")
    render(audio, tmp_path / "p.png", "mel", sample_rate=RATE, mono=True)
    _, info = invert(tmp_path / "p.png", "x.wav", "--original", audio)
    assert (info.subtype, info.channels, info.samplerate) == ("PCM_24", 1, RATE)


def test_the_report_says_what_the_picture_says(
    audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render(audio, tmp_path / "p.png", "erb")
    invert(tmp_path / "p.png", "x.wav", "--report", "-")
    told = json.loads(capsys.readouterr().out)
    assert (told["from"], told["phase"], told["format"]["kind"]) == ("own", "found", "erb")
    assert told["sound"] == {"sample_rate": RATE, "n_samples": 3 * RATE, "n_channels": 1}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["P", "--hop", "512"], "'p.png' says itself how it was made: leave out --hop"),
        (["E", "--original", "voice.wav"], "'edited.png' does not say how it was made, so"),
        (["E"], "edited.png: no axes were found"),
        (["P", "--original", "other.wav"], "--original 'other.wav' has 22050 x 1 samples at"),
        (["P", "--original", "no.wav"], "there is no file 'no.wav'"),
        (["S", "--like", "p.png"], "'small.png' has 90 x 90 pixels and was made with"),
        (["E", "--like", "small.png"], "'small.png' does not say how it was made"),
        (["P", "--like", "no.png"], "there is no file 'no.png'"),
        (["D"], "'damaged.png' is a damaged PNG"),
    ],
)
def test_what_does_not_belong_together_is_one_sentence(
    audio: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    render(audio, tmp_path / "p.png", "mel", bare=True)
    as_an_editor_saves(tmp_path / "p.png")
    Image.new("RGB", (90, 90)).save("small.png")
    soundfile.write("other.wav", np.zeros(RATE), RATE)
    whole = (tmp_path / "p.png").read_bytes()
    (tmp_path / "damaged.png").write_bytes(
        whole.replace(b"realtime-picture\0\1\0", b"realtime-picture\0\7\0")
    )
    names = {"P": "p.png", "E": "edited.png", "S": "small.png", "D": "damaged.png"}
    assert main(["invert", *(names.get(text, text) for text in arguments), "-o", "x.wav"]) == 2
    said = capsys.readouterr().err.removeprefix("realtime: ")
    assert said.startswith(sentence) and said.count("\n") == 1
    assert arguments != ["E"] or said.endswith("drew and an editor saved, give --like\n")
    assert not (tmp_path / "x.wav").exists()


def test_a_text_that_claims_a_year_of_sound_is_refused(
    audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its few columns would each be millions of frames."""
    from realtime.picture.own import Said
    from realtime.picture.png import read_png
    from realtime.picture.png_writer import write_png

    render(audio, tmp_path / "p.png", "mel")
    png = read_png(tmp_path / "p.png")
    held = json.loads(png.text or "")
    held["picture"] |= {"n_samples": 1 << 39, "n_columns": png.width}
    Said.from_json(json.dumps(held))
    with open(tmp_path / "lie.png", "wb") as file:
        pixels = np.zeros((png.height, png.width), np.uint8)
        write_png(file, png.width, png.height, [pixels], text=json.dumps(held))
    assert main(["invert", str(tmp_path / "lie.png"), "-o", str(tmp_path / "x.wav")]) == 2
    assert "are more than fit into memory at once" in capsys.readouterr().err


@pytest.mark.parametrize(("n_rows", "htk"), [(128, False), (80, True)])
def test_a_picture_with_axes_that_lost_its_text_is_read_by_its_axes(
    audio: Path, tmp_path: Path, n_rows: int, htk: bool
) -> None:
    """Its rows stand where their bands are; librosa's stand half a band beside."""
    render(audio, tmp_path / "p.png", "mel", n_rows=n_rows, htk=htk)
    edited = as_an_editor_saves(tmp_path / "p.png")
    invert(edited, "x.wav", "--report", tmp_path / "report.json")
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["from"] == "axes"
    assert (told["format"]["n_rows"], told["format"]["htk"]) == (n_rows, htk)
    assert np.abs(read_foreign(edited).db - read_own(tmp_path / "p.png").db).mean() < 0.2
