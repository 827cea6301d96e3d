"""`realtime devices`: a table of the sound devices, or JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any

from realtime.audio.devices import Device
from realtime.commands.sound_probe import probed_devices
from realtime.wording import say

WIDTH = 120
"""Columns where standard output is no terminal: nothing is cut that a pipe could carry."""


def run(args: argparse.Namespace) -> int:
    _, devices = probed_devices()
    if args.json:
        sys.stdout.write(json.dumps([dataclasses.asdict(d) for d in devices], indent=2) + "\n")
    elif devices:
        from rich.console import Console

        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        console.print(table(devices))
    else:
        say("PortAudio finds no sound device: 'realtime doctor' looks for the cause")
    return 0


def table(devices: Sequence[Device]) -> Any:
    """A rich table; * marks the default input and the default output."""
    from rich import box
    from rich.table import Table

    found = Table(box=box.SIMPLE_HEAD, caption="* default; rates in kHz", caption_justify="left")
    found.add_column("id", justify="right")
    found.add_column("name", overflow="fold")
    found.add_column("through")
    found.add_column("in", justify="right")
    found.add_column("out", justify="right")
    found.add_column("rates", overflow="fold")
    for device in devices:
        rates = " ".join(f"{rate / 1000:g}" for rate in device.rates)
        found.add_row(
            *(str(device.id), _escaped(device.name), _escaped(device.host_api)),
            *(_channels(device.inputs, device.is_default_input),),
            *(_channels(device.outputs, device.is_default_output), rates or "none of the usual"),
        )
    return found


def _channels(n: int, default: bool) -> str:
    """ "2", "2 *" for a default device, nothing for none."""
    return f"{n or ''}{' *' if default else '  '}"


def _escaped(text: str) -> str:
    """Device names hold [brackets], which rich would read as style."""
    from rich.markup import escape

    return escape(text)
