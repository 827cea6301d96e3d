"""Months in small: memory, threads and open files do not grow."""

from __future__ import annotations

import gc
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from captures import RATE, capture, recorder, sidecars
from recording_runs import running

FLAT_BYTES = 5_000_000


class Use:
    """What a process takes of the machine."""

    def __init__(self, process: psutil.Process):
        self.bytes = process.memory_full_info().uss
        self.threads, self.files = process.num_threads(), process.num_fds()

    def assert_flat(self, before: Use) -> None:
        assert self.bytes - before.bytes < FLAT_BYTES
        assert self.threads <= before.threads and self.files <= before.files


HOURS = 2


def test_two_hours_at_many_times_their_pace_leave_memory_threads_and_files_as_they_were(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """Segments of 20 s, a gap each minute and a step of the clock now and then."""
    block = (rng.integers(-32768, 32768, (RATE, 2)) / 32768).astype(np.float32)
    with capture(rng) as captured:
        writer = recorder(captured, tmp_path, 20.0)
        before = None
        for second in range(HOURS * 3600):
            if second % 60 == 59:
                captured.lose(0.5)
            if second % 1000 == 999:
                captured.utc_ns += 10**9
            captured.play(block)
            captured.sent.clear()
            writer.step(captured.now)
            if second == 300:
                gc.collect()
                before = Use(psutil.Process())
        gc.collect()
        assert before is not None
        Use(psutil.Process()).assert_flat(before)
        writer.finish(captured.now)
        assert writer.report.n_gaps == HOURS * 60
        assert writer.report.clock_steps == HOURS * 3600 // 1000
    entries = sidecars(tmp_path)
    assert all(before["stop"] == after["start"] for before, after in pairwise(entries))


@pytest.mark.soak
@pytest.mark.timeout(1500)
def test_twenty_minutes_of_real_time_leave_both_processes_as_they_were(tmp_path: Path) -> None:
    with running(
        tmp_path / "out", "noise", "--channels", "2", "--segment", "30s", "--format", "flac"
    ) as recording:
        recording.wait_until_it_records()
        time.sleep(120)  # the first FLAC brings libsndfile
        processes = [psutil.Process(recording.process.pid), recording.engine]
        before = [Use(process) for process in processes]
        time.sleep(1200)
        for process, use in zip(processes, before, strict=True):
            Use(process).assert_flat(use)
        assert recording.end() == 0
