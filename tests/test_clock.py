"""A clock told by late callbacks, and the law that steers by two of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from two_clocks import Lateness, bursts, jitter, tone_snr

from realtime.dsp.clock import (
    FAR_RATIO,
    FAR_SECONDS,
    FIRST_WINDOW_SECONDS,
    MOST_DRIFT,
    NEAR_SECONDS,
    SHIFT_SECONDS,
    SLEW,
    STEEPEST,
    WINDOW_SECONDS,
    DeviceClock,
    Line,
    steer,
)

RATE, BLOCK = 48000, 256


def on_time(due: float) -> float:
    return due


class Clock:
    """A device `ppm` off, which tells its count late."""

    def __init__(self, late: Lateness = on_time, ppm: float = 0.0, origin: float = 0.0):
        self.told = DeviceClock(RATE)
        self.true_rate = RATE * (1 + ppm * 1e-6)
        self.late, self.origin = late, origin
        self.count = 0
        self.lost_seconds = 0.0

    def due(self) -> float:
        return self.origin + self.count / self.true_rate + self.lost_seconds

    def run(self, seconds: float) -> Line:
        """Callbacks for so long; the line after that."""
        for _ in range(round(seconds * RATE / BLOCK)):
            self.count += BLOCK
            self.told.update(self.count, self.late(self.due()))
        line = self.told.line
        assert line is not None
        return line

    def off(self) -> float:
        """Seconds by which the line is late now."""
        line = self.told.line
        assert line is not None
        return line.seconds_at(self.count) - self.due()


def test_nothing_is_known_before_the_first_window_is_over() -> None:
    clock = DeviceClock(RATE)
    for count in range(0, round(FIRST_WINDOW_SECONDS * RATE), BLOCK):
        clock.update(count, count / RATE)
        assert clock.line is None
    clock.update(RATE, 1.0)
    assert clock.line is not None


def test_callbacks_on_time_give_their_line() -> None:
    clock = Clock(ppm=0.0)
    line = clock.run(10.0)
    assert line.rate == pytest.approx(RATE, rel=1e-9)
    assert line.count_at(3.0) == pytest.approx(3 * RATE, abs=1e-3)
    assert line.seconds_at(3 * RATE) == pytest.approx(3.0, abs=1e-8)


@pytest.mark.parametrize(
    ("late", "seconds", "most"),
    [(jitter, 6.0, 3e-5), (jitter, 20.0, 3e-6), (bursts, 20.0, 4e-5), (bursts, 60.0, 6e-6)],
)
@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_drift_is_told_soon(
    rng: np.random.Generator,
    late: Callable[[np.random.Generator], Lateness],
    seconds: float,
    most: float,
    ppm: float,
) -> None:
    clock = Clock(late(rng), ppm)
    line = clock.run(seconds)
    wrong = line.rate / clock.true_rate - 1
    assert abs(wrong) < most
    assert abs(wrong) < 5 * line.rate_error, "it knows how well it knows"


def test_what_no_crystal_does_is_not_taken_for_drift() -> None:
    """Bursts that beat with blocks: later and later, and all at once on time again."""
    clock = Clock(lambda due: due + 0.0015 * (due % 5.0))
    for _ in range(30):
        line = clock.run(1.0)
        assert abs(line.rate / RATE - 1) <= 1.01 * MOST_DRIFT
        assert clock.due() < 4.0 or line.spread > 5e-4, "and it shows in the spread"
    assert line.opened < 1.0, "nor for another line"


def test_the_line_is_that_of_the_least_late(rng: np.random.Generator) -> None:
    clock = Clock(jitter(rng), ppm=50.0)
    for _ in range(60):
        clock.run(0.5)
        assert abs(clock.off()) < 1e-3  # of a lateness of 3 ms at most
    assert abs(clock.off()) < 1e-4


def test_the_origin_of_time_does_not_matter() -> None:
    early, late = (
        Clock(jitter(np.random.default_rng(1)), ppm=100.0, origin=origin) for origin in (0.0, 1e6)
    )
    assert early.run(20.0).rate == pytest.approx(late.run(20.0).rate, rel=1e-8)
    assert early.off() == pytest.approx(late.off(), abs=1e-8)


def test_late_callbacks_amid_others_do_not_move_the_line(rng: np.random.Generator) -> None:
    def often_late(due: float) -> float:
        return due + (0.1 if rng.random() < 0.5 else 0.0)

    clock = Clock(often_late)
    line = clock.run(30.0)
    assert line.rate == pytest.approx(RATE, rel=1e-8)
    assert abs(clock.off()) < 1e-8


@pytest.mark.parametrize("lost", [2 * SHIFT_SECONDS, 0.1, -0.1])
def test_another_line_is_taken_as_soon_as_a_window_is_full_of_it(
    rng: np.random.Generator, lost: float
) -> None:
    clock = Clock(jitter(rng), ppm=100.0)
    rate = clock.run(30.0).rate
    clock.lost_seconds = lost
    line = clock.run(2 * WINDOW_SECONDS + FIRST_WINDOW_SECONDS)
    assert abs(clock.off()) < 1e-3
    assert line.rate == pytest.approx(rate, rel=5e-6), "the crystal is the same"


def test_after_a_pause_the_line_is_learnt_anew_at_once(rng: np.random.Generator) -> None:
    clock = Clock(jitter(rng), ppm=100.0)
    rate = clock.run(30.0).rate
    clock.lost_seconds = 1.0
    line = clock.run(1.2 * FIRST_WINDOW_SECONDS)
    assert abs(clock.off()) < 2e-3
    assert line.rate == pytest.approx(rate, rel=5e-6)


def test_a_pause_that_was_counted_changes_nothing() -> None:
    clock = Clock(ppm=0.0)
    line = clock.run(30.0)
    clock.count += RATE // BLOCK * BLOCK
    assert clock.run(5.0).rate == pytest.approx(line.rate, rel=1e-8)
    assert abs(clock.off()) < 1e-8


def test_opened_anew_it_follows_a_small_shift_at_once(rng: np.random.Generator) -> None:
    clock = Clock(jitter(rng, 1e-4))
    clock.run(60.0)
    clock.lost_seconds = 0.8 * SHIFT_SECONDS
    clock.run(1.0)
    assert abs(clock.off()) > 0.5 * clock.lost_seconds
    for _ in range(20):
        clock.told.reopen()
        clock.run(0.06 * FIRST_WINDOW_SECONDS)
    assert abs(clock.off()) < 0.1 * clock.lost_seconds


# Steering

PUSH = 2048 / RATE
"""Seconds for which a ratio is used."""


def follow(
    seconds: float, drift: float, ratio: float, error: float = 0.0, told: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Errors and ratios of a loop around a resampler between clocks `drift` apart.

    told : the clocks' ratio, as it is told; rightly, where nothing is given
    """
    measured = 1.0 + drift if told is None else told
    errors, ratios = [], []
    for _ in range(round(seconds / PUSH)):
        ratio = steer(ratio, error, measured, PUSH)
        error += (ratio / (1.0 + drift) - 1.0) * PUSH
        errors.append(error)
        ratios.append(ratio)
    return np.array(errors), np.array(ratios)


