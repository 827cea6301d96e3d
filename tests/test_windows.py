"""Windows against scipy.signal, and the synthesis windows that undo them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import ShortTimeFFT, get_window

from realtime.dsp.windows import (
    GAUSSIAN_SIGMA,
    KAISER_BETA,
    WINDOWS,
    asymmetric_windows,
    dual_window,
    overlap_sum,
    window,
)
from realtime.errors import RequestError


def scipy_window(name: str, n_fft: int) -> np.ndarray:
    parameters = {
        "kaiser": ("kaiser", KAISER_BETA),
        "gaussian": ("gaussian", GAUSSIAN_SIGMA * n_fft),
    }
    return np.asarray(get_window(parameters.get(name, name), n_fft, fftbins=True))


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("n_fft", [2, 3, 5, 256, 300, 4096, 32768])
def test_each_window_equals_scipys_periodic_one(name: str, n_fft: int):
    values = window(name, n_fft, np.float64)
    np.testing.assert_allclose(values, scipy_window(name, n_fft), rtol=0, atol=2e-15)


@pytest.mark.parametrize("name", WINDOWS)
def test_each_window_is_periodic_and_1_in_the_middle(name: str):
    values = window(name, 512, np.float64)
    np.testing.assert_allclose(values[1:], values[:0:-1], atol=1e-15)
    assert values[256] == pytest.approx(1, abs=1e-8)
    assert values.argmax() == 256


def test_windows_are_float32_unless_asked_otherwise():
    assert window("hann", 512).dtype == np.float32
    assert window("hann", 512, np.float64).dtype == np.float64


def test_kaiser_side_lobes_are_100_db_down():
    spectrum = np.abs(np.fft.rfft(window("kaiser", 512, np.float64), 512 * 64))
    level = 20 * np.log10(np.maximum(spectrum / spectrum[0], 1e-12))
    first_rise = np.flatnonzero(np.diff(level) > 0)[0]
    assert -101 < level[first_rise:].max() < -99


@pytest.mark.parametrize(
    ("name", "n_fft", "message"),
    [
        ("hannn", 512, r"no window is called 'hannn': choose one of hann, hamming, .*, flattop"),
        ("hann", 1, r"n_fft=1 must be at least 2 samples; try 2048"),
    ],
)
def test_faults_of_window_are_told_in_a_sentence(name: str, n_fft: int, message: str):
    with pytest.raises(RequestError, match=message):
        window(name, n_fft)


@pytest.mark.parametrize(("n", "hop"), [(8, 2), (8, 3), (5, 5), (7, 10)])
def test_overlap_sum_adds_up_shifted_copies(rng: np.random.Generator, n: int, hop: int):
    values = rng.standard_normal(n)
    expected = [values[k::hop].sum() for k in range(hop)]
    np.testing.assert_allclose(overlap_sum(values, hop), expected, atol=1e-15)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize(("n_fft", "hop"), [(512, 128), (500, 77), (512, 256)])
def test_the_dual_window_is_that_of_scipy(name: str, n_fft: int, hop: int):
    analysis = window(name, n_fft, np.float64)
    expected = ShortTimeFFT(analysis, hop, fs=1).dual_win
    np.testing.assert_allclose(dual_window(analysis, hop), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("hop", "message"),
    [
        (600, r"hop=600 is larger than window length of 512 => STFT not invertible; try hop=128"),
        (0, r"hop=0 must be at least 1 sample; try hop=128"),
        (512, r"hop=512 is too large for this window of 512 samples, .* falls to 0 .*try hop=128"),
    ],
)
def test_faults_of_dual_window_are_told_in_a_sentence(hop: int, message: str):
    with pytest.raises(RequestError, match=message):
        dual_window(window("hann", 512), hop)


def test_a_window_that_hardly_overlaps_is_refused_before_it_amplifies_noise():
    with pytest.raises(RequestError, match=r"falls to 5e-06 of its greatest"):
        dual_window(window("blackman", 512), 490)


@pytest.mark.parametrize(
    ("n_fft", "length", "hop"),
    [(2048, 128, 64), (2048, 256, 64), (512, 512, 128), (300, 60, 20), (64, 2, 1)],
)
def test_asymmetric_windows_multiply_to_overlapping_hanns(n_fft: int, length: int, hop: int):
    analysis, synthesis = asymmetric_windows(n_fft, length, hop)
    assert analysis.shape == (n_fft,)
    assert synthesis.shape == (length,)
    product = analysis[-length:] * synthesis
    np.testing.assert_allclose(overlap_sum(product, hop), 1, atol=1e-14)
    hann = window("hann", length, np.float64)
    np.testing.assert_allclose(product / product.max(), hann, atol=1e-14)


def test_asymmetric_analysis_separates_what_a_short_symmetric_window_does_not():
    analysis, _ = asymmetric_windows(2048, 128, 64)
    time = np.arange(2048)
    tones = np.cos(2 * np.pi * 100 / 2048 * time) + np.cos(2 * np.pi * 104 / 2048 * time)
    spectrum = np.abs(np.fft.rfft(tones * analysis))
    assert spectrum[102] < 0.1 * min(spectrum[100], spectrum[104])


@pytest.mark.parametrize(
    ("length", "hop", "message"),
    [
        (127, 32, r"synthesis_length=127 must be even and 2 to n_fft=2048; try 256"),
        (4096, 32, r"synthesis_length=4096 must be even and 2 to n_fft=2048; try 256"),
        (128, 96, r"hop=96 must divide synthesis_length=128 and be at most half of it; try 64"),
        (128, 48, r"hop=48 must divide synthesis_length=128"),
        (128, 0, r"hop=0 must divide synthesis_length=128"),
    ],
)
def test_faults_of_asymmetric_windows_are_told_in_a_sentence(length: int, hop: int, message: str):
    with pytest.raises(RequestError, match=message):
        asymmetric_windows(2048, length, hop)
