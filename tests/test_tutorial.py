"""The tutorial's picture, told nothing else, becomes the sound it was made of, nearly."""

from __future__ import annotations

import json
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from styles import tutorial, write_sound

from realtime.cli import main
from realtime.picture.read.reader import read_foreign

# librosa tries modules of the standard library that Python 3.13 no longer has
pytestmark = pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated")

MOST_ERROR_DB = 0.15


@pytest.mark.parametrize("seconds", [3.0, 14.0])
def test_the_tutorials_picture_is_read_and_heard(
    tmp_path: Path, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    audio, picture = tmp_path / "voice.wav", tmp_path / "tutorial.png"
    write_sound(audio, seconds=seconds)
    shown = tutorial(audio, picture)

    reading = read_foreign(picture)
    read = reading.db[0]
    assert abs(len(read) - len(shown)) <= 1
    n = min(len(read), len(shown))
    assert np.abs(read[:n] - shown[:n]).mean() <= MOST_ERROR_DB

    out, report = tmp_path / "heard.wav", tmp_path / "report.json"
    assert main(["invert", str(picture), "-o", str(out), "--report", str(report)]) == 0
    said = capsys.readouterr().err
    assert "read as mel, 128 bands, 22050 Hz, hop 512, -80 to 0 dB, 100% certain" in said
    assert "guessed --n-fft 2048" in said and "the peak is at -3 dBFS" in said
    told = json.loads(report.read_text())
    assert told["from"] == "axes" and told["certainty"] == pytest.approx(reading.certainty)
    assert told["format"]["n_rows"] == 128 and told["items"]["colormap"]["value"] == "magma"

    samples, rate = soundfile.read(out)
    assert rate == told["sound"]["sample_rate"] == 22050
    assert len(samples) / rate == pytest.approx(seconds, abs=0.05)
    assert np.abs(samples).max() == pytest.approx(10 ** (-3 / 20), abs=1e-3)
    again = librosa.feature.melspectrogram(y=samples, sr=rate)
    heard = librosa.power_to_db(again, ref=np.max).T[:n]
    loud = shown[: len(heard)] > -50
    assert np.abs(heard - shown[: len(heard)])[loud].mean() < 1.5


def test_what_is_known_better_is_said_by_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audio, picture = tmp_path / "voice.wav", tmp_path / "tutorial.png"
    write_sound(audio, seconds=3.0)
    tutorial(audio, picture)
    asked = [str(picture), "-o", str(tmp_path / "x.flac"), "--n-fft", "1024", "--db-low", "-60"]
    asked += ["--db-high", "20", "--report", "-"]
    assert main(["invert", *asked]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["items"]["n_fft"] == {"value": 1024, "how": "given", "certainty": 1.0}
    assert (told["format"]["db_low"], told["format"]["db_high"]) == (-60, 20)
