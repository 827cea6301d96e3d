"""Levels of columns, their 16 bits, and the level meter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from realtime.dsp.levels import (
    CODES,
    DB_CEIL,
    DB_FLOOR,
    HOLD_FALL_DB,
    HOLD_SECONDS,
    LevelMeter,
    column_codes,
    column_db,
    decode,
    encode,
)
from realtime.dsp.stft import StreamingStft
from realtime.dsp.windows import WINDOWS
from realtime.errors import RequestError

HALF_STEP_DB = (DB_CEIL - DB_FLOOR) / CODES / 2
RATE = 48000


def columns(samples: np.ndarray, **stft) -> np.ndarray:
    transform = StreamingStft(**stft)
    return column_db(transform.push(samples), transform.window_sum, transform.n_fft_total)


def tone(bin_number: float, n_fft: int, n_samples: int, amplitude: float = 1.0) -> np.ndarray:
    phase = 2 * np.pi * bin_number / n_fft * np.arange(n_samples)
    return (amplitude * np.cos(phase + 0.3)).astype(np.float32)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("zero_pad", [1, 2, 8])
@pytest.mark.parametrize("n_fft", [256, 1000, 4096, 32768])
def test_a_full_scale_sine_on_a_bin_centre_reads_0_dbfs(window: str, zero_pad: int, n_fft: int):
    samples = tone(n_fft // 8, n_fft, n_fft + 3)
    db = columns(samples, n_fft=n_fft, hop=1, window=window, zero_pad=zero_pad)
    assert db.dtype == np.float32
    np.testing.assert_allclose(db[:, n_fft // 8 * zero_pad], 0, atol=0.01)
    np.testing.assert_allclose(db.max(axis=1), 0, atol=0.01)


@pytest.mark.parametrize("amplitude_db", [-120, -60, -6, 6])
def test_levels_follow_the_amplitude(amplitude_db: float):
    samples = tone(64, 512, 512, 10 ** (amplitude_db / 20))
    assert columns(samples, n_fft=512, hop=512)[0, 64] == pytest.approx(amplitude_db, abs=0.01)


@pytest.mark.parametrize("window", WINDOWS)
def test_dc_and_nyquist_read_their_own_level(window: str):
    ones = np.ones(512, np.float32)
    alternating = np.where(np.arange(512) % 2, -1, 1).astype(np.float32)
    stft = {"n_fft": 512, "hop": 512, "window": window}
    assert columns(ones, **stft)[0, 0] == pytest.approx(0, abs=0.01)
    assert columns(alternating, **stft)[0, -1] == pytest.approx(0, abs=0.01)


def test_an_odd_length_has_no_nyquist_bin():
    db = column_db(np.full((1, 201), 50, np.complex64), 100, 401)
    np.testing.assert_allclose(db[0, :2], [-6.02, 0], atol=0.01)
    assert db[0, -1] == pytest.approx(0, abs=0.01)


def test_columns_equal_the_formula_in_float64(rng: np.random.Generator):
    frames = rng.standard_normal((300, 257)) + 1j * rng.standard_normal((300, 257))
    expected = 20 * np.log10(2 * np.abs(frames) / 100)
    expected[:, [0, -1]] -= 20 * np.log10(2)
    for dtype, error in ((np.complex64, 1e-4), (np.complex128, 1e-5)):
        db = column_db(frames.astype(dtype), 100, 512)
        np.testing.assert_allclose(db, expected, atol=error)


def test_columns_of_channels_are_those_of_each_channel(rng: np.random.Generator):
    frames = (rng.standard_normal((5, 3, 129)) + 0j).astype(np.complex64)
    together = column_db(frames, 128, 256)
    for channel in range(3):
        np.testing.assert_array_equal(together[:, channel], column_db(frames[:, channel], 128, 256))


def test_no_frames_give_no_columns():
    assert column_db(np.empty((0, 129), np.complex64), 128, 256).shape == (0, 129)


def test_the_frames_given_are_left_as_they_were(rng: np.random.Generator):
    frames = (rng.standard_normal((5, 129)) + 0j).astype(np.complex64)
    before = frames.copy()
    column_db(frames, 128, 256)
    np.testing.assert_array_equal(frames, before)


def test_silence_reads_the_floor():
    assert (columns(np.zeros(2048, np.float32), n_fft=512, hop=128) == DB_FLOOR).all()


ANY_PARTS = arrays(
    np.float32, (3, 34), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)
)


@given(parts=ANY_PARTS, dtype=st.sampled_from([np.complex64, np.complex128]))
def test_columns_are_finite_whatever_goes_in(parts: np.ndarray, dtype: type):
    frames = parts.view(np.complex64).astype(dtype)
    db = column_db(frames, 16, 32)
    assert np.isfinite(db).all()
    tolerance = 1e-4  # dB, the rounding of float32
    assert db.min() >= DB_FLOOR - tolerance
    assert db.max() <= DB_CEIL + tolerance


def test_nan_reads_as_silence_and_infinity_as_the_loudest():
    frames = np.array([[np.nan, complex(np.nan, 1), np.inf, 1e38, -np.inf * 1j + 0]], np.complex64)
    db = column_db(frames, 8, 8)[0]
    np.testing.assert_allclose(db[:2], DB_FLOOR, atol=1e-4)
    np.testing.assert_allclose(db[2:4], DB_CEIL, atol=1e-4)


@given(parts=ANY_PARTS, dtype=st.sampled_from([np.complex64, np.complex128]))
def test_codes_of_spectra_are_those_of_their_levels_from_1_on(parts: np.ndarray, dtype: type):
    frames = parts.view(np.complex64).astype(dtype)
    codes = column_codes(frames, 16, 32)
    detour = np.maximum(encode(column_db(frames, 16, 32)), 1)
    assert codes.dtype == np.uint16
    assert codes.min() >= 1
    assert np.abs(codes.astype(int) - detour).max() <= 1


def test_codes_of_spectra_are_the_nearest_steps(rng: np.random.Generator):
    frames = 10 ** rng.uniform(-5, 2, (300, 257)) * np.exp(2j * np.pi * rng.random((300, 257)))
    exact = 20 * np.log10(2 * np.abs(frames) / 100)
    exact[:, [0, -1]] -= 20 * np.log10(2)
    codes = column_codes(frames.astype(np.complex64), 100, 512)
    np.testing.assert_allclose(decode(codes), exact, atol=HALF_STEP_DB + 1e-4)


def test_bins_that_do_not_fit_the_length_are_refused():
    with pytest.raises(RequestError, match=r"129 bins do not fit n_fft_total=512, which has 257"):
        column_db(np.zeros((1, 129), np.complex64), 256, 512)
    with pytest.raises(RequestError, match="129 bins"):
        column_codes(np.zeros((1, 129), np.complex64), 256, 512)


@given(db=arrays(np.float32, 50, elements=st.floats(-200, 50, width=32)))
def test_sixteen_bits_keep_a_level_within_half_a_step(db: np.ndarray):
    kept = decode(encode(db))
    tolerance = HALF_STEP_DB + 2e-5  # and the rounding of float32 at 144
    np.testing.assert_allclose(kept, np.clip(db, DB_FLOOR, DB_CEIL), atol=tolerance)


def test_every_code_comes_back_as_itself():
    codes = np.arange(CODES + 1, dtype=np.uint16)
    np.testing.assert_array_equal(encode(decode(codes)), codes)


def test_the_ends_of_the_range_are_the_ends_of_the_codes():
    levels = [DB_FLOOR, DB_CEIL, -np.inf, np.inf, np.nan, -1e30, 1e30]
    np.testing.assert_array_equal(encode(levels), [0, CODES, 0, CODES, 0, 0, CODES])
    np.testing.assert_allclose(decode(np.array([0, CODES], np.uint16)), [DB_FLOOR, DB_CEIL])
    assert encode(levels).dtype == np.uint16
    assert decode(np.zeros((2, 2), np.uint16)).dtype == np.float32


def sine_block(seconds: float, amplitude: float = 1.0, n_channels: int = 1) -> np.ndarray:
    samples = tone(1000, RATE, int(seconds * RATE), amplitude)
    return np.repeat(samples[:, np.newaxis], n_channels, axis=1)


def test_a_full_scale_sine_reads_0_dbfs_in_peak_rms_and_hold():
    reading = LevelMeter(1, RATE).push(sine_block(5))
    assert reading.peak_db[0] == pytest.approx(0, abs=0.01)
    assert reading.rms_db[0] == pytest.approx(0, abs=0.01)
    assert reading.hold_db[0] == pytest.approx(0, abs=0.01)


def test_a_new_meter_reads_the_floor():
    reading = LevelMeter(2, RATE).reading
    np.testing.assert_allclose(
        [reading.peak_db, reading.rms_db, reading.hold_db], DB_FLOOR, atol=1e-4
    )
    assert not reading.clipped.any()
    assert reading.zero_run == 0


def test_the_rms_of_a_steady_tone_does_not_depend_on_the_blocks():
    whole, pieces = LevelMeter(1, RATE), LevelMeter(1, RATE)
    block = sine_block(1, 0.5)
    for start in range(0, len(block), 480):  # ten periods each
        pieces.push(block[start : start + 480])
    np.testing.assert_allclose(pieces.reading.rms_db, whole.push(block).rms_db, atol=0.01)


def test_the_hold_stands_and_then_falls():
    meter = LevelMeter(1, RATE)
    meter.push(sine_block(0.1))
    silence = np.zeros((RATE // 100, 1), np.float32)
    for _ in range(round(100 * HOLD_SECONDS)):
        reading = meter.push(silence)
    assert reading.hold_db[0] == pytest.approx(0, abs=0.01)
    for _ in range(100):
        reading = meter.push(silence)
    assert reading.hold_db[0] == pytest.approx(-HOLD_FALL_DB, abs=0.01)
    assert reading.peak_db[0] == pytest.approx(DB_FLOOR)


def test_the_hold_falls_alike_for_long_and_short_blocks():
    long, short = LevelMeter(1, RATE), LevelMeter(1, RATE)
    for meter in (long, short):
        meter.push(sine_block(0.1))
    for _ in range(300):
        short.push(np.zeros((RATE // 100, 1), np.float32))
    long.push(np.zeros((3 * RATE, 1), np.float32))
    np.testing.assert_allclose(long.reading.hold_db, short.reading.hold_db, atol=1e-3)


def test_the_clip_latch_stays_until_it_is_reset_and_tells_the_channel():
    meter = LevelMeter(2, RATE)
    block = sine_block(0.1, 0.5, n_channels=2)
    block[17, 1] = -1.0
    meter.push(block)
    reading = meter.push(np.zeros_like(block))
    assert reading.clipped.tolist() == [False, True]
    meter.reset_clip()
    assert not meter.reading.clipped.any()
    assert reading.clipped.any(), "a reading already given does not change"


def test_the_greatest_16_bit_sample_counts_as_clipped_and_the_next_does_not():
    samples = np.array([[32767, 32766]]) / 32768
    assert LevelMeter(2, RATE).push(samples).clipped.tolist() == [True, False]


def test_exact_zeros_are_counted_over_blocks_and_channels():
    meter = LevelMeter(2, RATE)
    zeros = np.zeros((100, 2), np.float32)
    meter.push(zeros)
    assert meter.push(zeros).zero_run == 200
    almost = zeros.copy()
    almost[39, 1] = 1e-30
    assert meter.push(almost).zero_run == 60
    assert meter.push(zeros[:5]).zero_run == 65
    assert meter.zero_run == 65


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reads_finite_and_counts_as_clipped(value: float):
    block = np.full((10, 1), 0.25, np.float32)
    block[3] = value
    meter = LevelMeter(1, RATE)
    reading = meter.push(block)
    for level in (reading.peak_db, reading.rms_db, reading.hold_db):
        assert np.isfinite(level).all()
    assert reading.clipped.all()
    assert np.isfinite(meter.push(sine_block(0.1)).rms_db).all()


def test_an_empty_block_changes_nothing():
    meter = LevelMeter(1, RATE)
    before = meter.push(sine_block(0.1))
    after = meter.push(np.empty((0, 1), np.float32))
    assert (after.peak_db, after.rms_db) == (before.peak_db, before.rms_db)
    assert (after.hold_db, after.zero_run) == (before.hold_db, before.zero_run)


def test_reset_is_a_new_meter():
    meter = LevelMeter(1, RATE)
    meter.push(sine_block(0.1))
    meter.reset()
    new = LevelMeter(1, RATE)
    block = sine_block(0.1, 0.1)
    np.testing.assert_array_equal(meter.push(block).rms_db, new.push(block).rms_db)
    np.testing.assert_array_equal(meter.reading.hold_db, new.reading.hold_db)


@pytest.mark.parametrize("shape", [(10,), (10, 3)])
def test_a_block_of_another_shape_is_refused(shape: tuple[int, ...]):
    with pytest.raises(RequestError, match=r"does not fit this meter: push \(n_samples, 2\)"):
        LevelMeter(2, RATE).push(np.zeros(shape, np.float32))
