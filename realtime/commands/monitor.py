"""`realtime monitor`: live, and what the STFT made of it is played."""

from __future__ import annotations

import argparse

from realtime.commands import live


def run(args: argparse.Namespace) -> int:
    return live.run(args, monitors=True)
