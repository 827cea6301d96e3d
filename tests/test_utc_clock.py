"""When each sample was, told by late arrivals and a system's clock that people set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from realtime.recording import stream
from realtime.recording.clock import HISTORY_SECONDS, MOST_STEPS, ClockStep, UtcClock

RATE = 48000
SECOND = 1_000_000_000
UTC_0 = 1_795_370_400 * SECOND  # 2026-11-22T18:00:00Z
MONOTONIC_0 = 86_400 * SECOND
HOUR = 3600 * SECOND


class Device:
    """A device `ppm` fast whose samples arrive up to `jitter_ns` late; and the system's clock."""

    def __init__(
        self, rng: np.random.Generator, ppm: float = 0.0, jitter_ns: int = 0, first: int = 0
    ):
        self.rng, self.jitter_ns, self.first = rng, jitter_ns, first
        self.ppm = ppm
        self.clock = UtcClock(RATE)
        self.seconds = 0
        self.slewed: Callable[[int], int] = lambda seconds: 0
        """Nanoseconds that UTC is ahead of the monotonic clock and was not at the start."""

    def index(self, seconds: int) -> int:
        return self.first + round(seconds * RATE * (1 + self.ppm * 1e-6))

    def truth(self, seconds: int) -> int:
        return UTC_0 + seconds * SECOND + self.slewed(seconds)

    def run(self, seconds: int, every: int = 1) -> Iterator[int]:
        for now in range(self.seconds, self.seconds + seconds, every):
            late = int(self.rng.integers(0, self.jitter_ns + 1))
            monotonic = MONOTONIC_0 + now * SECOND + late
            utc = UTC_0 + now * SECOND + late + self.slewed(now)
            self.clock.feed(self.index(now), monotonic, utc)
            yield now
        self.seconds += seconds

    def ran(self, seconds: int, every: int = 1) -> UtcClock:
        for _ in self.run(seconds, every):
            pass
        return self.clock

    def error_ns(self, seconds: int) -> int:
        return self.clock.utc_ns(self.index(seconds)) - self.truth(seconds)


def test_a_clock_that_was_never_fed_says_so() -> None:
    with pytest.raises(ValueError, match="feed it first"):
        UtcClock(RATE).utc_ns(0)


def test_one_feed_tells_the_time_of_every_sample_as_the_device_counts(rng) -> None:
    clock = Device(rng).ran(1)
    assert clock.utc_ns(0) == UTC_0
    assert clock.utc_ns(90 * RATE) == UTC_0 + 90 * SECOND
    assert clock.utc_ns(-RATE) == UTC_0 - SECOND
    assert clock.drift_ppm is None
    assert clock.plausible


def test_arrivals_on_time_give_their_line_to_the_nanosecond(rng) -> None:
    device = Device(rng)
    device.ran(900)
    assert all(abs(device.error_ns(second)) <= 1 for second in range(1000))
    assert device.clock.drift_ppm == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("ppm", [-200.0, -31.7, 0.0, 200.0])
def test_time_is_true_to_2_ms_with_a_drift_and_3_ms_of_jitter(rng, ppm: float) -> None:
    device = Device(rng, ppm, jitter_ns=3_000_000)
    errors = [device.error_ns(now) for now in device.run(3600)]
    assert max(map(abs, errors)) < 5e6
    assert max(map(abs, errors[60:])) < 2e6
    assert np.std(errors[600:]) < 0.2e6
    assert device.clock.drift_ppm == pytest.approx(ppm, abs=0.5)


def test_drift_is_told_when_a_minute_has_passed_and_not_before(rng) -> None:
    device = Device(rng, 50.0, jitter_ns=100_000)
    known = [now for now in device.run(300) if device.clock.drift_ppm is not None]
    assert 60 <= known[0] <= 80
    assert device.clock.drift_ppm == pytest.approx(50.0, abs=0.2)


def test_what_was_told_of_a_sample_that_had_come_stays_told(rng) -> None:
    device = Device(rng, 120.0, jitter_ns=3_000_000)
    device.ran(600)
    asked = [device.index(second) for second in range(0, 600, 7)]
    told = [device.clock.utc_ns(index) for index in asked]
    for now in device.run(100):
        asked.append(device.index(now))
        told.append(device.clock.utc_ns(device.index(now)))
    device.ran(int(HISTORY_SECONDS) - 800)
    assert [device.clock.utc_ns(index) for index in asked] == pytest.approx(told, rel=0, abs=2)


