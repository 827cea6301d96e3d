"""`realtime render` and `realtime info`: requests, folders, exit codes, what is told."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from realtime.cli import main
from realtime.commands.render_request import parse_size
from realtime.errors import RequestError
from realtime.picture.own import read_own
from realtime.picture.png import read_png
from realtime.recording.overview import Overview, overview_of

RATE = 8000


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", 0.1 * rng.standard_normal((RATE, 2)), RATE)
    soundfile.write("b.flac", 0.1 * rng.standard_normal(RATE // 2), RATE)
    Path("bad.mp3").write_bytes(b"no sound at all")


def render(*words: str) -> int:
    return main(["render", *words])


def test_a_picture_of_a_sound_with_flags_under_their_usual_names(capsys):
    words = "--kind mel --n-fft 512 --hop 100 --window hamming --n-mels 40 --fmin 50 --fmax 3000 "
    words += "--htk --norm none --power 1 --ref 0.5 --top-db 60 --sample-rate 7000 --mono"
    assert render("a.wav", "-o", "a.png", *words.split(), "--colormap", "viridis") == 0
    assert "1.00 s drawn to 'a.png'" in capsys.readouterr().err
    own = read_own("a.png")
    held = own.format
    assert (held.kind, held.n_fft, held.hop, held.window) == ("mel", 512, 100, "hamming")
    assert (held.n_rows, held.fmin, held.fmax, held.htk, held.norm) == (40, 50, 3000, True, None)
    assert (held.power, held.ref, held.sample_rate, held.n_channels) == (1, 0.5, 7000, 1)
    assert held.db_high - held.db_low == pytest.approx(60)
    assert own.source == "a.wav" and own.placing.colormap == "viridis"


@pytest.mark.parametrize(("n_fft", "hop"), [("128", 32), ("512", 512), ("4096", 512), ("2", 1)])
def test_short_frames_have_a_hop_that_fits(n_fft, hop):
    assert render("b.flac", "-o", "b.npz", "--n-fft", n_fft) == 0
    assert json.loads(str(np.load("b.npz")["format"]))["hop"] == hop


def test_settings_come_from_presets_files_and_sets_too(tmp_path):
    Path("mine.toml").write_text('[render]\nkind = "bark"\nn_mels = 24\n')
    assert render("a.wav", "-o", "a.png", "--config", "mine.toml", "--set", "render.hop=256") == 0
    held = read_own("a.png").format
    assert (held.kind, held.n_rows, held.hop) == ("bark", 24, 256)


def test_the_preset_of_the_tutorial_is_the_tutorials_picture():
    assert render("a.wav", "-o", "t.png", "--preset", "tutorial") == 0
    own = read_own("t.png")
    held = own.format
    assert (own.placing.width, own.placing.height) == (1000, 400)
    assert (held.kind, held.sample_rate, held.n_rows, held.norm) == ("mel", 22050, 128, "slaney")
    assert (held.n_fft, held.hop, held.n_channels) == (2048, 512, 1)
    assert held.db_high - held.db_low == 80 and not held.htk


def test_several_sounds_go_into_a_folder_and_a_bad_one_does_not_stop_them(capsys):
    assert render("a.wav", "bad.mp3", "b.flac", "-o", "pictures/", "--kind", "mel") == 1
    assert sorted(os.listdir("pictures")) == ["a.png", "b.png"]
    told = capsys.readouterr().err
    assert "1 of 3 sounds could not be drawn: 'bad.mp3'" in told
    assert all(line.startswith("realtime: ") for line in told.splitlines())


def test_sounds_of_one_stem_keep_their_names_whole():
    soundfile.write("a.flac", np.zeros(4000), RATE)
    assert render("a.wav", "a.flac", "b.flac", "-o", "p", "--format", "svg", "--kind", "mel") == 0
    assert sorted(os.listdir("p")) == ["a.flac.svg", "a.wav.svg", "b.svg"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a.wav"], "name what to write: -o PICTURE.png"),
        (["a.wav", "-o", "a.gif"], "must end in one of .png"),
        (["a.wav", "-o", "no/a.png"], "there is no folder 'no'"),
        (["a.wav", "b.flac", "-o", "a.png"], "is one picture, and there are 2 sounds"),
        (["a.wav", "-o", "a.png", "--format", "svg"], "--format is of pictures in a folder"),
        (["a.wav", "-o", "p/", "--format", "gif"], "unknown --format 'gif'"),
        (["a.wav", "-o", "b.flac/"], "is a file: name a folder"),
        (["a.wav", "-o", "a.png", "--kind", "mell"], "did you mean 'mel'?"),
        (["a.wav", "-o", "a.png", "--hop", "half"], "render.hop = 'half' must be a whole number"),
        (["a.wav", "-o", "a.png", "--hop", "4096"], "hop = 4096 must be at most n_fft = 2048"),
        (["a.wav", "-o", "a.png", "--n-mels", "64"], "render.n_mels is of mel, bark, erb"),
        (["a.wav", "-o", "a.png", "--n-bins", "64"], "render.n_bins is of cqt"),
        (["a.wav", "-o", "a.png", "--kind", "cqt", "--n-fft", "64"], "of a cqt follows"),
        (["a.wav", "-o", "a.svg", "--bare"], "are of .png, not of .svg"),
        (["a.wav", "-o", "a.png", "--size", "big"], "must be WIDTHxHEIGHT in pixels"),
        (["a.wav", "-o", "a.png", "--bits", "12"], "bits=12 must be 8, or 16"),
        (["a.wav", "-o", "a.png", "--ref", "loud"], "render.ref = 'loud'"),
        (["a.wav", "-o", "a.png", "--preset", "tutoriel"], "did you mean 'tutorial'?"),
        (["a.wav", "-o", "a.png", "--n-ftt", "64"], "did you mean '--n-fft'?"),
        (["none.wav", "-o", "a.png"], "there is no file 'none.wav'"),
        (["a.wav", "-o", "-"], "standard output takes no picture"),
        (["a.wav", "-o", "a.png", "--preset", "birds"], "'birds' says nothing of [render]"),
        (["a.wav", "-o", "a.png", "--set", "stft.n_fft=512"], "nothing here: this goes by"),
        (["a.wav", "-o", "a.png", "--fmax", "900"], "leave them out (a sample_rate of twice fmax"),
        (["bad.mp3", "-o", "a.png"], "bad.mp3"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_with_a_sentence_and_nothing_is_written(words, sentence, capsys):
    before = sorted(os.listdir("."))
    assert render(*words) == 2
    told = capsys.readouterr().err
    assert sentence in told and "Traceback" not in told and "internal" not in told
    assert sorted(os.listdir(".")) == before


def test_all_faults_are_told_at_once(capsys):
    assert render("a.wav", "-o", "no/a.png", "--colormap", "magna", "--dpi", "1") == 2
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_sizes_are_pixels_or_inches():
    assert parse_size("1000x400", 300) == (1000, 400)
    assert parse_size("10x4in", 100) == parse_size(" 10 × 4 IN", 100) == (1000, 400)
    assert parse_size("6.4x4.8in", 100) == (640, 480)
    for text in ("10", "1.5x2", "x", "-1x4", "1e9x4", "9999x9999in", "１x2in" * 40):
        with pytest.raises(RequestError, match="WIDTHxHEIGHT"):
            parse_size(text, 100)


def test_a_title_may_look_like_a_number(capsys):
    assert render("b.flac", "-o", "b.svg", "--title", "1.5", "--kind", "mel") == 0
    assert ">1.5</text>" in Path("b.svg").read_text()


def test_a_sound_that_breaks_off_is_drawn_as_far_as_it_goes(capsys):
    soundfile.write("whole.flac", np.random.default_rng(1).uniform(-0.1, 0.1, 40000), RATE)
    Path("cut.flac").write_bytes(Path("whole.flac").read_bytes()[:40000])
    assert render("cut.flac", "-o", "cut.png", "--kind", "mel") == 0
    told = capsys.readouterr().err
    assert "copy it again from where it came" in told and "drawn to 'cut.png'" in told


def test_zarr_takes_the_place_of_an_older_one_and_of_nothing_else(capsys):
    for _ in range(2):
        assert render("b.flac", "-o", "b.zarr", "--kind", "mel") == 0
    Path("mine.zarr").mkdir()
    Path("mine.zarr/precious").touch()
    assert render("b.flac", "-o", "mine.zarr") == 2
    assert Path("mine.zarr/precious").exists()


# ---------------------------------------------------------------------- info


def test_info_tells_what_a_picture_holds(capsys):
    assert render("a.wav", "-o", "a.png", "--kind", "mel", "--keep-sound") == 0
    assert main(["info", "a.png"]) == 0
    told = capsys.readouterr().out
    assert "1.00 s, 2 channels at 8000 Hz" in told and "mel, 128 bands, 0 to 4000 Hz" in told
    assert "MB of FLAC" in told and "comes back as it was" in told


def test_info_speaks_json(capsys):
    assert render("a.wav", "-o", "a.png", "--scale", "log", "--width", "10") == 0
    assert main(["info", "a.png", "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["from"] == "render" and held["format"]["n_columns"] == 10
    assert held["exact"] is False and 0 < held["rows_alone"] < 1
    assert "16 frames share 10 columns" in held["way_back"]


def test_info_tells_of_several_pictures_and_of_those_beside_recordings(capsys, rng):
    overview = Overview(1, 3, 5)
    overview.append(rng.integers(0, 255, (1, 3, 5)).astype(np.uint8))
    says = {"device": "mic", "start": 0, "stop": RATE, "sample_rate": RATE, "n_fft": 8, "hop": 4}
    overview.save(Path("r.png"), {**says, "utc_start": "2026-11-23T18:00:00Z", "window": "hann"})
    assert render("a.wav", "b.flac", "-o", ".") == 0
    assert main(["info", "a.png", "none.png", "r.png", "b.png"]) == 1
    told = capsys.readouterr()
    assert "1.00 s, 2 channels" in told.out and "0.50 s, 1 channel" in told.out
    assert "1.00 s at 8000 Hz, from 2026-11-23T18:00:00Z on" in told.out
    assert "none.png does not exist" in told.err
    assert main(["info", "r.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["from"] == "record"
    overview.save(Path("r.png"), {**says, "sample_rate": 0})
    assert overview_of("r.png") is None


def test_info_of_what_is_no_spectrogram_says_why(capsys):
    Image.new("RGB", (300, 200), "white").save("blank.png")
    for name in ("blank.png", "a.wav", "none.png", "."):
        assert main(["info", name]) == 2
    assert "Traceback" not in capsys.readouterr().err


# ---------------------------------------------------------------------- as a process


def test_a_long_sound_takes_little_memory(tmp_path):
    """Four minutes of stereo at 48000 Hz are 92 MB of samples and 185 MB of bins."""
    samples = np.random.default_rng(3).integers(-99, 99, (48000 * 60, 2), dtype=np.int16)
    with soundfile.SoundFile("long.wav", "w", 48000, 2, "PCM_16") as file:
        for _ in range(4):
            file.write(samples)
    code = (
        "import re, sys; from realtime.cli import main; "
        "code = main(['render', 'long.wav', '-o', 'long.png', '--width', '4000']); "
        "status = open('/proc/self/status').read(); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1], code)"
    )  # not ru_maxrss: a child is born with the peak of its parent there
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert result.stderr == "realtime: 240.00 s drawn to 'long.png'\n"
    kilobytes, code = map(int, result.stdout.split())
    assert code == 0 and kilobytes < 300_000
    png = read_png("long.png", pixels=False)
    assert png.width > 4000 and png.height > 2 * 1025


def test_a_full_disk_is_told_in_a_sentence_with_exit_code_1():
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    words = ["-m", "realtime", "render", "a.wav", "-o", "a.png"]
    result = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, preexec_fn=small, timeout=60
    )
    assert result.returncode == 1 and "'a.png' cannot be written" in result.stderr
    assert len(result.stderr.splitlines()) == 1 and not Path("a.png").exists()
