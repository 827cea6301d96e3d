"""`realtime doctor`: what works here, what is missing, and the line that installs it.

Exit code 0 when `realtime live` can run, 1 otherwise.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator

from realtime.commands import install_checks
from realtime.commands.checks import Check
from realtime.commands.request import collected, load_settings, seconds_given
from realtime.config import Settings
from realtime.errors import SettingsError

COLOURS = {"ok": "green", "note": "yellow", "missing": "bold red"}


def run(args: argparse.Namespace) -> int:
    faults: list[str] = []
    settings = collected(faults, lambda: load_settings(args), Settings())
    seconds = collected(faults, lambda: seconds_given(args.seconds), None)
    if faults:
        raise SettingsError(faults)
    found = []
    for check in all_checks(settings, seconds or 0.0, args.loopback):
        found.append(check)
        if not args.json:
            _show(check)
    ready = all(check.state != "missing" for check in found)
    if args.json:
        report = {"ready": ready, "checks": [dataclasses.asdict(check) for check in found]}
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        verdict = "can run" if ready else "cannot run until what is missing is installed"
        sys.stdout.write(f"'realtime live' {verdict}.\n")
    return 0 if ready else 1


def all_checks(settings: Settings, seconds: float, loopback: bool = False) -> Iterator[Check]:
    """One after the other; sound and screen only where the libraries can be imported."""
    broken = False
    for check in install_checks.checks():
        yield check
        broken |= check.name == "libraries" and check.state == "missing"
    if broken:
        return
    from realtime.commands import screen_checks, sound_checks

    yield from sound_checks.checks(settings.audio, seconds)
    if loopback:
        from realtime.commands.loopback import loopback as measured

        yield measured(settings.audio, settings.monitor)
    yield from screen_checks.checks()


def _show(check: Check) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    state = Text(f"{check.state:<8}", style=COLOURS[check.state])
    console.print(state + Text(f"{check.name:<17}{check.text}", style=""))
    if check.fix:
        console.print(Text(f"{'':<25}-> {check.fix}", style=""))
