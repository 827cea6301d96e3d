"""What a recording is called: a pattern filled in, always a plain relative path below DIR.

Pure functions. A pattern is checked once, when settings are read; after that whatever a device
calls itself gives a name that Linux, macOS and Windows can hold and that no one mistakes for a
path elsewhere. Sub-folders come from `/` in the pattern, and from nowhere else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from string import Formatter

from realtime.errors import RequestError
from realtime.wording import shown, unknown

TIME = "%Y%m%dT%H%M%SZ"
PATTERN = f"{{utc:{TIME}}}"
"""As in 20261122T180000Z: sorts by time, and holds nothing that a file system forbids."""

FIELDS = ("utc", "device", "index", "number", "channels", "rate")

TIME_CODES = "YymdHMSfjGVu%"
"""Of strftime: those that give digits, the same in every language."""

LONGEST_PART = 200
"""Bytes of a file's or folder's name, of the 255 that file systems hold: `.part.json` and a `-12`
come behind it."""

LONGEST_NAME = 400
"""Bytes of the whole name."""

LONGEST_DEVICE = 60
"""Bytes of a device's name that go into a file's."""

MOST_DIGITS = 20
"""Of a number, filled up with zeros."""

_FORBIDDEN = '\\:*?"<>|'
"""Beside `/` and control codes, what Windows forbids in a name."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""Names that are devices on Windows, whatever comes behind the dot."""

_APART = {
    "a year": timedelta(days=365),
    "a month": timedelta(days=31),
    "a day": timedelta(days=1),
    "an hour": timedelta(hours=1),
    "a minute": timedelta(minutes=1),
    "a second": timedelta(seconds=1),
}
_CODE_FOR = dict(zip(_APART, ["%Y", "%m", "%d", "%H", "%M", "%S"], strict=True))
_NEW_YEAR = datetime(2001, 1, 1, tzinfo=UTC)
"""From here each time apart changes one field of a date and no other."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_pattern(pattern: str, key: str = "record.name") -> None:
    """Raise RequestError, in one sentence, where `pattern` makes no good names."""
    start = f"{key} = {shown(pattern)}"
    for sentence in _faults(pattern):
        raise RequestError(f"{start} {sentence}")
    for apart, delta in _APART.items():
        if _sample(pattern, _NEW_YEAR) == _sample(pattern, _NEW_YEAR + delta):
            raise RequestError(
                f"{start} names two files {apart} apart the same: "
                f"put {_CODE_FOR[apart]} into it (the default is {PATTERN})"
            )
    name = _sample(pattern, _NEW_YEAR)
    longest = max(len(part.encode()) for part in name.split("/"))
    if longest > LONGEST_PART or len(name.encode()) > LONGEST_NAME:
        raise RequestError(
            f"{start} gives names of {len(name.encode())} bytes: at most {LONGEST_NAME} in all and "
            f"{LONGEST_PART} between two slashes"
        )


def segment_name(
    pattern: str,
    utc_ns: int,
    *,
    device: str = "",
    index: int = 0,
    number: int = 1,
    channels: int = 1,
    rate: int = 48000,
) -> str:
    """`pattern` filled in: a relative path with `/`, without a suffix such as `.wav`.

    pattern : one that `check_pattern` lets pass
    utc_ns : of the first sample, in nanoseconds since 1970
    index, number : of the first sample, and of the segment (1 is the first)
    """
    numbers = {"index": index, "number": number, "channels": channels, "rate": rate}
    name = _filled(pattern, _moment(utc_ns), device_text(device), numbers)
    return "/".join(_safe_part(part) for part in name.split("/"))


def device_text(device: str) -> str:
    """What a device calls itself, as a part of a file's name: letters, digits, `-` and `_`."""
    plain = unicodedata.normalize("NFC", device)
    words = re.sub(r"[^\w-]+|_+", "_", plain).strip("_-")
    return words.encode()[:LONGEST_DEVICE].decode(errors="ignore").strip("_-") or "device"


