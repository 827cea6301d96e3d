"""`realtime record` as people run it: a program of its own, signals, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import children
import psutil

from realtime.recording import sidecar

START_SECONDS = 15.0
END_SECONDS = 5.0
"""The longest a recorder may take to end when it is asked to."""


class Running:
    """A recorder that runs. Its standard output goes to `log`, its messages to `messages`."""

    def __init__(self, folder: Path, log: Path, *arguments: str, env: Mapping[str, str]):
        self.folder, self.log, self.messages = folder, log, log.with_suffix(".err")
        self._before = set(folder.rglob("*.part.wav"))
        with log.open("ab") as out, self.messages.open("ab") as err:
            self.process = children.start(
                [sys.executable, "-m", "realtime", "record", str(folder), *arguments],
                env, stdout=out, stderr=err,
            )  # fmt: skip

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[-1:] == "}"]

    @property
    def engine(self) -> psutil.Process:
        """The process that captures: the child that is no helper of Python's own."""
        family = psutil.Process(self.process.pid).children()
        return next(child for child in family if "spawn_main" in " ".join(child.cmdline()))

    @property
    def new_parts(self) -> set[Path]:
        """Files that grow, of this run."""
        return set(self.folder.rglob("*.part.wav")) - self._before

    def wait_until_it_records(self) -> None:
        children.wait_until(
            lambda: any(part.stat().st_size > 20_000 for part in self.new_parts),
            "a growing file",
            START_SECONDS,
        )

    def seconds_captured(self) -> float:
        """Since the start of the stream, by its first sidecar."""
        notes = (*self.folder.glob("*.json"), *self.folder.glob("*.part.json"))
        starts = [values["utc_start"] for note in notes if (values := sidecar.read(note))]
        return (time.time_ns() - sidecar.utc_ns(min(starts))) / 1e9

    def signal(self, name: str) -> None:
        self.process.send_signal(getattr(signal, name))

    def end(self, name: str = "SIGTERM") -> int:
        """Ask it to end; returns its exit code. It has to end in time."""
        self.signal(name)
        began = time.monotonic()
        code = self.process.wait(END_SECONDS)
        assert time.monotonic() - began < END_SECONDS
        return code


@contextmanager
def running(
    folder: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[Running]:
    """In a terminal-less process that ends with the test. log : beside the folder without it"""
    log = log or folder.parent / f"{folder.name}.log"
    recorder = Running(folder, log, *arguments, env=dict(env or os.environ))
    try:
        yield recorder
    finally:
        children.end(recorder.process)


def record(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Any:
    """Run it to its end."""
    return subprocess.run(
        [sys.executable, "-m", "realtime", "record", str(folder), *arguments],
        check=False, capture_output=True, text=True, timeout=60, env=env,
    )  # fmt: skip
