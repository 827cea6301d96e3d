"""STFT, mel and decibels of whole sounds: librosa's numbers, transposed."""

from __future__ import annotations

import warnings
from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.spectra import (
    CentredStft,
    amplitude_to_db,
    istft,
    magnitudes,
    melspectrogram,
    power_to_db,
    stft,
)
from realtime.errors import RequestError

RATE = 22050


@pytest.fixture
def samples(rng: np.random.Generator) -> np.ndarray:
    """A voice-like glide from loud to silent, and noise 60 dB under it: 0.9 s."""
    t = np.arange(20_000) / RATE
    glide = np.cumsum(120 + 60 * np.sin(9 * t)) / RATE
    voice = np.sum([np.sin(2 * np.pi * k * glide) / k for k in range(1, 40)], axis=0)
    sound = voice * np.exp(-5 * t) + 1e-3 * rng.standard_normal(len(t))
    return (0.3 * sound).astype(np.float32)


FRAMES = [
    (2048, 512, "hann", True),
    (1024, 300, "hamming", True),
    (513, 100, "blackman", True),
    (512, 512, "hann", False),
    (400, 160, "blackmanharris", True),
    (4096, 64, "flattop", False),
]


@pytest.mark.parametrize(("n_fft", "hop", "window", "center"), FRAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stft_is_librosas(samples, n_fft, hop, window, center, dtype):
    ours = stft(samples.astype(dtype), n_fft, hop, window, center)
    theirs = librosa.stft(samples, n_fft=n_fft, hop_length=hop, window=window, center=center).T
    assert ours.dtype == np.complex64 and ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()


@pytest.mark.parametrize(("n_fft", "hop", "window", "center"), FRAMES)
@pytest.mark.parametrize("ref", [1.0, 0.02, np.max, np.median])
@pytest.mark.parametrize("top_db", [80.0, 120.0, None])
def test_decibels_of_the_stft_are_librosas(samples, n_fft, hop, window, center, ref, top_db):
    ours = amplitude_to_db(np.abs(stft(samples, n_fft, hop, window, center)), ref, top_db=top_db)
    theirs = librosa.stft(samples, n_fft=n_fft, hop_length=hop, window=window, center=center).T
    theirs = librosa.amplitude_to_db(np.abs(theirs), ref=ref, top_db=top_db)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("n_fft", "hop", "window", "center"), FRAMES)
@pytest.mark.parametrize(
    ("n_mels", "fmin", "fmax", "htk", "norm", "power"),
    [
        (128, 0.0, None, False, "slaney", 2.0),
        (40, 60.0, 8000.0, True, None, 2.0),
        (64, 20.0, 11025.0, True, "slaney", 1.0),
        (20, 0.0, 4000.0, False, None, 1.5),
    ],
)
def test_mels_and_their_decibels_are_librosas(
    samples, n_fft, hop, window, center, n_mels, fmin, fmax, htk, norm, power
):
    mel: dict[str, Any] = {"n_mels": n_mels, "fmin": fmin, "fmax": fmax, "htk": htk, "norm": norm}
    ours = melspectrogram(
        samples, sample_rate=RATE, n_fft=n_fft, hop=hop, window=window, center=center, power=power,
        **mel,
    )  # fmt: skip
    frames = librosa.stft(samples, n_fft=n_fft, hop_length=hop, window=window, center=center)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Empty filters")
        bank = librosa.filters.mel(sr=RATE, n_fft=n_fft, **mel)
    theirs = (bank @ np.abs(frames) ** power).T
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-6 * theirs.max()
    np.testing.assert_allclose(
        power_to_db(ours, np.max), librosa.power_to_db(theirs, ref=np.max), rtol=0, atol=1e-3
    )


def test_the_tutorials_numbers_are_librosas(samples):
    theirs = librosa.feature.melspectrogram(y=samples, sr=RATE, n_mels=128).T
    ours = melspectrogram(samples, sample_rate=RATE)
    assert np.abs(ours - theirs).max() <= 1e-6 * theirs.max()


@pytest.mark.parametrize("ref", [1.0, -2.5, 0.0, np.max])
@pytest.mark.parametrize("amin", [1e-10, 1e-3])
@pytest.mark.parametrize("top_db", [0.0, 30.0, None])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decibels_of_anything_are_librosas(rng, ref, amin, top_db, dtype):
    values = np.concatenate([[0.0], 10 ** rng.uniform(-14, 4, 200)]).astype(dtype)
    ours = power_to_db(values, ref, amin, top_db)
    assert ours.dtype == dtype
    theirs = librosa.power_to_db(values, ref=ref, amin=amin, top_db=top_db)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
    ours = amplitude_to_db(values - 1, ref, amin, top_db)
    theirs = librosa.amplitude_to_db(values - 1, ref=ref, amin=amin, top_db=top_db)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_silence_is_librosas_silence():
    values = np.zeros((3, 4), np.float32)
    for ref in (1.0, np.max):
        theirs = librosa.power_to_db(values, ref=ref)
        np.testing.assert_array_equal(power_to_db(values, ref), theirs)
    assert power_to_db(values[:0]).shape == (0, 4)


