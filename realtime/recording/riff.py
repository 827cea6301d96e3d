"""The header of our WAV files: 4096 bytes, then samples and nothing else.

    RIFF size WAVE
    JUNK 28 bytes, free     becomes ds64 as the file passes 4 GiB (EBU Tech 3306), RIFF then RF64
    fmt                     plain for up to 2 channels, as soundfile and arecord write it: Python's
                            own reader and GUANO's know no other. Extensible above, without
                            loudspeaker positions.
    fact                    number of samples; only with float, where the standard asks for it
    bext, guan              `metadata`
    data size

The header has a page of the disk to itself: one write replaces it whole, so a process that is
killed leaves the old header or the new one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from realtime.recording import metadata as md
from realtime.recording.metadata import Metadata
from realtime.recording.pcm import DEPTHS

HEADER_BYTES = 4096
U32_MOST = 0xFFFFFFFF
"""In RF64: the size is in ds64."""
RIFF_MOST = U32_MOST - 1
"""Largest size that RIFF can name."""

CHANNELS_MOST = 0xFFFF // 4
"""fmt gives the bytes of a sample 16 bits, and a value has up to 4."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
"""KSDATAFORMAT_SUBTYPE: the format's number in front makes it a GUID."""
_FMT, _DS64_DATA = 56, 28
"""Where the contents of fmt begin, and where ds64 has the size of the data."""
_DATA = HEADER_BYTES - 8
"""Where the chunk of the data begins."""


@dataclass(frozen=True)
class SampleFormat:
    sample_rate: int
    n_channels: int
    depth: int

    def check(self) -> None:
        """Raises `ValueError`, a sentence, where a WAV file cannot hold it."""
        if self.depth not in DEPTHS:
            raise ValueError(f"a depth of {self.depth} bits is none of 16, 24 and 32: choose one")
        if not 1 <= self.n_channels <= CHANNELS_MOST:
            raise ValueError(
                f"{self.n_channels} channels do not fit into a WAV file: record 1 to "
                f"{CHANNELS_MOST}"
            )
        if not 1 <= self.sample_rate <= U32_MOST:
            raise ValueError(f"a sample rate of {self.sample_rate} Hz is not positive, or too high")

    @property
    def sample_bytes(self) -> int:
        """Of one sample of all channels."""
        return self.n_channels * self.depth // 8


class Header:
    """The bytes of a header, and what it claims. `make` or `parse` makes one."""

    def __init__(self, form: SampleFormat, raw: bytes):
        self.format = form
        self.bytes = bytearray(raw)
        self._parts = _parts(form)

    @classmethod
    def make(cls, form: SampleFormat, metadata: Metadata) -> Header:
        """The header of a file without samples."""
        parts = _parts(form)
        header = cls(form, bytes(HEADER_BYTES))
        for name, part in parts.items():
            size = 0 if name == b"data" else part.stop - part.start
            struct.pack_into("<4sI", header.bytes, part.start - 8, name, size)
        room = parts[b"guan"].stop - parts[b"guan"].start
        header.bytes[8:12] = b"WAVE"
        header.bytes[parts[b"fmt "]] = _fmt(form)
        header.bytes[parts[b"bext"]] = md.bext(metadata, form.sample_rate)
        header.bytes[parts[b"guan"]] = md.guano(metadata, form.sample_rate, room)
        header.claim(0)
        return header

    @classmethod
    def parse(cls, raw: bytes) -> Header:
        """Raises `ValueError` where the bytes are not a header that `make` made."""
        form = _read_form(raw)
        header, model = cls(form, raw), cls.make(form, Metadata(0))
        if header.is_large:
            model.claim(U32_MOST)
        fixed = [slice(0, 4), slice(8, 12), model._parts[b"fmt "], slice(_DATA, _DATA + 4)]
        fixed += [
            slice(part.start - 8, part.start)
            for name, part in model._parts.items()
            if name != b"data"
        ]
        if any(raw[part] != model.bytes[part] for part in fixed):
            raise ValueError
        return header

    @property
    def is_large(self) -> bool:
        return self.bytes[:4] == b"RF64"

    @property
    def claimed(self) -> int:
        """Number of samples."""
        kind, at = ("<Q", _DS64_DATA) if self.is_large else ("<I", _DATA + 4)
        return struct.unpack_from(kind, self.bytes, at)[0] // self.format.sample_bytes

    def claim(self, n_samples: int) -> None:
        """Put the number of samples, and the sizes that follow from it, where they belong."""
        n_bytes = n_samples * self.format.sample_bytes
        riff_bytes = HEADER_BYTES - 8 + n_bytes + n_bytes % 2
        if riff_bytes <= RIFF_MOST:
            id_, size32, data32 = b"RIFF", riff_bytes, n_bytes
            first = struct.pack("<4sI28x", b"JUNK", 28)
        else:
            id_, size32, data32 = b"RF64", U32_MOST, U32_MOST
            first = struct.pack("<4sIQQQI", b"ds64", 28, riff_bytes, n_bytes, n_samples, 0)
        struct.pack_into("<4sI", self.bytes, 0, id_, size32)
        self.bytes[12 : 12 + len(first)] = first
        struct.pack_into("<I", self.bytes, _DATA + 4, data32)
        if fact := self._parts.get(b"fact"):
            struct.pack_into("<I", self.bytes, fact.start, min(n_samples, U32_MOST))

    def seal(self, metadata: Metadata | None = None) -> None:
        """Say how long the claimed samples last and, if given, what became known of them."""
        where, rate = self._parts[b"guan"], self.format.sample_rate
        chunk = bytes(self.bytes[where])
        if metadata is not None:
            chunk = md.guano(metadata, rate, len(chunk))
            self.bytes[self._parts[b"bext"]] = md.bext(metadata, rate)
        self.bytes[where] = md.with_length(chunk, self.claimed / rate)


def _parts(form: SampleFormat) -> dict[bytes, slice]:
    """Where the contents of each chunk lie; those of data are the samples."""
    sizes = {b"JUNK": 28, b"fmt ": len(_fmt(form))}
    if form.depth == 32:
        sizes[b"fact"] = 4
    sizes[b"bext"] = md.BEXT_BYTES
    sizes[b"guan"] = HEADER_BYTES - 12 - sum(8 + size for size in sizes.values()) - 16
    sizes[b"data"] = 0
    parts, at = {}, 12
    for name, size in sizes.items():
        parts[name] = slice(at + 8, at + 8 + size)
        at += 8 + size
    return parts


def _fmt(form: SampleFormat) -> bytes:
    kind = _FLOAT if form.depth == 32 else _PCM
    plain = form.n_channels <= 2
    body = struct.pack(
        "<HHIIHH",
        kind if plain else _EXTENSIBLE,
        form.n_channels,
        form.sample_rate,
        min(form.sample_rate * form.sample_bytes, U32_MOST),
        form.sample_bytes,
        form.depth,
    )
    if not plain:
        return body + struct.pack("<HHIH", 22, form.depth, 0, kind) + _GUID_TAIL
    return body + bytes(2) if kind == _FLOAT else body


def _read_form(raw: bytes) -> SampleFormat:
    """Raises `ValueError` where no header of ours says such a thing."""
    if len(raw) != HEADER_BYTES:
        raise ValueError
    n_channels, sample_rate, depth = struct.unpack_from("<2xHI6xH", raw, _FMT)
    form = SampleFormat(sample_rate, n_channels, depth)
    form.check()
    return form
