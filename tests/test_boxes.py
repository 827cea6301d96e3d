"""What a hand draws in the picture becomes boxes, and what is shown of them covers the same."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.config import DisplaySettings
from realtime.dsp.processors.parameters import Box, Boxes
from realtime.view.boxes import (
    Grain,
    Spot,
    borders,
    box_between,
    brush_boxes,
    strips,
    without_box_at,
)
from realtime.view.mapping import hz_of_share

RATE = 48000
DISPLAY = DisplaySettings()
GRAIN = Grain(samples=256, share=0.02, bin_hz=46.875)

hz = st.integers(0, 12)
times = st.integers(1, 12)


@st.composite
def any_box(draw):
    """Small whole numbers, so that edges often meet."""
    low, high = sorted(draw(st.lists(hz, min_size=2, max_size=2, unique=True)))
    if draw(st.booleans()) and draw(st.booleans()):
        return Box(low, high)
    start, stop = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    return Box(low, high, start, stop)


boxes_drawn = st.lists(any_box(), max_size=8)


def covered(boxes, sample, frequency):
    return any(
        b.f_low < frequency < b.f_high and (b.stop == 0 or b.start < sample < b.stop) for b in boxes
    )


# ---------------------------------------------------------------------- what is shown


@given(boxes_drawn)
def test_strips_cover_what_the_boxes_cover_and_nothing_twice(boxes):
    area = strips(boxes)
    for strip in area:
        assert all(below[1] < above[0] for below, above in pairwise(strip.bands)), "apart"
    for sample in (n + 0.5 for n in range(14)):
        for frequency in (n + 0.5 for n in range(13)):
            times_covered = sum(
                strip.start < sample < strip.stop and low < frequency < high
                for strip in area
                for low, high in strip.bands
            )
            assert times_covered == covered(boxes, sample, frequency)


@given(boxes_drawn)
def test_a_border_stands_where_one_side_is_covered_and_the_other_is_not(boxes):
    lines = borders(strips(boxes))
    for sample in range(14):
        for frequency in (n + 0.5 for n in range(13)):
            left, right = (covered(boxes, sample + d, frequency) for d in (-0.5, 0.5))
            here = [at for at, (low, high) in lines if at == sample and low < frequency < high]
            assert len(here) == (left != right)


def test_a_band_of_all_times_has_no_upright_border():
    area = strips([Box(100, 200)])
    assert area == [(-math.inf, math.inf, ((100, 200),))]
    assert borders(area) == []


# ---------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("scale", ["linear", "log", "mel", "notes"])
def test_a_box_has_the_corners_between_which_the_hand_moved_either_way(scale):
    display = DisplaySettings(scale=scale)
    a, b = Spot(48000.2, 0.25), Spot(24000.9, 0.5)
    box = box_between(a, b, display, RATE)
    assert box == box_between(b, a, display, RATE)
    assert box is not None
    assert (box.start, box.stop) == (24000, 48001)
    low, high = hz_of_share([0.25, 0.5], display, RATE)
    assert (box.f_low, box.f_high) == pytest.approx((low, high), abs=0.05)


def test_where_there_is_no_time_a_box_is_a_band_of_all_times():
    box = box_between(Spot(None, 0.25), Spot(100, 0.5), DISPLAY, RATE)
    assert box is not None and (box.start, box.stop) == (0, 0)


def test_a_box_without_height_or_without_length_is_none():
    assert box_between(Spot(0, 0.5), Spot(100, 0.5), DISPLAY, RATE) is None
    assert box_between(Spot(100, 0.2), Spot(100, 0.5), DISPLAY, RATE) is None


def test_a_box_reaches_neither_before_the_beginning_nor_beyond_the_axis():
    box = box_between(Spot(-500.0, -0.5), Spot(100, 1.5), DISPLAY, RATE)
    assert box is not None and box.start == 0
    assert box.f_low >= 0 and box.f_high <= RATE / 2


@given(st.lists(st.tuples(st.floats(0, 96000), st.floats(0, 1)), min_size=1, max_size=12))
def test_a_brush_covers_every_point_of_its_way_with_boxes_that_do_not_overlap(stroke):
    boxes = brush_boxes(stroke, GRAIN, DISPLAY, RATE)
    for before, after in pairwise(boxes):
        assert before.stop <= after.start
        assert before[:2] != after[:2] or before.stop < after.start, "alike ones are joined"
    for sample, share in stroke:
        frequency = float(hz_of_share(share, DISPLAY, RATE))
        under = [b for b in boxes if b.start <= sample < b.stop]
        assert len(under) == 1
        assert under[0].f_low <= max(0, frequency - GRAIN.bin_hz + 0.1)
        assert under[0].f_high >= frequency + GRAIN.bin_hz - 0.1
    assert Boxes(()).checked("mask:boxes", boxes) == boxes, "as an effect takes them"


def test_a_brush_follows_the_line_between_two_points_and_no_more():
    boxes = brush_boxes([(0, 0.3), (25600, 0.6)], GRAIN, DISPLAY, RATE)
    assert boxes[0].start == 0 and boxes[-1].stop == 25600 + GRAIN.samples
    for box in boxes:
        middle = (box.start + box.stop) / 2
        frequency = float(hz_of_share(0.3 + 0.3 * middle / 25600, DISPLAY, RATE))
        assert box.f_low < frequency < box.f_high or box is boxes[-1]
        height = float(hz_of_share(0.35, DISPLAY, RATE)) / float(hz_of_share(0.3, DISPLAY, RATE))
        assert box.f_high / box.f_low < height + 2 * GRAIN.bin_hz / box.f_low + 0.2


def test_a_level_stroke_is_one_box_as_high_as_the_brush():
    (box,) = brush_boxes([(0, 0.8), (48000, 0.8)], GRAIN, DISPLAY, RATE)
    low, high = hz_of_share([0.8 - GRAIN.share / 2, 0.8 + GRAIN.share / 2], DISPLAY, RATE)
    assert (box.f_low, box.f_high) == pytest.approx((low, high), abs=0.1)


def test_a_click_takes_away_the_newest_box_under_it_or_none():
    boxes = (Box(100, 1000, 10, 20), Box(100, 200), Box(100, 1000, 30, 40))
    assert without_box_at(boxes, 15, 150) == (boxes[0], boxes[2])
    assert without_box_at(boxes, 15, 500) == boxes[1:]
    assert without_box_at(boxes, 25, 500) == boxes
    assert without_box_at(boxes, None, 900) == boxes[:2], "on the axis every time counts"
