"""Colour maps by name, from the `cmap` library: pure numpy, no GUI and no matplotlib.

The names themselves are settings and live in `realtime.config.COLORMAPS`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

STEPS = 256
"""Entries of a table: the colours an 8-bit screen can tell apart along one map."""


@cache
def lut(name: str) -> NDArray[np.uint8]:
    """RGBA of the 256 steps of a colour map, uint8 (256, 4), read-only.

    Raises ValueError when the library knows no such map.
    """
    from cmap import Colormap

    table = np.rint(Colormap(name).lut(STEPS) * 255.0).astype(np.uint8)
    table.setflags(write=False)
    return table
