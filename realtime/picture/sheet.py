"""The sheet around the panes: where everything of a picture with axes stands, in pixels.

One function lays it out, for PNG, SVG and PDF alike; what draws it only puts boxes, lines and texts
where they are said to be. Margins are multiples of the letter size and do not depend on what the
labels say, so the panes of two pictures of one size lie at the same place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from realtime.dsp.scales import SCALES
from realtime.dsp.ticks import Tick, absolute_time_ticks, clock_label, db_ticks, hz_ticks
from realtime.picture.format import PictureFormat
from realtime.picture.placing import Placing

POINTS_PER_INCH = 72
LETTER_POINTS = 10.0
"""Of labels, as in matplotlib."""
TITLE_POINTS = 12.0

LEFT, RIGHT, TOP, BOTTOM, BETWEEN = 5.4, 7.4, 1.0, 3.4, 1.2
"""Margins around the panes and between them, in letter sizes: LEFT has room for "20000" and a
title of its axis, RIGHT for the colour bar and "-100 dB"."""
TITLED = 1.7
"""Letter sizes more above, for a title."""
BAR_GAP, BAR_WIDTH = 1.4, 1.2
TICK, MINOR_TICK = 0.35, 0.2
LABEL_GAP = 0.25
"""From the tick to its label."""
AXIS_TITLE_X, AXIS_TITLE_Y = 0.3, 0.3
"""From the edge of the sheet to the title of an axis."""
HZ_ROOM, TIME_ROOM, DB_ROOM = 2.0, 5.0, 2.4
"""From one label to the next."""

DIGIT_HEIGHT, DESCENT = 0.73, 0.24
"""Letter sizes above and below the base line, of DejaVu Sans."""
LETTER_WIDTH = 0.62
"""On average; of titles that are too long."""

LEAST_PANE = 16
"""Pixels of width and of height."""


@dataclass(frozen=True)
class Margins:
    """Whole pixels around the panes. letter : pixels of the letter size."""

    letter: float
    left: int
    right: int
    top: int
    bottom: int
    between: int

    @classmethod
    def at(cls, dpi: float, titled: bool) -> Margins:
        letter = LETTER_POINTS * dpi / POINTS_PER_INCH
        sides = (LEFT, RIGHT, TOP + TITLED * titled, BOTTOM, BETWEEN)
        return cls(letter, *(round(side * letter) for side in sides))

    def size(self, width: int, height: int, n_panes: int) -> tuple[int, int]:
        """Of the sheet, around panes of that size."""
        tall = n_panes * height + (n_panes - 1) * self.between
        return width + self.left + self.right, tall + self.top + self.bottom

    def pane(self, width: int, height: int, n_panes: int) -> tuple[int, int]:
        """Of each pane, in a sheet of that size; below `LEAST_PANE` where there is no room."""
        tall = height - self.top - self.bottom - (n_panes - 1) * self.between
        return width - self.left - self.right, tall // n_panes

    def panes(self, width: int, height: int, n_panes: int) -> tuple[tuple[int, int, int, int], ...]:
        """Left, top, width and height of panes of that size."""
        return tuple(
            (self.left, self.top + k * (height + self.between), width, height)
            for k in range(n_panes)
        )


@dataclass(frozen=True)
class Line:
    """Straight along an axis, black; the middle of its thickness."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Text:
    """x, y : pixels of the base line, at the text's left end, middle or right end: align "l", "m"
    or "r". turned : it reads upwards, its base line upright at x."""

    x: float
    y: float
    text: str
    size: float
    align: str
    turned: bool = False


@dataclass(frozen=True)
class Sheet:
    """Everything but the values. bar : left, top, width, height of the colour bar.
    line : thickness of lines in pixels."""

    width: int
    height: int
    bar: tuple[int, int, int, int]
    lines: tuple[Line, ...]
    texts: tuple[Text, ...]
    line: float


def lay_out(placing: Placing, picture: PictureFormat, margins: Margins, title: str) -> Sheet:
    """The sheet around the panes of `placing`."""
    first, last = placing.panes[0], placing.panes[-1]
    em = margins.letter
    bottom = last[1] + last[3]
    bar = (
        first[0] + first[2] + round(BAR_GAP * em), first[1],
        max(2, round(BAR_WIDTH * em)), bottom - first[1],
    )  # fmt: skip
    thin = max(1.0, round(em * POINTS_PER_INCH / LETTER_POINTS / 100))
    lines: list[Line] = []
    texts: list[Text] = []
    for box in (*placing.panes, bar):
        lines += _frame(box, thin)
    for k, pane in enumerate(placing.panes):
        unit = _add_hz(placing, picture, pane, em, lines, texts)
        name = unit if len(placing.panes) == 1 else f"channel {k + 1}, {unit}"
        middle = pane[1] + pane[3] / 2
        x = (AXIS_TITLE_X + DIGIT_HEIGHT) * em
        texts.append(Text(x, middle, name, em, "m", turned=True))
        _add_times(picture, pane, em, lines, texts, labelled=pane is last)
    _add_db(picture, bar, em, lines, texts)
    unit = TIME_UNITS[_time_units(_times(picture)[1])]
    x = first[0] + first[2] / 2
    y = placing.height - (AXIS_TITLE_Y + DESCENT) * em
    texts.append(Text(x, y, f"Time ({unit})", em, "m"))
    if title:
        size = em * TITLE_POINTS / LETTER_POINTS
        most = max(4, int(2 * min(x, placing.width - x) / (LETTER_WIDTH * size)))
        title = title if len(title) <= most else title[: most - 1] + "…"
        texts.append(Text(x, first[1] - (0.5 + DESCENT) * em, title, size, "m"))
    return Sheet(placing.width, placing.height, bar, tuple(lines), tuple(texts), thin)


