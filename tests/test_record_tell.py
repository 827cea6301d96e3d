"""How a recorder tells people, programs, Prometheus and systemd how it is doing."""

from __future__ import annotations

import json
import socket
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from realtime.commands import record_tell
from realtime.commands.record_tell import Lines, duration, picture
from realtime.errors import RequestError
from realtime.recording.health import Health, is_well, replace_file
from realtime.recording.metrics import Metrics
from realtime.recording.notify import ALIVE, READY, notify

HEALTH = Health(
    seconds=3725.0, folder="pond", device="a [red]microphone\n", sample_rate=48000, channels=2,
    state="recording", file="20261123T180000Z", peak_dbfs=[-6.0, -144.0], rms_dbfs=[-12.0, -144.0],
    clipped=[True, False], captured_samples=48000, recorded_samples=48000, files=3, gaps=1,
    missing_samples=24000, missed_samples=0, behind_seconds=0.1, sync_age=0.2,
    free_bytes=12_000_000_000, seconds_left=90_000.0, drift_ppm=3.4, clock_steps=0, chores=0,
    restarts=0, alarms={},
)  # fmt: skip


def test_a_line_comes_when_something_changes_and_else_every_ten_seconds(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, now = Lines(), 0.0
    monkeypatch.setattr(record_tell.time, "perf_counter", lambda: now)
    told = []
    for second in range(1, 31):
        now = float(second)
        health = replace(HEALTH, alarms={"gaps": "lost"} if second >= 15 else {})
        lines.tell([health], last=False)
        told += [second] * len(capfd.readouterr().out.splitlines())
    assert told == [1, 11, 15, 25]


def test_a_line_is_one_json_object_with_the_units_of_its_docstring(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Lines().tell([HEALTH, replace(HEALTH, device="another")], last=True)
    first, second = map(json.loads, capfd.readouterr().out.splitlines())
    assert (first["device"], second["device"]) == ("a [red]microphone\n", "another")
    assert first["last"] is True and first["peak_dbfs"] == [-6.0, -144.0]


def shown(healths: list[Health], width: int) -> list[str]:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(picture(healths))
    console.file.close()
    return console.export_text().splitlines()


def test_the_terminal_shows_meters_figures_and_alarms() -> None:
    alarmed = replace(HEALTH, alarms={"silence": "exactly silent for 31 s: is it muted?"})
    assert [row.rstrip() for row in shown([alarmed], 80)[:6]] == [
        "● recording 20261123T180000Z · a [red]microphone  · pond",
        "████████████████████████░░░   ▏  -6.0 dBFS CLIPPED",
        "                              ▏  silent",
        "1 h 02 min · 48000 Hz · 3 files · 1 gap (0.50 s) · drift +3.4 ppm",
        "12.0 GB free · 1 d 1 h left",
        "! exactly silent for 31 s: is it muted?",
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_row_of_the_terminal_is_broken(width: int) -> None:
    long = replace(HEALTH, device="USB Audio Device: analog stereo " * 5, files=123_456)
    assert len(shown([long, HEALTH], width)) == len(shown([HEALTH, HEALTH], width)) == 13


def test_durations_are_short() -> None:
    texts = [duration(seconds) for seconds in (5, 185, 3725, 200_000)]
    assert texts == ["0:05", "3:05", "1 h 02 min", "2 d 7 h"]


def test_the_watchdog_is_fed_only_if_samples_moved_and_the_disk_takes_them() -> None:
    later = replace(HEALTH, captured_samples=96000)
    assert is_well([HEALTH], [later])
    assert not is_well([HEALTH], [HEALTH])
    assert not is_well([HEALTH], [replace(later, alarms={"disk": "it fails"})])
    assert not is_well([HEALTH, HEALTH], [later, HEALTH])


def test_systemd_hears_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notify(READY)  # nobody listens
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify(ALIVE, "STATUS=recording")
        assert systemd.recv(100) == b"WATCHDOG=1\nSTATUS=recording"
    notify(READY)  # it has gone


def test_the_health_file_is_never_half(tmp_path: Path) -> None:
    path = tmp_path / "health.json"
    replace_file(path, "one")
    with path.open() as held:
        replace_file(path, "two")
        assert held.read() == "one" and path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_prometheus_reads_the_metrics() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    metrics = Metrics(port)
    try:
        metrics.update([replace(HEALTH, device="mic")])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        with pytest.raises(RequestError, match=f"record.metrics_port = {port} of 127.0.0.1 cannot"):
            Metrics(port)
    finally:
        metrics.stop()
    assert 'realtime_missing_samples_total{device="mic",folder="pond"} 24000.0' in text
    assert 'realtime_recording{device="mic",folder="pond"} 1.0' in text
