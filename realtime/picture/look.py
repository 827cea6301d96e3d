"""How a picture shall look, and what follows: how many columns it may have, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.scales import SCALES
from realtime.errors import RequestError
from realtime.picture.format import PictureFormat
from realtime.picture.placing import MOST_PIXELS, ROWS, STEPS, Placing, pane_range
from realtime.picture.sheet import LEAST_PANE, Margins
from realtime.wording import unknown

LEAST_WIDTH, LEAST_HEIGHT = 640, 320
"""Pixels of a pane that nobody gave a size: fewer cells become larger."""
WARPED_HEIGHT = 768
"""The same of a pane whose rows are not equally high."""

MOST_COLUMNS = 32_000
"""Pixels across, unasked: many programs show no more than 32767. At 48000 Hz and a hop of 512,
5 min 41 s; what is longer has several frames in a column."""
MOST_CELLS = 1 << 25
"""Pixels of all panes, unasked: 32 MB of codes."""
DPI = (20.0, 1200.0)


@dataclass(frozen=True)
class Look:
    """How a picture looks. Raises RequestError.

    size : pixels of the whole picture, or None: as many as there are cells
    width : pixels of each pane, where size is None; None: one a frame
    scale : "rows", equally high, or one of `SCALES`
    title : "" for none
    """

    bare: bool = False
    bits: int = 8
    colormap: str = "magma"
    scale: str = ROWS
    size: tuple[int, int] | None = None
    width: int | None = None
    dpi: float = 100.0
    title: str = ""

    def __post_init__(self) -> None:
        if self.scale != ROWS and self.scale not in SCALES:
            raise RequestError(unknown("scale", self.scale, [ROWS, *SCALES]))
        if self.bits not in (8, 16) or (self.bits == 16 and not (self.bare and self.is_grey)):
            raise RequestError(
                f"bits={self.bits} must be 8, or 16 where the picture is bare and colormap is gray"
            )
        if not DPI[0] <= self.dpi <= DPI[1]:
            raise RequestError(f"dpi={self.dpi:g} must be {DPI[0]:g} to {DPI[1]:g} (try 100)")
        if self.bare and (self.size is not None or self.scale != ROWS):
            raise RequestError(
                "a bare picture has one pixel a row and column: leave out size and scale (width "
                "makes columns fewer)"
            )
        if self.size is not None and self.width is not None:
            raise RequestError("size says how wide the picture is, and so does width: give one")
        if self.width is not None and self.width < 1:
            raise RequestError(f"width={self.width} must be at least 1 pixel")

    @property
    def is_grey(self) -> bool:
        return self.colormap == "gray"

    @property
    def margins(self) -> Margins:
        return Margins.at(self.dpi, self.title != "")

    def most_columns(self, picture: PictureFormat) -> int:
        """Columns that the picture may have. Raises RequestError where there is no room."""
        rows, n = picture.n_rows, picture.n_channels
        if self.size is not None:
            wide, tall = self.margins.pane(*self.size, n)
            if min(wide, tall) < LEAST_PANE:
                raise RequestError(
                    f"size={self.size[0]}x{self.size[1]} leaves {max(wide, 0)} x {max(tall, 0)} "
                    f"pixels for each of {n} panes, and {LEAST_PANE} x {LEAST_PANE} are the least"
                )
            check_size(*self.size)
            return wide
        height = rows if self.bare else self.pane_height(picture)
        if self.width is None:
            return max(1, min(MOST_COLUMNS, MOST_CELLS // (height * n)))
        check_size(self.width, height * n)
        return self.width

    def pane_height(self, picture: PictureFormat) -> int:
        if self.scale != ROWS:
            return max(WARPED_HEIGHT, min(picture.n_rows, 2 * WARPED_HEIGHT))
        return picture.n_rows * -(-LEAST_HEIGHT // picture.n_rows)

    def place(self, picture: PictureFormat, n_columns: int) -> Placing:
        """Where the values of a picture of so many columns lie."""
        low, high = pane_range(picture, self.scale)
        grey = self.bare and self.is_grey
        say = partial(
            Placing,
            scale=self.scale,
            low_hz=low,
            high_hz=high,
            bits=self.bits,
            colours=None if grey else map_colours(self.colormap),
            colormap=self.colormap,
        )
        n = picture.n_channels
        if self.bare:
            rows = picture.n_rows
            panes = tuple((0, k * rows, n_columns, rows) for k in range(n))
            return say(n_columns, n * rows, panes)
        margins = self.margins
        if self.size is not None:
            pane = margins.pane(*self.size, n)
            return say(*self.size, margins.panes(*pane, n))
        wide = self.width or n_columns * -(-LEAST_WIDTH // n_columns)
        pane = wide, self.pane_height(picture)
        return say(*margins.size(*pane, n), margins.panes(*pane, n))


def check_size(width: int, height: int) -> None:
    """Raise RequestError for more pixels than are drawn."""
    if width * height > MOST_PIXELS:
        raise RequestError(
            f"{width} x {height} pixels are more than {MOST_PIXELS >> 20} million: ask for fewer"
        )


def map_colours(name: str) -> NDArray[np.uint8]:
    """The colours of a map, uint8 (256, 3). Raises RequestError for a name that cmap has not."""
    from cmap import Colormap

    try:
        table = Colormap(name).lut(STEPS)
    except ValueError:
        raise RequestError(
            f"colormap={name!r} is unknown: try magma, viridis, inferno, plasma, gray or gray_r"
        ) from None
    return np.rint(table[:, :3] * 255).astype(np.uint8)
