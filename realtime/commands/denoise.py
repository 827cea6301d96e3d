"""`realtime denoise`: `realtime effect` with its one effect."""

from __future__ import annotations

import argparse

from realtime.commands import effect


def run(args: argparse.Namespace) -> int:
    return effect.run(args, denoises=True)
