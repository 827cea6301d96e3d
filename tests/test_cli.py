"""The command line as people and scripts use it: a process, exit codes and sentences."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

import realtime
from realtime import cli
from realtime.commands import live, request
from realtime.commands.views import VIEWS, Surroundings, View, choose_view
from realtime.config import DisplaySettings
from realtime.errors import RequestError, SettingsError
from realtime.view.display import find_display
from realtime.view.model import LiveModel

HEAVY = ("numpy", "scipy", "pydantic", "sounddevice", "soundfile", "rich", "blessed", "cmap",
         "vispy", "PySide6", "multiprocessing")  # fmt: skip
SECONDS = 60
"""After which a process of these tests hangs."""


@pytest.fixture(autouse=True)
def without_sound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No microphone, no sound server, no display, whatever this machine has."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "REALTIME_DEBUG", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "asound.conf").write_text("</usr/share/alsa/alsa.conf>\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nowhere")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "none")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "realtime", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=SECONDS, check=False
    )


def refused(*arguments: str) -> list[str]:
    """The sentences with which a request is refused: exit code 2 and nothing on standard output."""
    done = run(*arguments)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return [line.removeprefix("realtime: ") for line in done.stderr.splitlines()]


@pytest.mark.parametrize("arguments", [["--help"], ["live", "--help"], ["--version"], ["liv"]])
def test_nothing_heavy_is_imported_before_a_command_runs(arguments: Sequence[str]) -> None:
    script = f"""
import sys
from realtime.cli import main
try:
    main({arguments!r})
except SystemExit:
    pass
print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert done.stderr.splitlines()[-1:] == [""]


def test_help_names_every_command_and_exits_with_0() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f"\n    {name} " in done.stdout for name in ("live", "devices", "doctor"))


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout == f"realtime {realtime.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            [],
            "name a command: live, monitor, record, render, invert ... ('realtime --help' shows "
            "what there is)",
        ),
        (["liv"], "unknown command 'liv', did you mean 'live'?"),
        (["live", "--sconds", "3"], "unknown option '--sconds', did you mean '--seconds'?"),
        (["live", "--sec", "3"], "unknown option '--sec', did you mean '--set'?"),
        (["live", "demo", "noise"], "live cannot use 'noise' ('realtime live --help' shows what"),
        (["live", "--seconds"], "argument --seconds: expected one argument ('realtime live --h"),
    ],
)
def test_a_slip_of_the_pen_gets_one_sentence(arguments: list[str], sentence: str) -> None:
    (told,) = refused(*arguments)
    assert told.startswith(sentence)


def test_every_fault_of_a_request_is_told_at_once(tmp_path: Path) -> None:
    told = refused(
        "live", "toone:3", "--preset", "speach", "--set", "stft.n_fft=big", "--channels", "0",
        "--seconds", "-3", "--view", "windo", "--screenshot", str(tmp_path / "no" / "x.png"),
    )  # fmt: skip
    assert told == [
        "unknown view 'windo', did you mean 'window'?",
        "unknown preset 'speach', did you mean 'speech'?",
        "stft.n_fft = 'big' must be a whole number (try 4096)",
        "audio.channels = 0 must be at least 1 (try 1)",
        "unknown source 'toone:3', did you mean 'tone'?",
        "--seconds = '-3' must be a number above 0, a year at most (try 10)",
        f"--screenshot '{tmp_path}/no/x.png': there is no folder '{tmp_path}/no'; make it first",
    ]


@pytest.mark.parametrize("seconds", ["0", "nan", "inf", "1e99", "soon", ""])
def test_seconds_that_are_none_are_refused(seconds: str) -> None:
    (told,) = refused("live", "demo", "--view", "none", "--seconds", seconds)
    assert told.startswith(f"--seconds = '{seconds}' must be a number above 0")


def test_a_screenshot_needs_a_name_and_an_end(tmp_path: Path) -> None:
    assert "must end in .png" in refused("live", "--screenshot", "a.jpg", "--seconds", "1")[0]
    assert "give both (try 5)" in refused("live", "--screenshot", "a.png")[0]
    (tmp_path / "folder.png").mkdir()
    told = refused("live", "--screenshot", str(tmp_path / "folder.png"), "--seconds", "1")
    assert told[0].endswith("is a folder: name a file in it")


def test_a_named_microphone_that_is_not_there_is_an_error() -> None:
    assert refused("live", "mic:nosuch", "--view", "none")[0].startswith("no microphone was found")
    assert refused("live", "mic", "--view", "none")[0].startswith("no microphone was found")