def free_name(name: str, taken: Callable[[str], bool]) -> str:
    """`name`, or where that is taken `name-2`, `name-3` ..."""
    if not taken(name):
        return name
    return next(other for n in count(2) if not taken(other := f"{name}-{n}"))


def _faults(pattern: str) -> Iterator[str]:
    if not pattern:
        yield f"is empty (the default is {PATTERN})"
    if not pattern.isprintable():
        yield "holds characters that cannot be printed: leave them out"
    try:
        pieces = list(Formatter().parse(pattern))
    except ValueError as error:
        yield f"is no pattern ({error}): write fields as in {PATTERN}"
        return
    for _, field, spec, conversion in pieces:
        if field is not None:
            yield from _field_faults(field, spec or "", conversion)
    text = "".join(f"{literal}{spec or ''}" for literal, _, spec, _ in pieces)
    wrong = next((sign for sign in text if sign in _FORBIDDEN), None)
    if wrong:
        yield f"holds {shown(wrong)}, which not every file system can: use '-' or '_'"
    parts = _sample(pattern, _NEW_YEAR).split("/")
    if not parts[0]:
        yield "begins with '/': names are below DIR, leave it out"
    if any(part in (".", "..") for part in parts):
        yield "climbs out of DIR or stands still in it: leave out '.' and '..'"
    if any(not part or part[0] == "." or part[-1] in ". " for part in parts):
        yield "has a part that is empty, begins with a dot or ends with a dot or a blank"
    if any(_RESERVED.match(part) for part in parts):
        yield "has a part that is the name of a device on Windows (con, nul, com1 ...)"
    if ".part" in parts[-1]:
        yield "holds '.part', which marks files that still grow: leave it out"


def _field_faults(field: str, spec: str, conversion: str | None) -> Iterator[str]:
    if field not in FIELDS:
        yield f"has a fault: {unknown('field', field, FIELDS)}"
    elif conversion:
        yield f"asks for {field} with !{conversion}: leave that out"
    elif "{" in spec:
        yield f"has a field inside {field}: write one after the other"
    elif field == "utc":
        codes = re.findall(r"%(.?)", spec)
        wrong = next((code for code in codes if code not in TIME_CODES or not code), None)
        if wrong is not None:
            yield (
                f"has {shown('%' + wrong)} in its time: use those of "
                f"%{' %'.join(TIME_CODES[:-1])} that you need"
            )
    elif field == "device":
        if spec:
            yield "formats device: write {device}"
    elif not re.fullmatch(r"0?\d{0,2}d?", spec) or int(spec.strip("d") or 0) > MOST_DIGITS:
        yield (
            f"formats {field} as {shown(spec)}: write {{{field}:06}}, "
            f"of {MOST_DIGITS} digits at most"
        )


def _sample(pattern: str, moment: datetime) -> str:
    """A name of that moment, as long as they get; later samples have greater numbers."""
    number = 10**15 + round(moment.timestamp())
    numbers = {"index": number, "number": number, "channels": 64, "rate": 1_000_000}
    return _filled(pattern, moment, "d" * LONGEST_DEVICE, numbers)


def _filled(pattern: str, moment: datetime, device: str, numbers: Mapping[str, int]) -> str:
    pieces = []
    for literal, field, spec, _ in Formatter().parse(pattern):
        pieces.append(literal)
        if field == "utc":
            pieces.append(moment.strftime(spec or TIME))
        elif field == "device":
            pieces.append(device)
        elif field is not None:
            pieces.append(format(numbers[field], spec or ""))
    return "".join(pieces)


def _safe_part(part: str) -> str:
    """The last guard: no name of a device, nothing hidden, and never a way up."""
    part = part.strip(" .")[:LONGEST_PART] or "_"
    return f"_{part}" if _RESERVED.match(part) else part


def _moment(utc_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=utc_ns // 1000)
