"""Which cells lie under which pixel: no peak is lost at any zoom, on any axis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.config import DisplaySettings
from realtime.view.history import ColumnHistory
from realtime.view.mapping import (
    View,
    colour_index,
    frequency_range,
    hz_of_share,
    render_reference,
    row_table,
    row_to_hz,
    share_of_hz,
    time_walk,
    x_to_column,
)

SCALE_NAMES = ("linear", "log", "mel", "bark", "erb", "notes")
FLOOR_DB, PEAK_DB = -90.0, -20.0
RATE = 48000
LEAST_WINDOW_ROWS = 40
"""Fewer rows than any pane or terminal has; there, levels still hold, places are coarse."""


def history_with(level: np.ndarray, n_columns: int) -> ColumnHistory:
    history = ColumnHistory(level.shape[1], n_columns)
    history.append(level.astype(np.float32))
    return history


@st.composite
def displays(draw):
    low = draw(st.floats(1, 8000))
    high = draw(st.floats(low + 200, RATE / 2))
    return DisplaySettings(scale=draw(st.sampled_from(SCALE_NAMES)), f_low=low, f_high=high)


@settings(max_examples=150, deadline=None)
@given(
    display=displays(),
    n_rows=st.integers(8, 900),
    n_bins=st.sampled_from([512, 384, 640, 768, 896]),
    data=st.data(),
)
def test_a_tone_one_bin_wide_keeps_its_level_on_every_axis_and_at_every_zoom(
    display, n_rows, n_bins, data
):
    hz_per_bin = RATE / 2 / n_bins
    edge_rows = np.array([n_rows - 1, 0])  # the tone lies at least a row inside the picture
    low, high = (row_to_hz(row, n_rows, display, RATE) for row in edge_rows)
    bins = np.arange(n_bins)
    bins = bins[(bins * hz_per_bin > low) & (bins * hz_per_bin < high)]
    if not len(bins):
        return
    tone = data.draw(st.sampled_from(list(bins)))
    level = np.full((40, n_bins), FLOOR_DB)
    level[:, tone] = PEAK_DB
    db = render_reference(history_with(level, 64), View(n_rows, 20, 40.0, 40.0, display, RATE))
    assert np.abs(db.max(axis=0) - PEAK_DB).max() < 0.5
    if n_rows < LEAST_WINDOW_ROWS:
        return
    rows = np.flatnonzero(db[:, 0] > PEAK_DB - 0.5)
    share = share_of_hz((tone + np.array([-0.5, 0.5])) * hz_per_bin, display, RATE)
    top, bottom = (1 - share[1]) * n_rows, (1 - share[0]) * n_rows
    assert np.array_equal(rows, np.arange(rows[0], rows[-1] + 1))
    assert top - 1.6 < rows[0]
    assert rows[-1] + 1 < bottom + 1.6


@settings(max_examples=150, deadline=None)
@given(
    click=st.integers(0, 599),
    appended=st.integers(600, 1400),
    n_cols=st.integers(3, 300),
    columns_per_span=st.floats(2.0, 4000.0),
    past=st.floats(0.0, 50.0),
)
def test_a_click_one_column_long_keeps_its_level_at_every_zoom(
    click, appended, n_cols, columns_per_span, past
):
    n_cols = max(n_cols, int(columns_per_span / 512) + 1)
    level = np.full((appended, 4), FLOOR_DB)
    index = appended - 600 + click
    level[index] = PEAK_DB
    history = history_with(level, 1024)
    display = DisplaySettings(scale="linear", f_low=0)
    view = View(4, n_cols, appended + past, columns_per_span, display, RATE)
    column_px = columns_per_span / n_cols
    left, right = view.right_edge - columns_per_span, view.right_edge
    if not left + column_px < index < right - column_px - 1:
        return
    if index < history.oldest + max(2.0, 2 * column_px):
        return  # about to leave the ring
    db = render_reference(history, view)
    peaks = np.nanmax(np.where(np.isnan(db), -999, db), axis=0)
    assert abs(peaks.max() - PEAK_DB) < 0.5
    x = int(peaks.argmax())
    assert abs(x_to_column(x, view) - (index + 0.5)) <= 1.01 * max(1.0, column_px)
    if column_px > 1.0:
        assert (peaks > PEAK_DB - 0.5).sum() == 1


@pytest.mark.parametrize("appended", range(64, 84))
def test_the_newest_column_is_shown_half_a_pixel_later_before_its_cell_is_complete(appended):
    level = np.full((appended, 4), FLOOR_DB)
    level[-1] = PEAK_DB
    display = DisplaySettings(scale="linear", f_low=0)
    db = render_reference(
        history_with(level, 64), View(4, 8, appended + 60 / 8 / 2, 60.0, display, RATE)
    )
    assert np.abs(db[:, -2:].max(axis=1) - PEAK_DB).max() < 0.5


@pytest.mark.parametrize("scale", SCALE_NAMES)
def test_hz_and_height_are_inverses_from_edge_to_edge(scale):
    display = DisplaySettings(scale=scale, f_low=30, f_high=18000)
    share = np.linspace(0, 1, 101)
    hz = hz_of_share(share, display, RATE)
    assert np.allclose(share_of_hz(hz, display, RATE), share, atol=1e-9)
    assert np.allclose(hz[[0, -1]], (30, 18000))
    assert (np.diff(hz) > 0).all()


def test_the_row_of_a_frequency_reads_that_frequency_back():
    display = DisplaySettings(scale="linear", f_low=0, f_high=24000)
    assert row_to_hz(0, 240, display, RATE) == pytest.approx(23950)
    assert row_to_hz(239, 240, display, RATE) == pytest.approx(50)


def test_a_logarithmic_axis_never_begins_at_0_hz():
    for scale in ("log", "notes"):
        low, _high = frequency_range(DisplaySettings(scale=scale, f_low=1), RATE)
        assert low >= 1
        assert np.isfinite(share_of_hz(0.0, DisplaySettings(scale=scale, f_low=1), RATE))


@pytest.mark.parametrize("scale", SCALE_NAMES)
@pytest.mark.parametrize("n_bins", [384, 512, 640, 8 * 1792])
def test_the_uppermost_row_shows_the_uppermost_bin_and_nothing_beyond(scale, n_bins):
    display = DisplaySettings(scale=scale, f_low=30)
    level = np.full((4, n_bins), FLOOR_DB)
    level[:, -1] = PEAK_DB
    for reduce in ("peak", "mean"):
        history = ColumnHistory(n_bins, 16, reduce)
        history.append(level)
        db = render_reference(history, View(700, 4, 4.0, 4.0, display, RATE))
        assert not np.isnan(db).any()
        if reduce == "peak":
            assert np.allclose(db[0], PEAK_DB, atol=0.01)
            assert (db[-1] < FLOOR_DB + 0.01).all()


def test_rows_above_half_the_sample_rate_show_nothing():
    display = DisplaySettings(scale="linear", f_low=0, f_high=20000)
    table = row_table(100, display, 16000, 256)
    assert table.valid.sum() == 40
    assert not table.valid[:60].any()


def test_bins_that_were_joined_are_found_where_they_were():
    display = DisplaySettings(scale="linear", f_low=0, f_high=24000)
    single = row_table(300, display, RATE, 4096)
    joined = row_table(300, display, RATE, 1024, bins_per_cell=4)
    assert np.array_equal(single.valid, joined.valid)
    centre = 1.0 - (np.arange(300) + 0.5) / 300

    def middle(table, n_bins):
        """Hz of the middle of the cells a row looks at."""
        level = np.floor(np.log2(2 * n_bins / (2 * n_bins - table.first))).astype(int)
        ends = []
        for cells in (table.first, table.last + 1):
            start = 2 * n_bins - (2 * n_bins >> level)
            ends.append((cells - start) * 2.0**level)
        return (ends[0] + ends[1]) / 2 / n_bins * RATE / 2

    for table, n_bins in ((single, 4096), (joined, 1024)):
        assert np.abs(middle(table, n_bins)[5:-5] - centre[5:-5] * 24000).max() < 2.5 * 80


def test_zoomed_in_every_pixel_shows_the_one_cell_under_its_centre():
    level = np.linspace(-80, -10, 8)[:, None] * np.ones((8, 2))
    display = DisplaySettings(scale="linear", f_low=0)
    db = render_reference(history_with(level, 16), View(2, 80, 8.0, 8.0, display, RATE))
    assert np.allclose(db[0], np.repeat(np.linspace(-80, -10, 8), 10), atol=0.01)


def test_sound_that_is_not_there_yet_or_no_longer_and_gaps_are_nan():
    display = DisplaySettings(scale="linear", f_low=0)
    history = ColumnHistory(4, 16)
    history.append(np.full((10, 4), -30.0))
    history.skip(2)
    history.append(np.full((10, 4), -30.0))
    db = render_reference(history, View(1, 40, 30.0, 40.0, display, RATE))[0]
    known = np.flatnonzero(~np.isnan(db)) - 10
    assert list(known) == [6, 7, 8, 9, *range(12, 22)]


def test_tilt_adds_its_db_per_octave_from_1_khz():
    level = np.full((4, 512), -50.0)
    display = DisplaySettings(scale="log", f_low=500, f_high=2000, tilt=6.0)
    db = render_reference(history_with(level, 16), View(200, 4, 4.0, 4.0, display, RATE))
    assert db[0, 0] == pytest.approx(-44, abs=0.05)
    assert db[-1, 0] == pytest.approx(-56, abs=0.05)


def test_a_pixel_is_one_to_two_cells_of_its_time_level_wide():
    assert time_walk(100.0, 100.0, 100, 11).level == 0
    assert time_walk(100.0, 199.0, 100, 11).level == 0
    assert time_walk(100.0, 800.0, 100, 11).level == 3
    assert time_walk(100.0, 1e9, 100, 11).level == 10


def test_far_into_a_long_run_the_position_is_as_exact_as_at_its_start():
    early = time_walk(1000.25, 500.0, 640, 12)
    late = time_walk(2.0**31 + 1000.25, 500.0, 640, 12)
    assert late.base - early.base == 2**31
    assert late.start == pytest.approx(early.start, abs=1e-6)


def test_colours_run_over_the_db_range_with_gamma_as_an_exponent():
    display = DisplaySettings(db_low=-100, db_high=0, gamma=2.0)
    steps = colour_index([-200, -100, -50, 0, 12, np.nan], display)
    assert list(steps) == [0, 0, 64, 255, 255, 0]
