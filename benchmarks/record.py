"""What recording costs: `realtime record` beside arecord, parec with sox, and ffmpeg.

Each records 48 kHz stereo in 24 bits from the same source of a private PulseAudio, one after the
other, in turns. All processes of a recorder count, as the kernel counts them (ns of the
scheduler, pages of /proc/PID/smaps_rollup); the server is counted apart, since how often it wakes
up is the recorder's choice. Memory is shared out among who shares it (PSS), so the ring counts
once. Needs Linux.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from rich.table import Table

from benchmarks.goals import verdict

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import children
from servers import PulseServer

RATE = 48000
ROUNDS = 3
SECONDS = 20.0
WARM_SECONDS = 5.0
"""Until imports are done and the stream runs."""

CPU_GOAL = 0.015
MEMORY_GOAL = 120
"""MB of all processes."""

UNWANTED = ("vispy", "PySide6", "matplotlib", "scipy", "numba")
"""Packages that a recorder has no business with."""

Command = tuple[str, ...]

OURS = "realtime record"
RECORD = (sys.executable, "-m", "realtime", "record", "out", "mic:virtmic", "--channels", "2")
_RAW = ("-t", "raw", "-e", "signed", "-b", "24", "-r", f"{RATE}", "-c", "2", "-L", "-")
RECORDERS: dict[str, tuple[Command, ...]] = {
    OURS: ((*RECORD, "--segment", "10s"),),
    f"{OURS}, FLAC": ((*RECORD, "--segment", "10s", "--format", "flac"),),
    "arecord": (("arecord", "-q", "-D", "virtmic", "-f", "S24_3LE", "-r48000", "-c2", "a.wav"),),
    "parec | sox": (
        ("parec", "-d", "virtmic", "--format=s24le", f"--rate={RATE}", "--channels=2"),
        ("sox", "-q", *_RAW, "p.wav"),
    ),
    "ffmpeg": (
        ("ffmpeg", "-v", "error", "-nostdin", "-f", "pulse", "-sample_rate", f"{RATE}",
         "-channels", "2", "-i", "virtmic", "-c:a", "pcm_s24le", "f.wav"),
    ),
}  # fmt: skip
"""Programs, each writing to the next."""


@dataclass(frozen=True)
class Cost:
    """Shares of one core, and MB."""

    cpu: float
    server: float
    pss: float
    rss: float


class QuietServer(PulseServer):
    """Nobody else listens, so that a recorder alone decides how often the server wakes up."""

    def _settle(self) -> None:
        self.pactl("set-default-source", "virtmic")


def tables() -> Iterator[Table]:
    with quiet_server() as server:
        server.play(_sound())
        costs: dict[str, list[Cost]] = {name: [] for name in RECORDERS}
        for _ in range(ROUNDS):
            for name in RECORDERS:
                costs[name].append(_measure(name, server))
    yield _cost_table(costs)
    yield _import_table()


@contextmanager
def quiet_server() -> Iterator[QuietServer]:
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        server = QuietServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _sound() -> np.ndarray:
    """Noise as of a quiet room, for as long as all of it takes, int16 (n_samples, 2)."""
    seconds = 60 + ROUNDS * len(RECORDERS) * (SECONDS + WARM_SECONDS + 5)
    rng = np.random.default_rng(1)
    minute = rng.normal(0, 300, (60 * RATE, 2)).astype(np.int16)
    return np.tile(minute, (round(seconds / 60) + 1, 1))


@contextmanager
def started(
    commands: tuple[Command, ...], folder: str, env: Mapping[str, str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Programs, each writing to the next, in a folder; ended with SIGINT, as from a terminal."""
    programs: list[subprocess.Popen[bytes]] = []
    for command in commands:
        programs.append(
            subprocess.Popen(
                command,
                cwd=folder,
                env=dict(env),
                stdin=programs[-1].stdout if programs else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if command is commands[-1] else subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        )
    try:
        yield programs
    finally:
        for program in programs:
            program.send_signal(signal.SIGINT)
            children.end(program)


def _measure(name: str, server: PulseServer) -> Cost:
    with (
        tempfile.TemporaryDirectory() as folder,
        started(RECORDERS[name], folder, server.env) as programs,
    ):
        time.sleep(WARM_SECONDS)
        family = [program.pid for program in programs]
        family += [c.pid for pid in tuple(family) for c in psutil.Process(pid).children()]
        before, server_before, began = _busy(family), _busy([server.pid]), time.perf_counter()
        time.sleep(SECONDS)
        took = time.perf_counter() - began
        return Cost(
            (_busy(family) - before) / took,
            (_busy([server.pid]) - server_before) / took,
            sum(_megabytes(pid, "Pss") for pid in family),
            sum(_megabytes(pid, "Rss") for pid in family),
        )


def _busy(pids: list[int]) -> float:
    """Seconds that all threads of these have run."""
    threads = [task for pid in pids for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in threads) / 1e9


def _megabytes(pid: int, kind: str) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"no {kind} of process {pid}")


def _cost_table(costs: dict[str, list[Cost]]) -> Table:
    table = Table(
        title="Recording 48 kHz stereo, 24 bits, from PulseAudio",
        caption=f"CPU in shares of a core, medians of {ROUNDS} rounds of {SECONDS:g} s; ours has a "
        "ring of 23 MB in its memory",
    )
    for column in ("", "CPU", "goal", "", "server", "MB (PSS)", "goal", "", "MB (RSS)"):
        table.add_column(column, justify="left" if column in ("", "goal") else "right")
    for name, rounds in costs.items():
        cpu, pss = (statistics.median(getattr(c, what) for c in rounds) for what in ("cpu", "pss"))
        server, rss = (
            statistics.median(getattr(c, what) for c in rounds) for what in ("server", "rss")
        )
        goals = (CPU_GOAL, MEMORY_GOAL) if name == OURS else (None, None)
        table.add_row(
            name,
            f"{cpu:.2%}",
            *verdict(cpu, goals[0], "share"),
            f"{server:.2%}",
            f"{pss:.0f}",
            *verdict(pss, goals[1], "MB"),
            f"{rss:.0f}",
        )
    return table


def _import_table() -> Table:
    table = Table(title="What both processes of a recorder import", show_header=False)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "realtime", "record", folder, "noise",
             "--seconds", "1"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    for package in UNWANTED:
        found = any(name == package or name.startswith(f"{package}.") for name in modules)
        table.add_row(package, "[red]imported[/]" if found else "[green]not imported[/]")
    table.add_row("modules in all", f"{len(modules)}")
    return table
