"""What is refused before anything opens, in a sentence each, and nothing written outside DIR."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from realtime.cli import main


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Its sentences."""
    assert main(["record", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert all(line.startswith("realtime: ") for line in lines)
    return [line.removeprefix("realtime: ") for line in lines]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--segment", "soon"], "record.segment = 'soon' must be a time such as 90s, 10m, 1h30m"),
        (["--segment", "0.2s"], "record.segment = '0.2s' must be 1s to "),
        (["--depth", "12"], "record.depth = 12 must be one of 16, 24, 32 (try 24)"),
        (["--depth", "deep"], "record.depth = 'deep' must be a whole number (try 16)"),
        (["--depth", "32", "--format", "flac"], "record.depth = 32 is float, which FLAC cannot"),
        (["--format", "mp3"], "record.format = 'mp3' is unknown"),
        (["--name", "../{utc}"], "record.name = '../{utc}' climbs out of DIR"),
        (["--name", "/etc/{utc}"], "record.name = '/etc/{utc}' begins with '/'"),
        (["--name", "fixed"], "record.name = 'fixed' names two files a year apart the same"),
        (["--trigger", "loud"], "record.trigger: unknown trigger 'loud'"),
        (["--trigger", "level:db=40"], "record.trigger: level: db = '40' must be a number from"),
        (["--last", "2 weeks"], "record.last = '2 weeks' must be a time"),
        (["--keep", "30"], "record.keep = '30' could be a size or a time"),
        (["--min-free", "much"], "record.min_free = 'much' must be a size"),
        (["--when-full", "panic"], "record.when_full = 'panic' is unknown"),
        (["--health-file", "/dev/null"], "record.health_file = '/dev/null' must be a file"),
        (["--health-file", "/no/such/folder/x"], "record.health_file = '/no/such/folder/x' must"),
        (["--metrics-port", "0"], "record.metrics_port = 0 must be at least 1"),
        (["--last", "5m", "--set", "audio.ring_seconds=60"], "audio.ring_seconds = 60 is less"),
        (["--seconds", "0"], "--seconds = '0' must be a number above 0"),
    ],
)
def test_settings_are_checked_before_anything_opens(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (said,) = refused(capsys, "out", "noise", *arguments)
    assert said.startswith(sentence)
    assert not (tmp_path / "out").exists()


def test_all_faults_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(
        capsys, "out", "nois", "--segment", "x", "--depth", "7", "--keep", "y", "--name", "z"
    )
    assert len(said) == 5


@pytest.mark.parametrize(
    ("places", "sentence"),
    [
        (["a", "noise", "b"], "3 places: name one DIR, or a SOURCE behind each DIR (as in: "),
        (["a", "noise", "./a", "demo"], "DIR '"),
        (["a", "noise", "./a/b", "demo"], "/a': name folders that lie beside each other"),
        (["mic"], "DIR 'mic' is the name of a source: name a folder before it (as in: pond mic, "),
        (["a", "noise", "tone:440", "demo"], "DIR 'tone:440' is the name of a source"),
        (["no/such/place"], "DIR 'no/such/place' lies in no folder that is there: make it first"),
        (["/dev/null"], "DIR '/dev/null' is a file: name a folder"),
        (["/proc"], "DIR '/proc' cannot be written ("),
    ],
)
def test_places_are_checked_too(
    places: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert any(sentence in said for said in refused(capsys, *places))


def test_a_link_in_place_of_the_lock_leads_nowhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "precious"
    target.write_text("kept")
    (tmp_path / "out" / ".realtime.lock").symlink_to(target)
    with contextlib.suppress(SystemExit):
        main(["record", "out", "noise", "--seconds", "0.5"])
    assert target.read_text() == "kept"
    capsys.readouterr()


def test_a_name_is_made_safe_and_stays_in_the_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hostile = tmp_path / "..\n name; $(rm)\t'\".wav"
    import numpy as np
    import soundfile

    soundfile.write(hostile, np.zeros(4800), 48000)
    assert main(["record", "out", str(hostile), "--name", "{device}/{utc}"]) == 0
    capsys.readouterr()
    found = [
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    ]
    inside = [path for path in found if path.startswith("out/")]
    assert len(inside) == 3 and len(found) == 4
    assert all(path.isprintable() and not set('\\:*?"<>|;$') & set(path) for path in inside)
    assert os.listdir(tmp_path / "out") != []
