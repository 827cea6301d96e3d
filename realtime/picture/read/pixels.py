"""Any picture file as RGB, or a sentence why not. Nothing here trusts what a header says."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realtime.errors import SourceError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
LOSSY = ("JPEG", "WEBP")

MOST_PIXELS = 100_000_000
"""300 MB as RGB; 20x8 inches at 300 dpi are 14 million."""
LEAST_SIDE = 48
"""Pixels: no axes with readable labels fit into less."""

DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, MemoryError)
"""What Pillow raises on files that are cut or made to harm, besides its own bomb error."""


@dataclass(frozen=True)
class Pixels:
    rgb: NDArray[np.uint8]
    """(height, width, 3), the top row first."""
    lossy: bool
    """The file's format changes colours."""


def load_pixels(path: str | os.PathLike[str], least_side: int = LEAST_SIDE) -> Pixels:
    """Decode a picture file; what is transparent becomes white, as on paper.

    Raises SourceError for a file that is missing, damaged, no picture, too small or too large.
    """
    name = Path(path).name
    if Path(path).is_dir():
        raise SourceError(f"{name or path} is a folder: give the path of a picture in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                width, height = image.size
                _check_size(name, width, height, least_side)
                return Pixels(_rgb(image), image.format in LOSSY)
    except FileNotFoundError:
        raise SourceError(f"{name} does not exist: give the path of a picture") from None
    except Image.UnidentifiedImageError:
        raise SourceError(f"{name} is no picture: give a {', '.join(FORMATS)} file") from None
    except Image.DecompressionBombError:
        raise SourceError(
            f"{name} claims more than {MOST_PIXELS} pixels: give a smaller picture"
        ) from None
    except SourceError:
        raise
    except DAMAGED as fault:
        raise SourceError(
            f"{name} cannot be decoded ({type(fault).__name__}): save the picture again as PNG"
        ) from None


def _check_size(name: str, width: int, height: int, least_side: int) -> None:
    if width * height > MOST_PIXELS:
        raise SourceError(
            f"{name} has {width}x{height} pixels, more than {MOST_PIXELS}: make it smaller"
        )
    if min(width, height) < least_side:
        raise SourceError(
            f"{name} has {width}x{height} pixels, too few for axes and labels: "
            f"at least {least_side} a side are needed"
        )


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would clip all but the lowest 8
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        above = image.convert("RGBA")
        paper = Image.new("RGBA", above.size, "white")
        image = Image.alpha_composite(paper, above)
    return np.asarray(image.convert("RGB"))
