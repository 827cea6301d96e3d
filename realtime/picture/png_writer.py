"""PNG files written in strips, so that a picture need not fit into memory, with a text and a sound
beside the pixels (`png` says what they are, and reads them again).
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from realtime.picture.png import SIGNATURE, SOUND, TEXT, TEXT_KEY

GREY, RGB, PALETTE = 0, 2, 3
"""Colour types."""

COMPRESSION = 3
"""Of zlib: a third of the time of its 6, for 2 to 20 % more bytes."""

PIECE = 1 << 20
"""Bytes copied at a time."""


def write_png(
    file: BinaryIO,
    width: int,
    height: int,
    strips: Iterable[NDArray],
    *,
    palette: NDArray[np.uint8] | None = None,
    dpi: float | None = None,
    text: str | None = None,
    sound: BinaryIO | None = None,
) -> None:
    """Write a PNG.

    strips : one below the other, (n, width) or (n, width, 3), uint8, or uint16 of greys
    palette : uint8 (256, 3): strips are indices of it
    sound : a FLAC file, from its beginning
    Raises OSError.
    """
    rows = iter(strips)
    first = next(rows)
    colour = PALETTE if palette is not None else RGB if first.ndim == 3 else GREY
    file.write(SIGNATURE)
    _chunk(
        file,
        b"IHDR",
        struct.pack(">IIBBBBB", width, height, 8 * first.dtype.itemsize, colour, 0, 0, 0),
    )
    if palette is not None:
        _chunk(file, b"PLTE", palette.tobytes())
    if dpi is not None:
        per_metre = round(dpi / 0.0254)
        _chunk(file, b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    if text is not None:
        packed = zlib.compress(text.encode())
        _chunk(file, TEXT, TEXT_KEY + b"\0\1\0\0\0" + packed)
    if sound is not None:
        _chunk(file, SOUND, sound)
    packer = zlib.compressobj(COMPRESSION)
    for strip in _chained(first, rows):
        lines = strip.astype(strip.dtype.newbyteorder(">"), copy=False).reshape(len(strip), -1)
        lines = np.ascontiguousarray(lines).view(np.uint8)
        unfiltered = np.zeros((len(lines), 1), np.uint8)
        if packed := packer.compress(np.concatenate([unfiltered, lines], axis=1).tobytes()):
            _chunk(file, b"IDAT", packed)
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes | BinaryIO) -> None:
    crc = zlib.crc32(kind)
    if isinstance(data, bytes):
        file.write(struct.pack(">I", len(data)) + kind + data)
        crc = zlib.crc32(data, crc)
    else:
        length = data.seek(0, os.SEEK_END)
        data.seek(0)
        file.write(struct.pack(">I", length) + kind)
        while piece := data.read(PIECE):
            file.write(piece)
            crc = zlib.crc32(piece, crc)
    file.write(struct.pack(">I", crc))


def _chained(first: NDArray, rest: Iterator[NDArray]) -> Iterator[NDArray]:
    yield first
    yield from rest
