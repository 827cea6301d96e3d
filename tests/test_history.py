"""Columns on the CPU: layout, peak and mean levels, ring, gaps; against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.levels import DB_CEIL, DB_FLOOR, decode, encode
from realtime.view.history import MAX_BINS, TEXTURE_LIMIT, ColumnHistory

STEP_DB = (DB_CEIL - DB_FLOOR) / 65535


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def columns(rng, n, n_bins):
    return rng.uniform(-120, 0, (n, n_bins)).astype(np.float32)


def octave(row, n_cells, level):
    """The cells of one frequency level of a row."""
    start = 2 * n_cells - (2 * n_cells >> level)
    return row[start : start + (n_cells >> level)]


def filled_up(db, n_cells):
    """Columns with the least level in every cell that has no bin."""
    return np.pad(db, ((0, 0), (0, n_cells - db.shape[1])), constant_values=DB_FLOOR)


def row_of(history, level, cell):
    """Row of a valid cell, after `settle(level)`."""
    if cell == history.valid_cells(level)[1]:
        return history.newest_row
    return history.first_row(level) + cell % history.ring(level)


def assert_same_cells(one, other, level):
    one.settle(level)
    other.settle(level)
    low, high = one.valid_cells(level)
    rows = [row_of(one, level, cell) for cell in range(low, high + 1)]
    assert np.array_equal(one.cells[rows], other.cells[rows])


def test_a_column_comes_back_within_one_code_and_without_its_nyquist_bin(rng):
    history = ColumnHistory(65, 16)
    db = columns(rng, 3, 65)
    history.append(db)
    assert (history.n_bins, history.count, history.oldest) == (64, 3, 0)
    assert np.allclose(history.column(1), db[1, :64], atol=STEP_DB)


def test_a_column_that_is_gone_or_not_there_yet_raises_and_says_which_are(rng):
    history = ColumnHistory(64, 16)
    history.append(columns(rng, 20, 64))
    for index in (3, 20, -1):
        with pytest.raises(IndexError, match=rf"column {index} is not held: 4\.\.20 are"):
            history.column(index)


@pytest.mark.parametrize(("n_bins", "multiple"), [(0, 1), (1, 1), (40_002, 4)])
def test_bins_that_do_not_fill_their_cells_are_refused(n_bins, multiple):
    sentence = f"n_bins = {n_bins} must be at least 2, and a multiple of {multiple} or one more"
    with pytest.raises(ValueError, match=sentence):
        ColumnHistory(n_bins, 1024)


def test_more_columns_than_a_texture_holds_are_refused_with_the_number_that_fits():
    with pytest.raises(ValueError, match="keep at most 4096 columns"):
        ColumnHistory(16385, 8192)


def test_columns_of_another_size_are_refused(rng):
    with pytest.raises(ValueError, match="columns have 33 bins, this history takes 65"):
        ColumnHistory(65, 16).append(columns(rng, 2, 33))


@pytest.mark.parametrize(
    ("n_bins", "n_columns", "shape"),
    [
        (513, 1024, (2048, 1024)),
        (2049, 8192, (16384, 4096)),
        (8193, 2048, (4096, 16384)),
        (16385, 1024, (4096, 16384)),
        (131073, 1024, (4096, 16384)),
        (385, 8192, (16384, 1024)),
        (81921, 1024, (4096, 16384)),
    ],
)
def test_every_size_fits_in_a_texture(n_bins, n_columns, shape):
    history = ColumnHistory(n_bins, n_columns)
    assert history.texture_shape == shape
    assert max(shape) <= TEXTURE_LIMIT
    assert history.cells.size == shape[0] * shape[1]


def test_columns_longer_than_the_limit_are_peak_reduced(rng):
    history = ColumnHistory(8 * MAX_BINS + 1, 4)
    db = columns(rng, 2, 8 * MAX_BINS + 1)
    history.append(db)
    assert history.bins_per_cell == 8
    peaks = db[:, :-1].reshape(2, MAX_BINS, 8).max(axis=2)
    assert np.allclose(history.column(1), peaks[1], atol=STEP_DB)


@settings(max_examples=60, deadline=None)
@given(
    n_bins=st.sampled_from([8, 10, 12, 14]),
    cuts=st.lists(st.integers(0, 40), min_size=1, max_size=12),
    seed=st.integers(0, 99),
)
def test_however_columns_are_cut_every_complete_cell_is_the_peak_of_what_it_covers(
    n_bins, cuts, seed
):
    rng = np.random.default_rng(seed)
    n_cells, kept = 8 if n_bins == 8 else 16, 32
    history = ColumnHistory(n_bins, kept)
    said = []
    for n in cuts:
        db = columns(rng, n, n_bins)
        said += list(db)
        history.append(db)
    assert history.count == len(said)
    for level in range(history.n_levels):
        low, high = history.valid_cells(level)
        history.settle(level)
        for cell in range(low, high + 1):
            row = history.cells[row_of(history, level, cell)]
            block = filled_up(np.array(said[cell << level : (cell + 1) << level]), n_cells)
            for j in range(4):
                peaks = block.reshape(len(block), n_cells >> j, 1 << j).max(axis=(0, 2))
                assert np.allclose(decode(octave(row, n_cells, j)), peaks, atol=STEP_DB)


def test_the_valid_cells_of_every_level_reach_back_to_within_one_cell_of_the_oldest_column(rng):
    history = ColumnHistory(8, 64)
    for _ in range(200):
        history.append(columns(rng, 1, 8))
        for level in range(history.n_levels):
            low, high = history.valid_cells(level)
            assert history.oldest <= low << level < history.oldest + (1 << level)
            assert high << level < history.count <= (high + 1) << level


@pytest.mark.parametrize("n_bins", [16, 12])
def test_the_mean_is_of_power_and_the_levels_are_rebuilt_when_it_is_chosen(rng, n_bins):
    history = ColumnHistory(n_bins, 16)
    db = columns(rng, 21, n_bins)
    history.append(db)
    history.set_reduce("mean")
    fresh = ColumnHistory(n_bins, 16, reduce="mean")
    fresh.append(db)
    for level in range(history.n_levels):
        history.settle(level)
        fresh.settle(level)
        low, high = history.valid_cells(level)
        for cell in range(low, high + 1):
            row = row_of(history, level, cell)
            block = filled_up(db[cell << level : (cell + 1) << level], 16)
            for j in range(5):
                power = 10 ** (block.astype(float) / 10)
                power = power.reshape(len(block), 16 >> j, 1 << j).mean(axis=(0, 2))
                want = 10 * np.log10(power)
                for there in (history, fresh):
                    got = decode(octave(there.cells[row], 16, j))
                    assert np.allclose(got, want, atol=5 * STEP_DB)
    history.set_reduce("peak")
    again = ColumnHistory(n_bins, 16)
    again.append(db)
    for level in range(history.n_levels):
        assert_same_cells(history, again, level)


def test_a_gap_is_code_0_and_nothing_measured_is(rng):
    history = ColumnHistory(16, 16)
    history.append(np.full((2, 16), DB_FLOOR, np.float32))
    history.skip(3)
    history.append(columns(rng, 1, 16))
    measured = history.cells[[0, 1, 5], :16]
    assert (measured > 0).all()
    assert (history.cells[2:5] == 0).all()
    assert history.count == 6


def test_a_gap_longer_than_the_history_clears_it(rng):
    history = ColumnHistory(16, 16)
    history.append(columns(rng, 16, 16))
    history.skip(1_000_003)
    assert history.count == 1_000_019
    assert (history.cells[:16] == 0).all()
    history.settle(3)
    for cell in range(*history.valid_cells(3)):
        assert (history.cells[row_of(history, 3, cell)] == 0).all()
    assert (history.cells[history.newest_row] == 0).all()


def test_a_long_append_leaves_the_same_as_many_short_ones(rng):
    db = columns(rng, 700, 8)
    at_once, bit_by_bit = ColumnHistory(8, 256), ColumnHistory(8, 256)
    at_once.append(db)
    for column in db:
        bit_by_bit.append(column)
    for level in range(at_once.n_levels):
        assert_same_cells(at_once, bit_by_bit, level)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=20))
def test_a_viewer_that_copies_rows_now_and_then_has_the_same_complete_cells(steps):
    rng = np.random.default_rng(3)
    history = ColumnHistory(4, 16)
    copy = np.zeros_like(history.cells)
    sent = [0] * history.n_levels

    def look():
        for level in range(history.n_levels):
            for begin, end in history.rows_since(level, sent[level]):
                copy[begin:end] = history.cells[begin:end]
            sent[level] = history.count >> level

    for n, looks in steps:
        history.append(columns(rng, n, 4))
        if looks:
            look()
    look()
    for level in range(history.n_levels):
        low, high = history.valid_cells(level)
        complete = np.arange(low, min(high + 1, history.count >> level))
        rows = history.first_row(level) + complete % history.ring(level)
        assert np.array_equal(copy[rows], history.cells[rows])


def test_rows_since_hands_out_no_more_than_the_limit_and_oldest_first(rng):
    history = ColumnHistory(4, 16)
    history.append(columns(rng, 14, 4))
    assert history.rows_since(0, 10, limit=2) == [(10, 12)]
    history.append(columns(rng, 6, 4))
    assert history.rows_since(0, 14) == [(14, 16), (0, 4)]
    assert history.rows_since(0, 20) == []
    assert history.rows_since(1, 0, limit=1) == [(16 + 2, 16 + 3)]


def test_the_peak_hold_has_its_own_row_with_its_own_levels(rng):
    history = ColumnHistory(17, 16)
    hold = encode(columns(rng, 1, 17)[0][:16])
    history.set_hold(hold)
    row = history.cells[history.hold_row]
    assert np.array_equal(row[:16], hold)
    assert row[30] == hold.max()
    assert history.hold_version == 1
    history.set_hold(None)
    assert (row == 0).all()
    assert history.hold_version == 2


def test_no_row_of_one_level_overlaps_another_or_the_hold():
    history = ColumnHistory(4, 64)
    rows = [
        row
        for level in range(history.n_levels)
        for row in range(history.first_row(level), history.first_row(level) + history.ring(level))
    ]
    assert sorted([*rows, history.newest_row, history.hold_row]) == list(range(128))


def test_the_history_keeps_no_reference_to_the_columns_it_was_given(rng):
    history = ColumnHistory(8, 16)
    db = columns(rng, 2, 8)
    history.append(db)
    before = history.column(0)
    db[:] = 0
    assert np.array_equal(history.column(0), before)


def test_the_loudest_of_some_columns_also_where_the_ring_begins_anew(rng):
    history = ColumnHistory(16, 16)
    db = columns(rng, 40, 16)
    history.append(db)
    for start, stop in ((24, 40), (30, 31), (31, 34), (24, 33)):
        assert np.array_equal(history.loudest(start, stop), encode(db[start:stop].max(axis=0)))
    with pytest.raises(IndexError, match=r"24\.\.40 are"):
        history.loudest(23, 30)
