"""The value under the pointer: from the history, exact at every zoom."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.config import DisplaySettings
from realtime.view.canvas import Place
from realtime.view.cursor import Reading, level_under, note_and_cents, reading_text
from realtime.view.history import ColumnHistory
from realtime.view.mapping import View, hz_of_share, render_reference, row_to_hz

RATE = 48000
N_BINS = 2048


@pytest.fixture
def history(rng):
    history = ColumnHistory(N_BINS, 1024)
    history.append(rng.uniform(-110, -10, (900, N_BINS)).astype(np.float32))
    return history


def view_of(columns, n_rows=300, n_cols=400, **display):
    return View(n_rows, n_cols, 900.0, columns, DisplaySettings(**display), RATE)


def place(view, row, column):
    hz = row_to_hz(row, view.n_rows, view.display, RATE)
    return Place(0, row, hz, column, None)


@pytest.mark.parametrize("scale", ["linear", "log", "mel"])
@pytest.mark.parametrize("columns", [100.0, 800.0])
def test_what_is_read_is_what_the_picture_shows(history, scale, columns):
    view = view_of(columns, scale=scale, f_low=20.0)
    picture = render_reference(history, view)
    per_pixel = columns / view.n_cols
    equal = []
    for row in range(5, view.n_rows, 23):
        for x in range(3, view.n_cols, 37):
            column = view.right_edge - columns + (x + 0.5) * per_pixel
            read = level_under(history, view, place(view, row, column))
            assert read is not None
            equal.append(abs(read - picture[row, x]) < 0.01)
    assert np.mean(equal) > 0.99  # rounding may give a cell on a border to the other pixel


def test_close_up_it_is_the_very_cell_under_the_pointer(history):
    display = {"scale": "linear", "f_low": 1000.0, "f_high": 1500.0}
    view = view_of(20.0, **display)
    for row in (10, 150, 290):
        for column in (881.2, 890.7, 899.9):
            at = place(view, row, column)
            wanted = history.column(int(column))[int(at.hz * 2 * N_BINS / RATE + 0.5)]
            assert level_under(history, view, at) == pytest.approx(wanted)


def test_a_loud_bin_is_never_missed_where_many_share_a_pixel(history):
    db = np.full((1, N_BINS), -120, np.float32)
    db[0, 1000] = -3
    history.append(db)
    view = view_of(900.0, n_rows=100, scale="linear", f_low=0.0)
    view = View(view.n_rows, view.n_cols, 901.0, 900.0, view.display, RATE)
    hz = 1000 * RATE / 2 / N_BINS
    centres = hz_of_share(1 - (np.arange(100) + 0.5) / 100, view.display, RATE)
    row = int(np.argmin(np.abs(centres - hz)))
    assert level_under(history, view, place(view, row, 900.5)) == pytest.approx(-3, abs=0.01)


def test_mean_power_is_read_as_mean_power(history):
    history = ColumnHistory(N_BINS, 64, reduce="mean")
    history.append(np.full((10, N_BINS), -20, np.float32))
    view = View(50, 50, 10.0, 10.0, DisplaySettings(scale="linear", f_low=0, reduce="mean"), RATE)
    assert level_under(history, view, place(view, 20, 5.0)) == pytest.approx(-20, abs=0.01)


def test_nothing_is_read_where_nothing_is(history):
    view = view_of(2000.0)
    assert level_under(history, view, place(view, 5, -3.0)) is None
    assert level_under(history, view, place(view, 5, 950.0)) is None
    assert level_under(history, view, Place(0, 5, 1000.0, None, -20.0)) is None


def test_readings_are_written_as_people_read_them():
    assert note_and_cents(440.0) == "A4"
    assert note_and_cents(445.0) == "A4 +20 ct"
    assert note_and_cents(277.0) == "C♯4 −1 ct"
    running = Reading(3.417, 63.2, 440.0, -12.34)
    assert reading_text(running, paused=False) == "−3.42 s   440.0 Hz   A4   −12.3 dBFS"
    assert reading_text(running, paused=True) == "0:01:03.200   440.0 Hz   A4   −12.3 dBFS"
    assert reading_text(Reading(None, None, 0.5, None), paused=False) == "0.5 Hz"
