"""Where the values of a picture lie among its pixels, and what colours they have.

A pane is a box of pixels, one a channel, that shows nothing but values: time from left to right,
low frequencies at the bottom. A pixel shows the cells (columns across, rows upwards) whose middle
lies under it, the greatest of several, or else the one cell under its own middle. So every cell
has a pixel of its own wherever there are as many pixels as cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.scales import LOWEST_LOG_HZ, SCALES
from realtime.errors import SettingsError
from realtime.picture.format import PictureFormat
from realtime.wording import shown

ROWS = "rows"
"""The scale on which all rows are equally high."""

STEPS = 256
"""Colours of a map."""

MOST_PIXELS = 1 << 27
"""Of a picture: 4 times the largest that is drawn unasked."""

MOST_SIDE = (1 << 31) - 1
"""Pixels a PNG can have."""

MOST_HZ = 1e6
"""An axis reaches half a row beyond the highest frequency, and as far below 0."""

LOWEST_LOG_SHOWN = 20.0
"""Hz: the lower end of hearing; a logarithmic scale has no 0 Hz, where bins begin."""

WHOLE_CELL = 1e-9
"""Of a cell: edges that were computed to be whole are."""


@dataclass(frozen=True, eq=False)
class Placing:
    """How values lie in a picture of `width` times `height` pixels.

    panes : left, top, width and height of each, the first channel's first
    scale : "rows", or the name in `SCALES` of the axis from `low_hz` to `high_hz`, the lower and
        the upper edge of every pane
    bits : 8, or 16 of greys
    colours : uint8 (256, 3), from the darkest value to the brightest; None: greys, white the
        brightest
    colormap : the name of the colours, for people
    """

    width: int
    height: int
    panes: tuple[tuple[int, int, int, int], ...]
    scale: str
    low_hz: float
    high_hz: float
    bits: int = 8
    colours: NDArray[np.uint8] | None = None
    colormap: str = "gray"

    def columns(self, n_columns: int) -> Cells:
        """The columns under each column of a pane's pixels, from the left."""
        return Cells.under(np.linspace(0, n_columns, self.panes[0][2] + 1), n_columns)

    def rows(self, picture: PictureFormat) -> Cells:
        """The rows under each row of a pane's pixels, from the bottom."""
        edges = np.linspace(0, 1, self.panes[0][3] + 1)
        if self.scale == ROWS:
            return Cells.under(edges * picture.n_rows, picture.n_rows)
        places = picture.row_at(self.hz_at(edges)) + 0.5
        return Cells.under(places, picture.n_rows)

    def hz_at(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Hz at shares of a pane's height, on any scale but "rows"."""
        scale = SCALES[self.scale]
        low, high = float(scale.forward(self.low_hz)), float(scale.forward(self.high_hz))
        return scale.inverse(low + share * (high - low))

    def share_of(self, hz: float, picture: PictureFormat) -> float:
        """The height of a frequency in a pane, 0 at its lower edge, 1 at its upper one."""
        if self.scale == ROWS:
            return (float(picture.row_at(hz)) + 0.5) / picture.n_rows
        forward = SCALES[self.scale].forward
        low, high = float(forward(self.low_hz)), float(forward(self.high_hz))
        return (float(forward(hz)) - low) / (high - low)

    def to_dict(self) -> dict[str, Any]:
        colours = None if self.colours is None else self.colours.tobytes().hex()
        return {**vars(self), "panes": [list(pane) for pane in self.panes], "colours": colours}

    @classmethod
    def from_dict(cls, held: Any, picture: PictureFormat) -> Placing:
        """Undo `to_dict`, for a picture of that format. Raises SettingsError for anything else."""
        faults = list(_faults(held, picture))
        if faults:
            raise SettingsError(faults)
        colours = held["colours"]
        if colours is not None:
            colours = np.frombuffer(bytes.fromhex(colours), np.uint8).reshape(STEPS, 3)
        values = {name: held[name] for name in cls.__dataclass_fields__}
        panes = tuple(tuple(pane) for pane in held["panes"])
        return cls(**{**values, "panes": panes, "colours": colours})


@dataclass(frozen=True)
class Cells:
    """Pixel k of an axis shows the cells from starts[k] to before stops[k], of `n`."""

    starts: NDArray[np.intp]
    stops: NDArray[np.intp]
    n: int

    @classmethod
    def under(cls, edges: NDArray[np.float64], n: int) -> Cells:
        """edges : (n_pixels + 1,), where pixels begin and end; cell k reaches from k to k + 1."""
        firsts = np.ceil(edges - 0.5 - WHOLE_CELL).astype(np.intp)
        starts, stops = firsts[:-1], firsts[1:]
        middles = np.floor((edges[:-1] + edges[1:]) / 2 + WHOLE_CELL).astype(np.intp)
        none = starts >= stops
        starts = np.clip(np.where(none, middles, starts), 0, n - 1)
        stops = np.clip(np.where(none, middles + 1, stops), starts + 1, n)
        return cls(starts, stops, n)

    def of(self, values: NDArray, axis: int) -> NDArray:
        """What the pixels show of `values`, which has the cells along `axis`: the greatest."""
        if (self.stops - self.starts == 1).all():
            return np.take(values, self.starts, axis=axis)
        # Pixels that share a cell with the next cannot be reduced beside each other.
        both = np.stack([self.starts, self.stops], axis=1).ravel()
        padded = np.concatenate([values, np.take(values, [-1], axis=axis)], axis=axis)
        reduced = np.maximum.reduceat(padded, both, axis=axis)
        return np.take(reduced, np.arange(0, len(both), 2), axis=axis)

    def pixels(self) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """For each cell a pixel that shows it, and whether that shows no other: (n,) each. Cells
        that no pixel shows have -1."""
        widths = self.stops - self.starts
        found, alone = np.full(self.n, -1, np.intp), np.zeros(self.n, bool)
        owners = np.repeat(np.arange(len(widths)), widths)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(widths) - widths, widths)
        found[self.starts[owners] + within] = owners
        single = np.flatnonzero(widths == 1)
        shown = self.starts[single]
        first, last = (
            np.searchsorted(shown, np.arange(self.n), side) for side in ("left", "right")
        )
        alone = last > first
        found[alone] = single[(first + last - 1)[alone] // 2]
        return found, alone


def pane_range(picture: PictureFormat, scale: str) -> tuple[float, float]:
    """Hz at the lower and the upper edge of a pane: all rows, but on a logarithmic scale no bins
    below `LOWEST_LOG_SHOWN`."""
    low, high = float(picture.hz_at(-0.5)), float(picture.hz_at(picture.n_rows - 0.5))
    if scale == ROWS:
        return low, high
    if scale in ("log", "notes"):
        return (LOWEST_LOG_SHOWN if low <= 0 else max(low, LOWEST_LOG_HZ)), high
    return max(0.0, low), high


def _faults(held: Any, picture: PictureFormat) -> Iterator[str]:
    if not isinstance(held, dict):
        yield f"placing = {shown(held)} must be an object: the picture's text is damaged"
        return
    missing = [name for name in Placing.__dataclass_fields__ if name not in held]
    if missing:
        yield f"placing lacks {', '.join(missing)}: the picture's text is damaged"
        return
    width, height = held["width"], held["height"]
    if not (_whole(width) and _whole(height) and 0 < width * height <= MOST_PIXELS):
        yield f"a picture of {shown(width)} x {shown(height)} must have 1 to {MOST_PIXELS} pixels"
        return
    panes = held["panes"]
    if not isinstance(panes, list) or len(panes) != picture.n_channels:
        yield f"panes = {shown(panes)} must be a list of n_channels = {picture.n_channels}"
        return
    for pane in panes:
        inside = (isinstance(pane, list) and len(pane) == 4 and all(map(_whole, pane))) and _inside(
            pane, width, height
        )
        if not inside or pane[2:] != panes[0][2:]:
            yield f"pane {shown(pane)} must lie in {width} x {height} pixels, all of one size"
            return
    scale, low, high = held["scale"], held["low_hz"], held["high_hz"]
    if scale not in [ROWS, *SCALES]:
        yield f"scale = {shown(scale)} must be {ROWS} or one of {', '.join(SCALES)}"
    lowest = -MOST_HZ if scale == ROWS else 0
    if not (_number(low) and _number(high) and lowest <= low < high <= MOST_HZ):
        yield f"low_hz = {shown(low)} and high_hz = {shown(high)} must be Hz, and rise"
    colours = held["colours"]
    if colours is not None and not (isinstance(colours, str) and _is_hex(colours)):
        yield f"colours must be {STEPS} colours of 6 hexadecimal digits each, or null"
    if (
        not _whole(held["bits"])
        or held["bits"] not in (8, 16)
        or (held["bits"] == 16 and colours is not None)
    ):
        yield f"bits = {shown(held['bits'])} must be 8, or 16 where colours is null"
    if not isinstance(held["colormap"], str):
        yield f"colormap = {shown(held['colormap'])} must be text"


def _whole(value: Any) -> bool:
    return type(value) is int and abs(value) <= MOST_SIDE


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _inside(pane: list[int], width: int, height: int) -> bool:
    left, top, wide, high = pane
    return min(left, top) >= 0 < min(wide, high) and left + wide <= width and top + high <= height


def _is_hex(text: str) -> bool:
    try:
        return text.isalnum() and len(bytes.fromhex(text)) == 3 * STEPS
    except ValueError:
        return False
