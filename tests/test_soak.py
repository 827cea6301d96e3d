"""Ten minutes of the whole program on a fed microphone: nothing lost, and memory stays flat."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import children
import psutil
import pytest
from servers import PulseServer

SECONDS = 600.0

WARM_SECONDS = 120.0
"""Until buffers, caches and the picture's history are filled."""

GROWTH_MB = 5.0
"""Memory that may come on top of that by the end; a leak of one column (8 KiB) a second is as
much, a leak of one frame's upload far more."""

LOOK_SECONDS = 5.0


def own_megabytes(process: psutil.Process) -> float:
    """Memory of the process and its children that nobody can share: not the ring, which is full
    from the start, and no libraries, which become one's own as other programs end."""
    family = [process, *process.children(recursive=True)]
    memories = [member.memory_info() for member in family]
    return sum(memory.rss - memory.shared for memory in memories) / 1e6


def memory_of(process: subprocess.Popen[bytes]) -> Iterator[tuple[float, float]]:
    """(seconds since the start, megabytes) again and again until the process ends."""
    began = time.monotonic()
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            yield time.monotonic() - began, own_megabytes(watched)
        except psutil.NoSuchProcess:
            return
        time.sleep(LOOK_SECONDS)


@pytest.mark.soak
@pytest.mark.pulse
@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("view", ["none", pytest.param("window", marks=pytest.mark.display)])
def test_ten_minutes_lose_nothing_and_take_no_more_memory(
    pulse: PulseServer, x_server: str, view: str, tmp_path: Path
) -> None:
    pulse.feed_counter(SECONDS + 30)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "realtime", "live", "mic:virtmic", "--channels", "2"]
    command += ["--view", view, "--seconds", f"{SECONDS:g}"]
    if view == "none":
        command.append("--json")
    env = {**pulse.env, "DISPLAY": x_server}
    with out.open("wb") as file:
        process = children.start(command, env, stdout=file, stderr=subprocess.STDOUT)
    try:
        memory = list(memory_of(process))
        code = process.wait(LOOK_SECONDS)
    finally:
        children.end(process)
    assert code == 0, out.read_text()
    warm = [megabytes for seconds, megabytes in memory if seconds >= WARM_SECONDS]
    # The last look may have met a process that was closing: the one before is the end.
    growth = max(warm[-10:-1]) - max(warm[:10])
    print(f"{view}: {warm[0]:.1f} MB after {WARM_SECONDS:g} s, {growth:+.2f} MB by the end")  # noqa: T201
    assert growth <= GROWTH_MB
    if view == "none":
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert lines[-1]["last"]
        assert {line["state"] for line in lines} == {"running"}
        assert lines[-1]["lost_samples"] == 0
