"""What a crash left behind is finished, and what is none of ours is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from captures import RATE, capture, recorded, recorder, sidecars

from realtime.engine.status import Cause
from realtime.errors import RecordingError
from realtime.recording import sidecar
from realtime.recording.recovery import finish, parts


@pytest.fixture
def part(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, np.ndarray]:
    """A part of 3.5 s with a gap that ends behind its last sample, and the samples."""
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, None)
        captured.hear(2.0)
        captured.lose(1.5, Cause.RESTART)
        writer.step(captured.now)
        samples = captured.samples
        assert writer._segment is not None
        writer._segment.give_up()  # as a killed process lets go of it
    (base,) = parts(tmp_path)
    return base, samples


def test_a_part_gets_its_name_and_a_whole_sidecar(part: tuple[Path, np.ndarray]) -> None:
    base, samples = part
    assert list(finish(base))
    assert np.array_equal(recorded(base.parent), samples)
    (values,) = sidecars(base.parent)
    assert (values["ended"], values["start"], values["stop"]) == ("interrupted", 0, 3.5 * RATE)
    assert values["gaps"] == [{"index": 2 * RATE, "length": 1.5 * RATE, "cause": "restart"}]
    assert values["levels"]["peak_dbfs"] == pytest.approx([0, 0], abs=0.1)
    lasted = sidecar.utc_ns(values["utc_end"]) - sidecar.utc_ns(values["utc_start"])
    assert lasted == 3.5e9
    assert not parts(base.parent)
    assert list(finish(base)) == []  # doing it again does no harm


def test_only_samples_that_are_safe_count(part: tuple[Path, np.ndarray]) -> None:
    base, samples = part
    list(finish(base, "disk", 3 * RATE))
    assert np.array_equal(recorded(base.parent), samples[: 3 * RATE])
    (values,) = sidecars(base.parent)
    assert values["gaps"] == [{"index": 2 * RATE, "length": RATE, "cause": "restart"}]


def test_a_crash_between_sidecar_and_name_is_mended(part: tuple[Path, np.ndarray]) -> None:
    base, samples = part
    list(finish(base))
    base.with_suffix(".wav").rename(f"{base}.part.wav")
    list(finish(base))
    assert np.array_equal(recorded(base.parent), samples)


@pytest.mark.parametrize(
    "change",
    [
        {"start": "0"}, {"gaps": [{"index": 1}]}, {"gaps": 3}, {"utc_start": "yesterday"},
        {"sample_rate": 0}, {"format": "another"}, {"version": 2},
    ],
)  # fmt: skip
def test_an_odd_sidecar_leaves_the_part_as_it_is(
    part: tuple[Path, np.ndarray], change: dict
) -> None:
    base, _ = part
    note, sound = Path(f"{base}.part.json"), Path(f"{base}.part.wav")
    note.write_text(json.dumps({**json.loads(note.read_text()), **change}))
    with pytest.raises(RecordingError, match="as it is"):
        list(finish(base))
    assert sound.exists() and note.exists()


def test_a_part_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "song.part.wav").write_bytes(b"RIFF and so on")
    with pytest.raises(RecordingError, match="no sidecar that says what it is"):
        list(finish(tmp_path / "song"))
    assert (tmp_path / "song.part.wav").read_bytes() == b"RIFF and so on"


def test_a_part_whose_header_is_broken_is_left_alone(part: tuple[Path, np.ndarray]) -> None:
    base, _ = part
    path = base.with_name(f"{base.name}.part.wav")
    data = bytearray(path.read_bytes())
    rate = data.index(b"fmt ") + 12
    data[rate : rate + 8] = b"\xff" * 8  # Hz, and bytes a second
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="cannot be read"):
        list(finish(base))
    assert path.exists()
