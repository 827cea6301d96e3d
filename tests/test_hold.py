"""The peak hold against the columns it has seen."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.levels import decode
from realtime.view.history import ColumnHistory
from realtime.view.hold import FALL_DB, HOLD_SECONDS, PeakHold

SECOND_NS = 1_000_000_000


@pytest.fixture
def history() -> ColumnHistory:
    history = ColumnHistory(8, 16)
    history.append(np.full((1, 8), -100.0))
    return history


def held(history: ColumnHistory) -> np.ndarray:
    return decode(history.cells[history.hold_row, :8])


def test_the_loudest_of_all_new_columns_is_held_though_a_later_one_is_quiet(history):
    hold = PeakHold([history])
    history.append(np.full((1, 8), -20.0))
    history.append(np.full((1, 8), -90.0))
    hold.update([history], SECOND_NS)
    assert held(history) == pytest.approx(np.full(8, -20.0), abs=0.01)


def test_a_peak_stays_for_its_time_and_then_falls_evenly_to_the_sound_of_now(history):
    hold = PeakHold([history])
    history.append(np.full((1, 8), -20.0))
    levels = []
    for frame in range(1, 600):
        hold.update([history], frame * SECOND_NS // 60)
        levels.append(float(held(history)[0]))
        history.append(np.full((1, 8), -60.0))
    stays = int(HOLD_SECONDS * 60)
    assert levels[stays - 1] == pytest.approx(-20.0, abs=0.01)
    assert levels[stays + 60] == pytest.approx(-20.0 - FALL_DB, abs=0.5)
    assert levels[-1] == pytest.approx(-60.0, abs=FALL_DB / 60 + 0.01)


def test_a_peak_falls_as_far_however_often_one_looks_between_two_columns(history):
    hold = PeakHold([history])
    history.append(np.full((1, 8), -20.0))
    for tick in range(1, 301):  # one column in ten ticks
        if tick % 10 == 0:
            history.append(np.full((1, 8), -60.0))
        hold.update([history], tick * SECOND_NS // 100)
    assert held(history) == pytest.approx(np.full(8, -20.0 - 2.0 * FALL_DB), abs=FALL_DB / 5)


def test_blank_columns_are_no_level(history):
    hold = PeakHold([history])
    history.skip(5)
    hold.update([history], SECOND_NS)
    hold.update([history], 10 * SECOND_NS)
    assert held(history).max() <= -99


def test_each_bin_is_held_by_itself_in_each_history(history):
    other = ColumnHistory(8, 16)
    other.append(np.full((1, 8), -100.0))
    hold = PeakHold([history, other])
    step = np.linspace(-80.0, -10.0, 8)
    history.append(step[None])
    hold.update([history, other], SECOND_NS)
    assert held(history) == pytest.approx(step, abs=0.01)
    assert held(other) == pytest.approx(np.full(8, -100.0), abs=0.01)
