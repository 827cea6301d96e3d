"""Pitch: partials arrive in tune and as loud as they were, attacks stay where they were."""

from __future__ import annotations

import clicks
import numpy as np
import pytest
from clicks import frame_format
from scipy import signal

from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.pitch import Pitch

SAMPLE_RATE = clicks.SAMPLE_RATE
LAYOUTS = ("1024/256", "2048/512", "4096/512", "2048/64")


def heard(format: FrameFormat, samples: np.ndarray, **values) -> np.ndarray:
    """`samples`, (n, n_channels), through Pitch: sample k of what comes out is sample k of it."""
    n_before = format.n_fft
    padded = np.pad(samples.astype(np.float32), ((n_before, n_before), (0, 0)))
    frames = Pitch(format, values).process(clicks.analysed(format, padded))
    late = len(format.synthesis_window) - format.hop
    skipped = format.n_fft - len(format.synthesis_window)
    return clicks.synthesised(format, frames)[n_before - late - skipped :][: len(samples)]


def times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def harmonic(hz: float, seconds: float = 1.5, n_partials: int = 8) -> np.ndarray:
    """float64 (n, 1), partials of falling level and scattered phases."""
    k = np.arange(1, n_partials + 1)
    waves = np.sin(2 * np.pi * hz * np.outer(times(seconds), k) + 0.7 * k * k)
    return waves @ (0.2 / k)[:, None]