def test_channels_are_each_as_if_alone(samples):
    both = np.stack([samples, samples[::-1]], axis=1)
    for transform in (stft, lambda s: melspectrogram(s, sample_rate=RATE, n_mels=30)):
        together = transform(both)
        for channel in (0, 1):
            np.testing.assert_array_equal(together[:, channel], transform(both[:, channel]))


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), max_size=8), n_fft=st.sampled_from([256, 401]))
def test_frames_do_not_depend_on_how_the_sound_comes(cuts: list[int], n_fft: int):
    sound = np.random.default_rng(1).uniform(-1, 1, 4000)
    stream = CentredStft(n_fft, 100)
    for _ in range(2):  # and are the same once more
        parts = [stream.push(part) for part in np.split(sound, sorted(cuts))]
        whole = np.concatenate([*parts, stream.finish()]).astype(np.complex64)
        np.testing.assert_array_equal(whole, stft(sound, n_fft, 100))


def test_a_sound_longer_than_a_piece_is_transformed_in_pieces(rng):
    assert CentredStft(512, 1).piece == 255 and CentredStft(1 << 20, 1).piece == 1
    sound = rng.uniform(-1, 1, 2 * CentredStft(512, 256).piece + 77).astype(np.float32)
    theirs = librosa.stft(sound, n_fft=512, hop_length=256).T
    assert np.abs(stft(sound, 512, 256) - theirs).max() <= 1e-6 * np.abs(theirs).max()


@pytest.mark.parametrize(("n_fft", "hop", "window", "center"), FRAMES)
@pytest.mark.parametrize("length", [None, 100, 19_000, 25_000])
def test_istft_is_librosas(samples, n_fft, hop, window, center, length):
    if hop * 2 > n_fft:
        hop = n_fft // 2
    frames = stft(samples, n_fft, hop, window, center)
    ours = istft(frames, hop, n_fft, window, center, length)
    theirs = librosa.istft(
        frames.T, n_fft=n_fft, hop_length=hop, window=window, center=center, length=length
    )
    assert ours.dtype == np.float32 and ours.shape == theirs.shape
    # Where only the outermost samples of a window lie, librosa divides rounding by rounding.
    inner = slice(None) if center else slice(n_fft // 8, len(samples) - 2 * n_fft)
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=2e-6)


def test_istft_undoes_stft_to_the_last_sample(samples):
    both = np.stack([samples, samples[::-1]], axis=1)
    for sound in (samples, both):
        back = istft(stft(sound, 1024, 300), 300, length=len(samples))
        np.testing.assert_allclose(back, sound, atol=1e-6)
    few = istft(stft(samples[:700], 1024, 256), 256, length=700)
    np.testing.assert_allclose(few, samples[:700], atol=1e-6)


def test_istft_of_whole_frames_ends_quietly(samples):
    """A Blackman window begins with rounding, which nothing may be divided by."""
    frames = stft(samples, 512, 128, "blackman", center=False)
    assert np.abs(istft(frames, 128, 512, "blackman", center=False)).max() < 2


def test_int16_sound_comes_back_to_the_sample(rng):
    whole = rng.integers(-32768, 32768, 9000)
    back = istft(stft((whole / 32768).astype(np.float32), 512, 128), 128, length=9000)
    np.testing.assert_array_equal(np.round(back * 32768), whole)


def test_magnitudes_of_any_power(samples):
    frames = stft(samples, 512, 256)
    for power in (1.0, 2.0, 0.5):
        expected = np.abs(frames) ** power
        np.testing.assert_allclose(magnitudes(frames, power), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: stft(np.zeros(9, np.int16)), "int16 have no known full scale"),
        (lambda: stft(np.array([0.0, np.nan])), "hold NaN or infinity"),
        (lambda: stft(np.zeros((2, 2, 2))), "do not fit"),
        (lambda: stft(np.zeros(9), 512, 513), "hop=513 is larger than window length of 512"),
        (lambda: stft(np.zeros(9), 512, 128, "han"), "no window is called 'han'"),
        (lambda: istft(np.zeros(5, complex)), r"frames of shape \(5,\) must be"),
        (lambda: istft(np.zeros((0, 5), complex)), "at least one of them"),
        (lambda: istft(np.zeros((3, 5), complex), 2, 16), "do not fit n_fft=16"),
        (lambda: melspectrogram(np.zeros(9), sample_rate=RATE, norm="l1"), "norm='l1' must be"),
        (lambda: melspectrogram(np.zeros(9), sample_rate=RATE, fmax=2e4), "within 0 to 11025 Hz"),
        (lambda: power_to_db(np.zeros(3, complex)), "decibels have no phase"),
        (lambda: power_to_db(np.zeros(3), amin=0), "amin=0 must be above 0"),
        (lambda: power_to_db(np.zeros(3), top_db=-1), "top_db=-1 at least 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(call, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        call()
