"""Where the ticks of an axis go and what they say: pure numbers.

A tick's position is its share of the axis, 0 at the low end (bottom or left) and 1 at the high
one. Labels are exact: a value that a label would have to round gets no label. No two labels
come nearer to each other than the space asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

import numpy as np

from realtime.dsp.scales import SCALES

LABEL_ROOM = 28.0
"""Logical pixels from one frequency label to the next: a line of text and as much again."""
MINOR_ROOM = 6.0
"""Logical pixels from one unlabelled tick to the next; denser ones blur into a band."""
TIME_ROOM = 88.0
"""Logical pixels from one time label to the next: "-1:30 min" twice over."""
DB_ROOM = 36.0
"""Logical pixels from one dB label to the next."""
DECADES_HZ = (0.0, *(10.0**k for k in range(7)))
"""Hz; where the tree of round frequencies has its roots."""
FINEST_HZ = 0.1
"""Hz; no frequency tick is finer."""
TIME_STEPS = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200),
)
"""Seconds; steps that clocks and people count in."""
DB_STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
NOTE_LETTERS = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
NOTE_TIERS = ((0,), (0, 7), (0, 4, 7), (0, 2, 4, 5, 7, 9, 11), tuple(range(12)))
"""Semitones above C that carry a tick, from the sparsest axis to the densest."""
OCTAVES = range(-4, 16)
MINUS = "−"


@dataclass(frozen=True)
class Tick:
    """position : share of the axis, 0..1. label : "" for minor ticks."""

    position: float
    label: str
    major: bool


# ---------------------------------------------------------------------- frequency


def hz_ticks(
    low: float,
    high: float,
    pixels: Callable[[float], float],
    height: float,
    room: float = LABEL_ROOM,
    *,
    linear: bool = False,
    notes: bool = False,
    label: Callable[[float], str] | None = None,
) -> list[Tick]:
    """Ticks of a frequency axis from `low` to `high` Hz, from low to high.

    pixels : where a frequency lies, pixels from the low end, of `height`. room : pixels from
    label to label. linear : equal steps in Hz. notes : notes in place of Hz, where two have room.
    label : text of a frequency; `hz_label` where None
    """
    if notes:
        ticks = _note_ticks(low, high, pixels, height, room)
        if sum(tick.major for tick in ticks) >= 2:
            return ticks
    label = label or hz_label
    tree = _Tree(low, high, pixels, linear=linear)
    major = tree.values(room)
    minor = tree.refined(major, MINOR_ROOM)
    ticks = [Tick(pixels(hz) / height, label(hz), True) for hz in major if low <= hz <= high]
    ticks += [Tick(pixels(hz) / height, "", False) for hz in minor if low <= hz <= high]
    return sorted(ticks, key=lambda tick: tick.position)


def hz_label(hz: float) -> str:
    """20 -> "20", 1500 -> "1.5k"; exact to `FINEST_HZ`."""
    return f"{round(hz / 1000, 4):g}k" if hz >= 1000 else f"{round(hz, 1):g}"


def note_label(semitone: int, octave: int) -> str:
    """The name of a note, with a real sharp sign: (1, 4) -> "C♯4"."""
    return f"{NOTE_LETTERS[semitone]}{octave}".replace("-", MINUS)


def _note_ticks(
    low: float, high: float, pixels: Callable[[float], float], height: float, room: float
) -> list[Tick]:
    """Notes in equal temperament: the densest tier whose labels have room, the next one bare."""
    semitone_pixels = height / (12 * np.log2(high / low))
    fitting = [tier for tier in NOTE_TIERS if _gap(tier) * semitone_pixels >= room]
    labelled = fitting[-1] if fitting else NOTE_TIERS[0]
    octave_step = max(1, ceil(room / (12 * semitone_pixels)))
    bare = [tier for tier in NOTE_TIERS[1:] if _gap(tier) * semitone_pixels >= MINOR_ROOM]
    ticks = []
    for octave in OCTAVES:
        for semitone in bare[-1] if bare else NOTE_TIERS[0]:
            hz = float(SCALES["notes"].inverse(12 * (octave + 1) + semitone))
            if low <= hz <= high:
                major = semitone in labelled and octave % octave_step == 0
                label = note_label(semitone, octave) if major else ""
                ticks.append(Tick(pixels(hz) / height, label, major))
    return ticks


def _gap(tier: Sequence[int]) -> int:
    """Smallest distance, in semitones, of the notes of a tier."""
    return min(b - a for a, b in zip(tier, (*tier[1:], tier[0] + 12), strict=True))


@dataclass(frozen=True)
class _Tree:
    """Round frequencies as a tree: a gap between two of them is refined where there is room.

    Decades split at 2 and 5 (or at 3 alone), those gaps in ones, ones in halves, halves in
    tenths, and so on down; on a linear axis the roots are equal steps.
    """

    low: float
    high: float
    pixels: Callable[[float], float]
    linear: bool

    def values(self, room: float) -> list[float]:
        roots = self._steps(room) if self.linear else self._decades(room)
        if self.linear:
            return roots
        found = roots[:1]
        for a, b in pairwise(roots):
            found += [*self._between(a, b, room), b]
        return found

    def refined(self, major: list[float], room: float) -> list[float]:
        """One generation more between the labelled values, where it fits."""
        found = []
        for a, b in pairwise(major):
            for split in _splits(a, b):
                if self._fits([a, *split, b], room):
                    found += split
                    break
        return found

    def _steps(self, room: float) -> list[float]:
        per_hz = (self.pixels(self.high) - self.pixels(self.low)) / (self.high - self.low)
        step = next(s for s in _one_two_five() if s * per_hz >= room)
        first, last = floor(self.low / step), ceil(self.high / step)
        return [round(n * step, 3) for n in range(first, last + 1)]

    def _decades(self, room: float) -> list[float]:
        """From the highest down, so that where decades crowd at the low end the high ones stay;
        0 before the small ones."""
        kept: list[float] = []
        for hz in sorted(DECADES_HZ, key=lambda hz: (hz in (1.0, 10.0), -hz)):
            if self._fits(sorted([*kept, hz]), room):
                kept.append(hz)
        return sorted(kept)

    def _between(self, a: float, b: float, room: float) -> Iterator[float]:
        if b <= self.low or a >= self.high:
            return
        for split in _splits(a, b):
            if self._fits([a, *split, b], room):
                edges = [a, *split, b]
                for left, right in pairwise(edges):
                    yield from self._between(left, right, room)
                    if right != b:
                        yield right
                return

    def _fits(self, values: list[float], room: float) -> bool:
        """Whether the neighbours among the values that are visible keep their distance."""
        places = [self.pixels(hz) for hz in values if self.low <= hz <= self.high]
        return all(b - a >= room for a, b in pairwise(places))


def _splits(a: float, b: float) -> list[list[float]]:
    """Ways to divide a gap of the tree, best first; none below `FINEST_HZ`."""
    width = b - a
    unit = 10.0 ** floor(log10(width) + 1e-9)
    if a == 0 or width / unit == 9:
        return [[2 * unit, 5 * unit], [3 * unit], [5 * unit]] if a else [[b / 2]]
    parts = {1.0: 2, 2.0: 2, 3.0: 3, 5.0: 5}.get(round(width / unit, 3))
    if parts is None or width / parts < FINEST_HZ:
        return []
    even = [round(a + width * n / parts, 3) for n in range(1, parts)]
    # Where not all fit, the one that divides a logarithmic gap best: 3 of 2..5, 7 of 5..10.
    return [even, [even[parts // 2 - 1]]] if b / a >= 2 and parts > 2 else [even]


def _one_two_five() -> Iterator[float]:
    for k in range(-1, 7):
        for m in (1, 2, 5):
            yield m * 10.0**k


# ---------------------------------------------------------------------- time


def absolute_time_ticks(
    start: float,
    stop: float,
    width: float,
    room: float = TIME_ROOM,
    label: Callable[[float, int], str] | None = None,
) -> list[Tick]:
    """Ticks of a still picture: seconds since the stream began.

    label : text of seconds with so many decimals; `clock_label` where None
    """
    label = label or clock_label
    span = stop - start
    step = time_step(span, width, room)
    minor = minor_step(step, span, width)
    ticks = []
    for n in range(max(0, ceil(start / minor - 1e-9)), floor(stop / minor + 1e-9) + 1):
        seconds = round(n * minor, 3)
        major = is_multiple(seconds, step)
        text = label(seconds, _decimals(step)) if major else ""
        ticks.append(Tick((seconds - start) / span, text, major))
    return ticks


def clock_label(seconds: float, decimals: int = 0) -> str:
    """3723.5 -> "1:02:03" or, with one decimal, "1:02:03.5". Never rounds up into the future."""
    units = 10**decimals
    whole, part = divmod(floor(seconds * units + 1e-6), units)
    sign = MINUS if whole < 0 else ""
    hours, rest = divmod(abs(whole), 3600)
    text = f"{sign}{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{text}.{part:0{decimals}}" if decimals else text


def time_step(span: float, width: float, room: float) -> float:
    fitting = (step for step in TIME_STEPS if step * width / span >= room)
    return next(fitting, TIME_STEPS[-1])


def minor_step(step: float, span: float, width: float) -> float:
    for parts in (10, 6, 5, 4, 3, 2):
        small = step / parts
        if small * width / span >= MINOR_ROOM and any(abs(small - s) < 1e-9 for s in TIME_STEPS):
            return small
    return step


def is_multiple(value: float, step: float) -> bool:
    return abs(value / step - round(value / step)) < 1e-6


def _decimals(step: float) -> int:
    return 0 if step >= 1 else 1 if step >= 0.1 else 2


# ---------------------------------------------------------------------- level


def db_ticks(low: float, high: float, length: float, room: float = DB_ROOM) -> list[Tick]:
    """Ticks of a level axis from `low` to `high` dB, `length` logical pixels long."""
    span = high - low
    step = next((s for s in DB_STEPS if s * length / span >= room), DB_STEPS[-1])
    minor = step / 5 if step * length / span / 5 >= MINOR_ROOM else step / 2
    if minor * length / span < MINOR_ROOM:
        minor = step
    ticks = []
    for n in range(ceil(low / minor - 1e-9), floor(high / minor + 1e-9) + 1):
        db = round(n * minor, 3)
        major = is_multiple(db, step)
        ticks.append(Tick((db - low) / span, db_label(db) if major else "", major))
    return ticks


def db_label(db: float) -> str:
    """-20.0 -> "−20", with a real minus sign."""
    return f"{MINUS if db < 0 else ''}{abs(round(db, 1)):g}"
