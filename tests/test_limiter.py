"""The limiter: full scale holds always, and what needs no limiting is not touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.dsp.limiter import Limiter

RATE = 48000


def pushed(samples: np.ndarray, sizes: list[int]) -> np.ndarray:
    limiter, parts, at = Limiter(RATE), [], 0
    while at < len(samples):
        n = sizes[len(parts) % len(sizes)]
        parts.append(limiter.push(samples[at : at + n]))
        at += n
    return np.concatenate(parts)


def test_what_stays_within_full_scale_passes_to_the_bit(rng: np.random.Generator) -> None:
    samples = rng.uniform(-1, 1, (5000, 2)).astype(np.float32)
    assert np.array_equal(pushed(samples, [64, 1, 300]), samples)


@given(
    st.lists(st.integers(1, 700), min_size=1, max_size=5),
    st.floats(0, 1000, width=32),
    st.integers(0, 2**32 - 1),
)
def test_nothing_ever_goes_beyond_full_scale(sizes: list[int], gain: float, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(0, gain, (2000, 2)).astype(np.float32)
    assert np.abs(pushed(samples, sizes)).max() <= 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_silence_and_leaves_no_trace(bad: float) -> None:
    samples = np.full((1000, 1), 0.5, np.float32)
    samples[300:310] = bad
    limited = pushed(samples, [128])
    assert not limited[300:310].any()
    assert (np.delete(limited, np.s_[300:310]) == 0.5).all()


def test_channels_keep_their_balance() -> None:
    samples = np.tile(np.float32([4.0, 1.0]), (1000, 1))
    limited = pushed(samples, [256])
    assert limited[:, 1] == pytest.approx(limited[:, 0] / 4, rel=1e-6)


def test_a_peak_ahead_is_met_by_a_gain_that_falls_before_it() -> None:
    samples = np.full((480, 1), 0.9, np.float32)
    samples[240] = 3.0
    gains = (Limiter(RATE).push(samples) / samples)[:, 0]
    assert gains[240] == pytest.approx(1 / 3, rel=1e-5)
    assert np.abs(np.diff(gains)).max() <= 1.01 / (0.001 * RATE)
    assert gains[150] == 1


def test_a_loud_tone_stays_a_tone_once_the_gain_has_settled() -> None:
    tone = 4 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    limited = pushed(tone.astype(np.float32)[:, None], [256])[RATE // 2 :, 0]
    spectrum = np.abs(np.fft.rfft(limited * np.hanning(len(limited)))) ** 2
    near = slice(500 - 5, 500 + 6)
    assert 10 * np.log10(spectrum[near].sum() / (spectrum.sum() - spectrum[near].sum())) > 40


def test_the_gain_comes_back() -> None:
    limiter = Limiter(RATE)
    limiter.push(np.full((100, 1), 10, np.float32))
    assert limiter.gain < 0.2
    limiter.push(np.zeros((RATE, 1), np.float32))
    assert limiter.gain == 1
