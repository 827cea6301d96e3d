"""Runs the benchmarks named, or all, and prints what machine they ran on: `python -m benchmarks`.

Each runs in a process of its own, so that no import or leftover of one is paid by another.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

COMPARED = ("numpy", "scipy", "librosa", "vispy", "pyqtgraph", "PySide6-Essentials", "sounddevice")
"""Packages whose version decides a figure."""

_WIDTH = 120
"""Columns where the output is no terminal: a log keeps the tables whole."""

_CHILD = "BENCHMARK_IN_THIS_PROCESS"


def names() -> list[str]:
    """Modules here that define `tables`, found without importing them."""
    modules = sorted(Path(__file__).parent.glob("[!_]*.py"))
    return [path.stem for path in modules if "\ndef tables(" in path.read_text(encoding="utf-8")]


def machine() -> Table:
    """Where the figures come from."""
    table = Table(title="This machine", show_header=False)
    table.add_row("processor", f"{_processor()}, {os.cpu_count()} cores")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    table.add_row("memory", f"{memory:.0f} GiB")
    table.add_row("system", platform.platform())
    table.add_row("Python", platform.python_version())
    table.add_row("packages", ", ".join(f"{name} {_version(name)}" for name in COMPARED))
    load = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    table.add_row("load before", f"{load} (over 1, 5, 15 minutes; an idle machine says 0)")
    return table


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def run_here(name: str) -> None:
    console = _console()
    for table in importlib.import_module(f"benchmarks.{name}").tables():
        console.print(table)


def main(asked: list[str]) -> int:
    """Exit code: 0, 1 where a benchmark failed, 2 where there is none of that name."""
    known = names()
    unknown = [name for name in asked if name not in known]
    if unknown:
        sys.stderr.write(f"no benchmark '{unknown[0]}': there are {', '.join(known)}\n")
        return 2
    _console().print(machine())
    failed = []
    for name in asked or known:
        sys.stdout.flush()
        command = [sys.executable, "-m", "benchmarks", name]
        if subprocess.run(command, env={**os.environ, _CHILD: "1"}, check=False).returncode:
            failed.append(name)
    if failed:
        sys.stderr.write(f"these did not finish: {', '.join(failed)}\n")
    return int(bool(failed))


if __name__ == "__main__":
    if os.environ.pop(_CHILD, ""):
        run_here(sys.argv[1])
    else:
        sys.exit(main(sys.argv[1:]))
