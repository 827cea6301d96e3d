"""Columns from a ring that a test fills by hand, against scipy on the same samples."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import scipy.signal

from realtime.audio.ring import AudioRing
from realtime.config import DisplaySettings, ScaleName, StftSettings
from realtime.view.analysis import (
    BACKLOG_SECONDS,
    Analysis,
    frames_in_a_column,
    history_columns,
)
from realtime.view.mapping import View, render_reference, share_of_hz

RATE = 48000
EXACT_DB = 0.02
"""A code of the history is 0.0024 dB; float32 adds as much at low levels."""


@pytest.fixture
def ring():
    ring = AudioRing.create(1, RATE, 20.0)
    yield ring
    ring.close()


@pytest.fixture
def stereo():
    ring = AudioRing.create(2, RATE, 10.0)
    yield ring
    ring.close()


def sine(hz: float, n: int, start: int = 0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(start, start + n) / RATE).astype(np.float32)[:, None]


def oracle_db(samples: np.ndarray, n_fft: int, hop: int) -> np.ndarray:
    """scipy's own frames, in dBFS."""
    window = scipy.signal.get_window("hann", n_fft)
    stft = scipy.signal.ShortTimeFFT(window, hop, RATE, phase_shift=None)
    n = (len(samples) - n_fft) // hop + 1
    first = n_fft // 2 // hop
    frames = stft.stft(samples, p0=first, p1=first + n, k_offset=0).T
    return 20 * np.log10(np.maximum(2 * np.abs(frames) / window.sum(), 1e-9))


def test_columns_are_those_of_scipy_however_the_ring_was_filled(ring, rng):
    analysis = Analysis(ring, StftSettings(n_fft=1024, hop=256), DisplaySettings(), 0)
    samples = (rng.standard_normal((RATE, 1)) * 0.1).astype(np.float32)
    for block in np.array_split(samples, 37):
        ring.write(block)
        analysis.pull(1.0)
    (history,) = analysis.histories
    expected = oracle_db(samples[:, 0].astype(float), 1024, 256)
    assert history.count == len(expected)
    for index in (0, 1, 57, history.count - 1):
        got = history.column(index)[1:]
        want = expected[index, 1:-1]
        loud = want > -100
        assert np.max(np.abs(got - want)[loud]) < EXACT_DB


@pytest.mark.parametrize("zero_pad", range(1, 9))
@pytest.mark.parametrize("window", ["hann", "flattop", "kaiser"])
def test_a_full_scale_sine_on_a_bin_reads_0_dbfs(ring, window, zero_pad):
    stft = StftSettings(n_fft=2048, hop=512, window=window, zero_pad=zero_pad)
    analysis = Analysis(ring, stft, DisplaySettings(), 0)
    ring.write(sine(RATE / 2048 * 100, 8192))
    analysis.pull(1.0)
    assert analysis.histories[0].column(3).max() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("n_fft", [2048, 32768])
@pytest.mark.parametrize("zero_pad", range(1, 9))
def test_a_tone_lies_at_its_frequency_on_every_axis_with_any_zero_padding(ring, n_fft, zero_pad):
    stft = StftSettings(n_fft=n_fft, zero_pad=zero_pad)
    analysis = Analysis(ring, stft, DisplaySettings(span=1.0), 0)
    ring.write(sine(1000.0, n_fft + 4 * analysis.hop))
    analysis.pull(1.0)
    (history,) = analysis.histories
    n_rows = 700
    for scale in get_args(ScaleName):
        display = DisplaySettings(scale=scale, f_low=20.0, f_high=8000.0)
        db = render_reference(history, View(n_rows, 4, 4.0, 4.0, display, RATE))[:, 2]
        loudest = np.flatnonzero(db > db.max() - 0.01).mean() + 0.5
        half_bin = RATE / n_fft / zero_pad / 2
        low, high = (
            (1 - share_of_hz(1000.0 + off, display, RATE)) * n_rows for off in (half_bin, -half_bin)
        )
        assert low - 1 < loudest < high + 1
        assert db.max() == pytest.approx(0.0, abs=1.5 / zero_pad**2 + EXACT_DB)


