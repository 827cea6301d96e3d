"""Where segments end, by count or by the clock; and durations as people write them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import RequestError
from realtime.recording.clock import ClockStep
from realtime.recording.segments import (
    Segmentation,
    duration_text,
    parse_segmentation,
    seconds_of,
)

RATE = 48000
SECOND = 1_000_000_000
MIDNIGHT = 1_795_305_600 * SECOND  # 2026-11-22T00:00:00Z
TEN = Segmentation(600.0, align=True)


class Clock:
    """Sample 0 was at `begin_ns`; the device is `ppm` fast."""

    def __init__(self, begin_ns: int, ppm: float = 0.0, steps: tuple[ClockStep, ...] = ()):
        self.begin_ns, self.true_rate, self.steps = begin_ns, RATE * (1 + ppm * 1e-6), steps

    def utc_ns(self, index: int) -> int:
        stepped = sum(step.seconds for step in self.steps if step.index <= index)
        return self.begin_ns + round((index / self.true_rate + stepped) * SECOND)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        (" 10M ", 600.0),
        ("1h30m", 5400.0),
        ("1d", 86400.0),
        ("2d12h", 216000.0),
        ("1.5h", 5400.0),
        ("0.25", 0.25),
        ("250ms", 0.25),
        ("1m30s500ms", 90.5),
        ("0", 0.0),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text, "--last") == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "m", "10x", "-5s", "30m1h", "1h1h", "1 h", "1e3", "nan", "inf", "1:30", "\u0663s"],
)
def test_what_is_no_duration_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(RequestError, match=r"^--last = .* must be a time such as .*try 5m") as no:
        seconds_of(text, "--last", example="5m")
    assert "\n" not in str(no.value)


@pytest.mark.parametrize("text", ["0s", "0.99", "9999d", "9" * 15])
def test_a_duration_out_of_range_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(RequestError, match=r"record.segment = .* must be 1s to 3650d"):
        parse_segmentation(text)


@given(st.integers(0, 10**9))
def test_a_duration_written_out_is_read_back(milliseconds: int) -> None:
    text = duration_text(milliseconds / 1000)
    assert seconds_of(text, "x") == pytest.approx(milliseconds / 1000, abs=1e-6)


def test_none_never_ends() -> None:
    assert parse_segmentation("none") == Segmentation(None)
    assert Segmentation(None, align=True).end(5, RATE, Clock(MIDNIGHT)) is None


@pytest.mark.parametrize(
    ("text", "rate", "samples"), [("7s", 48000, 336000), ("1.5s", 44101, 66152)]
)
def test_without_alignment_every_segment_has_as_many_samples(text, rate, samples) -> None:
    cut = parse_segmentation(text)
    assert cut.end(0, rate, Clock(MIDNIGHT)) == samples
    assert cut.end(10**12, rate, Clock(MIDNIGHT, ppm=200)) == 10**12 + samples


def test_an_aligned_segment_ends_at_the_first_sample_of_the_next_multiple() -> None:
    clock = Clock(MIDNIGHT + 123 * SECOND + 456)
    end = TEN.end(0, RATE, clock)
    assert end is not None
    assert clock.utc_ns(end - 1) < MIDNIGHT + 600 * SECOND <= clock.utc_ns(end)


def test_a_length_that_does_not_divide_a_day_counts_from_1970() -> None:
    clock = Clock(MIDNIGHT)
    end = Segmentation(7.0, align=True).end(0, RATE, clock)
    assert end is not None
    assert clock.utc_ns(end) // SECOND % 7 == 0


@given(
    begin=st.integers(0, 86_400 * SECOND),
    ppm=st.floats(-300, 300),
    length=st.sampled_from([1.0, 1.5, 7.0, 60.0, 3600.0, 86_400.0]),
)
def test_aligned_segments_follow_each_other_on_the_clock(begin: int, ppm: float, length: float):
    clock = Clock(MIDNIGHT + begin, ppm)
    cut = Segmentation(length, align=True)
    ends = [0]
    for _ in range(5):
        end = cut.end(ends[-1], RATE, clock)
        assert end is not None
        ends.append(end)
    lengths = [(b - a) / clock.true_rate for a, b in pairwise(ends)]
    assert min(1.0, length / 2) - 1e-4 <= lengths[0] <= length + 1.0
    assert lengths[1:] == pytest.approx([length] * 4, abs=3e-5)
    for end in ends[1:]:
        late = clock.utc_ns(end) % round(length * SECOND)
        assert late <= SECOND / RATE * 1.01


@pytest.mark.parametrize("off_ns", [-400_000, -1, 0, 1, 400_000])
def test_a_segment_that_begins_on_a_boundary_as_near_as_the_clock_knew_has_the_whole_length(off_ns):
    """Between two looks at it, the clock learns that it was off by a little."""
    for length in (1.0, 2.0, 600.0):
        end = Segmentation(length, align=True).end(0, RATE, Clock(MIDNIGHT + off_ns))
        assert end == pytest.approx(length * RATE, abs=21)


@pytest.mark.parametrize("left", [0.3, 0.99])
def test_a_rest_of_less_than_a_second_goes_to_the_segment_after(left: float) -> None:
    clock = Clock(MIDNIGHT + 600 * SECOND - round(left * SECOND))
    assert TEN.end(0, RATE, clock) == pytest.approx((600 + left) * RATE, abs=1)


@pytest.mark.parametrize(("hours", "until"), [(1.0, 600), (-1.0, 600), (0.05, 420), (-0.05, 780)])
def test_after_a_step_the_segment_ends_by_the_new_clock(hours: float, until: int) -> None:
    """It began at 00:00, was to end at 00:10, and at 00:05 somebody set the clock."""
    step = ClockStep(300 * RATE, hours * 3600)
    clock = Clock(MIDNIGHT, steps=(step,))
    end = TEN.end(0, RATE, clock)
    assert end is not None
    assert clock.utc_ns(end) % (600 * SECOND) == 0
    assert end == until * RATE
    later = TEN.end(end, RATE, clock)
    assert later == end + 600 * RATE


def test_a_step_before_the_segment_changes_nothing() -> None:
    clock = Clock(MIDNIGHT, steps=(ClockStep(100, 3600.0), ClockStep(200, -1.0)))
    end = TEN.end(200, RATE, clock)
    assert end is not None
    assert clock.utc_ns(end) == MIDNIGHT + 4200 * SECOND
