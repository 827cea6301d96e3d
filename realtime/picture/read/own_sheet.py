"""Pictures that `realtime render` drew and an image editor saved again: they no longer say what
they are, but their frames stand where its sheets have them, around the panes and not over them.
So every pixel of a pane is known to show values, and cells are counted exactly or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np

from realtime.dsp.scales import SCALES, SLANEY
from realtime.picture.look import DPI
from realtime.picture.placing import Cells
from realtime.picture.read.boxes import Box, Layout
from realtime.picture.read.cells import LEAST_CELLS, Changes, Grid
from realtime.picture.read.fits import LINEAR, LOG, Axis, Scale
from realtime.picture.read.frames import Frames, named_frames
from realtime.picture.read.report import Report
from realtime.picture.read.rows import Rows
from realtime.picture.read.usual import HOPS, MEL_FMAX, MEL_FMIN, MELS, N_FFTS, RATES
from realtime.picture.sheet import BAR_GAP, BAR_WIDTH, Margins

OWN_SCALES = (
    LINEAR,
    LOG,
    Scale("mel", SLANEY.forward, SLANEY.inverse),
    Scale("htk mel", SCALES["mel"].forward, SCALES["mel"].inverse),
    Scale("bark", SCALES["bark"].forward, SCALES["bark"].inverse),
    Scale("erb", SCALES["erb"].forward, SCALES["erb"].inverse),
)

LEAST_SEEN = 0.9
"""Share of the edges between cells at which colours must change, silence left out."""
PLACED = 0.52
"""Pixels: marks stand on whole ones, so that far from where they belong at most."""
LIKE = "give --like, the picture as 'realtime render' drew it"


def as_own(layout: Layout, width: int, height: int) -> Layout:
    """The layout with its boxes `around` their panes, where a picture of that size is a sheet of
    ours at any whole dpi; else as it is."""
    panes = sorted(layout.plots, key=lambda box: box.top)
    if not panes or len(layout.bars) != 1:
        return layout
    for dpi in range(int(DPI[0]), int(DPI[1]) + 1):
        for titled in (True, False):
            margins = Margins.at(dpi, titled)
            line = max(1, round(dpi / 100))
            boxes = [box._replace(line=line, around=True) for box in (*panes, layout.bars[0])]
            if _stand(margins, boxes[:-1], boxes[-1], width, height):
                return layout._replace(plots=boxes[:-1], bars=boxes[-1:])
    return layout


def _stand(margins: Margins, panes: list[Box], bar: Box, width: int, height: int) -> bool:
    """Whether panes and colour bar stand where these margins put them."""
    left, top, right, bottom = (round(side) for side in panes[0].sides())
    size = right - left, bottom - top
    whole = panes[0].top + panes[0].line, round(panes[-1].sides()[3])
    gap, wide = round(BAR_GAP * margins.letter), max(2, round(BAR_WIDTH * margins.letter))
    sheet = margins.size(*size, len(panes))
    return (
        sheet[0] == width
        and 0 <= height - sheet[1] < len(panes)  # what is left of a height that was asked for
        and all(
            box.sides() == (x, y, x + w, y + h)
            for box, (x, y, w, h) in zip(panes, margins.panes(*size, len(panes)), strict=True)
        )
        and bar.sides() == (right + gap, whole[0], right + gap + wide, whole[1])
    )


def count_cells(
    changes: Changes, low: float, high: float, counts: Iterable[int], hidden: float = 0.0
) -> Grid | None:
    """The least number of cells between the pixels low and high whose edges let colours change
    wherever they do, and that are seen to change there; None where there is none.

    hidden : share of the first cell that lies before the axis
    """
    n_pixels = round(abs(high - low))
    changed = changes.seen > 0
    counted = changes.counted
    if high < low:
        changed, counted = changed[::-1], counted[::-1]
    for n in sorted(counts):
        if not LEAST_CELLS <= n <= n_pixels + hidden:
            continue
        cells = Cells.under(np.linspace(hidden, n, n_pixels + 1), n)
        edges = np.diff(cells.starts) > 0
        if not edges[changed].all():
            continue
        if changed[edges & counted].mean() >= LEAST_SEEN:
            share = (np.arange(n + 1, dtype=np.float64) - hidden) / (n - hidden)
            return Grid(low + (high - low) * share, 1.0)
    return None


def own_rows(report: Report, axis: Axis, changes: Changes, low: float, high: float) -> Rows:
    """Rows between the pixels `low` (bottom) and `high` (top): all of one height, or refused."""
    name, given = axis.scale.name, report.given
    if name == "log":
        report.refuse(f"rows on a logarithmic axis do not tell the sample rate: {LIKE}")
    kind, htk = ("stft" if name == "linear" else name.removeprefix("htk ")), name == "htk mel"
    if given.get("kind", kind) != kind or given.get("htk", htk) != htk:
        report.refuse(f"the frequency axis is {name}, so rows are of --kind {kind}: {LIKE}")
    found = None
    for hidden in (0.0, 0.5) if kind == "stft" else (0.0,):
        grid = count_cells(changes, low, high, _counts(report, kind, low - high), hidden)
        ends = _ends(report, kind, axis, grid) if grid else []
        found = found or (grid and (grid, ends))
        if grid and ends:
            found = grid, ends
            break
    if found is None:
        report.refuse(f"rows are not all of one height, or of less than a pixel: {LIKE}")
    grid, ends = found
    report.add("n_rows", grid.n, "colours change where they begin, and nowhere else", 1.0)
    report.add("kind", kind, f"the frequency axis is {name}", axis.certainty)
    if len(ends) != 1:
        flags = "--sample-rate" if kind == "stft" else "--fmin and --fmax"
        which = " or ".join(f"{a:g} to {b:g} Hz" for a, b in ends[:3]) or "no usual frequencies"
        report.refuse(f"by the labels its {grid.n} rows are of {which}: give {flags}")
    fmin, fmax = ends[0]
    if kind != "stft":
        for key, value in (("fmin", fmin), ("fmax", fmax)):
            report.add(key, value, "of usual numbers the one that puts the labels there", 1.0)
    rate = int(2 * fmax) if kind == "stft" or 2 * fmax in RATES else None
    return Rows(kind, grid, rate, fmin, fmax, htk, 1.0)


def _counts(report: Report, kind: str, length: float) -> list[int]:
    """Numbers of rows to choose among: of bands smaller than two pixels, only usual ones."""
    given = report.given
    if "n_rows" in given:
        return [given["n_rows"]]
    if kind == "stft":
        return [n // 2 + 1 for n in ([given["n_fft"]] if "n_fft" in given else N_FFTS)]
    return sorted({*range(LEAST_CELLS, round(length / 2) + 1), *MELS})


def _ends(report: Report, kind: str, axis: Axis, grid: Grid) -> list[tuple[float, float]]:
    """Usual fmin and fmax, Hz, that put every label where it is. They are the middles of the rows
    before the first and after the last band; of an STFT those of the first and the last bin."""
    given = report.given
    middles = (grid.edges[1:] + grid.edges[:-1]) / 2
    if kind == "stft":
        rates = [given["sample_rate"]] if "sample_rate" in given else RATES
        usual: Iterable[tuple[float, float]] = ((0.0, rate / 2) for rate in rates)
        beyond = 0.0
    else:
        lowest = [given["fmin"]] if "fmin" in given else MEL_FMIN
        highest = [*MEL_FMAX, *(rate / 2 for rate in RATES)]
        usual = product(lowest, [given["fmax"]] if "fmax" in given else dict.fromkeys(highest))
        beyond = middles[1] - middles[0]
    first, last = middles[0] - beyond, middles[-1] + beyond
    found = []
    for fmin, fmax in usual:
        a, b = float(axis.scale.forward(fmin)), float(axis.scale.forward(fmax))
        if fmin < fmax and _stand_at(axis, (last - first) / (b - a), first, a):
            found.append((fmin, fmax))
    return found


def _stand_at(axis: Axis, slope: float, start: float, zero: float = 0.0) -> bool:
    """Whether the labels of an axis stand where start + slope * (units - zero) puts them."""
    places, values = np.transpose(axis.on)
    meant = start + slope * (axis.scale.forward(values) - zero)
    return bool((np.abs(meant - places) < PLACED).all())


def own_frames(
    report: Report, axis: Axis, rows: Rows, changes: Changes, low: float, high: float
) -> Frames:
    """Frames between the pixels `low` and `high`: a column for each, or it is refused."""
    grid = count_cells(changes, low, high, range(LEAST_CELLS, round(high - low) + 1))
    if grid is None:
        report.refuse(f"frames cannot be told apart, or are smaller than pixels: {LIKE}")
    step = (high - low) / grid.n
    frames = named_frames(report, axis, rows, grid, step, step, exact=True)
    if grid.n == high - low and frames.hop not in HOPS:
        report.refuse(f"a pixel is no frame of a usual hop, so it may be several: {LIKE}")
    if axis.on and not _stand_at(axis, step * frames.sample_rate / frames.hop, low + step / 2):
        report.refuse(f"labels do not stand where frames of hop = {frames.hop} put them: {LIKE}")
    return frames
