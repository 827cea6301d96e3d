"""What files say about themselves, as programs read it that nobody here wrote."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import guano
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from wavs import head_of, sound

from realtime.recording import metadata as md
from realtime.recording import riff
from realtime.recording.metadata import Metadata
from realtime.recording.wav import WavWriter

RATE = 48_000
MOMENT = datetime(2024, 5, 6, 12, 53, 20, 123_456, UTC)
UTC_NS = 1_715_000_000_123_456_789
METADATA = Metadata(
    UTC_NS,
    "Möwe USB",
    "a17-000480000",
    {"Make": "Someone", "Loc Position": "47.3769 8.5417", "Note": "one\ntwo", "realtime|Gaps": "2"},
)


def record(path: Path, rng, metadata: Metadata = METADATA, depth: int = 24, seconds: float = 0.5):
    writer = WavWriter(path, RATE, 2, depth, metadata)
    writer.write(sound(rng, round(seconds * RATE)))
    return writer


def tags_by_ffprobe(path: Path) -> dict[str, str]:
    command = ["ffprobe", "-v", "error", "-show_entries", "format_tags", "-of", "json", path]
    result = subprocess.run(command, check=True, capture_output=True, timeout=20)
    return json.loads(result.stdout)["format"]["tags"]


@pytest.mark.parametrize("depth", [16, 24])
def test_guanos_own_reader_reads_every_field(tmp_path, rng, depth):
    record(tmp_path / "a.wav", rng, depth=depth).close()
    read = guano.GuanoFile(str(tmp_path / "a.wav"), strict=True)
    assert read["GUANO|Version"] == "1.0"
    assert read["Timestamp"] == MOMENT.replace(microsecond=123_000)
    assert read["Timestamp"].utcoffset().total_seconds() == 0
    assert read["Samplerate"] == RATE
    assert read["Length"] == 0.5
    assert read["Loc Position"] == (47.3769, 8.5417)
    assert read["Note"] == "one\ntwo"
    assert read["realtime|Gaps"] == "2"
    assert read["Original Device"] == "Möwe USB"


def test_a_file_that_still_grows_claims_no_length(tmp_path, rng):
    writer = record(tmp_path / "a.wav", rng)
    writer.sync()
    read = guano.GuanoFile(str(tmp_path / "a.wav"), strict=True)
    assert "Length" not in read
    assert read["realtime|Gaps"] == "2"
    writer.close()


@pytest.mark.parametrize("large", [False, True])
def test_ffprobe_shows_the_broadcast_chunk(tmp_path, rng, monkeypatch, large):
    if large:  # RF64
        monkeypatch.setattr(riff, "RIFF_MOST", 10_000)
    record(tmp_path / "a.wav", rng).close()
    assert head_of(tmp_path / "a.wav")[:4] == (b"RF64" if large else b"RIFF")
    tags = tags_by_ffprobe(tmp_path / "a.wav")
    assert tags["date"] == "2024-05-06"
    assert tags["creation_time"] == "12:53:20"
    assert tags["originator_reference"] == "a17-000480000"
    assert tags["encoded_by"] == "realtime"
    assert tags["comment"] == "M?we USB"
    seconds = 12 * 3600 + 53 * 60 + 20 + UTC_NS % 10**9 / 1e9
    assert int(tags["time_reference"]) == int(seconds * RATE)


def test_what_became_known_is_put_in_place_as_the_file_is_sealed(tmp_path, rng):
    writer = record(tmp_path / "a.wav", rng)
    later = Metadata(UTC_NS + 10**9, "x" * 1000, "b", {"realtime|Ended": "signal"})
    writer.close(later)
    read = guano.GuanoFile(str(tmp_path / "a.wav"), strict=True)
    assert read["Timestamp"].second == 21
    assert read["Length"] == 0.5
    assert read["realtime|Ended"] == "signal"
    assert "realtime|Gaps" not in read
    tags = tags_by_ffprobe(tmp_path / "a.wav")
    assert (tags["creation_time"], tags["comment"]) == ("12:53:21", "x" * 256)
    assert soundfile.info(tmp_path / "a.wav").frames == RATE // 2


def test_text_that_does_not_fit_is_left_out_line_by_line(tmp_path, rng):
    fields = {"Make": "m", "Note": "n" * 5000, "Model": "o"}
    record(tmp_path / "a.wav", rng, Metadata(UTC_NS, "d", "r", fields)).close()
    read = guano.GuanoFile(str(tmp_path / "a.wav"), strict=True)
    assert (read["Make"], read["Model"], read["Length"]) == ("m", "o", 0.5)
    assert "Note" not in read


@settings(max_examples=50)
@given(
    device=st.text(max_size=80),
    fields=st.dictionaries(st.text("ab |", min_size=1), st.text(max_size=60), max_size=9),
    room=st.integers(200, 3000),
    seconds=st.floats(0, 1e9),
)
def test_the_chunk_keeps_its_size_and_its_lines_whatever_is_in_it(device, fields, room, seconds):
    chunk = md.guano(Metadata(0, device, "", fields), RATE, room)
    assert len(chunk) == room
    sealed = md.with_length(chunk, seconds)
    assert len(sealed) == room
    lines = chunk.decode().rstrip(" ").splitlines()
    others = [line for line in sealed.decode().rstrip(" ").splitlines() if "Length: " not in line]
    assert others == lines
    assert md.with_length(md.with_length(chunk, 1e8), seconds) == sealed


@given(st.integers(-(2**62), 2**62))
def test_any_moment_can_be_told(utc_ns):
    """A clock that was never set is before 1980, one that was set wrong anywhere."""
    metadata = Metadata(utc_ns)
    assert len(md.bext(metadata, RATE)) == md.BEXT_BYTES
    assert b"Timestamp: " in md.guano(metadata, RATE, 300)
