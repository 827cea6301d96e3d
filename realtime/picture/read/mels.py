"""Mel bands on their axis: which number, fmin and fmax put their edges where colours change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.scales import SCALES, SLANEY
from realtime.picture.read.cells import GOOD_FIT, MOST_ALTERED, RELUCTANCE, Changes, Grid, best_grid
from realtime.picture.read.fits import Axis
from realtime.picture.read.report import Report
from realtime.picture.read.usual import LIKELY_FMIN, MEL_FMAX, MEL_FMIN, MELS, RATES

END_PIXELS = 2.0
"""An axis must end within so many pixels of where its rows do."""
MELS_ALL = range(16, 400)
UNUSUAL = 0.04
"""Of correlation; an edge that is one pixel off in a hundred costs as much."""
AS_GOOD, AS_LIKELY = 2.0, 0.03
"""Edges, and of correlation: mels that fit but for one edge a pixel off (missing here, too many
there) cannot be told apart, and are as likely where their ends had to be moved no farther."""
POSSIBLE = 0.12
"""Of correlation: less usual in every way, and yet possible where all edges fit."""
BETTER = 0.005
"""Of correlation: by so much a less usual range fits better, and neither is believed."""
SAME_ROWS = 0.5
"""Pixels that their edges may be apart, for rows to be read alike."""


class Mel(NamedTuple):
    """Hz, and HTK's mel or Slaney's."""

    fmin: float
    fmax: float
    htk: bool


def find_mel(
    report: Report, axis: Axis, changes: Changes, low: float, high: float
) -> tuple[Grid, Mel, list[Mel]]:
    """The bands between the pixels `low` and `high`, their mel, and others that put them there as
    well. Refuses an axis where no usual mel ends."""
    given = report.given
    counts: Iterable[int] = [given["n_rows"]] if "n_rows" in given else MELS
    if changes.altered:
        counts = [n for n in counts if n <= MOST_ALTERED * abs(high - low)]
    candidates = list(_grids(given, axis, counts, low, high))
    best = best_grid(changes, [(edges, _unusual(mel)) for edges, mel in candidates])
    if (best is None or best.fit < GOOD_FIT) and changes.exact and "n_rows" not in given:
        candidates += _grids(given, axis, MELS_ALL, low, high)
        best = best_grid(changes, [(edges, _unusual(mel)) for edges, mel in candidates])
    if best is None:
        report.refuse(
            f"the frequency axis ends at {float(axis.value_at(high)):.0f} Hz, where no usual mel "
            "spectrogram does: give --fmin and --fmax"
        )
    likely: dict[Mel, tuple[float, Grid]] = {}
    for edges, mel in candidates:
        alone = best_grid(changes, [(edges, 0.0)]) if len(edges) == best.n + 1 else None
        if alone is not None and alone.fit >= best.fit - AS_GOOD / best.n:
            moved = float(np.abs(alone.edges[[0, -1]] - edges[[0, -1]]).sum())
            score = alone.fit - _unusual(mel) - RELUCTANCE * moved
            if mel not in likely or score > likely[mel][0]:
                likely[mel] = score, alone
    most = max(score for score, _ in likely.values())
    fit = likely[max(likely, key=lambda mel: likely[mel][0])][1].fit
    mels = [
        mel
        for mel, (score, found) in likely.items()
        if score >= most - (AS_LIKELY if found.fit < fit - BETTER else POSSIBLE)
    ]
    mels.sort(key=lambda mel: (_unusual(mel), mel.fmin not in LIKELY_FMIN, -likely[mel][0]))
    grid = likely[mels[0]][1]
    for mel in mels[1:]:
        other = likely[mel][1]
        if np.abs(other.edges - grid.edges).max() > SAME_ROWS or other.fit > grid.fit + BETTER:
            report.add("n_rows", best.n, "mel bands of one of several ranges", None)
            report.refuse(
                f"its mel bands may be from {mels[0].fmin:g} to {mels[0].fmax:g} Hz or from "
                f"{mel.fmin:g} to {mel.fmax:g} Hz: give --fmin and --fmax"
            )
    return grid, mels[0], mels[1:]


def _unusual(mel: Mel) -> float:
    """What speaks against fmin, fmax and htk, of correlation: nothing against the defaults."""
    return UNUSUAL * ((mel.fmin != 0) + (2 * mel.fmax not in RATES) + mel.htk)


def _grids(
    given: dict[str, Any], axis: Axis, counts: Any, low: float, high: float
) -> Iterator[tuple[NDArray[np.float64], Mel]]:
    """Edges in pixels of every mel spectrogram that ends where the axis does, with fmin, fmax and
    htk. librosa draws band k of n where the kth of n frequencies from fmin to fmax stands, others
    where it is, between the kth and the one after the next of n + 2."""
    bottom, top = float(axis.value_at(low)), float(axis.value_at(high))
    highest = [given["fmax"]] if "fmax" in given else [*MEL_FMAX, *(rate / 2 for rate in RATES)]
    lowest = [given["fmin"]] if "fmin" in given else MEL_FMIN
    highest = [f for f in highest if 0.9 * top <= f <= 1.02 * top]
    lowest = [f for f in lowest if abs(f - max(bottom, 0)) <= 60 + 0.1 * abs(bottom)]
    for htk in (given["htk"],) if "htk" in given else (False, True):
        scale = SCALES["mel"] if htk else SLANEY
        for fmax in highest:
            for fmin in lowest:
                ends = scale.forward(fmin), scale.forward(fmax)
                for n, inside in product(counts, (0, 1)):
                    hz = scale.inverse(np.linspace(*ends, n + 2 * inside)[inside : n + inside])
                    inner = (hz[1:] + hz[:-1]) / 2
                    first, last = 2 * hz[0] - inner[0], 2 * hz[-1] - inner[-1]
                    edges = axis.place_of(np.concatenate([[first], inner, [last]]))
                    clipped = axis.place_of([fmin, fmax])
                    meets = [
                        abs(edges[k] - end) <= END_PIXELS
                        or (not inside and abs(clipped[k] - end) <= END_PIXELS)
                        for k, end in ((0, low), (-1, high))
                    ]
                    if all(meets):
                        yield edges, Mel(fmin, fmax, htk)
