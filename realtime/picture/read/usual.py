"""Numbers that people use: what is seen on a picture is known to a pixel, these are exact."""

from __future__ import annotations

from collections.abc import Iterable

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000)
"""Hz."""

HOPS = (
    32, 48, 56, 64, 80, 96, 100, 110, 112, 120, 128, 160, 192, 200, 220, 221, 224, 240, 256, 275,
    300, 320, 384, 400, 441, 448, 480, 512, 600, 640, 735, 768, 800, 882, 896, 960, 1024, 1102,
    1200, 1536, 1764, 1792, 1920, 2048, 2205, 2400, 4096,
)  # fmt: skip
"""Samples; 224, 448, 896, 1792 are scipy's seven eighths of a frame."""

N_FFTS = (
    64, 128, 160, 200, 256, 320, 400, 441, 480, 512, 600, 640, 768, 800, 882, 960, 1024, 1102,
    1200, 1280, 1536, 1600, 1764, 1920, 2048, 2400, 3072, 4096, 8192, 16384,
)  # fmt: skip

MELS = (20, 24, 26, 32, 40, 48, 60, 64, 80, 96, 100, 120, 128, 160, 192, 224, 229, 256, 320, 512)

MEL_FMAX = (
    3000, 3400, 3500, 3700, 3800, 4000, 4500, 5000, 6000, 6500, 7000, 7500, 7600, 8000, 9000,
    10000, 12000, 13000, 14000, 15000, 16000, 18000, 20000,
)  # fmt: skip
"""Hz, besides half of each rate."""

MEL_FMIN = (
    0, 20, 27.5, 30, 32.7, 40, 50, 55, 60, 64, 65.4, 70, 75, 80, 90, 100, 110, 120, 125,
    130, 150, 200, 250, 300,
)  # fmt: skip

LIKELY_FMIN = (0, 20, 40, 50, 80, 125)
"""Hz, those of them that are likelier: librosa's, what is heard, and where speech begins."""


def nearest(value: float, numbers: Iterable[float], tolerance: float) -> float | None:
    """The number nearest to `value` if it is within `tolerance` of it, relative; else None."""
    best = min(numbers, key=lambda number: abs(number - value), default=None)
    return best if best is not None and abs(best - value) <= tolerance * abs(value) else None
