"""Feedback is heard before it is loud; music, speech and steady tones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.audio.synth import Demo
from realtime.dsp.howl import HowlDetector, is_howl
from realtime.dsp.stft import StreamingStft

RATE = 48000
N_FFT, HOP = 1024, 256


def first_howl(samples: np.ndarray) -> tuple[float, float] | None:
    """(seconds, Hz) of the first howl heard in samples (n,)."""
    stft = StreamingStft(N_FFT, HOP, n_channels=1)
    detector = HowlDetector(RATE / HOP, RATE / N_FFT, stft.window_sum)
    for at in range(0, len(samples), HOP):
        hz = detector.push(stft.push(samples[at : at + HOP, None]))
        if hz is not None:
            return at / RATE, hz
    return None


def seconds(n: float) -> np.ndarray:
    return np.arange(int(n * RATE)) / RATE


@pytest.mark.parametrize("db_a_second", [12, 30, 60, 120])
@pytest.mark.parametrize("hz", [440.0, 2511.0])
def test_a_loop_with_too_much_gain_is_heard(
    db_a_second: float, hz: float, rng: np.random.Generator
) -> None:
    t = seconds(6)
    howl = 1e-4 * 10 ** (db_a_second * t / 20) * np.sin(2 * np.pi * hz * t)
    heard = first_howl((np.clip(howl, -1, 1) + rng.normal(0, 1e-4, len(t))).astype(np.float32))
    assert heard is not None
    when, at_hz = heard
    assert at_hz == pytest.approx(hz, abs=RATE / N_FFT)
    assert 1e-4 * 10 ** (db_a_second * when / 20) < 0.5, "before it is loud"


@pytest.mark.parametrize("loop_gain_db", [1.5, 3])
def test_a_loop_through_a_room_is_heard(loop_gain_db: float, rng: np.random.Generator) -> None:
    block = int(0.03 * RATE)
    room = np.exp(-np.arange(900) / 300) * np.cos(2 * np.pi * 900 * np.arange(900) / RATE)
    room *= 10 ** (loop_gain_db / 20) / np.abs(np.fft.rfft(room, 8192)).max()
    samples = rng.normal(0, 1e-3, 12 * RATE)
    for at in range(2 * block, len(samples) - 2 * block, block):
        heard = np.convolve(np.clip(samples[at - 2 * block : at - block], -1, 1), room)
        samples[at : at + len(heard)] += heard
    assert first_howl(np.clip(samples, -1, 1).astype(np.float32)) is not None


@pytest.mark.parametrize(
    "name", ["tone", "tone switched on", "slow swell", "noise", "demo", "glide", "tremolo"]
)
def test_what_is_no_howl_is_left_alone(name: str, rng: np.random.Generator) -> None:
    t = seconds(8)
    tone = 0.5 * np.sin(2 * np.pi * 1000 * t)
    samples = {
        "tone": tone,
        "tone switched on": tone * (t > 2),
        "slow swell": tone * 10 ** (-0.3 * (8 - t)),
        "noise": rng.normal(0, 0.1, len(t)),
        "demo": Demo(RATE, 1).read(20 * RATE)[:, 0],
        "glide": 0.5 * np.sin(2 * np.pi * (200 + 200 * t) * t),
        "tremolo": tone * (0.55 + 0.45 * np.sin(2 * np.pi * 5 * t)),
    }[name]
    assert first_howl(samples.astype(np.float32)) is None


def test_a_line_that_rises_evenly_is_a_howl_and_an_attack_is_none() -> None:
    assert is_howl(np.linspace(-40, -20, 11), 12)
    assert not is_howl(np.linspace(-40, -35, 11), 12)
    assert not is_howl(np.r_[-40, np.full(10, -20.0)], 12)
    assert not is_howl(np.r_[np.full(10, -40.0), -20], 12)
    assert not is_howl(np.r_[-40, -36, -39, -34, -30, -26, -20], 12)
