"""PNG files with a text and a sound beside the pixels, read without believing what they claim (PNG
specification, W3C 2003); `png_writer` writes them.

The text is an iTXt chunk, key "realtime-picture"; the sound is a FLAC file in a chunk "soUn",
which the rules for such names call ancillary, private and safe to copy. docs/picture-format.md
says what is in them.
"""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from realtime.errors import SourceError
from realtime.wording import shown_path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT, SOUND = b"iTXt", b"soUn"
TEXT_KEY = b"realtime-picture"
NEEDED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
"""Chunks that pixels are made of: the decoder is shown no others."""

LONGEST_TEXT = 1 << 18
"""Bytes of our text; it has 3000, and 64 channels add 2000."""
LONGEST_CHUNK = (1 << 31) - 1
LONGEST_SOUND = 1 << 30
"""Bytes of FLAC: 3 h of 16-bit mono at 48000 Hz."""
LONGEST_IMAGE = 1 << 29
"""Compressed bytes of pixels."""
MOST_CHUNKS = 1 << 18
"""libpng writes one for each 8 KiB: 2 GiB."""
MOST_DECODED = 1 << 29
"""Bytes of pixels: `placing.MOST_PIXELS` of four bytes each."""

BYTES_PER_PIXEL = {1: 1, 2: 3, 3: 1, 4: 2, 6: 4, 0: 1}


@dataclass(frozen=True)
class Png:
    """What a PNG file holds.

    text : our text, or None
    sound : where the bytes of the FLAC file lie, (first, length), or None
    image : a PNG of nothing but the pixels
    """

    path: str
    width: int
    height: int
    text: str | None
    sound: tuple[int, int] | None
    image: bytes


def read_png(path: str | os.PathLike[str], *, pixels: bool = True) -> Png:
    """Look through a PNG file; `pixels_of` decodes it. pixels : keep what that needs.

    Raises SourceError for what is missing, damaged or no PNG, and for chunks too long to be ours.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            return _Reader(file, name, os.fstat(file.fileno()).st_size).read(pixels)
    except FileNotFoundError:
        raise SourceError(f"there is no file {shown_path(name)}: check the path") from None
    except SourceError:  # a ValueError too
        raise
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or "no such path"
        raise SourceError(f"{shown_path(name)} cannot be read ({reason}): check it") from fault


def is_png(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins like a PNG; False too where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except (OSError, ValueError):
        return False


def pixels_of(png: Png) -> NDArray:
    """Decode the pixels: uint8 or uint16 (height, width) of greys, or uint8 (height, width, 4) of
    red, green, blue and opacity. Raises SourceError."""
    image = _decoded(png)
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.uint16)
    if image.mode in ("L", "1") and "transparency" not in image.info:
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGBA"))


def indices_of(png: Png, palette: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The indices, (height, width), where the picture still has just this palette (256, 3), whose
    colours need not all differ; else None. Raises SourceError."""
    image = _decoded(png)
    held = image.palette.tobytes() if image.mode == "P" and image.palette is not None else b""
    if held != palette.tobytes() or "transparency" in image.info:
        return None
    return np.asarray(image)


def sound_bytes(png: Png) -> bytes:
    """The FLAC file. Raises SourceError where there is none."""
    if png.sound is None:
        raise SourceError(
            f"{shown_path(png.path)} holds no sound: 'realtime render --keep-sound' puts it in"
        )
    first, length = png.sound
    with open(png.path, "rb") as file:
        file.seek(first)
        data, crc = file.read(length), file.read(4)
    if struct.pack(">I", zlib.crc32(data, zlib.crc32(SOUND))) != crc:
        raise SourceError(
            f"the sound in {shown_path(png.path)} is damaged: render the picture once more"
        )
    return data


