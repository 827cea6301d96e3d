"""Colours into values, by the colour bar of the picture itself.

The bar's pixels are compared with the colour maps people use; one that fits gives its exact
table. A bar of any other map is itself the table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RequestError

STEPS = 256
NAMES = (
    "magma", "viridis", "inferno", "plasma", "jet", "gray", "turbo", "cividis", "hot", "coolwarm",
    "bone", "binary", "cubehelix", "nipy_spectral", "afmhot", "copper", "gist_heat", "seismic",
    "RdYlBu", "Spectral", "bwr", "Blues", "Greys", "Greens", "Reds", "Purples", "Oranges",
    "YlOrRd", "YlGnBu", "hsv", "terrain", "gist_earth", "gnuplot",
    "gnuplot2", "CMRmap", "cool", "spring", "summer", "autumn", "winter", "pink",
)  # fmt: skip
"""Each also reversed; matplotlib's names."""

FITS = 3.0
"""Of 255: mean distance of a bar's colours from a map that is taken to be its own."""
FITS_LOSSY = 12.0
EXACT = 2.0
"""Of 255: a colour that near to a table's is that colour."""
STRAY = 16.0
"""Of 255: a colour farther from the map is none of it, where others are exactly on it."""
TABLE_SLACK = 3
"""Entries a pixel of the bar may be off: its ends are known to half a pixel."""
FINE = 4
"""Steps a colour is told apart in, of 1 in 255: averaged ones lie between."""


LIGHT = np.array(
    [[0.5, -0.06, 0.19], [0.97, -0.13, -0.16], [0.19, 0.19, -0.03]], np.float32
)  # fmt: skip
"""From RGB to lightness and two hues (ITU-T T.871), the hues at about a third of their weight."""


class Table(NamedTuple):
    """name : of the map, "" where it is none we know. colours : float32 (n, 3), lowest first.
    distance : of the bar's colours from it, mean of 255."""

    name: str
    colours: NDArray[np.float32]
    distance: float


class Values(NamedTuple):
    """levels : float32, 0 lowest .. 1 highest, in the shape of the colours given.
    off : float32, how far each colour is from the map, of 255."""

    levels: NDArray[np.float32]
    off: NDArray[np.float32]


def map_colours(name: str) -> NDArray[np.float32]:
    """The table of a colour map by matplotlib's name, float32 (256, 3).

    Raises RequestError for a name nobody knows.
    """
    from cmap import Colormap

    plain, back = (name[:-2], -1) if name.endswith("_r") else (name, 1)
    if plain not in NAMES:
        raise RequestError(
            f"colormap '{name}' is unknown: use one of {', '.join(NAMES[:10])} .., or add _r"
        )
    for full in (f"matplotlib:{plain}", f"matlab:{plain}", plain):
        try:
            table = np.rint(Colormap(full).lut(STEPS)[:, :3] * 255)
        except ValueError:
            continue
        return table.astype(np.float32)[::back]
    raise RequestError(f"colormap '{name}' is not in this version of cmap: update cmap")


