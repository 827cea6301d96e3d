"""Freeze: one moment sounds on, tones as tones and noise as noise, at their levels."""

from __future__ import annotations

import clicks
import numpy as np
import pytest
from clicks import frame_format
from partials import sines, strongest
from scipy import signal

from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.freeze import Freeze

SAMPLE_RATE = clicks.SAMPLE_RATE
LAYOUTS = ("1024/256", "2048/512", "4096/512", "2048/64")
PARTIALS = [220.0, 440.0, 661.0, 880.0, 3001.0]


def held(format: FrameFormat, samples: np.ndarray, seconds: float) -> np.ndarray:
    """What is heard after `samples`, (n, n_channels), when their last frame is frozen."""
    frames = clicks.analysed(format, samples.astype(np.float32))
    freeze = Freeze(format)
    freeze.process(frames[:-1])
    n_frames = int(seconds * SAMPLE_RATE / format.hop)
    frozen = freeze.changed({"on": True}).process(np.repeat(frames[-1:], n_frames, axis=0))
    return clicks.synthesised(format, frozen)


def levels(samples: np.ndarray, seconds: float = 0.05) -> np.ndarray:
    """dB of each piece of `seconds`."""
    n = round(seconds * SAMPLE_RATE)
    pieces = samples[: len(samples) // n * n].reshape(-1, n)
    return 10 * np.log10(np.mean(np.square(pieces), axis=1))


def thirds(samples: np.ndarray) -> np.ndarray:
    """dB in each third of an octave from 200 Hz to 16 kHz."""
    hz, power = signal.welch(samples, SAMPLE_RATE, nperseg=4096)
    edges = np.searchsorted(hz, 200 * 2 ** (np.arange(20) / 3))
    return 10 * np.log10(np.add.reduceat(power, edges)[:-1] / np.diff(edges))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_off_the_very_same_frames_come_back(layout, rng):
    format = frame_format(layout)
    frames = clicks.analysed(format, rng.standard_normal((30000, 1)))
    assert Freeze(format).process(frames) is frames


@pytest.mark.parametrize("layout", ["1024/256", "2048/512", "2048/256", "4096/512"])
def test_tones_sound_on_for_ten_seconds_as_they_were(layout):
    heard = held(frame_format(layout), sines(0.6, *PARTIALS), 10)[:, 0]
    hz, amplitudes = strongest(heard[-SAMPLE_RATE // 2 :], len(PARTIALS))
    assert np.abs(1200 * np.log2(hz / PARTIALS)).max() < 1
    assert np.abs(20 * np.log10(amplitudes / 0.1)).max() < 0.1
    assert np.std(levels(heard)) < 0.05


@pytest.mark.parametrize("layout", LAYOUTS)
def test_noise_stays_noise_of_the_same_spectrum_and_steady(layout, rng):
    """Noise louder towards 1500 Hz; a real 10 s of it is the measure of steadiness."""
    shape = signal.butter(1, (1000, 2200), "bandpass", fs=SAMPLE_RATE, output="sos")
    noise = np.asarray(signal.sosfilt(shape, rng.standard_normal(11 * SAMPLE_RATE)))
    real = noise[SAMPLE_RATE:]
    heard = held(frame_format(layout), noise[:SAMPLE_RATE, None], 10)[:, 0]
    # A moment is a few frames of noise, and they were not quite the mean of all.
    assert np.abs(thirds(heard) - thirds(real)).max() < 4
    assert np.std(thirds(heard) - thirds(real)) < 1.2
    assert np.mean(levels(heard)) == pytest.approx(np.mean(levels(real)), abs=1)
    assert np.std(levels(heard)) < 1.3 * np.std(levels(real))
    # Nothing comes round again: no echo of itself, but for the noise's own colour.
    spectrum = np.abs(np.fft.rfft(heard[: 9 * SAMPLE_RATE], 2**20)) ** 2
    echo = np.fft.irfft(spectrum)[: 5 * SAMPLE_RATE]
    assert np.abs(echo[2400:]).max() < 0.05 * echo[0]


def test_a_tone_in_noise_keeps_both_without_flutter(rng):
    samples = sines(1.0, 300.0, 1000.0) + 0.03 * rng.standard_normal((48000, 1))
    heard = held(frame_format("2048/512"), samples, 5)[:, 0]
    hz, amplitudes = strongest(heard[-SAMPLE_RATE:], 2)
    assert hz == pytest.approx([300, 1000], abs=0.5)
    assert np.abs(20 * np.log10(amplitudes / 0.1)).max() < 1
    assert np.std(levels(heard)) < 0.2
    assert np.mean(levels(heard)) == pytest.approx(np.mean(levels(samples[:, 0])), abs=0.5)


def test_a_voice_with_vibrato_is_no_noise():
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    cycles = 220 * (t - 0.012 * np.cos(2 * np.pi * 5.5 * t) / (2 * np.pi * 5.5))
    for stop in (40000, 44000, 48000):  # here and there in the swing
        voice = 0.3 * np.sin(2 * np.pi * np.outer(cycles, [1, 2, 3])).sum(axis=1, keepdims=True)
        heard = held(frame_format("2048/512"), voice[:stop], 3)[:, 0]
        hz, power = signal.welch(heard, SAMPLE_RATE, nperseg=16384)
        peaks = [power[np.abs(hz - near) < 0.02 * near].max() for near in (220, 440, 660)]
        tones = sum(power[np.abs(power - peak).argmin() + np.arange(-3, 4)].sum() for peak in peaks)
        assert tones > 0.95 * power.sum()


def test_noise_keeps_what_its_channels_have_in_common(rng):
    left, right = rng.standard_normal((2, 48000, 1))
    for in_right, alike in ((0.5 * left, 1.0), (right, 0.0), (-left, -1.0), (left + right, 0.7)):
        both = 0.1 * np.concatenate([left, in_right], axis=1)
        heard = held(frame_format("2048/512", 2), both, 3)
        assert np.corrcoef(heard.T)[0, 1] == pytest.approx(alike, abs=0.12)


def test_a_tone_in_common_does_not_make_noise_common(rng):
    tone = sines(1.0, 300.0)
    both = np.tile(tone, 2) + 0.01 * rng.standard_normal((48000, 2))
    heard = held(frame_format("2048/512", 2), both, 3)
    above = signal.butter(6, 1500, "high", fs=SAMPLE_RATE, output="sos")
    noise = np.asarray(signal.sosfilt(above, heard, axis=0))[4800:]
    assert np.corrcoef(noise.T)[0, 1] == pytest.approx(0, abs=0.15)


def test_what_is_switched_on_too_early_waits_for_its_moment():
    format = frame_format("2048/512")
    frames = clicks.analysed(format, sines(0.6, 300.0).astype(np.float32))
    heard = Freeze(format, {"on": True}).process(frames)
    assert np.array_equal(heard[:8], frames[:8])
    assert np.allclose(np.abs(heard[20]), np.abs(heard[8]), atol=0.05)
    assert not np.allclose(heard[20], frames[20])


def test_off_and_on_again_holds_another_moment():
    format = frame_format("2048/512")
    low, high = (
        clicks.analysed(format, sines(0.6, hz).astype(np.float32)) for hz in (300.0, 900.0)
    )
    freeze = Freeze(format)
    freeze.process(low[:-1])
    freeze = freeze.changed({"on": True})
    freeze.process(low[-1:])
    assert np.abs(freeze.process(high[:-2])[-1, 0]).argmax() == 13
    freeze = freeze.changed({"on": False})
    freeze.process(high[-2:-1])
    freeze = freeze.changed({"on": True})
    freeze.process(high[-1:])
    assert np.abs(freeze.process(low)[-1, 0]).argmax() == 38


@pytest.mark.parametrize("layout", LAYOUTS)
def test_silence_stays_silence(layout):
    assert not held(frame_format(layout, 2), np.zeros((20000, 2)), 0.2).any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_cutting_gives_the_same_bits_and_none_of_them_blows_up(layout, rng):
    format = frame_format(layout, 2)
    samples = np.tile(sines(0.6, 300.0), 2) + 0.1 * rng.standard_normal((28800, 2))
    samples[-1000] = 1
    frames = clicks.analysed(format, samples.astype(np.float32))
    whole = Freeze(format, {"on": True}).process(frames)
    freeze = Freeze(format, {"on": True})
    cuts = np.sort(rng.integers(0, len(frames), 9))
    pieces = [freeze.process(piece) for piece in np.split(frames, cuts)]
    assert np.concatenate(pieces).dtype == np.complex64
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.abs(clicks.synthesised(format, whole)).max() < 5


def test_nothing_is_kept_of_the_frames(rng):
    format = frame_format("2048/512")
    frames = clicks.analysed(format, rng.standard_normal((20000, 1)))
    freeze, other = Freeze(format), Freeze(format)
    mine = frames[:-5].copy()
    freeze.process(mine)
    mine[:] = 0
    other.process(frames[:-5])
    frozen = [each.changed({"on": True}).process(frames[-5:]) for each in (freeze, other)]
    assert np.array_equal(*frozen)


def test_a_copy_goes_on_where_it_was_copied_and_reset_begins_anew(rng):
    format = frame_format("2048/512")
    frames = clicks.analysed(format, rng.standard_normal((20000, 1)))
    freeze = Freeze(format, {"on": True})
    first = freeze.process(frames)
    twin = freeze.changed({})
    assert np.array_equal(twin.process(frames), freeze.process(frames))
    freeze.reset()
    assert np.array_equal(freeze.process(frames), first)


@pytest.mark.parametrize("layout", clicks.LAYOUTS)
def test_switching_makes_no_clicks(layout, rng):
    descriptions = [(clicks.effects(text), False) for text in ("freeze", "freeze:on=on")]
    format = frame_format(layout)
    clicks.assert_no_clicks(rng, format, 440.0, descriptions, seconds=1.0, n_changes=20, own=True)
