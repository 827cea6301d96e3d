"""Ticks: where they stand and what they say."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.config import DisplaySettings, ScaleName
from realtime.dsp.scales import note_hz
from realtime.dsp.ticks import (
    DB_ROOM,
    LABEL_ROOM,
    MINOR_ROOM,
    TIME_ROOM,
    absolute_time_ticks,
    clock_label,
    db_ticks,
)
from realtime.view.axes import frequency_ticks, time_ticks
from realtime.view.mapping import hz_of_share

RATE = 48000
SCALES: tuple[ScaleName, ...] = ("linear", "log", "mel", "bark", "erb", "notes")


def labels(ticks):
    return [tick.label for tick in ticks if tick.major]


def hz_of(label):
    if label[0] in "ABCDEFG":
        return note_hz(label.replace("♯", "#").replace("−", "-"))
    return float(label.removesuffix("k")) * (1000 if label.endswith("k") else 1)


@st.composite
def displays(draw):
    scale = draw(st.sampled_from(SCALES))
    low = draw(st.floats(20, 20_000))
    high = draw(st.floats(low + 10, 24_000))
    return DisplaySettings(scale=scale, f_low=low, f_high=high)


@settings(max_examples=200, deadline=None)
@given(displays(), st.integers(120, 2000))
def test_every_label_of_every_frequency_axis_is_exact_and_none_overlap(display, height):
    ticks = frequency_ticks(display, RATE, height)
    positions = np.array([tick.position for tick in ticks])
    assert (positions >= 0).all() and (positions <= 1).all()
    assert (np.diff(positions) > 0).all()
    for tick in ticks:
        assert bool(tick.label) == tick.major
    major = [tick for tick in ticks if tick.major]
    assert major, "an axis without any label says nothing"
    for tick in major:
        shown = float(hz_of_share(tick.position, display, RATE))
        assert shown == pytest.approx(hz_of(tick.label), rel=1e-6, abs=0.05)
    for a, b in pairwise(major):
        assert (b.position - a.position) * height >= LABEL_ROOM - 1e-6
    for a, b in pairwise(ticks):
        assert (b.position - a.position) * height >= MINOR_ROOM * 0.9


def test_a_log_axis_has_the_ticks_of_an_engineer():
    display = DisplaySettings(scale="log", f_low=20, f_high=20_000)
    assert labels(frequency_ticks(display, RATE, 300)) == [
        *("20", "50", "100", "200", "500", "1k", "2k", "5k", "10k", "20k")
    ]
    assert {"100", "1k", "10k"} <= set(labels(frequency_ticks(display, RATE, 90)))


def test_a_linear_axis_has_equal_steps():
    ticks = frequency_ticks(DisplaySettings(scale="linear", f_low=0), RATE, 600)
    assert labels(ticks)[:4] == ["0", "2k", "4k", "6k"]
    steps = np.diff([tick.position for tick in ticks if tick.major])
    assert np.allclose(steps, steps[0])


def test_a_note_axis_names_octaves_and_closer_up_every_note():
    wide = DisplaySettings(scale="notes", f_low=30)
    assert labels(frequency_ticks(wide, RATE, 600))[:3] == ["C1", "C2", "C3"]
    near = DisplaySettings(scale="notes", f_low=430, f_high=550)
    assert labels(frequency_ticks(near, RATE, 600)) == ["A4", "A♯4", "B4", "C5"]
    inside = DisplaySettings(scale="notes", f_low=442, f_high=462)
    assert "450" in labels(frequency_ticks(inside, RATE, 600)), "no note there: Hz"


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_labels_1_khz_where_a_thousand_hertz_are(scale):
    low = 500.0 if scale == "notes" else 900.0
    display = DisplaySettings(scale=scale, f_low=low, f_high=1060 if scale == "notes" else 1100)
    ticks = {tick.label: tick for tick in frequency_ticks(display, RATE, 400)}
    name = "C6" if scale == "notes" else "1k"
    hz = 1046.502 if scale == "notes" else 1000
    assert hz_of_share(ticks[name].position, display, RATE) == pytest.approx(hz, abs=0.01)


@given(st.floats(0.5, 7200), st.integers(200, 3000))
def test_a_running_time_axis_counts_back_from_now(span, width):
    ticks = time_ticks(span, width)
    assert ticks[-1].label == "now" and ticks[-1].position == 1
    major = [tick for tick in ticks if tick.major]
    for a, b in pairwise(major):
        assert (b.position - a.position) * width >= TIME_ROOM - 1e-6
    for tick in major[:-1]:
        ago = (1 - tick.position) * span
        assert _seconds(tick.label) == pytest.approx(ago, abs=0.006)


def _seconds(label):
    number, unit = label.removeprefix("−").split(" ")
    parts = [float(part) for part in number.split(":")]
    size = {"s": 1, "min": 60, "h": 3600}[unit]
    return parts[0] * size + (parts[1] * size / 60 if len(parts) > 1 else 0)


@given(st.floats(0, 100_000), st.floats(0.5, 7200), st.integers(200, 3000))
def test_a_still_time_axis_says_the_time_of_the_stream(start, span, width):
    ticks = absolute_time_ticks(start, start + span, width)
    for tick in ticks:
        if tick.label:
            hours, minutes, seconds = tick.label.split(":")
            at = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            assert at == pytest.approx(start + tick.position * span, abs=1e-3)
    assert all(-1e-9 <= tick.position <= 1 + 1e-9 for tick in ticks)


def test_a_clock_never_rounds_half_a_second_away():
    assert clock_label(10.5) == "0:00:10"
    assert clock_label(10.5, 1) == "0:00:10.5"
    assert clock_label(3723.999) == "1:02:03"
    assert clock_label(59.999999999, 2) == "0:01:00.00"
    assert [t.label for t in absolute_time_ticks(9, 15, 400) if t.major] == [
        *("0:00:10", "0:00:12", "0:00:14")
    ]
    assert [t.label for t in absolute_time_ticks(10, 12, 400) if t.major] == [
        *("0:00:10.0", "0:00:10.5", "0:00:11.0", "0:00:11.5", "0:00:12.0")
    ]


@given(st.floats(-144, -6), st.floats(6, 156), st.integers(100, 2000))
def test_db_ticks_are_exact_and_keep_their_distance(low, span, length):
    ticks = db_ticks(low, low + span, length)
    major = [tick for tick in ticks if tick.major]
    for tick in major:
        assert re.fullmatch(r"−?\d+(\.5)?", tick.label)
        assert float(tick.label.replace("−", "-")) == pytest.approx(low + tick.position * span)
    for a, b in pairwise(major):
        assert (b.position - a.position) * length >= DB_ROOM - 1e-6 or span / length > 50 / DB_ROOM


def test_the_usual_range_reads_in_tens():
    assert labels(db_ticks(-100, 0, 600))[::5] == ["−100", "−50", "0"]