def hz_text(hz: float) -> str:
    """1500.0 -> "1500", as on the axes people know."""
    return f"{round(hz, 1):.7g}"


def frequency_ticks(
    placing: Placing, picture: PictureFormat, height: float, room: float
) -> list[Tick]:
    """Ticks of a pane's frequency axis, `height` pixels long."""

    def pixels(hz: float) -> float:
        return placing.share_of(hz, picture) * height

    if placing.scale in SCALES:
        low, high = placing.low_hz, placing.high_hz
    else:
        low, high = float(picture.hz_at(-0.5)), float(picture.hz_at(picture.n_rows - 0.5))
    linear = placing.scale == "linear" or (picture.kind == "stft" and placing.scale not in SCALES)
    return hz_ticks(
        max(0.0, low), high, pixels, height, room,
        linear=linear, notes=placing.scale == "notes", label=hz_text,
    )  # fmt: skip


def _times(picture: PictureFormat) -> tuple[float, float]:
    """Seconds at the left and the right edge of a pane: half a hop beside the outer frames."""
    n_frames = picture.n_frames or 1
    first = float(picture.frame_times(1)[0])
    hop = picture.hop / picture.sample_rate
    return first - hop / 2, first + (n_frames - 0.5) * hop


TIME_UNITS = ("s", "min:s", "h:min:s")


def _time_units(stop: float) -> int:
    return 0 if stop <= 60 else 1 if stop <= 3600 else 2


def time_text(seconds: float, decimals: int, units: int) -> str:
    """10.5 -> "10.5"; with units 1, 90 -> "1:30"; with units 2, "0:01:30"."""
    if units == 0:
        return f"{seconds:g}"
    text = clock_label(seconds, decimals)
    hours, _, rest = text.partition(":")
    if units == 2 or hours != "0":
        return text
    return rest[1:] if rest.startswith("0") else rest


def _add_times(
    picture: PictureFormat,
    pane: tuple[int, int, int, int],
    em: float,
    lines: list[Line],
    texts: list[Text],
    *,
    labelled: bool,
) -> None:
    left, top, width, height = pane
    start, stop = _times(picture)
    label = partial(time_text, units=_time_units(stop))
    for tick in absolute_time_ticks(start, stop, width, TIME_ROOM * em, label):
        x, y = left + tick.position * width, top + height
        length = (TICK if tick.major else MINOR_TICK) * em
        lines.append(Line(x, y, x, y + length))
        if tick.label and labelled:
            y += (TICK + LABEL_GAP + DIGIT_HEIGHT) * em
            texts.append(Text(x, y, tick.label, em, "m"))


def _add_hz(
    placing: Placing,
    picture: PictureFormat,
    pane: tuple[int, int, int, int],
    em: float,
    lines: list[Line],
    texts: list[Text],
) -> str:
    """What the labels are: Hz or notes."""
    left, top, _, height = pane
    unit = "Hz"
    for tick in frequency_ticks(placing, picture, height, HZ_ROOM * em):
        y = top + (1 - tick.position) * height
        length = (TICK if tick.major else MINOR_TICK) * em
        lines.append(Line(left - length, y, left, y))
        if tick.label:
            y += DIGIT_HEIGHT / 2 * em
            texts.append(Text(left - (TICK + LABEL_GAP) * em, y, tick.label, em, "r"))
            unit = "Hz" if tick.label[0].isdigit() else "Note"
    return unit


def _add_db(
    picture: PictureFormat,
    bar: tuple[int, int, int, int],
    em: float,
    lines: list[Line],
    texts: list[Text],
) -> None:
    left, top, width, height = bar
    right = left + width
    for tick in db_ticks(picture.db_low, picture.db_high, height, DB_ROOM * em):
        if tick.label:
            y = top + (1 - tick.position) * height
            db = picture.db_low + tick.position * (picture.db_high - picture.db_low)
            lines.append(Line(right, y, right + TICK * em, y))
            text = f"{round(db, 1) + 0.0:+g} dB"
            y += DIGIT_HEIGHT / 2 * em
            texts.append(Text(right + (TICK + LABEL_GAP) * em, y, text, em, "l"))


def _frame(box: tuple[int, int, int, int], thin: float) -> Iterator[Line]:
    """Around a box, not over it."""
    left, top, width, height = box
    x0, y0 = left - thin / 2, top - thin / 2
    x1, y1 = left + width + thin / 2, top + height + thin / 2
    for y in (y0, y1):
        yield Line(left - thin, y, left + width + thin, y)
    for x in (x0, x1):
        yield Line(x, top, x, top + height)