class _Reader:
    def __init__(self, file: BinaryIO, path: str, size: int):
        self._file, self._path, self._size = file, path, size
        self._shown = shown_path(path)

    def read(self, pixels: bool) -> Png:
        if self._file.read(len(SIGNATURE)) != SIGNATURE:
            raise SourceError(f"{self._shown} is no PNG: only PNG holds what render writes")
        image, texts, sound, n_image = BytesIO(), [], None, 0
        image.write(SIGNATURE)
        width = height = 0
        for kind, length in self._chunks():
            begin = self._file.tell()
            if kind == b"IHDR" and not width:
                width, height = self._size_of(length)
                self._file.seek(begin)
            if kind in NEEDED and pixels:
                n_image += length
                if n_image > LONGEST_IMAGE:
                    raise SourceError(
                        f"{self._shown} has more than {LONGEST_IMAGE >> 20} MiB of pixels: it is "
                        "not ours"
                    )
                image.write(struct.pack(">I4s", length, kind))
                image.write(self._file.read(length + 4))
            elif kind == TEXT and (text := self._text(length)) is not None:
                texts.append(text)
            elif kind == SOUND and sound is None and length <= LONGEST_SOUND:
                sound = begin, length
            self._file.seek(begin + length + 4)
        if not width:
            raise self._damaged("it has no header")
        if len(texts) > 1:
            raise self._damaged("it has two texts of ours")
        return Png(self._path, width, height, texts[0] if texts else None, sound, image.getvalue())

    def _chunks(self) -> Iterator[tuple[bytes, int]]:
        for _ in range(MOST_CHUNKS):
            head = self._file.read(8)
            if len(head) < 8:
                raise self._damaged("it ends early")
            length, kind = struct.unpack(">I4s", head)
            if length > LONGEST_CHUNK or self._file.tell() + length + 4 > self._size:
                raise self._damaged(f"a chunk claims {length} bytes, more than there are")
            yield kind, length
            if kind == b"IEND":
                return
        raise self._damaged(f"it has more than {MOST_CHUNKS} chunks")

    def _size_of(self, length: int) -> tuple[int, int]:
        if length != 13:
            raise self._damaged("its header is of another length")
        width, height, bits, colour = struct.unpack(">IIBB3x", self._file.read(13))
        n_bytes = width * height * BYTES_PER_PIXEL.get(colour, 4) * max(1, bits // 8)
        if not 0 < n_bytes <= MOST_DECODED:
            raise SourceError(
                f"{self._shown} claims {width} x {height} pixels: more than "
                f"{MOST_DECODED >> 20} MiB are not read"
            )
        return width, height

    def _text(self, length: int) -> str | None:
        """Ours, or None for other people's."""
        key = self._file.read(min(length, len(TEXT_KEY) + 1))
        if key != TEXT_KEY + b"\0":
            return None
        rest = length - len(key)
        if rest > LONGEST_TEXT:
            raise self._damaged(f"its text of {rest} bytes is longer than {LONGEST_TEXT}")
        data, crc = self._file.read(rest), self._file.read(4)
        if struct.pack(">I", zlib.crc32(data, zlib.crc32(TEXT + key))) != crc:
            raise self._damaged("its text fails the check sum")
        packed, method, parts = data[:1], data[1:2], data[2:].split(b"\0", 2)
        if packed not in (b"\0", b"\1") or method != b"\0" or len(parts) != 3:
            raise self._damaged("its text is of another form")
        body = self._unpacked(parts[2]) if packed == b"\1" else parts[2]
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise self._damaged("its text is not UTF-8") from None

    def _unpacked(self, packed: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            body = unpacker.decompress(packed, LONGEST_TEXT)
        except zlib.error:
            raise self._damaged("its text cannot be unpacked") from None
        if not unpacker.eof:
            raise self._damaged(f"its text is cut off, or longer than {LONGEST_TEXT}")
        return body

    def _damaged(self, why: str) -> SourceError:
        return SourceError(f"{self._shown} is a damaged PNG ({why}): copy or render it again")


def _decoded(png: Png):  # type: ignore[no-untyped-def] # a Pillow image
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a bomb: the size was checked
            most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = Image.open(BytesIO(png.image), formats=["PNG"])
                image.load()
            finally:
                Image.MAX_IMAGE_PIXELS = most
        return image
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as fault:
        raise SourceError(
            f"the pixels of {shown_path(png.path)} cannot be decoded: save the picture again as PNG"
        ) from fault
