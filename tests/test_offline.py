"""Effects on files: the samples of the live monitor, none early, late or missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.cli import main
from realtime.config import MonitorSettings
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import parse_effect
from realtime.engine.monitor import frame_format, transforms
from realtime.engine.offline import effected
from realtime.errors import RequestError

RATE = 48000


class Held:
    """Samples in memory, read front to back."""

    sample_rate = RATE

    def __init__(self, samples: np.ndarray):
        self.samples, self.at = samples, 0
        self.n_channels = samples.shape[1]

    def read(self, n_samples: int) -> np.ndarray:
        block = self.samples[self.at : self.at + n_samples]
        self.at += len(block)
        return block


def made(samples: np.ndarray, *effects: str, **frames: object) -> np.ndarray:
    pieces = effected(
        Held(samples), [parse_effect(text) for text in effects], MonitorSettings(**frames)
    )
    return np.concatenate(list(pieces))


def noise(rng: np.random.Generator, n: int, channels: int = 1) -> np.ndarray:
    return (0.1 * rng.normal(size=(n, channels))).astype(np.float32)


@settings(deadline=None, max_examples=30)
@given(
    n=st.integers(1, 100_000),
    channels=st.integers(1, 2),
    frames=st.sampled_from(
        [{}, {"n_fft": 2048, "hop": 512}, {"n_fft": 2048, "hop": 64, "synthesis": 128}]
    ),
)
def test_without_an_effect_every_sample_comes_back(n: int, channels: int, frames: dict) -> None:
    samples = noise(np.random.default_rng(n), n, channels)
    assert np.abs(made(samples, **frames) - samples).max() < 1e-6


@pytest.mark.parametrize("effect", ["denoise", "pitch:semitones=7", "magnitude", "gate", "robot"])
def test_after_the_beginning_the_samples_are_those_of_the_live_monitor(
    effect: str, rng: np.random.Generator
) -> None:
    samples = 0.1 * noise(rng, 200_000, 2)
    frames = MonitorSettings()
    stft, istft = transforms(frames, 2)
    chain = Chain(frame_format(stft, istft, RATE, 2), [parse_effect(effect)])
    live = np.concatenate(
        [istft.push(chain.process(stft.push(b))) for b in np.array_split(samples, 500)]
    )[chain.latency :]
    offline = made(samples, effect)
    begin = frames.n_fft + frames.hop
    assert np.abs(live).max() < 1  # where the limiter has nothing to do
    assert np.array_equal(offline[begin : len(live)], live[begin:])


def test_an_effect_that_is_late_is_brought_into_time(rng: np.random.Generator) -> None:
    samples = np.zeros((RATE, 1), np.float32)
    samples[20_000:20_010] = 0.5
    shifted = made(samples, "magnitude")
    assert abs(int(np.argmax(np.abs(shifted))) - 20_005) < 64


def test_no_sample_leaves_full_scale(rng: np.random.Generator) -> None:
    assert np.abs(made(noise(rng, RATE), "gain:db=24")).max() <= 1.0


def test_effects_that_take_a_span_need_the_file(rng: np.random.Generator) -> None:
    with pytest.raises(RequestError, match="start and stop need a capture"):
        made(noise(rng, RATE), "denoise:start=0,stop=24000")


@pytest.fixture
def noisy(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Half a second of noise, then a tone in it."""
    samples = 0.05 * rng.normal(size=4 * RATE)
    samples[RATE // 2 :] += 0.3 * np.sin(2 * np.pi * 1000 / RATE * np.arange(3.5 * RATE))
    path = tmp_path / "noisy.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize("noise_span", [[], ["--noise", "0-0.5"]])
def test_denoise_leaves_the_tone_and_takes_the_noise(
    noisy: Path, tmp_path: Path, noise_span: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["denoise", str(noisy), "-o", str(tmp_path / "clean.flac"), *noise_span]) == 0
    assert "4.00 s written to" in capsys.readouterr().err
    before, _ = soundfile.read(noisy)
    after, rate = soundfile.read(tmp_path / "clean.flac")
    assert rate == RATE and len(after) == len(before)
    tone = np.exp(-2j * np.pi * 1000 / RATE * np.arange(RATE)) / RATE * 2
    kept = abs(after[2 * RATE : 3 * RATE] @ tone)
    assert kept == pytest.approx(0.3, rel=0.05)

    def rest(samples: np.ndarray) -> float:
        second = samples[2 * RATE : 3 * RATE]
        return float(np.sqrt(np.mean(second**2) - abs(second @ tone) ** 2 / 2))

    assert rest(after) < 0.3 * rest(before)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["effect", "IN", "-o", "x.wav"], "no effect is named: give --effect NAME"),
        (["effect", "IN", "--effect", "robot"], "name the file to write: -o FILE.wav"),
        (["effect", "IN", "-o", "x.txt", "--effect", "robot"], "-o 'x.txt' must end in one of"),
        (["effect", "IN", "-o", "IN", "--effect", "robot"], "-o 'IN' is the file that is read"),
        (["effect", "IN", "-o", "no/x.wav", "--effect", "robot"], "-o 'no/x.wav' must be a file"),
        (["effect", "IN", "-o", "x.wav", "--effect", "rob"], "unknown effect 'rob'"),
        (["effect", "no.wav", "-o", "x.wav", "--effect", "robot"], "there is no file 'no.wav'"),
        (
            ["effect", "IN", "-o", "x.wav", "--effect", "robot", "--set", "stft.n_fft=512"],
            "--set stft.n_fft=512 changes nothing here: this goes by [monitor] and [effect]",
        ),
        (["denoise", "IN", "-o", "x.wav", "--noise", "all"], "--noise = 'all' must be START-STOP"),
        (["denoise", "IN", "-o", "x.wav", "--noise", "1-0.5"], "--noise = '1-0.5' must be START"),
        (["denoise", "IN", "-o", "x.wav", "--noise", "8-9"], "--noise = '8-9' must end by 4.00"),
        (["denoise", "IN", "-o", "x.flac", "--depth", "32"], "--depth 32 is float"),
        (["denoise", "IN", "-o", "x.wav", "--depth", "20"], "--depth = '20' must be 16, 24"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_leaves_no_file(
    noisy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    noisy.rename(tmp_path / "IN.wav")
    assert main([text.replace("IN", "IN.wav") for text in arguments]) in (1, 2)
    said = capsys.readouterr().err.removeprefix("realtime: ")
    assert said.startswith(sentence.replace("IN'", "IN.wav'")) and said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["IN.wav"]


def test_of_a_sound_that_breaks_off_what_there_is_is_changed_and_the_rest_told(
    noisy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, out = tmp_path / "cut.wav", tmp_path / "x.wav"
    cut.write_bytes(noisy.read_bytes()[: noisy.stat().st_size // 2])
    assert main(["effect", str(cut), "-o", str(out), "--effect", "gain:db=-6"]) == 0
    assert "copy it again from where it came" in capsys.readouterr().err
    assert soundfile.info(out).duration == pytest.approx(2.0, abs=0.01)
