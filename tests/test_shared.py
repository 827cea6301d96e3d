"""Shared memory: it goes with its owner, or with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from realtime.audio.shared import Segment

OWNER = """
import os, sys
from realtime.audio.shared import Segment
segment = Segment.create(4096)
print(segment.name, flush=True)
sys.stdin.read()
"""


def owner() -> tuple[subprocess.Popen[str], Path]:
    """A process that holds memory, with a process group of its own, and the memory's file, which
    has been there for a while."""
    program = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert program.stdout is not None
    path = Path("/dev/shm", program.stdout.readline().strip())
    os.utime(path, (0, 0))
    return program, path


def end(program: subprocess.Popen[str]) -> None:
    """All at once, Python's tracker of resources among them, as a service manager does."""
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    for pipe in (program.stdin, program.stdout):
        assert pipe is not None
        pipe.close()


def test_memory_whose_whole_family_was_killed_is_removed_by_the_next_to_need_some() -> None:
    program, path = owner()
    end(program)
    assert path.exists()
    Segment.create(64).close()
    assert not path.exists()


def test_memory_of_a_living_owner_is_left_alone() -> None:
    program, path = owner()
    Segment.create(64).close()
    assert path.exists()
    end(program)
    path.unlink()
