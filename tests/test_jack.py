"""The engine on a strict server: what is not read in time is lost, and must be accounted for."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from listening import (
    ACCOUNTED_SECONDS,
    BACK_SECONDS,
    BLOCK,
    HOLD_SECONDS,
    heard,
    least_lateness,
    listening,
    watch,
    watch_for,
)
from servers import SAMPLE_RATE, JackServer
from torture import holding_the_interpreter

from realtime.engine.process import EngineProcess
from realtime.engine.status import Cause

pytestmark = pytest.mark.jack

SETTLE_SECONDS = 2.0
"""Until the engine knows the pace of a new stream, or has judged a suspicion."""

MOST_LOST = 0.001
"""Share of all samples that may be lost over a minute, beside a tortured display."""


LATE_FEEDER_SHARE = 0.001
"""Share of samples that may bear the index of the next block: a feeder woken too late reads a
frame time that has moved on, and its next block bears the same. No sample is lost by that."""


NEAR = 4 * BLOCK
"""Samples after a gap that may belong before it: which of a few late blocks was lost, the server
does not say."""


def offsets(engine: EngineProcess, begin: int) -> list[int]:
    """How far the counter is ahead of the ring between one marked gap and the next, from sample
    `begin` on. Asserts that gaps are silent and nothing else is missing or there twice."""
    indices = heard(engine)
    ahead = indices - np.arange(len(indices))
    found, late, at = [], 0, begin
    gaps = [(gap.index, gap.index + gap.length) for gap in engine.status.read().gaps]
    for start, stop in [*gaps, (len(indices), len(indices))]:
        assert not indices[start:stop].any(), "marked as lost, but not silent"
        if start > at:
            offset = int(np.median(ahead[at:start]))
            off = ahead[at:start] - offset
            assert np.isin(off, (0, BLOCK)).all(), "samples are missing away from the marked gaps"
            late += np.count_nonzero(off)
            found.append(offset)
        at = max(at, stop + NEAR)
    assert late <= LATE_FEEDER_SHARE * len(indices)
    return found


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.soak)])
def test_lost_equals_accounted_for_while_the_display_holds_the_interpreter(
    jack: JackServer, seconds: float
) -> None:
    with listening(f"mic:{jack.FEEDER}", seconds + 15) as engine:
        watch_for(engine, SETTLE_SECONDS)
        late, begin = least_lateness(engine), engine.ring.written
        with holding_the_interpreter(HOLD_SECONDS):
            watch_for(engine, seconds)
        watch_for(engine, SETTLE_SECONDS)  # a suspicion still held back is judged
        stand_stills = jack.stand_stills
        later = least_lateness(engine)
        status = engine.status.read()
        unexplained = np.diff(offsets(engine, begin))
    assert status.faults == 0
    assert status.samples > seconds * SAMPLE_RATE
    assert np.count_nonzero(unexplained) <= stand_stills
    assert np.all(unexplained <= 0), "the counter misses more than is marked"
    assert abs(later - late) <= ACCOUNTED_SECONDS, "the time line left the clock"
    if seconds >= 60:  # what a machine with other work loses within seconds says nothing
        assert status.lost <= MOST_LOST * status.samples


def test_a_killed_engine_is_back_and_its_gap_is_as_long_as_what_is_missing(
    jack: JackServer,
) -> None:
    with listening(f"mic:{jack.FEEDER}") as engine:
        watch_for(engine, SETTLE_SECONDS)
        begin = engine.ring.written
        watch_for(engine, 0.5)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        watch(
            engine,
            lambda _: any(gap.cause is Cause.RESTART for gap in engine.status.read().gaps),
            BACK_SECONDS,
            "the return of the engine",
        )
        watch_for(engine, SETTLE_SECONDS)
        found = offsets(engine, begin)
    assert len(found) >= 2
    assert abs(found[-1] - found[0]) <= ACCOUNTED_SECONDS * SAMPLE_RATE


def test_blocks_of_the_server_reach_the_ring_at_their_size(jack: JackServer) -> None:
    with listening(f"mic:{jack.FEEDER}") as engine:
        watch_for(engine, 1.0)
        status = engine.status.read()
    assert status.samples - status.lost == status.blocks * BLOCK
