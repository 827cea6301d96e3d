"""Where a recorder shows how it is doing: in the terminal, or as JSON lines without one."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from realtime.dsp.levels import DB_FLOOR
from realtime.recording.health import Health
from realtime.wording import say

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

LINE_SECONDS = 10.0
"""Between two lines while nothing happens: 9000 a day."""

METER_CELLS = 30
"""Width of a level meter, up to full scale: 2 dB a cell."""

METER_DB = 60.0
"""Range of a level meter, down from full scale."""

KEYS = {"q": "end", "n": "rotate", "s": "save"}


class Teller(Protocol):
    def tell(self, healths: Sequence[Health], last: bool) -> None:
        """About once a second."""
        ...

    def wishes(self, seconds: float) -> list[str]:
        """What keys asked for in the next `seconds`: end, rotate, save."""
        ...


@contextlib.contextmanager
def make_teller(lines: bool) -> Iterator[Teller]:
    """lines : JSON even where there is a terminal"""
    if lines or not sys.stdout.isatty():
        yield Lines()
        return
    from rich.live import Live

    from realtime.view.tty import open_terminal

    terminal, things = open_terminal(), contextlib.ExitStack()
    things.enter_context(terminal.cbreak())
    live = things.enter_context(Live(auto_refresh=False))
    try:
        yield Screen(live, terminal)
    finally:
        with contextlib.suppress(Exception):  # it may be gone, and termios has faults of its own
            things.close()


class Lines:
    """A line for each device every ten seconds, and at once where state, file or alarms change.

    Where nobody takes them (a log on a full disk, a reader that has gone) recording goes on.
    """

    def __init__(self) -> None:
        self._due = 0.0
        self._fault = ""
        self._before: list[tuple[object, ...]] = []

    def tell(self, healths: Sequence[Health], last: bool) -> None:
        now = time.perf_counter()
        marks: list[tuple[object, ...]] = [
            (health.state, health.file, *health.alarms) for health in healths
        ]
        if now < self._due and marks == self._before and not last:
            return
        self._due, self._before = now + LINE_SECONDS, marks
        self._put("".join(line(health, last) for health in healths))

    def _put(self, text: str) -> None:
        fault = ""
        try:
            # Not by sys.stdout, which would keep what it could not write.
            os.write(sys.stdout.fileno(), text.encode())
        except OSError as error:
            fault = f"health lines cannot be written ({error.strerror}): recording goes on"
        if fault and fault != self._fault:
            say(fault)
        self._fault = fault

    def wishes(self, seconds: float) -> list[str]:
        time.sleep(seconds)
        return []


def line(health: Health, last: bool = False) -> str:
    return json.dumps({**health.as_dict(), "last": last}) + "\n"


class Screen:
    """Meters and figures that stay in their place, below what was said. Who closes the terminal
    ends the recording: nobody is to be heard without knowing."""

    def __init__(self, live: Any, terminal: Any):
        self._live, self._terminal = live, terminal
        self._has_keys = sys.stdin.isatty()

    def tell(self, healths: Sequence[Health], last: bool) -> None:
        with contextlib.suppress(OSError):
            self._live.update(picture(healths), refresh=True)

    def wishes(self, seconds: float) -> list[str]:
        if not sys.stdout.isatty():
            return ["end"]
        if not self._has_keys:
            time.sleep(seconds)
            return []
        try:
            key = str(self._terminal.inkey(timeout=seconds)).lower()
        except (OSError, EOFError):
            return ["end"]
        return [KEYS[key]] if key in KEYS else []


def picture(healths: Sequence[Health]) -> Group:
    """What the terminal shows of all devices. A row that is too long is cut, not broken: all stay
    in their place."""
    from rich.console import Group
    from rich.text import Text

    rows: list[Text] = []
    for health in healths:
        rows.append(_title(health))
        for peak, rms, clipped in zip(
            health.peak_dbfs, health.rms_dbfs, health.clipped, strict=True
        ):
            rows.append(_meter(peak, rms, clipped))
        rows += [Text(sound_figures(health)), Text(disk_figures(health))]
        rows += [Text(f"! {text}", style="bold red") for text in health.alarms.values()]
        rows.append(Text())
    rows.append(Text("s saves the last minutes · n new file · q ends", style="dim"))
    for row in rows:
        row.no_wrap, row.overflow = True, "ellipsis"
    return Group(*rows)


def _title(health: Health) -> Text:
    from rich.text import Text

    colour = {"recording": "red", "waiting": "yellow"}.get(health.state, "bold red")
    sign = "● " if health.state == "recording" else ""
    title = Text(f"{sign}{health.state}", style=colour)
    title.append(f" {health.file}" if health.file else "", style="default")
    title.append(f" · {_plain(health.device)}", style="bold default")
    return title.append(f" · {_plain(health.folder)}", style="not bold default")


def _plain(name: str) -> str:
    """In one row, whatever it holds."""
    return "".join(sign if sign.isprintable() else " " for sign in name)


def _meter(peak: float, rms: float, clipped: bool) -> Text:
    from rich.text import Text

    full, held = (_cells(value) for value in (rms, peak))
    bar = "█" * full + "░" * (max(held, full) - full)
    text = Text(f"{bar:<{METER_CELLS}}", style="green").append("▏", style="dim default")
    text.append(f"{peak:6.1f} dBFS" if peak > DB_FLOOR else "  silent", style="default")
    return text.append(" CLIPPED" if clipped else "", style="bold red")


def _cells(db: float) -> int:
    return round(METER_CELLS * min(max(1 + db / METER_DB, 0.0), 1.0))


def sound_figures(health: Health) -> str:
    """What was heard, and what was not, in one row of 80."""
    parts = [duration(health.seconds), f"{health.sample_rate} Hz", _count(health.files, "file")]
    if health.gaps:
        missing = health.missing_samples / health.sample_rate
        parts.append(f"{_count(health.gaps, 'gap')} ({missing:.2f} s)")
    else:
        parts.append("no gaps")
    if health.drift_ppm is not None:
        parts.append(f"drift {health.drift_ppm:+.1f} ppm")
    return " · ".join(parts)


def disk_figures(health: Health) -> str:
    parts = []
    if health.free_bytes is not None:
        parts.append(f"{health.free_bytes / 1e9:.1f} GB free")
    if health.seconds_left is not None:
        parts.append(f"{duration(health.seconds_left)} left")
    if health.behind_seconds > 1:
        parts.append(f"{health.behind_seconds:.0f} s wait for the disk")
    return " · ".join(parts)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def duration(seconds: float) -> str:
    """As in 2 d 3 h, 1 h 02 min, 3:05."""
    whole = int(seconds)
    if whole >= 86400:
        return f"{whole // 86400} d {whole % 86400 // 3600} h"
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60}:{whole % 60:02}"
