"""Mel bands: librosa's filters, and spectra that explain what the bands hold."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.scales import SLANEY
from realtime.dsp.stft import StreamingStft
from realtime.errors import RequestError

HZ = np.concatenate([[0.0, 1e-3], np.geomspace(1, 48000, 400), [999.999, 1000.0, 1000.001]])


def test_slaneys_mel_is_librosas_and_goes_back():
    np.testing.assert_allclose(SLANEY.forward(HZ), librosa.hz_to_mel(HZ), rtol=1e-12)
    np.testing.assert_allclose(SLANEY.inverse(SLANEY.forward(HZ)), HZ, rtol=1e-12)


@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("equal_area", [False, True])
@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "n_bands", "f_low", "f_high"),
    [(22050, 2048, 128, 0.0, None), (48000, 1024, 40, 60.0, 8000.0), (16000, 401, 20, 0.0, 7600.0)],
)
def test_filters_are_librosas(sample_rate, n_fft, n_bands, f_low, f_high, htk, equal_area):
    ours = mel_filters(
        sample_rate, n_fft, n_bands, f_low=f_low, f_high=f_high, htk=htk, equal_area=equal_area
    )
    norm = "slaney" if equal_area else None
    theirs = librosa.filters.mel(
        sr=sample_rate, n_fft=n_fft, n_mels=n_bands, fmin=f_low, fmax=f_high, htk=htk, norm=norm
    )
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * theirs.max())


@pytest.mark.parametrize(
    ("n_bands", "f_low", "f_high"), [(0, 0, None), (9, -1, None), (9, 500, 400), (9, 0, 8001)]
)
def test_bands_that_cannot_be_are_refused(n_bands, f_low, f_high):
    with pytest.raises(RequestError, match=r"must be at least 1 band within 0 to 8000 Hz"):
        mel_filters(16000, 512, n_bands, f_low=f_low, f_high=f_high)


def spectra(rng: np.random.Generator) -> np.ndarray:
    """Power (n_frames, 2, n_bins) of a voice-like sound and noise."""
    t = np.arange(20_000) / 16000
    glide = np.cumsum(120 + 30 * np.sin(9 * t)) / 16000
    voice = np.sum([np.sin(2 * np.pi * k * glide) / k for k in range(1, 40)], axis=0)
    samples = np.stack([voice, rng.standard_normal(len(t))], axis=1).astype(np.float32)
    return np.abs(StreamingStft(512, 128, n_channels=2).push(samples)) ** 2


def test_energies_are_librosas(rng: np.random.Generator):
    power = spectra(rng)
    energies = MelBands(mel_filters(16000, 512, 64)).energies(power)
    assert energies.shape == (*power.shape[:2], 64)
    theirs = librosa.feature.melspectrogram(S=power[:, 0].T, sr=16000, n_mels=64)
    np.testing.assert_allclose(energies[:, 0].T, theirs, rtol=1e-4)


def test_what_is_found_explains_the_energies(rng: np.random.Generator):
    bands = MelBands(mel_filters(16000, 512, 40))
    energies = bands.energies(spectra(rng))
    found = bands.power(energies)
    assert found.shape == (*energies.shape[:2], 257) and found.dtype == np.float32
    assert found.min() >= 0
    decibels = 10 * np.log10(bands.energies(found) / energies)
    loud = energies > 1e-3 * energies.max(axis=-1, keepdims=True)  # they hide what is quieter
    assert np.sqrt(np.mean(decibels[loud] ** 2)) < 0.5


def test_each_bin_is_nearer_than_librosas(rng: np.random.Generator):
    """Log-spectral distance, where librosa solves least squares."""
    power = spectra(rng)[:20, 0]
    bands = MelBands(mel_filters(16000, 512, 40))
    theirs = librosa.feature.inverse.mel_to_stft(
        bands.energies(power).T, sr=16000, n_fft=512, power=1.0
    ).T

    def distance(found: np.ndarray) -> float:
        floor = 1e-5 * power.max()
        return float(np.sqrt(np.mean((10 * np.log10((found + floor) / (power + floor))) ** 2)))

    assert distance(bands.power(bands.energies(power))) < distance(theirs)


def test_a_flat_spectrum_is_found_exactly_and_louder_is_only_louder(rng: np.random.Generator):
    bands = MelBands(mel_filters(48000, 2048, 128))
    flat = bands.power(bands.energies(np.full(1025, 3.0)))
    np.testing.assert_allclose(flat[1:-1], 3, rtol=1e-4)
    energies = rng.random((3, 128))
    np.testing.assert_allclose(bands.power(1e6 * energies), 1e6 * bands.power(energies), rtol=1e-3)


def test_silence_is_silence_and_bins_in_no_band_too():
    bands = MelBands(mel_filters(48000, 256, 100, f_low=500, f_high=9000))
    assert not bands.power(np.zeros((2, 100))).any()
    found = bands.power(np.ones((2, 100)))
    assert np.isfinite(found).all()
    hz = np.arange(129) * 48000 / 256
    assert not found[:, (hz < 500) | (hz > 9000)].any()
