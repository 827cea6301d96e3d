"""What recordings are called, and that no name leads anywhere else."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import RequestError
from realtime.recording.names import (
    LONGEST_DEVICE,
    LONGEST_PART,
    PATTERN,
    check_pattern,
    device_text,
    free_name,
    segment_name,
)

UTC_NS = 1_795_370_400_123_456_789  # 2026-11-22T18:00:00.123456789Z

GOOD = [
    PATTERN,
    "{utc}",
    "{utc:%Y-%m-%d}/{utc:%H%M%S}",
    "{utc:%Y-%m-%d/%H/%M-%S}",
    "station 7 {utc:%y%j-%H%M%S.%f}Z",
    "{device}-{utc}",
    "{number:06d}",
    "{number:6}",
    "{index}_{rate}_{channels}",
    "{{{utc}}}",
    "größe-{utc}",
]

BAD = {
    "": "is empty",
    "a\x00{utc}": "cannot be printed",
    "a\n{utc}": "cannot be printed",
    "{utc": "is no pattern",
    "{utc}}": "is no pattern",
    "{}": "unknown field ''",
    "{0}": "unknown field '0'",
    "{utcc}": "did you mean 'utc'",
    "{utc.__class__}": "unknown field 'utc.__class__'",
    "{device[0]}-{utc}": "unknown field",
    "{utc!r}": "with !r",
    "{utc:{device}}": "a field inside utc",
    "{utc:%A}": "has '%A' in its time",
    "{utc:%-d%H%M%S}": "has '%-' in its time",
    "{utc:%Y%}": "has '%' in its time",
    "{utc:%H:%M}": "holds ':'",
    "{device:.3}{utc}": "write {device}",
    "{number:999999999d}": "formats number",
    "{number:99}": "20 digits at most",
    "{number:x}": "formats number",
    "{index:,}": "formats index",
    "../{utc}": "climbs out of DIR",
    "a/../../{utc}": "climbs out of DIR",
    "{utc}/..": "climbs out of DIR",
    "./{utc}": "climbs out of DIR or stands still",
    "/tmp/{utc}": "begins with '/'",
    "a//{utc}": "a part that is empty",
    "{utc}/": "a part that is empty",
    ".hidden-{utc}": "begins with a dot",
    "{utc}.": "ends with a dot",
    "{utc} ": "ends with a dot or a blank",
    "C:{utc}": "holds ':'",
    "a\\{utc}": r"holds '\\\\'",
    "{utc}?": r"holds '\?'",
    "con/{utc}": "name of a device on Windows",
    "LPT1.{utc}": "name of a device on Windows",
    "{utc}.part": "marks files that still grow",
    "name": "two files a year apart the same: put %Y",
    "{device}": "two files a year apart",
    "{utc:%m%dT%H%M%S}": "two files a year apart the same: put %Y",
    "{utc:%Y}": "two files a month apart the same: put %m",
    "{utc:%Y%m}": "two files a day apart the same: put %d",
    "{utc:%Y%m%d}": "two files an hour apart the same: put %H",
    "{utc:%Y%m%dT%H}": "two files a minute apart the same: put %M",
    "{utc:%Y%m%dT%H%M}": "two files a second apart the same: put %S",
    "{utc:%f}": "two files a year apart the same",
    "x" * 200 + "{utc}": "gives names of 216 bytes",
    "ü" * 100 + "{utc}": "gives names of 216 bytes",
    "/".join(["x" * 100] * 4) + "{utc}": "gives names of 419 bytes",
    "{device}" * 4 + "{utc}": "gives names of 256 bytes",
}


@pytest.mark.parametrize("pattern", GOOD)
def test_a_good_pattern_passes_and_gives_a_name_below_the_folder(pattern: str) -> None:
    check_pattern(pattern)
    assert_plain(segment_name(pattern, UTC_NS, device="Mic", index=5, number=7))


@pytest.mark.parametrize("pattern", BAD)
def test_a_bad_pattern_is_refused_in_one_sentence(pattern: str) -> None:
    with pytest.raises(RequestError, match=BAD[pattern]) as refused:
        check_pattern(pattern)
    assert str(refused.value).startswith("record.name = ")
    assert "\n" not in str(refused.value)


def test_the_sentence_names_the_flag_that_was_given() -> None:
    with pytest.raises(RequestError, match=r"^--name = '' is empty"):
        check_pattern("", "--name")


def test_the_fields_are_filled_in() -> None:
    assert segment_name(PATTERN, UTC_NS) == "20261122T180000Z"
    assert segment_name("{utc}", UTC_NS) == "20261122T180000Z"
    pattern = "{utc:%Y-%m-%d/%H%M%S.%f} {device} {index} {number:04d} {channels} {rate}"
    name = segment_name(
        pattern, UTC_NS, device="USB Mic", index=99, number=12, channels=2, rate=96000
    )
    assert name == "2026-11-22/180000.123456 USB_Mic 99 0012 2 96000"


def test_a_clock_before_1980_gives_names_too() -> None:
    assert segment_name(PATTERN, 0) == "19700101T000000Z"
    assert segment_name(PATTERN, -1) == "19691231T235959Z"


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ("", "device"),
        ("hw:1,0", "hw_1_0"),
        ("../../etc/passwd", "etc_passwd"),
        ("C:\\Windows\\con", "C_Windows_con"),
        ("two\nlines\x00\x1b[31m", "two_lines_31m"),
        ("🎤 Mikrofon für Vögel", "Mikrofon_für_Vögel"),
        ("🎤🎤", "device"),
        ("Fu\u0308\u00df", "Füß"),
        ("a" * 300, "a" * LONGEST_DEVICE),
        ("ü" * 300, "ü" * (LONGEST_DEVICE // 2)),
        ("\udcff\udc00x", "x"),
        ("-rf", "rf"),
    ],
)
def test_what_a_device_calls_itself_becomes_safe_text(device: str, text: str) -> None:
    assert device_text(device) == text


def test_a_device_called_as_one_of_windows_is_no_trap() -> None:
    assert segment_name("{device}/{utc}", UTC_NS, device="CON") == "_CON/20261122T180000Z"
    assert segment_name("{device}", UTC_NS, device="nul") == "_nul"
    assert segment_name("{device}", UTC_NS, device="control") == "control"


@given(
    pattern=st.sampled_from(GOOD),
    device=st.text(max_size=300),
    utc_ns=st.integers(-(2**62), 2**62),
    index=st.integers(0, 2**53),
)
def test_whatever_a_device_is_called_the_name_is_plain(
    pattern: str, device: str, utc_ns: int, index: int
) -> None:
    assert_plain(segment_name(pattern, utc_ns, device=device, index=index))


@given(pattern=st.text(st.sampled_from("{}utc:%YmdHMSf/.\\ devicnumber-1")), device=st.text())
def test_a_pattern_is_refused_or_gives_plain_names(pattern: str, device: str) -> None:
    try:
        check_pattern(pattern)
    except RequestError:
        return
    assert_plain(segment_name(pattern, UTC_NS, device=device))


def assert_plain(name: str) -> None:
    assert name.isprintable()
    assert not set(name) & set('\\:*?"<>|')
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        assert not path.is_absolute() and not path.drive
        assert ".." not in path.parts
    for part in name.split("/"):
        assert part and part[0] != "." and part[-1] not in ". "
        assert 0 < len(part.encode()) <= LONGEST_PART


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert free_name("a", lambda name: False) == "a"
    assert free_name("a", {"a"}.__contains__) == "a-2"
    assert free_name("day/a", {"day/a", "day/a-2", "day/a-3"}.__contains__) == "day/a-4"
