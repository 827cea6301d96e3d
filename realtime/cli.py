"""The command line: reads the request, runs the command, turns errors into sentences.

Nothing heavy is imported before a command runs, so that `realtime --help` answers at once.
Exit codes: 0 done, 1 it failed while running, 2 the request was wrong. Ctrl-C, SIGTERM and a
closed terminal end a command in order. No traceback, ever: REALTIME_DEBUG=1 asks for one.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import realtime
from realtime.commands.invert_options import add_invert
from realtime.commands.render_options import add_info, add_render
from realtime.errors import RealtimeError, RequestError, SettingsError
from realtime.wording import say, shown_path, unknown

DISTRIBUTION = "realtime-spectrogram"
"""Said here again, because `realtime.DISTRIBUTION` is what is in doubt."""
INTERRUPTED = 130
"""The usual exit code of a command stopped by Ctrl-C before it was done."""

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may be in no encoding that they have
            stream.reconfigure(errors="backslashreplace")
    try:
        with _signals_interrupt(), _strangers_left_alone():
            args = build_parser().parse_args(argv)
            _refuse_mixed_installation()
            code = _command(args.command)(args)
            sys.stdout.flush()
            return code
    except BrokenPipeError:  # the reader of our output, or the terminal, has gone
        _drop_output()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except RealtimeError as error:
        _report(error)
        return error.exit_code
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            _drop_output()
            say(f"standard output cannot be written ({error.strerror}): free space where it goes")
            return 1
        if os.environ.get("REALTIME_DEBUG"):
            raise
        if isinstance(error, OSError) and isinstance(error.filename, str):
            name, why = shown_path(error.filename), error.strerror
            say(f"{name} cannot be used ({why}): check the name, the folder and the disk")
            return 1
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        say(f"internal error: {text}; run with REALTIME_DEBUG=1 for the traceback")
        return 1


def _drop_output() -> None:
    """Whatever is still to be written: Python would try again as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="realtime",
        description="Real-time spectrogram: from the microphone to the picture, and back to sound.",
        epilog="'realtime COMMAND --help' tells more; 'realtime live demo' shows what it can do.",
    )
    parser.add_argument("--version", action="version", version=f"realtime {realtime.__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    live = commands.add_parser(
        "live",
        help="watch sound scroll by",
        description="Watch sound scroll by, in a window, in the terminal, or as numbers.",
        epilog=SOURCES + LIVE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_run(live)

    monitor = commands.add_parser(
        "monitor",
        help="hear what the STFT makes of it",
        description="Watch sound scroll by, and hear it taken apart, changed, and put together "
        "again.",
        epilog=SOURCES + EFFECTS + MONITOR_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_run(monitor)
    monitor.add_argument(
        "--output", metavar="DEVICE", help="where to play: part of a name, or a number"
    )
    _add_effects(monitor)

    record = commands.add_parser(
        "record",
        help="keep sound on disk, unattended",
        description="Keep sound on disk, unattended, for months: what was captured is in a file, "
        "and what was not is on record.",
        epilog=RECORD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_record(record)

    effect = commands.add_parser(
        "effect",
        help="effects of the monitor on a file",
        description="Change a sound file as the monitor would change it live: the same samples.",
        epilog=EFFECTS + EFFECT_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_effect(effect)
    denoise = commands.add_parser(
        "denoise",
        help="take the noise out of a file",
        description="Take the noise out of a sound file, learnt as it goes, or from a span of it.",
        epilog=DENOISE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_effect(denoise)
    denoise.add_argument(
        "--noise", metavar="START-STOP", help="seconds in which only the noise is heard"
    )

    add_render(commands, _add_settings)
    add_invert(commands)
    add_info(commands)

    devices = commands.add_parser(
        "devices",
        help="list sound devices",
        description="List sound devices, their channels and rates; * marks the default ones.",
    )
    devices.add_argument("--json", action="store_true", help="as JSON")

    doctor = commands.add_parser(
        "doctor",
        help="check what works here",
        description="Check what works here, say how to install what is missing, and measure the "
        "microphone. Exit code 0 when 'realtime live' can run.",
    )
    _add_settings(doctor)
    doctor.add_argument(
        "--seconds", metavar="N", default="2", help="how long to measure the microphone (2)"
    )
    doctor.add_argument(
        "--loopback",
        action="store_true",
        help="play a sound, hear it again, and tell the latency of the whole way",
    )
    doctor.add_argument(
        "--output", metavar="DEVICE", help="where to play: part of a name, or a number"
    )
    doctor.add_argument("--json", action="store_true", help="as JSON")
    return parser


SOURCES = """\
SOURCE is one of
  mic             the default microphone; without any, the demo plays (this is the default)
  mic:NAME        a device by part of its name, or by its number in 'realtime devices'
  demo            a built-in sound: chirps, harmonics, noise, clicks, something like speech
  tone:440        a sine of 440 Hz at -6 dBFS
  noise           white noise
  FILE            a WAV, FLAC, OGG or MP3 file, at the speed of its sound

"""

LIVE_EXAMPLES = """\
examples
  realtime live
  realtime live demo --preset music
  realtime live mic:usb --set stft.n_fft=8192 --set display.scale=notes
  realtime live song.flac --view terminal
  realtime live tone:1000 --seconds 5 --screenshot tone.png

In the window and in the terminal, h shows the keys."""

EFFECTS = """\
effects
  gain:db=-6                  louder or softer
  band:bands=300-3400         only these frequencies, in Hz (mode=stop: all others)
  mask:boxes=300-3400         what was drawn in the picture, or everything else
  gate:threshold=-50          only what is loud enough
  denoise:reduction=15        less noise, found by itself or learned
  pitch:semitones=7           higher or lower (formants=on: the same voice)
  freeze:on=on                hold the present sound
  stretch:start=0,stop=48000  a captured span, slowly
  robot, whisper              a voice on one note, a voice without a note
  magnitude                   what the picture alone knows: the phase thrown away and found again
  mel:bands=128               the same through mel bands
  package.module:Class        one of your own

"""

EFFECT_EXAMPLES = """\
examples
  realtime effect song.wav -o lower.flac --effect pitch:semitones=-5
  realtime effect voice.mp3 -o robot.wav --effect robot --effect gain:db=-6"""

DENOISE_EXAMPLES = """\
examples
  realtime denoise talk.wav -o clean.wav
  realtime denoise talk.wav -o clean.wav --noise 0-0.5"""

RECORD = """\
SOURCE is one of
  mic             the default microphone (this is the default)
  mic:NAME        a device by part of its name, or by its number in 'realtime devices'
  FILE, demo, tone:440, noise    as in 'realtime live'

WHEN is one of
  continuous
  level:db=-40                      while the level is above -40 dBFS
  band:low=2000,high=8000,over=10   while that band is 10 dB above its floor
  schedule:from=22:00,to=04:00
  schedule:from=sunset-1h,to=sunrise+30m,latitude=52.5,longitude=13.4
each with before=5s,after=10s for what came before and comes after.

Beside each file lies a .json that says when every sample was and what is missing.
keys      q ends it; n begins a new file; s saves the last minutes
signals   SIGTERM, SIGINT end it; SIGHUP begins a new file; SIGUSR1 saves the last minutes
exit      0 nothing is missing, 3 no device, 4 the disk failed or was full, 5 gaps

examples
  realtime record here
  realtime record /data/pond mic:usb --segment 1h --align --format flac --keep 30d
  realtime record birds --trigger band:low=2000,high=8000,over=10,before=5s
  realtime record north mic:USB1 south mic:USB2 --channels 1
  realtime record saved --last 5m"""

MONITOR_EXAMPLES = """\
examples
  realtime monitor --preset monitor-low-latency
  realtime monitor --effect denoise --effect gain:db=6
  realtime monitor song.flac --effect pitch:semitones=-5 --output headphones
  realtime monitor demo --effect magnitude --view terminal

Wear headphones, or the microphone hears the loudspeaker. In the window h shows the keys."""


def _add_run(parser: argparse.ArgumentParser) -> None:
    """What `live` and `monitor` have in common."""
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="what to hear (see below)")
    parser.add_argument(
        "--view",
        default="auto",
        metavar="VIEW",
        help="auto, window, terminal or none (one line a second)",
    )
    parser.add_argument("--channels", metavar="N", help="channels to capture, each in its own pane")
    parser.add_argument(
        "--screenshot",
        metavar="FILE.png",
        help="with --seconds: save what the window shows at the end",
    )
    _add_settings(
        parser, more="; without preset and file the window goes on with what was last set in it"
    )
    parser.add_argument("--seconds", metavar="N", help="end after so long")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a second on standard output"
    )


def _add_record(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "places",
        nargs="+",
        metavar="DIR [SOURCE]",
        help="where to, and what to hear; several pairs record several devices at once",
    )
    for flag, metavar, text in (
        ("--segment", "TIME", "length of a file: 60s, 10m (the default), 1h, none"),
        ("--format", "FORMAT", "wav (the default) or flac"),
        ("--depth", "BITS", "16, 24 (the default), or 32 for float"),
        ("--channels", "N", "channels to capture"),
        (
            "--name",
            "PATTERN",
            "of file names, such as '{utc:%%Y-%%m-%%d}/{device}-{utc:%%H%%M%%S}'",
        ),
        ("--trigger", "WHEN", "continuous (the default), or see below (repeatable)"),
        ("--last", "TIME", "keep so much in memory, write it when asked to, and nothing else"),
        ("--keep", "AMOUNT", "delete the oldest recordings beyond this age or size: 30d, 200GB"),
        ("--min-free", "AMOUNT", "room to leave on the disk: 5GB or 5%% (500MB)"),
        ("--when-full", "WHAT", "stop (the default), or drop the oldest recording"),
        ("--health-file", "FILE", "replaced every second with how things are"),
        ("--metrics-port", "PORT", "of 127.0.0.1, where Prometheus may ask"),
    ):
        action = "append" if flag == "--trigger" else "store"
        parser.add_argument(flag, metavar=metavar, help=text, action=action)
    for flag, text in (
        ("--align", "files begin at whole multiples of their length, UTC"),
        ("--spectrogram", "columns and a picture beside each file"),
    ):
        parser.add_argument(flag, action="store_const", const=True, help=text)
    _add_settings(parser)
    parser.add_argument("--seconds", metavar="N", help="end after so much sound")
    parser.add_argument(
        "--json", action="store_true", help="JSON lines on standard output, in a terminal too"
    )


def _add_effect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", metavar="IN", help="a sound file")
    parser.add_argument("-o", "--output", dest="out", metavar="OUT", help="WAV, FLAC, OGG or MP3")
    parser.add_argument(
        "--depth", metavar="BITS", default="24", help="16, 24 (the default), or 32 for float"
    )
    _add_effects(parser)
    _add_settings(parser, "monitor, monitor-low-latency", "monitor.n_fft=4096")


def _add_effects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--effect",
        dest="effects",
        action="append",
        default=[],
        metavar="NAME[:key=value,...]",
        help="change the sound (repeatable, in order)",
    )


def _add_settings(
    parser: argparse.ArgumentParser,
    presets: str = "speech, music, birds, low-latency ...",
    example: str = "stft.n_fft=8192",
    more: str = "",
) -> None:
    group = parser.add_argument_group(
        "settings", f"later ones win: preset, file, --set, other flags{more}"
    )
    group.add_argument("--preset", metavar="NAME", help=presets)
    group.add_argument("--config", metavar="FILE", help="a TOML file of settings")
    group.add_argument(
        "--set",
        dest="sets",
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        help=f"one setting, such as {example} (repeatable)",
    )


class _Parser(argparse.ArgumentParser):
    """argparse, with its faults as errors of ours and no guessing at cut-off options."""

    def __init__(self, **options: object):
        super().__init__(**{**options, "allow_abbrev": False})  # type: ignore[arg-type]

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def,override]
        found, rest = self.parse_known_args(args, namespace)
        if found.command is None:
            self.error("name a command: live, monitor, record, render, invert ...")
        if rest and rest[0].startswith("-"):
            option = rest[0].partition("=")[0]
            raise RequestError(unknown("option", option, self._options_of(found.command)))
        if rest:
            raise RequestError(
                f"{found.command} cannot use {rest[0]!r} ('{self.prog} {found.command} --help' "
                "shows what there is)"
            )
        return found

    def _check_value(self, action, value):  # type: ignore[no-untyped-def]
        if action.dest == "command" and value not in action.choices:
            raise RequestError(unknown("command", value, list(action.choices or ())))
        super()._check_value(action, value)

    def _options_of(self, command: str) -> list[str]:
        parsers: Any = next(a.choices for a in self._actions if a.dest == "command")
        return [o for o in parsers[command]._option_string_actions if o.startswith("--")]

    def error(self, message: str) -> NoReturn:
        raise RequestError(f"{message} ('{self.prog} --help' shows what there is)")


def _command(name: str) -> Command:
    return importlib.import_module(f"realtime.commands.{name}").run


def _report(error: RealtimeError) -> None:
    for fault in error.faults if isinstance(error, SettingsError) else [str(error)]:
        say(fault)


def _refuse_mixed_installation() -> None:
    """Another project installs a package of the same name; files of both then lie mixed."""
    if getattr(realtime, "DISTRIBUTION", None) != DISTRIBUTION:
        raise RealtimeError(
            "another package named 'realtime' lies over this one: "
            f"'pip uninstall realtime', then 'pip install --force-reinstall {DISTRIBUTION}'"
        )


def _open_closed_streams() -> None:
    """A service may be started without them; the next file to be opened would get their number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - it stays open


@contextlib.contextmanager
def _strangers_left_alone() -> Iterator[None]:
    """Processes of ours import nothing from the current folder, where anybody's json.py may lie."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """A polite end from outside (SIGTERM, a closed terminal) arrives as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