def test_instants_and_columns_are_two_names_of_the_same(ring):
    analysis = Analysis(ring, StftSettings(n_fft=1024, hop=128), DisplaySettings(), 5000)
    click = 5000 + 30_000
    samples = np.zeros((60_000, 1), np.float32)
    samples[click] = 1.0
    ring.write(samples)
    analysis.pull(5.0)
    (history,) = analysis.histories
    levels = [history.column(i).max() for i in range(history.count)]
    assert int(np.argmax(levels)) == pytest.approx(analysis.column_at(click) - 0.5, abs=1)
    assert analysis.sample_at(analysis.column_at(click)) == pytest.approx(click)


def test_a_span_wider_than_the_history_merges_frames_and_keeps_the_loudest(ring):
    stft = StftSettings(n_fft=256, hop=8)
    display = DisplaySettings(span=10.0)
    analysis = Analysis(ring, stft, display, 0)
    assert analysis.merge > 1
    samples = np.zeros((RATE, 1), np.float32)
    samples[20_000] = 1.0
    ring.write(samples)
    while not analysis.pull(1.0):
        pass
    (history,) = analysis.histories
    reference = Analysis(ring, stft, DisplaySettings(span=0.5), 0)
    reference.pull(10.0)
    assert reference.merge == 1
    at = int(analysis.column_at(20_000))
    loudest = max(history.column(i).max() for i in range(at - 2, at + 3))
    fine = reference.histories[0]
    assert loudest == max(fine.column(i).max() for i in range(fine.oldest, fine.count))


def test_the_mean_of_all_channels_is_one_pane_and_opposite_phases_do_not_cancel(stereo):
    tone = sine(1500.0, 16384)
    stereo.write(np.hstack([tone, -tone]))
    stft = StftSettings(n_fft=1024, hop=256)
    each = Analysis(stereo, stft, DisplaySettings(panes="each"), 0)
    mean = Analysis(stereo, stft, DisplaySettings(panes="mean"), 0)
    each.pull(1.0)
    mean.pull(1.0)
    assert (len(each.histories), len(mean.histories)) == (2, 1)
    assert mean.histories[0].column(5).max() == pytest.approx(0.0, abs=EXACT_DB)


def test_a_backlog_is_given_up_counted_and_leaves_the_time_line_true(ring):
    stft = StftSettings(n_fft=1024, hop=256)
    analysis = Analysis(ring, stft, DisplaySettings(), 0)
    ring.write(sine(1000.0, RATE))
    analysis.pull(1.0)
    before = analysis.count
    late = int((BACKLOG_SECONDS + 3) * RATE)
    silence = np.zeros((late, 1), np.float32)
    silence[late - 5000] = 1.0
    ring.write(silence)
    analysis.drop_backlog()
    analysis.pull(1.0)
    assert analysis.skipped > 0.9 * (late / RATE - 0.25) * RATE / 256
    (history,) = analysis.histories
    assert history.count == (RATE + late - 1024) // 256 + 1
    assert history.column(before + 10).max() < -140
    click = analysis.column_at(RATE + late - 5000)
    assert history.column(int(click)).max() > -60


def test_what_the_ring_no_longer_holds_is_skipped_and_not_waited_for(ring):
    analysis = Analysis(ring, StftSettings(n_fft=1024, hop=256), DisplaySettings(), 0)
    for _ in range(25):
        ring.write(sine(1000.0, RATE))
    assert analysis.pull(5.0)
    assert analysis.skipped > 0
    assert analysis.newest <= ring.written < analysis.newest + 256


def test_a_still_analysis_ends_where_it_was_told(ring):
    ring.write(sine(1000.0, 5 * RATE))
    analysis = Analysis(ring, StftSettings(n_fft=1024, hop=256), DisplaySettings(), RATE, 2 * RATE)
    assert analysis.pull(5.0)
    assert analysis.newest <= 2 * RATE
    assert analysis.covers(1.2 * RATE, 1.8 * RATE)
    assert not analysis.covers(0.5 * RATE, 1.5 * RATE)


def test_the_size_of_a_history_follows_bins_and_panes():
    assert history_columns(StftSettings(n_fft=4096), 1) == 4096
    assert history_columns(StftSettings(n_fft=256), 1) == 8192
    assert history_columns(StftSettings(n_fft=32768, zero_pad=8), 8) == 1024


def test_so_many_frames_are_one_column_that_the_span_fits():
    stft = StftSettings(n_fft=1024, hop=256)
    assert frames_in_a_column(stft, 12.0, RATE, 4096) == 1
    assert frames_in_a_column(stft, 600.0, RATE, 4096) == 31
