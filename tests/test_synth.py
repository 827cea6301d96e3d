from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.audio import voices
from realtime.audio.demo import LOOP_SECONDS
from realtime.audio.synth import (
    CHUNK,
    NOISE_CHUNK,
    NOISE_RMS,
    TONE_AMPLITUDE,
    Demo,
    Generator,
    Noise,
    Tone,
)
from realtime.errors import SourceError

RATE = 48000
LOOP = round(LOOP_SECONDS * RATE / CHUNK) * CHUNK


def make(kind: str, rate: int = RATE, n_channels: int = 1) -> Generator:
    match kind:
        case "tone":
            return Tone(441.7, rate, n_channels)
        case "noise":
            return Noise(rate, n_channels)
        case _:
            return Demo(rate, n_channels)


@pytest.fixture(scope="module")
def demo() -> np.ndarray:
    """One loop, mono."""
    return Demo(RATE).read(LOOP)[:, 0]


def db(ratio: float) -> float:
    return 20 * np.log10(ratio)


@pytest.mark.parametrize("kind", ["tone", "noise", "demo"])
@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 3 * CHUNK), min_size=1, max_size=8))
def test_samples_do_not_depend_on_how_the_reads_are_cut(kind, cuts):
    whole = make(kind, n_channels=2).read(sum(cuts))
    cut = make(kind, n_channels=2)
    assert np.array_equal(np.concatenate([cut.read(n) for n in cuts]), whole)


@pytest.mark.parametrize("kind", ["tone", "noise", "demo"])
def test_blocks_are_float32_time_major_and_the_callers_own(kind):
    generator = make(kind, n_channels=3)
    block = generator.read(100)
    assert block.dtype == np.float32
    assert block.shape == (100, 3)
    block[:] = 7.0
    assert np.abs(generator.read(100)).max() < 1  # of the chunk that the first block was part of


@pytest.mark.parametrize("index", [0, 1, 10**6, 10**10])
@pytest.mark.parametrize("hz", [1, 440, 997, 23999])
def test_a_tone_has_its_exact_phase_even_after_years(hz, index):
    chunk = Tone(hz, RATE).chunk(index)[:, 0]
    cycles = [(hz * (index * CHUNK + i) % RATE) / RATE for i in range(CHUNK)]  # exact integers
    expected = TONE_AMPLITUDE * np.sin(2 * np.pi * np.array(cycles))
    assert np.abs(chunk - expected).max() < 1e-7


def test_a_tone_reads_6_db_below_full_scale_in_every_channel():
    block = Tone(1000, RATE, 2).read(RATE)
    assert np.array_equal(block[:, 0], block[:, 1])
    assert db(np.abs(block).max()) == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("hz", [24000, 30000, 1e12])
def test_a_tone_that_does_not_fit_in_the_sample_rate_is_refused(hz):
    with pytest.raises(SourceError, match=r"does not fit .* 48000 Hz: ask for less than 24000 Hz"):
        Tone(hz, RATE)


def test_noise_is_white_at_20_db_below_full_scale_and_never_clips():
    block = Noise(RATE).read(10 * RATE)[:, 0]
    assert db(np.sqrt(np.mean(block**2))) == pytest.approx(-20, abs=0.05)
    assert np.abs(block).max() < 1
    power = np.abs(np.fft.rfft(block)) ** 2 / len(block)
    for band in np.array_split(power, 24):
        assert db(np.sqrt(band.mean())) == pytest.approx(db(NOISE_RMS), abs=0.25)


def test_noise_is_independent_from_channel_to_channel_and_from_chunk_to_chunk():
    block = Noise(RATE, 2).read(8 * NOISE_CHUNK)
    n = NOISE_CHUNK
    parts = [block[:n, 0], block[:n, 1], block[n : 2 * n, 0]]
    correlation = np.corrcoef(parts) - np.eye(3)
    assert np.abs(correlation).max() < 0.06


@pytest.mark.parametrize("rate", [1000, 8000, 22050, 48000, 192000])
def test_the_demo_stays_within_its_peak_at_every_rate(rate):
    samples = Demo(rate).read(int(LOOP_SECONDS * rate))
    assert np.isfinite(samples).all()
    assert 0.2 < np.abs(samples).max() <= 0.9


def test_the_demo_is_moderately_loud_throughout(demo):
    for second in np.split(demo[: 23 * RATE], 23):
        assert -26 < db(np.sqrt(np.mean(second**2))) < -14


def test_the_demo_goes_round_without_a_seam(demo):
    generator = Demo(RATE)
    generator.read(LOOP - 100)
    seam = generator.read(200)[:, 0]
    assert np.array_equal(seam[:100], demo[-100:])
    assert np.array_equal(seam[100:], demo[:100])
    assert np.abs(np.diff(seam)).max() < 0.1  # a click is 0.6


def test_the_demos_channels_differ_and_none_is_silent():
    blocks = Demo(RATE, 3).read(LOOP)
    mono = Demo(RATE).read(LOOP)
    for channel in blocks.T:
        assert np.sqrt(np.mean(channel**2)) > 0.4 * np.sqrt(np.mean(mono**2))
        assert np.abs(channel).max() <= 0.9
    assert np.abs(blocks[:, 0] - blocks[:, 1]).max() > 0.1


@pytest.mark.parametrize("second", [1.0, 2.0, 4.0, 5.0])
def test_the_crossing_sweeps_are_where_the_score_puts_them(demo, second):
    n_fft = 4096
    middle = int(second * RATE)
    piece = demo[middle - n_fft // 2 : middle + n_fft // 2] * np.hanning(n_fft)
    levels = np.abs(np.fft.rfft(piece))
    for low, high in ((32, 21000), (21000, 32)):
        hz = low * (high / low) ** (second / 6)
        at = round(hz * n_fft / RATE)
        near = levels[max(at - 12, 0) : at + 13].max()
        assert db(near / np.median(levels)) > 20


def test_what_a_low_sample_rate_cannot_carry_is_left_out_not_folded_back():
    t = np.arange(6 * 8000) / 8000
    sweep = voices.log_sweep(32, 21000, 6.0)(t, 8000)
    hz = 32 * (21000 / 32) ** (t / 6)
    assert not sweep[hz > 4000].any()
    assert np.abs(sweep[(hz > 100) & (hz < 3000)]).max() > 0.99


def test_a_gliding_voice_has_the_frequency_it_glides_through():
    t = np.arange(RATE) / RATE
    tune = voices.whistle([(0.0, 2000.0), (0.5, 4000.0), (1.0, 1000.0)])(t, RATE)
    for second, hz in ((0.25, 3000), (0.5, 4000), (0.75, 2500)):
        at = int(second * RATE)
        piece = tune[at - 512 : at + 512] * np.hanning(1024)
        found = np.abs(np.fft.rfft(piece, 16384)).argmax() * RATE / 16384
        assert found == pytest.approx(hz, rel=0.02)


def test_shaped_noise_keeps_to_its_band_and_goes_round_without_a_seam():
    made = voices.shaped_noise(1, 5.0, RATE, 1000, 2000, 0.0)
    assert len(made) == RATE  # 1 s of it
    assert np.sqrt(np.mean(made**2)) == pytest.approx(1)
    power = np.abs(np.fft.rfft(made)) ** 2
    assert power[900:2200].sum() > 0.999 * power.sum()
    assert abs(made[0] - made[-1]) <= np.abs(np.diff(made)).max()
