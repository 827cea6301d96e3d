"""A drawing from a file: how bright each place is."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realtime.picture.read.pixels import load_pixels

MOST_SIDE = 4096
"""Pixels either way that a sound of minutes could show; larger images are averaged down to it."""

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue (ITU-R BT.601)."""


def read_drawing(path: str | os.PathLike[str], *, negative: bool = False) -> NDArray[np.float32]:
    """Read an image for `realtime.drawn`.

    negative : black is 1 and white is 0, as of ink on paper
    Returns float32 (n_rows, n_columns), 0 black to 1 white, the top row first. What is transparent
    counts as white paper. Raises SourceError for what is no picture that can be decoded.
    """
    rgb = load_pixels(path, least_side=1).rgb
    height, width = rgb.shape[:2]
    if max(height, width) > MOST_SIDE:
        size = min(width, MOST_SIDE), min(height, MOST_SIDE)
        rgb = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))
    bright = np.clip(rgb @ (LUMA / 255), 0, 1).astype(np.float32)
    return 1 - bright if negative else bright
