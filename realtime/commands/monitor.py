"""`realtime monitor`: live, and what the STFT made of it is played."""

from __future__ import annotations

import argparse
import os
import sys

from realtime.commands import live


def run(args: argparse.Namespace) -> int:
    sys.path.append(os.getcwd())  # where effects of people's own are looked for, after all others
    return live.run(args, monitors=True)