def bar_colours(inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The colours along a bar, lowest value first: float32 (n, 3)."""
    tall, wide = inside.shape[:2]
    if tall > wide:
        return np.median(inside[::-1, wide // 4 : -(wide // 4) or None], axis=1).astype(np.float32)
    return np.median(inside[tall // 4 : -(tall // 4) or None], axis=0).astype(np.float32)


def identify(strip: NDArray[np.float32], trim: float, *, lossy: bool) -> Table:
    """The map of a colour bar.

    strip : colours along the bar, lowest first, without the pixels its frame touches
    trim : share of the whole bar that is missing from `strip` at each end
    """
    place = trim + (1 - 2 * trim) * (np.arange(len(strip)) + 0.5) / len(strip)
    entries = np.clip((place * STEPS).astype(int), 0, STEPS - 1)
    best: Table | None = None
    for name in NAMES:
        for full in (name, f"{name}_r"):
            table = map_colours(full)
            distance = _distance(strip, table, entries)
            if best is None or distance < best.distance:
                best = Table(full, table, distance)
        if best is not None and best.distance < 0.5:
            break
    if best is not None and best.distance < (FITS_LOSSY if lossy else FITS):
        return best
    whole = (np.arange(STEPS) + 0.5) / STEPS
    own = np.stack([np.interp(whole, place, strip[:, k]) for k in range(3)], axis=1)
    return Table("", own.astype(np.float32), 0.0)


def _distance(
    strip: NDArray[np.float32], table: NDArray[np.float32], entries: NDArray[np.intp]
) -> float:
    """Mean distance of the bar's colours from the table's near where they should stand."""
    coarse = float(np.abs(strip - table[entries]).max(axis=1).mean())
    if coarse > 20:
        return coarse
    near = np.clip(entries[:, None] + np.arange(-TABLE_SLACK, TABLE_SLACK + 1), 0, len(table) - 1)
    return float(np.abs(strip[:, None] - table[near]).max(axis=2).min(axis=1).mean())


def truncated_or_rounded(colours: NDArray, table: Table) -> Table:
    """The variant of a map that `colours` show: matplotlib rounds a mesh's to 8 bits, and cuts
    an image's, which is one less in half of all entries."""
    if not table.name:
        return table
    from cmap import Colormap

    packed = np.unique(_packed(colours))
    plain, back = (table.name[:-2], -1) if table.name.endswith("_r") else (table.name, 1)
    best, most = table, -1.0
    for prefix in ("matplotlib:", "matlab:", ""):
        try:
            exact = Colormap(prefix + plain).lut(STEPS)[::back, :3] * 255
            break
        except ValueError:
            continue
    else:
        return table
    for variant in (np.rint(exact), np.floor(exact + 1e-6)):
        share = float(np.isin(packed, _packed(variant)).mean())
        if share > most + 0.02:
            best, most = table._replace(colours=variant.astype(np.float32)), share
    return best


def _packed(colours: NDArray) -> NDArray[np.int32]:
    whole = np.asarray(colours).reshape(-1, 3).astype(np.int32)
    return (whole[:, 0] << 16) | (whole[:, 1] << 8) | whole[:, 2]


def values_of(
    colours: NDArray, table: Table, *, between: bool = False, by_light: bool = False
) -> Values:
    """Where along the map each colour lies.

    colours : (..., 3), 0..255
    by_light : judge by lightness more than by hue, which JPEG keeps in blocks of four pixels
    between : also between two entries of the table, for colours that were averaged or changed
    The lowest entry gives 0 and the highest 1, where values beyond the map's range were clipped
    to; the others their middles.
    """
    shape = np.asarray(colours).shape[:-1]
    flat = np.asarray(colours, np.float32).reshape(-1, 3)
    fine = np.round(np.clip(flat, 0, 255) * FINE).astype(np.int32)
    unique, back = np.unique(
        (fine[:, 0] << 20) | (fine[:, 1] << 10) | fine[:, 2], return_inverse=True
    )
    parts = np.stack([unique >> 20, (unique >> 10) & 1023, unique & 1023], axis=1)
    wanted = (parts / FINE).astype(np.float32)
    view = LIGHT if by_light else np.eye(3, dtype=np.float32)
    level = np.empty(len(wanted), np.float32)
    off = np.empty(len(wanted), np.float32)
    for start in range(0, len(wanted), 4096):
        part = slice(start, start + 4096)
        level[part], off[part] = _nearest(wanted[part] @ view, table.colours @ view, between)
    back = back.reshape(-1)
    return Values(level[back].reshape(shape), off[back].reshape(shape))


def _nearest(
    wanted: NDArray[np.float32], table: NDArray[np.float32], between: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    n = len(table)
    squares = ((wanted[:, None] - table) ** 2).sum(axis=2)
    index = squares.argmin(axis=1)
    off = np.sqrt(squares[np.arange(len(wanted)), index])
    place = index.astype(np.float32)
    if between:
        for step in (-1, 1):
            other = np.clip(index + step, 0, n - 1)
            way = table[other] - table[index]
            length = (way**2).sum(axis=1)
            along = ((wanted - table[index]) * way).sum(axis=1) / np.maximum(length, 1e-6)
            along = np.clip(along, 0, 0.5)
            there = np.sqrt(((wanted - table[index] - along[:, None] * way) ** 2).sum(axis=1))
            better = there < off - 1e-3
            place = np.where(better, index + step * along, place)
            off = np.where(better, there, off)
    level = (place + 0.5) / n
    level = np.where(place <= 0, 0.0, np.where(place >= n - 1, 1.0, level))
    return level.astype(np.float32), off.astype(np.float32)


def slope_of(table: Table) -> float:
    """How much colour changes along the whole map, of 255; at least 1."""
    return max(float(np.sqrt((np.diff(table.colours, axis=0) ** 2).sum(axis=1)).sum()), 1.0)
