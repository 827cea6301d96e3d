"""Programs the tests start: they never outlive the test run, and a missing one has a sentence."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO

END_SECONDS = 3.0
"""Given to a program to end by itself when asked to."""


def start(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Run `command` with exactly `env`; the kernel kills it should this process die."""
    for tool in ("setpriv", command[0]):
        if shutil.which(tool) is None:
            raise RuntimeError(f"the program {tool} is not installed: 'make test' installs it")
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *command],
        env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr,
    )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, insist if it does not, and wait until it is gone. Safe twice."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def wait_until(true: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Look again and again; raises a sentence where `what` has not happened in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.02)