def test_a_file_that_is_not_audio_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    (told,) = refused("live", str(tmp_path / "text.wav"), "--view", "none")
    assert "text.wav" in told


def here(display: bool = False, gui: bool = True, terminal: bool = False) -> Surroundings:
    return Surroundings(display, "" if display else "no $DISPLAY", gui, terminal)


@pytest.mark.parametrize(
    ("surroundings", "options", "view"),
    [
        (here(display=True, terminal=True), {}, "window"),
        (here(display=True, gui=False, terminal=True), {}, "terminal"),
        (here(terminal=True), {}, "terminal"),
        (here(), {}, "none"),
        (here(display=True, terminal=True), {"json": True}, "none"),
        (here(terminal=True), {"screenshot": True}, "window"),
        (here(), {"screenshot": True}, "window"),
    ],
)
def test_auto_takes_the_best_view_there_is(
    surroundings: Surroundings, options: dict[str, bool], view: str
) -> None:
    asked = {"json": False, "screenshot": False, **options}
    assert choose_view("auto", surroundings, **asked) == view


def test_a_view_asked_for_is_taken_or_refused_but_never_another_one() -> None:
    everything = here(display=True, gui=True, terminal=True)
    for view in VIEWS[1:]:
        assert choose_view(view, everything, json=False, screenshot=False) == view
    for view, surroundings in (
        ("window", here(display=True, gui=False)),
        ("window", here(terminal=True)),
        ("terminal", here(display=True)),
    ):
        with pytest.raises(RequestError):
            choose_view(view, surroundings, json=False, screenshot=False)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        yield tmp_path / "wayland-7"


def test_a_display_is_one_that_answers(listening: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(listening.parent), "WAYLAND_DISPLAY": "wayland-7"}
    assert find_display(environment, "linux") == ""
    environment["WAYLAND_DISPLAY"] = "wayland-8"
    assert find_display(environment, "linux") == "nothing answers at $WAYLAND_DISPLAY = 'wayland-8'"
    environment["DISPLAY"] = ":97531"
    assert find_display(environment, "linux") == "nothing answers at $DISPLAY = ':97531'"
    assert find_display({"DISPLAY": "localhost:11.0.0"}, "linux").endswith("is no display")
    assert find_display({}, "linux").startswith("neither $DISPLAY")
    assert find_display({}, "darwin") == ""


def test_without_a_microphone_the_demo_plays_and_says_so() -> None:
    done = run("live", "--json", "--seconds", "1.2")
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["last"] for line in lines] == [False, True]
    assert all(line["device"] == "demo" and line["lost_samples"] == 0 for line in lines)
    assert all(line["message"].endswith("; playing the demo") for line in lines)
    assert done.stderr.count("; playing the demo") == 1


@pytest.mark.parametrize("configuration", ["", "nonsense\n"])
def test_a_broken_sound_configuration_is_told_and_the_demo_plays_unless_a_microphone_was_named(
    configuration: str, tmp_path: Path
) -> None:
    """On an empty one PortAudio aborts its process, on the other it refuses to start."""
    (tmp_path / "asound.conf").write_text(configuration)
    done = run("live", "--json", "--seconds", "1.2")
    assert done.returncode == 0
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["device"] == "demo"
    assert line["message"].endswith("; playing the demo")
    assert done.stderr == f"realtime: {line['message']}\n"
    done = run("live", "mic", "--view", "none")
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert f"{done.stderr.strip()}; playing the demo" == f"realtime: {line['message']}"


@pytest.mark.parametrize("flag", [["--channels", "2"], ["--set", "audio.sample_rate=8000"]])
def test_the_demo_does_not_stand_in_for_a_microphone_with_special_wishes(flag: list[str]) -> None:
    assert refused("live", "--view", "none", *flag)[0].startswith("no microphone was found")


def test_a_tone_of_half_of_full_scale_is_measured_as_that() -> None:
    done = run("live", "tone:1000", "--channels", "2", "--json", "--seconds", "1.2")
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["channels"] == 2
    assert line["peak_dbfs"] == pytest.approx([-6.02, -6.02], abs=0.1)


def test_a_file_plays_to_its_end_and_the_command_ends(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "half.wav", np.full((4000, 2), 0.5), 8000)
    done = run("live", str(tmp_path / "half.wav"), "--view", "none")
    assert done.returncode == 0
    assert "in all" in done.stderr.splitlines()[-1]
    assert "peak -6 -6 dB" in done.stderr


