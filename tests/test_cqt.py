"""Constant-Q rows: the sums they stand for, librosa's, and the same however the sound comes."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.constant_q import cqt_n_fft, quality
from realtime.dsp.cqt import StreamingCqt, cqt
from realtime.errors import RequestError

RATE = 22050


def tone(hz: float, seconds: float = 1.5) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype("f4")


def decibels(rows: np.ndarray) -> np.ndarray:
    return 20 * np.log10(np.abs(rows) + 1e-9)


@pytest.mark.parametrize("row", [0, 12, 33, 45, 60, 83])
def test_a_tone_reads_what_librosas_does(row: int):
    hz = librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1"))[row]
    ours, theirs = cqt(tone(hz), RATE), librosa.cqt(tone(hz), sr=RATE).T
    assert ours.shape == theirs.shape
    middle = len(ours) // 2
    assert np.argmax(np.abs(ours[middle])) == row
    level, other = decibels(ours[middle])[row], decibels(theirs[middle])[row]
    assert level == pytest.approx(other, abs=0.02)
    length = quality(12) * RATE / hz
    assert level == pytest.approx(20 * np.log10(0.25 * np.sqrt(length)), abs=0.05)
    assert np.angle(ours[middle, row] / theirs[middle, row]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("per_octave", [12, 24])
def test_noise_reads_what_librosas_does(rng, per_octave: int):
    noise = rng.standard_normal(3 * RATE).astype(np.float32)
    ours = np.abs(cqt(noise, RATE, 512, 65.4, 6 * per_octave, per_octave))
    theirs = np.abs(
        librosa.cqt(noise, sr=RATE, fmin=65.4, n_bins=6 * per_octave, bins_per_octave=per_octave).T
    )
    assert np.sqrt(np.mean((ours - theirs) ** 2) / np.mean(theirs**2)) < 0.02


@pytest.mark.parametrize("hop", [100, 512, 3000])
def test_each_row_is_the_sum_it_stands_for(rng, hop: int):
    """Straight from the definition: a windowed wave, centred on the frame."""
    noise = rng.standard_normal(20_000)
    rows = cqt(noise, RATE, hop, 110.0, 40, 12)
    assert len(rows) == 20_000 // hop + 1
    padded = np.pad(noise, 10_000)
    tolerance = 2e-3 * float(np.abs(rows).max())
    for k in (0, 7, 39):
        hz = 110.0 * 2 ** (k / 12)
        length = quality(12) * RATE / hz
        n = int(np.ceil(length))
        places = np.arange(n) - n // 2
        shape = np.hanning(n + 1)[:-1]
        wave = shape / shape.sum() * np.exp(-2j * np.pi * hz / RATE * places) * np.sqrt(length)
        for m in (0, 1, len(rows) - 1):
            expected = padded[10_000 + m * hop + places] @ wave
            assert rows[m, k] == pytest.approx(expected, abs=tolerance)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 9000), max_size=6))
def test_rows_do_not_depend_on_how_the_sound_comes(cuts: list[int]):
    sound = np.random.default_rng(1).uniform(-1, 1, (9000, 2)).astype(np.float32)
    stream = StreamingCqt(RATE, 300, 220.0, 48, n_channels=2)
    whole = cqt(sound, RATE, 300, 220.0, 48)
    for _ in range(2):
        parts = [stream.push(part) for part in np.split(sound, sorted(cuts))]
        np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()]), whole)
    np.testing.assert_array_equal(cqt(sound[:, 1], RATE, 300, 220.0, 48), whole[:, 1])


def test_a_sound_longer_than_a_piece_is_one_sound(rng):
    stream = StreamingCqt(RATE, 1024)
    sound = rng.uniform(-1, 1, stream.piece + 9000).astype(np.float32)
    once = np.concatenate([stream.push(sound), stream.finish()])
    np.testing.assert_array_equal(cqt(sound, RATE, 1024), once)


def test_silence_is_silence():
    assert not cqt(np.zeros(3000), RATE).any()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cqt(np.zeros(9), RATE, n_bins=120), "n_bins=120 rows from 32.7032 Hz on must be"),
        (lambda: cqt(np.zeros(9), RATE, n_bins=0), "must be at least 1"),
        (lambda: cqt(np.zeros(9), RATE, 0), "hop=0 must be 1 to n_fft=16384"),
        (lambda: cqt(np.zeros(9), RATE, fmin=0.5), "lies below 1 Hz; try a higher fmin"),
        (lambda: cqt(np.array([np.inf]), RATE), "hold NaN or infinity"),
        (lambda: cqt(np.zeros(9, int), RATE), "no known full scale"),
        (lambda: cqt_n_fft(768_000, 1.0, 480), "takes windows of more than 1048576 samples"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(call, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        call()