def partials(samples: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz, and levels in dB, of the peaks within 3 % of those `near`."""
    n_fft = 2 ** int(np.ceil(np.log2(3 * len(samples))))
    spectrum = np.fft.rfft(samples * np.blackman(len(samples)), n_fft)
    levels = 20 * np.log10(np.abs(spectrum) + 1e-12)
    ranges = np.round(np.outer(near, [0.97, 1.03]) * n_fft / SAMPLE_RATE).astype(int)
    peaks = np.array([low + np.argmax(levels[low:high]) for low, high in ranges])
    before, at, after = (levels[peaks + step] for step in (-1, 0, 1))
    bins = peaks + (before - after) / 2 / (before - 2 * at + after)
    return bins * SAMPLE_RATE / n_fft, at


@pytest.mark.parametrize("layout", ["2048/512", "4096/512"])
@pytest.mark.parametrize("semitones", [7, -5])
@pytest.mark.parametrize("hz", [110.0, 220.0, 440.0, 880.0])
def test_partials_are_in_tune_and_as_loud_as_before(layout, semitones, hz):
    ratio = 2 ** (semitones / 12)
    samples = harmonic(hz)
    shifted = heard(frame_format(layout), samples, semitones=semitones)
    steady = slice(SAMPLE_RATE // 2, -SAMPLE_RATE // 8)
    expected = hz * np.arange(1, 9)
    was, loud = partials(samples[steady, 0], expected)
    now, louder = partials(shifted[steady, 0], expected * ratio)
    assert np.abs(1200 * np.log2(now / was / ratio)).max() < 0.1
    assert np.abs(louder - loud).max() < 0.2
    assert 20 * np.log10(shifted[steady].std() / samples[steady].std()) == pytest.approx(0, abs=0.1)


def test_cents_and_semitones_add_up():
    assert np.array_equal(
        heard(frame_format("2048/512"), harmonic(220.0, 0.3), semitones=1, cents=-50),
        heard(frame_format("2048/512"), harmonic(220.0, 0.3), cents=50),
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_by_nothing_the_very_same_frames_come_back(layout, rng):
    format = frame_format(layout)
    frames = clicks.analysed(format, rng.standard_normal((8192, 1)))
    assert Pitch(format, {"formants": True}).process(frames) is frames


@pytest.mark.parametrize("layout", ["1024/256", "2048/512", "4096/512"])
@pytest.mark.parametrize("semitones", [7, -5])
def test_a_click_over_a_tone_stays_one_click_at_its_time(layout, semitones, rng):
    at = 15000
    samples = harmonic(220.0, 0.6) + 3e-4 * rng.standard_normal((28800, 1))
    samples[at] += 0.8
    above = signal.butter(6, 4000, "high", fs=SAMPLE_RATE, output="sos")
    shifted = signal.sosfiltfilt(
        above, heard(frame_format(layout), samples, semitones=semitones)[:, 0]
    )
    around = np.square(shifted[at - 2400 : at + 2400])
    ms = (np.arange(4800) - 2400) / SAMPLE_RATE * 1e3
    mean = around @ ms / around.sum()
    assert abs(mean) < 0.3
    assert np.sqrt(around @ np.square(ms - mean) / around.sum()) < 1.5
    assert around[ms < -2].sum() < 0.003 * around.sum()
    assert around[ms > 2].sum() < 0.003 * around.sum()


@pytest.mark.parametrize("semitones", [12, 7, -5, -12])
def test_noise_keeps_its_level(semitones, rng):
    low = signal.butter(4, 4000, fs=SAMPLE_RATE, output="sos")
    samples = 0.1 * np.asarray(signal.sosfilt(low, rng.standard_normal((48000, 1)), axis=0))
    shifted = heard(frame_format("2048/512"), samples, semitones=semitones)
    assert 20 * np.log10(shifted.std() / samples.std()) == pytest.approx(0, abs=1.5)


def vowel(hz: float, seconds: float) -> tuple[np.ndarray, signal.TransferFunction]:
    """A voice of five resonances; float64 (n, 1), and its filter."""
    poles = [
        np.exp(np.pi * (-width + side * 2j * place) / SAMPLE_RATE)
        for place, width in ((700, 80), (1220, 90), (2600, 120), (3500, 130), (4500, 200))
        for side in (1, -1)
    ]
    throat = signal.TransferFunction([1.0], np.poly(poles).real, dt=1 / SAMPLE_RATE)
    pulses = (np.diff(np.floor(times(seconds) * hz), prepend=-1) > 0).astype(float)
    voice = signal.lfilter(throat.num, throat.den, pulses)
    return (voice / np.abs(voice).max() * 0.5)[:, None], throat


@pytest.mark.parametrize("semitones", [7, -5])
def test_a_voice_keeps_its_formants_on_request(semitones):
    hz, ratio = 120.0, 2 ** (semitones / 12)
    samples, throat = vowel(hz, 0.8)
    off = {}
    for formants in (False, True):
        shifted = heard(frame_format("2048/512"), samples, semitones=semitones, formants=formants)
        harmonics = np.arange(1, int(4000 / hz / ratio)) * hz * ratio
        levels = partials(shifted[12000:36000, 0], harmonics)[1]
        _, response = signal.freqz(throat.num, throat.den, harmonics, fs=SAMPLE_RATE)
        off[formants] = np.std(levels - 20 * np.log10(np.abs(response)))
        level = 20 * np.log10(shifted[12000:36000].std() / samples[12000:36000].std())
        assert level == pytest.approx(0, abs=1)
    assert off[True] < 3 < 6 < off[False]


@pytest.mark.parametrize("formants", [False, True])
def test_what_is_the_same_in_two_channels_stays_so(formants, rng):
    samples = harmonic(220.0, 0.4) + 0.01 * rng.standard_normal((19200, 1))
    both = np.concatenate([samples, 0.5 * samples], axis=1)
    shifted = heard(frame_format("2048/512", 2), both, semitones=3, formants=formants)
    assert np.allclose(shifted[:, 1], 0.5 * shifted[:, 0], atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("formants", [False, True])
def test_silence_stays_silence(layout, formants):
    format = frame_format(layout, 2)
    frames = np.zeros((20, 2, format.n_bins), np.complex64)
    values = {"semitones": 5, "formants": formants}
    assert not Pitch(format, values).process(frames).any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_cutting_gives_the_same_bits(layout, rng):
    format = frame_format(layout, 2)
    samples = np.tile(harmonic(300.0, 0.2), 2) + 0.1 * rng.standard_normal((9600, 2))
    frames = clicks.analysed(format, samples)
    values = {"semitones": -3, "formants": True}
    whole = Pitch(format, values).process(frames)
    pitch = Pitch(format, values)
    cuts = np.sort(rng.integers(0, len(frames), 9))
    pieces = [pitch.process(piece) for piece in np.split(frames, cuts)]
    assert whole.dtype == np.complex64
    assert np.array_equal(np.concatenate(pieces), whole)


def test_nothing_is_kept_of_the_frames(rng):
    format = frame_format("2048/512")
    frames = clicks.analysed(format, rng.standard_normal((9000, 1)))
    pitch, other = (Pitch(format, {"semitones": 4}) for _ in range(2))
    mine = frames[:5].copy()
    pitch.process(mine)
    mine[:] = 0
    other.process(frames[:5])
    assert np.array_equal(pitch.process(frames[5:]), other.process(frames[5:]))


def test_a_copy_goes_on_where_it_was_copied_and_reset_begins_anew(rng):
    format = frame_format("2048/512")
    frames = clicks.analysed(format, rng.standard_normal((30000, 1)))
    pitch = Pitch(format, {"semitones": 4})
    first = pitch.process(frames[:20])
    twin = pitch.changed({})
    assert np.array_equal(twin.process(frames[20:]), pitch.process(frames[20:]))
    pitch.reset()
    assert np.array_equal(pitch.process(frames[:20]), first)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("semitones", [-24, -1, 1, 24])
def test_nothing_blows_up(layout, semitones, rng):
    format = frame_format(layout)
    samples = np.clip(rng.standard_normal((12000, 1)), -1, 1)
    samples[4000:9000] = 0
    samples[7000:7010] = 1
    shifted = heard(format, samples, semitones=semitones, formants=True)
    assert np.isfinite(shifted).all()
    assert np.abs(shifted).max() < 10
    for level in (1e-25, 1e11):
        frames = clicks.analysed(format, (level * samples).astype(np.float32))
        assert np.isfinite(Pitch(format, {"semitones": semitones}).process(frames)).all()


@pytest.mark.parametrize("layout", clicks.LAYOUTS)
def test_changes_make_no_clicks(layout, rng):
    descriptions = [
        (clicks.effects(text), False)
        for text in ("pitch:semitones=0", "pitch:semitones=3,cents=20", "pitch:semitones=-4")
    ]
    format = frame_format(layout)
    clicks.assert_no_clicks(rng, format, 440.0, descriptions, seconds=1.0, n_changes=20, own=True)