def test_a_file_with_values_that_are_no_sound_plays_and_is_told(tmp_path: Path) -> None:
    sound = np.full((4000, 2), 0.5, np.float32)
    sound[7, 0], sound[3990] = np.nan, np.inf
    soundfile.write(tmp_path / "holes.wav", sound, 8000, subtype="FLOAT")
    done = run("live", str(tmp_path / "holes.wav"), "--json")
    assert done.returncode == 0
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["peak_dbfs"] == pytest.approx([-6.02, -6.02], abs=0.1)
    told = [text.removeprefix("realtime: ") for text in done.stderr.splitlines()]
    assert told[0].startswith("'holes.wav' holds values that are no sound (NaN or infinite)")
    assert told[-1] == "3 NaN or infinite values of 'holes.wav' became zeros"


@pytest.mark.parametrize(
    ("number", "everyone"),
    [(signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGHUP, True)],
    ids=["kill", "ctrl-c", "hang-up"],
)
def test_a_signal_ends_it_in_order(number: int, everyone: bool) -> None:
    """everyone : a terminal sends it to all processes of its session."""
    running = subprocess.Popen(
        command("live", "demo", "--json"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        assert not json.loads(running.stdout.readline())["last"]
        family = psutil.Process(running.pid).children(recursive=True)
        assert family
        (os.killpg if everyone else os.kill)(running.pid, number)
        rest, complaint = running.communicate(timeout=SECONDS)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0
    assert complaint == ""
    assert json.loads(rest.splitlines()[-1])["last"]
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    running = subprocess.Popen(
        command("live", "demo", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(SECONDS) == 0
        assert running.stderr.read() == ""
    finally:
        running.kill()
        running.wait()
        running.stderr.close()  # type: ignore[union-attr]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_does_not_fit_is_told() -> None:
    asked = command("live", "tone:1000", "--seconds", "0.5", "--json")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            asked, stdout=full, stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False
        )
    sentence = "standard output cannot be written (No space left on device): free space where it"
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(f"realtime: {sentence}")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DisplaySettings]:
    """What a window shows that remembers a band of 5 to 6 kHz and viridis."""
    remembered = {
        "display.f_low": 5000.0, "display.f_high": 6000.0, "display.colormap": "viridis",
    }  # fmt: skip
    models: list[LiveModel] = []
    monkeypatch.setattr(request, "_remembered", lambda: remembered)
    monkeypatch.setattr(Surroundings, "here", lambda: here(display=True))
    monkeypatch.setattr(View, "prepared", lambda _view: models.append)

    def open_with(*arguments: str) -> DisplaySettings:
        assert live.run(cli.build_parser().parse_args(["live", *arguments])) == 0
        return models[-1].settings.display

    return open_with


def test_what_is_remembered_and_does_not_fit_what_was_asked_for_is_left_out(
    opened: Callable[..., DisplaySettings],
) -> None:
    display = opened("tone:440", "--set", "display.f_high=4000")
    assert (display.f_low, display.f_high, display.colormap) == (30.0, 4000.0, "viridis")


def test_what_is_remembered_and_does_not_fit_the_source_is_left_out(
    opened: Callable[..., DisplaySettings], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "slow.wav", np.zeros(4000), 8000)
    display = opened(str(tmp_path / "slow.wav"))
    assert (display.f_low, display.colormap) == (30.0, "viridis")
    with pytest.raises(SettingsError, match="must be below 4000 Hz, half"):
        opened(str(tmp_path / "slow.wav"), "--set", "display.f_low=4500")


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a module of our own before a library, for the processes these tests start."""

    def put(name: str, content: str) -> None:
        (tmp_path / "stubs").mkdir(exist_ok=True)
        (tmp_path / "stubs" / f"{name}.py").write_text(content)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "stubs"))

    return put


def test_without_the_portaudio_library_all_but_the_microphone_works(
    stub: Callable[[str, str], None],
) -> None:
    stub("sounddevice", "raise OSError('PortAudio library not found')")
    done = run("live", "--view", "none", "--seconds", "0.2")
    assert done.returncode == 0
    assert "the PortAudio library is missing" in done.stderr
    assert "; playing the demo" in done.stderr
    for arguments in (["live", "mic", "--view", "none"], ["devices"]):
        done = run(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("realtime: the PortAudio library is missing, no sound device")
        assert "install" in done.stderr
    done = run("doctor")
    assert done.returncode == 1
    assert "missing PortAudio" in done.stdout
    assert done.stdout.endswith("cannot run until what is missing is installed.\n")


def test_a_window_that_cannot_be_opened_is_told_and_replaced_unless_it_was_named(
    stub: Callable[[str, str], None], listening: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(listening.parent))
    monkeypatch.setenv("WAYLAND_DISPLAY", listening.name)
    stub("PySide6", "raise ImportError('libEGL.so.1: cannot open shared object file')")
    done = run("live", "demo", "--seconds", "0.2")
    assert done.returncode == 0
    assert "the window cannot be opened (libEGL.so.1: cannot open" in done.stderr
    assert "0.2 s in all" in done.stderr
    done = run("live", "demo", "--view", "window", "--seconds", "0.2")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["live", "demo", "--seconds", "0.3", "--view", "none"], ["devices"]]
)
def test_what_lies_in_the_current_folder_is_not_imported(
    tmp_path: Path, arguments: list[str]
) -> None:
    for name in ("json", "pickle", "random", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "realtime", *arguments],
        cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "stranger" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", "P", "-o", "x.png"], ["render", "S", "-o", "P.png"], ["info", "P"],
        ["invert", "P", "-o", "x.wav"], ["invert", "S", "-o", "P.wav"], ["live", "P"],
        ["effect", "S", "-o", "P.wav"], ["record", "P", "demo"],
        ["record", "x", "tone:3", "--health-file", "P"],
    ],
)  # fmt: skip
def test_a_name_that_is_too_long_is_no_internal_error(tmp_path: Path, arguments: list[str]) -> None:
    soundfile.write(tmp_path / "S", np.zeros(100), 8000, format="WAV")
    words = [word.replace("P", "P" * 300).replace("S", str(tmp_path / "S")) for word in arguments]
    done = run(*words)
    assert done.returncode in (1, 2) and done.stderr.count("\n") == 1
    assert "internal" not in done.stderr and "PPP" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8:strict", "cp1252:strict", "ascii:strict"])
def test_names_that_standard_output_cannot_say_are_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    name = os.fsdecode("日ü.wav".encode() + b"\xfe.wav")
    with open(tmp_path / name, "wb") as file:
        soundfile.write(file, np.zeros(4800), 48000, format="WAV")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = subprocess.run(
        command("live", str(tmp_path / name), "--json"),
        capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and json.loads(done.stdout.splitlines()[-1])["last"]
    shown = subprocess.run(
        command("info", str(tmp_path / name)), capture_output=True, timeout=SECONDS, check=False
    )
    assert b"is no picture" in shown.stderr


def test_devices_lists_none_where_there_is_none() -> None:
    done = run("devices")
    assert (done.returncode, done.stdout) == (0, "")
    assert "'realtime doctor' looks for the cause" in done.stderr
    assert json.loads(run("devices", "--json").stdout) == []


def test_an_empty_sound_configuration_gets_a_sentence_though_portaudio_may_abort_on_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "asound.conf").write_text("")
    done = run("devices")
    assert done.returncode in (0, 1)
    assert done.stderr.startswith(
        ("realtime: PortAudio ended with signal", "realtime: PortAudio f")
    )
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.pulse
def test_devices_shows_the_microphone_with_channels_and_rates(pulse: object) -> None:
    found = json.loads(run("devices", "--json").stdout)
    (default,) = (device for device in found if device["is_default_input"])
    assert default["inputs"] > 0
    assert 48000 in default["rates"]
    table = run("devices").stdout
    assert "virtmic" in table
    assert " *" in next(line for line in table.splitlines() if "default" in line)


@pytest.mark.pulse
def test_a_microphone_asked_for_by_a_part_of_its_name_is_heard(pulse: object) -> None:
    done = run("live", "mic:VIRT", "--json", "--seconds", "1.2")
    assert json.loads(done.stdout.splitlines()[-1])["device"] == "virtmic"
    (told,) = refused("live", "mic:nosuch", "--view", "none")
    assert "virtmic" in told


def test_an_error_of_our_own_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(args: object) -> int:
        raise ZeroDivisionError("by none")

    monkeypatch.setattr(cli, "_command", lambda name: broken)
    assert cli.main(["devices"]) == 1
    told = capsys.readouterr().err
    assert told == (
        "realtime: internal error: ZeroDivisionError: by none; run with REALTIME_DEBUG=1 for the "
        "traceback\n"
    )
    monkeypatch.setenv("REALTIME_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["devices"])


def test_files_of_a_namesake_mixed_with_ours_are_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(realtime, "DISTRIBUTION")
    assert cli.main(["devices"]) == 1
    assert "pip uninstall realtime" in capsys.readouterr().err


def test_signal_handlers_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "_command", lambda name: lambda args: 0)
    assert cli.main(["devices"]) == 0
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_command_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, "0"):
        if before is not None:
            monkeypatch.setenv("PYTHONSAFEPATH", before)
        cli.main(["devices"])
        assert os.environ.get("PYTHONSAFEPATH") == before
