"""Pass or stop bands of frequencies; and what a box means bin by bin, for `mask` too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.base import FrameFormat, Processor
from realtime.dsp.processors.parameters import Box, Boxes, Choice, Number
from realtime.dsp.processors.registry import register
from realtime.errors import RequestError

LEAST_EDGE_BINS = 4
"""A line is 4 bins wide with a Hann window, so no edge separates better. A steep one rings for
longer than a frame lasts, and what does not fit into the frame is wrong: 19 dB under the sound at
1024/256, with 4 bins 38 dB, and what rings on for more than 10 ms is 67 dB under it."""


@register("band")
class Band(Processor):
    """Only the bands of frequencies named are heard, or all but them; no band changes nothing.

    What lies in a band is kept (or stopped) entirely; beside it the gain falls to 0 over `edge`
    Hz, or over 4 bins where that is more. `pass` and `stop` of the same bands add up to the sound
    that came in. With the windows of least latency a line is as wide as their short end makes
    it: narrow bands leak, and hum softly at the rate of the hops.
    Source: filtering by multiplying spectra, Allen 1977.
    Cost: 1.5 us a frame (1024/256, mono, one AMD EPYC core). No latency.
    """

    bands = Boxes((Box(300, 3400),))
    mode = Choice("pass", ("pass", "stop"))
    edge = Number(100, 0, 2000, "Hz")

    def prepare(self) -> None:
        if any(box.stop for box in self.bands):
            raise RequestError(
                "band:bands with a time (@start-stop) does not fit what is heard now; leave the "
                "time out, or use the effect mask"
            )
        inside = box_gains(self.format, self.bands, self.edge).max(axis=0, initial=0)
        wanted = inside if self.mode == "pass" else 1 - inside
        self._gains = wanted if self.bands else np.ones_like(inside)

    def process(self, frames: NDArray) -> NDArray:
        return frames * self._gains


def box_gains(format: FrameFormat, boxes: Sequence[Box], edge: float = 0) -> NDArray[np.float32]:
    """Gain of each bin for each box: 1 inside, falling to 0 outside over `edge` Hz.

    Returns float32 (n_boxes, n_bins).
    """
    low, high = np.array([(box.f_low, box.f_high) for box in boxes], np.float32).reshape(-1, 2).T
    hz = format.frequencies.astype(np.float32)
    outside = np.maximum(low[:, None] - hz, hz - high[:, None])
    return falling(outside / max(edge, LEAST_EDGE_BINS * format.bin_hz))


def falling(distance: NDArray) -> NDArray:
    """Half a cosine: 1 at a distance of 0 or less, 0 at 1 or more."""
    return 0.5 + 0.5 * np.cos(np.pi * np.clip(distance, 0, 1))
