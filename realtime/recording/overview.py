"""A small picture of a whole recording: what to look at before one listens.

No axes and no text. The first channel is at the top, the others below; in each, low frequencies are
at the bottom. A pixel is the loudest of the cells that it stands for, and its index in the PNG's
palette is their code: levels can be read from the picture as from the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.recording import durable
from realtime.recording.columns import LOW_DB, STEP_DB

WIDEST, TALLEST = 4096, 2048
"""Pixels: 8 MB of memory, and as PNG written in half a second at worst."""

COLORMAP, DARK_DB, BRIGHT_DB = "magma", -100.0, 0.0
"""As the waterfall shows it where nothing else is asked for."""

TEXT_KEY = "realtime"
"""Of the PNG's text chunk: JSON that says what the picture shows."""

HEAD = 1 << 14
"""Bytes in which that text lies: before it there are a header and a palette."""

COMPRESSION = 3
"""Of zlib: half the time of its 6 for a twentieth more bytes."""


class Overview:
    """Takes the columns of a recording one after the other. Owner: one thread.

    n_columns, n_bins : of the recording, at least 1
    """

    def __init__(self, n_channels: int, n_columns: int, n_bins: int):
        rows = min(n_bins, max(1, TALLEST // n_channels))
        self._pixels = np.zeros((n_channels, min(n_columns, WIDEST), rows), np.uint8)
        self._n_columns, self._done = n_columns, 0
        self._bins = np.arange(rows) * n_bins // rows

    def append(self, codes: NDArray[np.uint8]) -> None:
        """codes : uint8 (n_channels, n, n_bins)"""
        n = codes.shape[1]
        if not n:
            return
        width = self._pixels.shape[1]
        at = np.arange(self._done, self._done + n) * width // self._n_columns
        firsts = np.flatnonzero(np.diff(at, prepend=-1))
        loudest = np.maximum.reduceat(codes, firsts, axis=1)
        loudest = np.maximum.reduceat(loudest, self._bins, axis=2)
        part = self._pixels[:, at[firsts]]
        self._pixels[:, at[firsts]] = np.maximum(part, loudest)
        self._done += n

    def save(self, path: Path, says: Mapping[str, Any]) -> int:
        """Write a PNG that survives a power cut; returns its bytes. says : for its text chunk.
        Raises OSError."""
        from cmap import Colormap
        from PIL import Image, PngImagePlugin

        text = PngImagePlugin.PngInfo()
        scale = {"low": LOW_DB, "step": STEP_DB, "unit": "dBFS"}
        shown = {"colormap": COLORMAP, "dark": DARK_DB, "bright": BRIGHT_DB}
        text.add_text(TEXT_KEY, json.dumps({**says, **scale, **shown}))
        upright = self._pixels.swapaxes(1, 2)[:, ::-1].reshape(-1, self._pixels.shape[1])
        picture = Image.fromarray(np.ascontiguousarray(upright))
        levels = np.arange(256) * STEP_DB + LOW_DB
        shares = np.clip((levels - DARK_DB) / (BRIGHT_DB - DARK_DB), 0, 1)
        palette = np.rint(Colormap(COLORMAP)(shares)[:, :3] * 255).astype(np.uint8)
        picture.putpalette(palette.tobytes())
        with path.open("wb") as file:
            picture.save(file, "PNG", pnginfo=text, compress_level=COMPRESSION)
            file.flush()
            durable.sync(file.fileno())
            return file.tell()


def overview_of(path: str | Path) -> dict[str, Any] | None:
    """What such a picture says of itself; None for every other PNG, and where it is damaged."""
    mark = b"tEXt" + TEXT_KEY.encode() + b"\0"
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
        at = head.index(mark)
        length = int.from_bytes(head[at - 4 : at])
        says = json.loads(head[at + len(mark) : at + 4 + length])
        whole = [says[name] for name in ("start", "stop", "sample_rate", "n_fft", "hop")]
        told = [says[name] for name in ("device", "utc_start", "window")]
        levels = [says[name] for name in ("dark", "bright")]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    right = all(type(value) is int and value >= 0 for value in whole) and whole[2] > 0
    right &= all(isinstance(text, str) for text in told)
    return says if right and all(isinstance(value, float) for value in levels) else None
