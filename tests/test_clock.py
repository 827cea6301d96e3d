"""A clock told by late callbacks, and the law that steers by two of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from two_clocks import Lateness, bursts, jitter

from realtime.dsp.clock import (
    FAR_SECONDS,
    FIRST_WINDOW_SECONDS,
    KNOWN,
    SHIFT_SECONDS,
    SLOW_HZ,
    STEEPEST,
    WINDOW_SECONDS,
    DelayLockedLoop,
    Line,
    Steering,
    steer,
)

RATE, BLOCK = 48000, 256


def on_time(due: float) -> float:
    return due


class Clock:
    """A device `ppm` off, which tells its count late."""

    def __init__(self, late: Lateness = on_time, ppm: float = 0.0, origin: float = 0.0):
        self.loop = DelayLockedLoop(RATE)
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
            self.loop.update(self.count, self.late(self.due()))
        line = self.loop.line
        assert line is not None
        return line

    def off(self) -> float:
        """Seconds by which the line is late now."""
        line = self.loop.line
        assert line is not None
        return line.seconds_at(self.count) - self.due()


def test_nothing_is_known_before_the_first_window_is_over() -> None:
    loop = DelayLockedLoop(RATE)
    for count in range(0, round(FIRST_WINDOW_SECONDS * RATE), BLOCK):
        loop.update(count, count / RATE)
        assert loop.line is None
    loop.update(RATE, 1.0)
    assert loop.line is not None


def test_callbacks_on_time_give_their_line() -> None:
    clock = Clock(ppm=0.0)
    line = clock.run(10.0)
    assert line.rate == pytest.approx(RATE, rel=1e-9)
    assert line.count_at(3.0) == pytest.approx(3 * RATE, abs=1e-3)
    assert line.seconds_at(3 * RATE) == pytest.approx(3.0, abs=1e-8)


@pytest.mark.parametrize("late", [jitter, bursts])
@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_drift_is_told_to_two_millionths_within_a_minute(
    rng: np.random.Generator, late: Callable[[np.random.Generator], Lateness], ppm: float
) -> None:
    clock = Clock(late(rng), ppm)
    line = clock.run(60.0)
    wrong = line.rate / clock.true_rate - 1
    assert abs(wrong) < 2e-6
    assert abs(wrong) < 3 * line.rate_error, "it knows how well it knows"


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
        clock.loop.reopen()
        clock.run(0.06 * FIRST_WINDOW_SECONDS)
    assert abs(clock.off()) < 0.1 * clock.lost_seconds


# Steering

UNKNOWN = 10 * KNOWN
PUSH = 2048 / RATE
"""Seconds for which a ratio is used."""


def follow(
    seconds: float,
    drift: float,
    rate_error: float,
    error: float = 0.0,
    noise: Callable[[float], float] = lambda now: 0.0,
    start: Steering | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Errors and ratios of a loop around a resampler between clocks `drift` apart.

    The clocks' ratio is told rightly. noise : what the error is told too long by, at a time
    """
    state = start or Steering(1.0 + drift, 1.0 + drift, error)
    errors, ratios = [], []
    for k in range(round(seconds / PUSH)):
        told = error + noise(k * PUSH)
        state = steer(state, told, 1.0 + drift, rate_error, PUSH)
        error += (state.ratio - 1.0 - drift) * PUSH
        errors.append(error)
        ratios.append(state.ratio)
    return np.array(errors), np.array(ratios)


def test_too_long_a_latency_is_played_faster() -> None:
    still = Steering(1.0, 1.0, 0.0)
    for rate_error in (UNKNOWN, KNOWN):
        for error in (1e-4, 1e-2):
            assert steer(still, error, 1.0, rate_error, PUSH).ratio < 1.0
            assert steer(still, -error, 1.0, rate_error, PUSH).ratio > 1.0


def test_until_the_clocks_are_known_their_ratio_is_followed() -> None:
    state = Steering(1.0, 1.0, 0.0)
    for _ in range(round(20 / PUSH)):
        state = steer(state, 0.0, 1.0002, UNKNOWN, PUSH)
    assert state.ratio == pytest.approx(1.0002, abs=1e-6)


def test_once_the_clocks_are_known_their_measured_ratio_is_not_listened_to() -> None:
    state = Steering(1.0002, 1.0002, 0.0)
    assert steer(state, 0.0, 1.0, KNOWN, PUSH).ratio == 1.0002


def test_what_was_wrong_about_the_ratio_is_steered_out_for_good() -> None:
    errors, ratios = follow(
        3000.0, drift=2e-4, rate_error=KNOWN, start=Steering(1.0002 + 2e-6, 1.0002 + 2e-6, 0.0)
    )
    assert np.abs(errors).max() < 0.5e-3
    assert abs(errors[-1]) < 1e-5
    assert ratios[-1] == pytest.approx(1.0002, abs=1e-7)


def test_a_far_latency_is_pulled_in_fast_though_the_clocks_are_known() -> None:
    errors, _ = follow(30.0, drift=0.0, rate_error=KNOWN, error=0.02)
    assert abs(errors[-1]) <= FAR_SECONDS
    assert errors.min() > -FAR_SECONDS, "and does not swing past"


@pytest.mark.parametrize("error", [-0.05, 0.05])
@pytest.mark.parametrize("rate_error", [KNOWN, UNKNOWN])
def test_no_correction_is_steeper_than_can_be_heard(error: float, rate_error: float) -> None:
    _, ratios = follow(60.0, drift=2e-4, rate_error=rate_error, error=error)
    assert np.abs(ratios / 1.0002 - 1).max() <= 1.001 * STEEPEST


@pytest.mark.parametrize(("hz", "least_db"), [(0.01, 35), (0.1, 75), (1.0, 110)])
def test_locked_it_hardly_answers_what_comes_and_goes(hz: float, least_db: float) -> None:
    """Bandwidth: an error told wrongly by a wave moves what is played by far less."""
    told = 1e-4
    errors, _ = follow(
        4 / SLOW_HZ,
        drift=0.0,
        rate_error=KNOWN,
        noise=lambda now: told * math.sin(2 * math.pi * hz * now),
    )
    settled = errors[len(errors) // 2 :]
    settled = settled - np.polyval(
        np.polyfit(np.arange(len(settled)), settled, 3), np.arange(len(settled))
    )
    assert 20 * math.log10(told / (math.sqrt(2) * settled.std())) > least_db
