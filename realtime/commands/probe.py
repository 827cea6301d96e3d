"""A question asked in a process of its own, which may hang or die of the answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import realtime

PROBE_SECONDS = 60.0
"""Ten rates on each device may take seconds; a server or driver that is stuck takes for ever."""


def probe(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of this package, with nothing imported from the current folder, where a
    stranger's `json.py` may lie. Raises subprocess.TimeoutExpired after PROBE_SECONDS."""
    ours = str(Path(realtime.__file__).parents[1])
    paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, errors="replace", timeout=PROBE_SECONDS,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
