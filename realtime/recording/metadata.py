"""What a WAV file says about itself, in the two chunks that other programs read.

`bext`: Broadcast Wave (EBU Tech 3285, version 1, 2001); audio editors put the file in its place
on a time line by it. `guan`: GUANO 1.0 (Reid and others, 2016), read by programs of field biology.
All times are UTC.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ORIGINATOR = "realtime"

BEXT_BYTES = 602
"""Without coding history: the same for every file, so that it can be written in place."""

LENGTH = "Length"
LENGTH_ROOM = 32
"""Bytes kept free for the line of the length, in seconds to the microsecond."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class Metadata:
    """What is known of a recording besides its format.

    utc_ns : UTC of the first sample, in nanoseconds since 1970
    device : what was recorded from, in words
    reference : a name that is this recording's alone; bext keeps 32 characters
    fields : more lines of GUANO, such as "Make", "Model", "Loc Position", "Note", or names of our
        own, "realtime|Ended"; a line break in a value is written as backslash and n, which
        readers know
    """

    utc_ns: int
    device: str = ""
    reference: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """Of the first sample, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.utc_ns // 1000)


def bext(metadata: Metadata, sample_rate: int) -> bytes:
    """The contents of the chunk, `BEXT_BYTES`: the device as description, and the count of
    samples from midnight to the first one as time reference."""
    moment = metadata.moment
    return struct.pack(
        "<256s32s32s10s8sQH64s190x",
        _ascii(metadata.device),
        _ascii(ORIGINATOR),
        _ascii(metadata.reference),
        _ascii(f"{moment:%Y-%m-%d}"),
        _ascii(f"{moment:%H:%M:%S}"),
        metadata.utc_ns % _DAY_NS * sample_rate // 10**9,
        1,  # version
        b"",  # UMID: none
    )


def guano(metadata: Metadata, sample_rate: int, room: int) -> bytes:
    """The contents of the chunk, exactly `room` bytes: lines, then spaces. The length is not
    among them until `with_length` puts it there. Lines that do not fit are left out."""
    fields = {
        "Timestamp": metadata.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Samplerate": str(sample_rate),
        "Original Device": metadata.device,
        **metadata.fields,
    }
    lines = ["GUANO|Version: 1.0", *(_line(name, value) for name, value in fields.items() if value)]
    return _fitted(lines, room - LENGTH_ROOM).ljust(room)


def with_length(chunk: bytes, seconds: float) -> bytes:
    """The same chunk, as long as before, with the length of the recording, or another one."""
    lines = [
        line
        for line in chunk.decode(errors="replace").rstrip(" ").removesuffix("\n").split("\n")
        if not line.startswith(f"{LENGTH}:")
    ]
    lines.insert(3, _line(LENGTH, f"{seconds:.6f}"))
    return _fitted(lines, len(chunk)).ljust(len(chunk))


def _line(name: str, value: str) -> str:
    text = value.replace("\n", "\\n")
    return f"{name}: " + "".join(sign if sign.isprintable() else " " for sign in text)


def _fitted(lines: list[str], room: int) -> bytes:
    """The first lines, as many as fit, each with its end."""
    text = b""
    for line in lines:
        if len(text) + len(encoded := f"{line}\n".encode(errors="replace")) <= room:
            text += encoded
    return text


def _ascii(text: str) -> bytes:
    return text.encode("ascii", errors="replace")