def test_time_never_goes_back_from_one_sample_to_the_next(rng) -> None:
    device = Device(rng, -200.0, jitter_ns=3_000_000)
    device.ran(300)
    device.first += 20 * RATE  # twenty seconds of samples in a moment: none can be true
    clock = device.ran(300)
    times = [clock.utc_ns(index) for index in range(0, device.index(620), RATE // 7)]
    assert all(b >= a for a, b in pairwise(times))


def test_a_step_of_an_hour_is_on_record_and_samples_before_it_keep_their_time(rng) -> None:
    device = Device(rng, 80.0, jitter_ns=1_000_000)
    device.ran(1000)
    before = [device.clock.utc_ns(device.index(second)) for second in range(1000)]
    device.slewed = lambda seconds: HOUR if seconds >= 1000 else 0
    clock = device.ran(1000)
    (step,) = clock.steps
    assert step.index == device.index(1000)
    assert step.seconds == pytest.approx(3600, abs=1e-6)
    assert [clock.utc_ns(device.index(second)) for second in range(1000)] == pytest.approx(
        before, rel=0, abs=2
    )
    assert clock.utc_ns(step.index) - clock.utc_ns(step.index - 1) == pytest.approx(HOUR, abs=5e4)
    assert abs(device.error_ns(1000)) < 2e6
    assert abs(device.error_ns(1999)) < 2e6
    assert clock.drift_ppm == pytest.approx(80.0, abs=0.5)


def test_a_step_back_is_followed_too_and_two_steps_add_up(rng) -> None:
    device = Device(rng)
    device.slewed = lambda seconds: -HOUR * (seconds >= 100) + 2 * SECOND * (seconds >= 200)
    clock = device.ran(300)
    assert clock.steps == (
        ClockStep(device.index(100), -3600.0),
        ClockStep(device.index(200), 2.0),
    )
    for second in (50, 99, 100, 150, 199, 200, 250):
        assert abs(device.error_ns(second)) <= 1


def test_a_step_while_no_samples_come_is_seen(rng) -> None:
    clock = Device(rng).ran(10)
    clock.feed(RATE * 9, MONOTONIC_0 + 9 * SECOND, UTC_0 + 9 * SECOND + HOUR)
    assert clock.steps == (ClockStep(9 * RATE, 3600.0),)


def test_a_slew_of_500_ppm_for_minutes_is_no_step_and_is_followed(rng) -> None:
    """Where UTC alone is slewed."""
    device = Device(rng, 20.0, jitter_ns=500_000)
    device.slewed = lambda seconds: 500_000 * min(max(seconds - 1000, 0), 300)
    errors = [device.error_ns(now) for now in device.run(2500)]
    assert device.clock.steps == ()
    assert max(map(abs, errors)) < 8e6
    assert max(map(abs, errors[2000:])) < 1e6
    assert abs(device.error_ns(1000)) < 1e6  # long past, and before the slew
    assert device.clock.drift_ppm == pytest.approx(20.0, abs=0.5)


def test_a_slew_of_both_clocks_is_followed(rng) -> None:
    """As on Linux, where the monotonic clock goes along: the device then seems 500 ppm slower."""
    device = Device(rng, 0.0, jitter_ns=500_000)
    device.ran(1000)
    device.first, device.ppm = device.index(1000) - round(1000 * RATE * (1 - 5e-4)), -500.0
    errors = [device.error_ns(now) for now in device.run(300)]
    assert max(map(abs, errors)) < 8e6
    assert device.clock.drift_ppm == pytest.approx(-500.0, abs=2)


def test_a_slew_between_feeds_that_came_minutes_apart_is_no_step(rng) -> None:
    device = Device(rng)
    device.slewed = lambda seconds: 500_000 * seconds
    assert device.ran(6000, every=120).steps == ()


def test_a_clock_before_1980_is_told_from_one_after(rng) -> None:
    clock = UtcClock(RATE)
    assert not clock.plausible
    for second in range(60):
        clock.feed(second * RATE, second * SECOND, second * SECOND + 7)
    assert not clock.plausible
    clock.feed(60 * RATE, 60 * SECOND, UTC_0)
    assert clock.plausible
    assert clock.utc_ns(61 * RATE) == pytest.approx(UTC_0 + SECOND, abs=1)
    assert clock.utc_ns(59 * RATE) == pytest.approx(59 * SECOND + 7, abs=1)


def test_after_a_year_of_samples_a_sample_is_still_a_sample(rng) -> None:
    year = 365 * 86_400
    device = Device(rng, 100.0, jitter_ns=100_000, first=year * RATE)
    device.ran(1200)
    times = [device.clock.utc_ns(device.index(1199) + n) for n in range(100)]
    assert set(np.diff(times)) <= set(range(20_825, 20_840))
    assert abs(device.error_ns(1199)) < 0.3e6
    assert device.clock.drift_ppm == pytest.approx(100.0, abs=0.1)


def test_two_months_with_jitter_stay_true_in_bounded_memory(rng) -> None:
    device = Device(rng, -57.0, jitter_ns=1_000_000)
    errors = [device.error_ns(now) for now in device.run(60 * 86_400, every=120)]
    assert max(map(abs, errors[10:])) < 2e6
    assert device.clock.drift_ppm == pytest.approx(-57.0, abs=1)
    assert len(device.clock._knots) <= 2 * HISTORY_SECONDS / 5


def test_a_clock_that_steps_at_every_feed_fills_no_memory(rng) -> None:
    device = Device(rng)
    device.slewed = lambda seconds: SECOND * seconds
    clock = device.ran(2000)
    assert len(clock.steps) == MOST_STEPS
    assert clock.n_steps == 1999
    assert abs(device.error_ns(1999)) <= 1
    assert abs(device.error_ns(1999 - MOST_STEPS)) <= 1


@pytest.mark.parametrize(
    ("pauses_ms", "apart_ms"), [([0], 0), ([60, 0], 0), ([60, 2, 30, 40, 50], 1), ([60] * 5, 30)]
)
def test_both_clocks_of_a_moment_are_read_without_a_pause_between_them(
    monkeypatch: pytest.MonkeyPatch, pauses_ms: list[int], apart_ms: float
) -> None:
    class Time:
        """A system on which this thread loses the processor between its two clocks."""

        ns = MONOTONIC_0

        def perf_counter_ns(self) -> int:
            return self.ns

        def time_ns(self) -> int:
            utc_ns = self.ns + UTC_0
            self.ns += pauses_ms.pop(0) * 1_000_000
            return utc_ns

    monkeypatch.setattr(stream, "time", Time())
    moment = stream.Moment.now()
    assert abs(moment.utc_ns - moment.monotonic_ns - UTC_0) == apart_ms * 1_000_000
    assert not pauses_ms