def test_too_long_a_latency_is_played_faster() -> None:
    for error in (1e-4, 1e-2):
        assert steer(1.0, error, 1.0, PUSH) < 1.0
        assert steer(1.0, -error, 1.0, PUSH) > 1.0


def test_a_ratio_far_off_is_put_right_in_one_step_and_then_stays() -> None:
    _, ratios = follow(10.0, drift=2e-4, ratio=1.0)
    assert np.abs(ratios / 1.0002 - 1).max() < 1e-12


@pytest.mark.parametrize("error", [-1.2e-3, 0.0, 1.2e-3])
@pytest.mark.parametrize("off", [-0.9 * FAR_RATIO, 0.0, 0.9 * FAR_RATIO])
def test_what_is_little_off_is_put_right_too_slowly_for_a_tone_to_tell(
    error: float, off: float
) -> None:
    errors, ratios = follow(1500.0, drift=2e-4, ratio=1.0002 * (1 + off), error=error)
    assert np.abs(np.diff(ratios)).max() <= 1.001 * SLEW * PUSH * 1.0002
    assert np.abs(errors).max() < 2e-3
    assert abs(errors[-1]) < 1e-6
    assert ratios[-1] == pytest.approx(1.0002, abs=1e-9)


def test_such_a_slew_leaves_80_db_of_a_tone() -> None:
    seconds = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * (seconds + SLEW * seconds**2 / 2))
    assert tone_snr(tone, RATE) > 80


@pytest.mark.parametrize("error", [-0.02, 0.02])
def test_a_far_latency_is_pulled_in_fast_and_does_not_swing_past(error: float) -> None:
    errors, ratios = follow(30.0, drift=2e-4, ratio=1.0002, error=error)
    inwards = errors * math.copysign(1.0, error)
    assert inwards[-1] <= NEAR_SECONDS < FAR_SECONDS
    assert inwards.min() > 0
    assert np.abs(ratios / 1.0002 - 1).max() <= 1.001 * STEEPEST


def test_what_is_told_wrongly_moves_latency_by_little() -> None:
    errors, _ = follow(2000.0, drift=2e-4, ratio=1.0002, told=1.0002 + 1e-6)
    assert np.abs(errors).max() < 0.3e-3
