"""Overlapping triangles on any frequency scale: the bands of mel, Bark and ERB pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.scales import FrequencyScale
from realtime.errors import RequestError


def band_filters(
    scale: FrequencyScale,
    sample_rate: float,
    n_fft: int,
    n_bands: int = 128,
    *,
    f_low: float = 0.0,
    f_high: float | None = None,
    equal_area: bool = False,
) -> NDArray[np.float32]:
    """Triangles evenly spaced on `scale`, each from the centre of the one below to that of the
    one above.

    f_low, f_high : Hz; the highest is half the sample rate where None
    equal_area : triangles of area 1 Hz, or of height 1
    Returns float32 (n_bands, n_fft // 2 + 1).
    Raises RequestError for numbers that do not fit. With many bands and a short n_fft the lowest
    bands may hold no bin, and are all 0.
    """
    f_high = sample_rate / 2 if f_high is None else f_high
    if n_bands < 1 or not 0 <= f_low < f_high <= sample_rate / 2:
        raise RequestError(
            f"n_bands={n_bands} from f_low={f_low:g} to f_high={f_high:g} Hz must be at least 1 "
            f"band within 0 to {sample_rate / 2:g} Hz, half the sample rate"
        )
    low, high = scale.forward(f_low), scale.forward(f_high)
    edges = scale.inverse(np.linspace(low, high, n_bands + 2))
    bins = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    widths = np.diff(edges)[:, None]
    rising = (bins - edges[:-2, None]) / widths[:-1]
    falling = (edges[2:, None] - bins) / widths[1:]
    filters = np.maximum(0, np.minimum(rising, falling))
    if equal_area:
        filters *= 2 / (edges[2:] - edges[:-2])[:, None]
    return filters.astype(np.float32)
