"""Boxes drawn in the picture: from where the hand went to `Box`es, and to what shows them.

Pure numbers, no GUI. Time is in samples since the stream began, so a box scrolls with its sound;
height is the share of the frequency axis, 0 at its lower edge, as in `mapping`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, floor, inf
from typing import NamedTuple

import numpy as np

from realtime.config import DisplaySettings
from realtime.dsp.processors.parameters import Box
from realtime.view.mapping import hz_of_share

DECIMALS = 1
"""Of a drawn frequency: 0.1 Hz is finer than any bin."""

Band = tuple[float, float]
"""Hz, low and high."""
Point = tuple[float, float]
"""Sample and share."""


class Spot(NamedTuple):
    """A place in the picture. sample : None where there is no time (spectrum, axis)."""

    sample: float | None
    share: float


class Grain(NamedTuple):
    """How finely a brush paints. samples : length of a cell of time. share : height of the
    brush. bin_hz : distance of the bins it will act on; it paints at least one on each side."""

    samples: int
    share: float
    bin_hz: float


class Strip(NamedTuple):
    """What boxes cover from one instant to another. bands : apart from each other, rising."""

    start: float
    stop: float
    bands: tuple[Band, ...]


def box_between(a: Spot, b: Spot, display: DisplaySettings, sample_rate: int) -> Box | None:
    """The box with two opposite corners; a band of all times where one of them has no time.

    None where it is empty.
    """
    low, high = (_hz(share, display, sample_rate) for share in sorted((a.share, b.share)))
    if not low < high:
        return None
    if a.sample is None or b.sample is None:
        return Box(low, high)
    start, stop = floor(max(0.0, min(a.sample, b.sample))), ceil(max(a.sample, b.sample))
    return Box(low, high, start, stop) if start < stop else None


def brush_boxes(
    stroke: Sequence[Point], grain: Grain, display: DisplaySettings, sample_rate: int
) -> tuple[Box, ...]:
    """What a brush covers on its way: one box for each cell of time, joined where they are alike.

    stroke : at least one point, in the order the hand took, joined by straight lines.
    """
    reached: dict[int, tuple[float, float]] = {}
    for a, b in pairwise([*stroke, stroke[-1]]):
        for cell, low, high in _cells_of_line(a, b, grain.samples):
            before = reached.get(cell, (low, high))
            reached[cell] = (min(before[0], low), max(before[1], high))
    boxes: list[Box] = []
    for cell, (lowest, highest) in sorted(reached.items()):
        middle = _hz(lowest, display, sample_rate), _hz(highest, display, sample_rate)
        edges = lowest - grain.share / 2, highest + grain.share / 2
        low = max(0.0, min(_hz(edges[0], display, sample_rate), middle[0] - grain.bin_hz))
        high = max(_hz(edges[1], display, sample_rate), middle[1] + grain.bin_hz)
        start = cell * grain.samples
        box = Box(round(low, DECIMALS), round(high, DECIMALS), start, start + grain.samples)
        if boxes and boxes[-1].stop == start and boxes[-1][:2] == box[:2]:
            boxes[-1] = boxes[-1]._replace(stop=box.stop)
        else:
            boxes.append(box)
    return tuple(boxes)


def without_box_at(boxes: Iterable[Box], sample: float | None, hz: float) -> tuple[Box, ...]:
    """`boxes` less the newest one that covers a place; all of them where none does."""
    kept = list(boxes)
    for i in reversed(range(len(kept))):
        box = kept[i]
        timed = sample is None or box.stop == 0 or box.start <= sample < box.stop
        if timed and box.f_low <= hz <= box.f_high:
            del kept[i]
            break
    return tuple(kept)


def strips(boxes: Iterable[Box]) -> list[Strip]:
    """The area that boxes cover together, in strips that do not overlap, oldest first.

    A band of all times reaches from -inf to inf.
    """
    begin: dict[float, list[Band]] = defaultdict(list)
    end: dict[float, list[Band]] = defaultdict(list)
    for box in boxes:
        start, stop = (-inf, inf) if box.stop == 0 else (box.start, box.stop)
        begin[start].append(box[:2])
        end[stop].append(box[:2])
    active: Counter[Band] = Counter()
    found = []
    for start, stop in pairwise(sorted({*begin, *end})):
        active.update(begin[start])
        active -= Counter(end[start])
        if active:
            found.append(Strip(start, stop, _joined(active)))
    return found


def borders(area: Sequence[Strip]) -> list[tuple[float, Band]]:
    """The upright part of the outline of `area`: an instant, and where it is crossed."""
    found: list[tuple[float, Band]] = []
    ends = [Strip(-inf, -inf, ()), *area, Strip(inf, inf, ())]
    for before, after in pairwise(ends):
        if before.stop == after.start:
            found += [(after.start, band) for band in _differing(before.bands, after.bands)]
        else:
            found += [(before.stop, band) for band in before.bands]
            found += [(after.start, band) for band in after.bands]
    return [(at, band) for at, band in found if abs(at) < inf]


def _hz(share: float, display: DisplaySettings, sample_rate: int) -> float:
    hz = float(hz_of_share(share, display, sample_rate))
    return round(min(max(hz, 0.0), sample_rate / 2), DECIMALS)


def _cells_of_line(a: Point, b: Point, samples: int) -> Iterable[tuple[int, float, float]]:
    """Each cell of time that a straight line crosses, with its lowest and highest share there."""
    (start, first), (stop, last) = sorted(((max(0.0, sample), share) for sample, share in (a, b)))
    for cell in range(floor(start / samples), floor(stop / samples) + 1):
        if start < stop:
            ends = max(start, cell * samples), min(stop, (cell + 1) * samples)
            shares = np.interp(ends, (start, stop), (first, last))
        else:
            shares = np.array([first, last])
        yield cell, float(shares.min()), float(shares.max())


def _joined(bands: Iterable[Band]) -> tuple[Band, ...]:
    """Bands that overlap or touch made one."""
    joined: list[Band] = []
    for low, high in sorted(bands):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def _differing(a: Sequence[Band], b: Sequence[Band]) -> list[Band]:
    """Where one of two sets of bands is, and the other is not."""
    edges = sorted({edge for band in (*a, *b) for edge in band})

    def covers(bands: Sequence[Band], hz: float) -> bool:
        return any(low <= hz < high for low, high in bands)

    return list(_joined([(x, y) for x, y in pairwise(edges) if covers(a, x) != covers(b, x)]))
