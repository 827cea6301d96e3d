"""doctor: what it finds here, and what it says where something is missing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from realtime.commands import checks, install_checks, screen_checks, sound_checks
from realtime.config import AudioSettings


def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "realtime", "doctor", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.pulse
def test_it_listens_to_the_microphone_and_finds_everything_here(
    pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    pulse.feed_counter(30)
    done = doctor("--json", "--seconds", "1")
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert report["ready"]
    found = {check["name"]: check for check in report["checks"]}
    sound = ("Python", "libraries", "name", "PortAudio", "sound server", "microphone", "capture")
    assert {name: found[name]["state"] for name in sound} == dict.fromkeys(sound, "ok"), found
    assert found["capture"]["text"].startswith("48000 Hz, blocks come every ")
    assert found["sound server"]["text"].startswith("PulseAudio")
    assert found["OpenGL"]["state"] == "ok"
    assert found["terminal"]["state"] == "note"


@pytest.mark.pulse
def test_it_says_so_when_the_microphone_is_silent(pulse) -> None:
    done = doctor("--seconds", "1")
    assert done.returncode == 0
    assert "only exact zeros" in done.stdout
    assert "-> unmute it" in done.stdout
    assert done.stdout.endswith("'realtime live' can run.\n")


def test_its_own_options_are_checked_too() -> None:
    done = doctor("--seconds", "no", "--set", "audio.blok=3")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "realtime: unknown key 'audio.blok', did you mean 'block'?",
        "realtime: --seconds = 'no' must be a number above 0, a year at most (try 10)",
    ]


def test_a_namesake_is_named_with_the_line_that_removes_it() -> None:
    folder = Path("/somewhere/realtime")
    alone = install_checks.namesakes({"realtime": ["realtime-spectrogram"]}, folder)
    assert alone.state == "ok"
    assert install_checks.namesakes({}, folder).state == "ok"  # an editable checkout
    both = install_checks.namesakes({"realtime": ["realtime-spectrogram", "realtime"]}, folder)
    assert both.state == "missing"
    assert both.fix.startswith("pip uninstall realtime;")


def test_the_pair_of_python_and_qt_that_aborts_is_refused() -> None:
    assert install_checks.lost_reference("6.12.0", (3, 11, 7))
    assert not install_checks.lost_reference("6.12.0", (3, 12, 0))
    assert not install_checks.lost_reference("6.11.3", (3, 11, 7))


@pytest.mark.parametrize(
    ("free", "state", "text"),
    [
        (float("inf"), "ok", "room for 600 s of sound"),
        (64e6, "note", "64 MB free: 166 s of sound can be kept instead of 600"),
        (1e5, "missing", "0 MB free: 0 s of sound can be kept instead of 600"),
    ],
)
def test_shared_memory_is_measured_in_seconds_of_sound(free: float, state: str, text: str) -> None:
    check = sound_checks.memory(AudioSettings(sample_rate=48000), free)
    assert (check.state, check.text) == (state, text)
    assert bool(check.fix) == (state != "ok")


def test_a_sound_server_counts_when_it_answers(tmp_path: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    (tmp_path / "pipewire-0").touch()  # left behind by one that died
    assert "PipeWire" not in sound_checks.servers(environment).text
    (tmp_path / "pipewire-0").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "pipewire-0"))
        server.listen()
        assert sound_checks.servers(environment).text.startswith("PipeWire")


def test_pulseaudio_without_alsas_plugin_gets_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_checks, "PLUGIN_PLACES", (str(tmp_path),))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "native"))
        server.listen()
        check = sound_checks.servers({"PULSE_SERVER": f"unix:{tmp_path}/native"})
    assert check.state == "note"
    assert "libasound2-plugins" in check.fix or "libasound_module_pcm_pulse.so" in check.fix


def test_lateness_is_told_as_median_and_99th_percentile() -> None:
    intervals = [0.005] * 98 + [0.010, 0.020]
    late = [0.0] * 50 + [0.002] * 49 + [0.030]
    assert sound_checks.capture_text(intervals, late, 7, 48000) == (
        "48000 Hz, blocks come every 5.0 ms (99 %: 20.0 ms), late by 1.0 ms (99 %: 30.0 ms), "
        "7 samples lost"
    )


QT_COMPLAINS = """\
qt.qpa.plugin: From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb platform
qt.qpa.plugin: Could not load the Qt platform plugin "xcb" in "" even though it was found.
"""


def test_a_library_that_qt_misses_is_named_with_its_package() -> None:
    text, fix = screen_checks.failure(QT_COMPLAINS, ["libxcb-cursor.so.0"])
    assert text == "libxcb-cursor.so.0 not found: no window"
    assert "libxcb-cursor" in fix
    complaint = "ImportError: libEGL.so.1: cannot open shared object file: No such file"
    assert screen_checks.failure(complaint, [])[0] == "libEGL.so.1 not found: no window"


def test_a_probe_that_fails_for_another_reason_is_quoted() -> None:
    text, _ = screen_checks.failure("Traceback ...\nRuntimeError: no OpenGL context\n", [])
    assert text == "no OpenGL (RuntimeError: no OpenGL context): no window"
    assert screen_checks.failure("", [])[0] == "no OpenGL (it ended without a word): no window"
    text, fix = screen_checks.failure("ModuleNotFoundError: No module named 'vispy'", [])
    assert fix == checks.GUI_EXTRA


def test_a_driver_that_kills_the_probe_does_not_kill_the_doctor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":97531")  # Qt aborts
    check = screen_checks.opengl("window")
    assert check.state == "note"
    assert check.text.endswith("no window")


def test_nothing_of_qt_is_missing_where_the_window_works() -> None:
    assert find_spec("PySide6") is not None
    assert screen_checks.missing_libraries() == []
    assert screen_checks.opengl("offscreen").state == "ok"


def test_debian_is_told_packages_and_other_systems_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/apt")
    assert checks.install_line(["libGL.so.1"], "mesa") == "sudo apt install libgl1 mesa"
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "libGL.so.1" in checks.install_line(["libGL.so.1"])
    monkeypatch.setattr(sys, "platform", "darwin")
    assert checks.install_line(["libGL.so.1"]).startswith("pip install")
