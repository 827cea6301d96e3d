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
    listening,
    marked,
    watch,
    watch_for,
)
from servers import SAMPLE_RATE, JackServer
from torture import holding_the_interpreter

from realtime.engine.status import Cause

pytestmark = pytest.mark.jack

MOST_LOST = 0.001
"""Share of all samples that may be lost over a minute, beside a tortured display."""

MOST_LOST_SHORT = 0.01
"""The same over ten seconds, where one hiccup of the machine weighs more."""


@pytest.mark.parametrize(
    ("seconds", "most_lost"),
    [(10, MOST_LOST_SHORT), pytest.param(60, MOST_LOST, marks=pytest.mark.soak)],
)
def test_lost_equals_accounted_for_while_the_display_holds_the_interpreter(
    jack: JackServer, seconds: float, most_lost: float
) -> None:
    with listening(f"mic:{jack.FEEDER}", seconds + 15) as engine:
        with holding_the_interpreter(HOLD_SECONDS):
            watch_for(engine, seconds)
        watch_for(engine, 1.0)  # a suspicion still held back is judged
        indices = heard(engine)
        gaps = marked(engine, len(indices))
        status = engine.status.read()
    assert status.faults == 0
    assert len(indices) > seconds * SAMPLE_RATE
    assert not indices[gaps].any(), "marked as lost, but not silent"
    offset = (indices - np.arange(len(indices)))[~gaps]
    assert np.all(offset == offset[0]), "the counter leaves the time line outside the marked gaps"
    assert status.lost <= most_lost * len(indices)


def test_a_killed_engine_is_back_and_its_gap_is_as_long_as_what_is_missing(
    jack: JackServer,
) -> None:
    with listening(f"mic:{jack.FEEDER}") as engine:
        watch_for(engine, 2.0)
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        watch(
            engine,
            lambda _: any(gap.cause is Cause.RESTART for gap in engine.status.read().gaps),
            BACK_SECONDS,
            "the return of the engine",
        )
        watch_for(engine, 1.0)
        indices = heard(engine)
        gaps = marked(engine, len(indices))
    offset = (indices - np.arange(len(indices)))[~gaps]
    off_by = offset[-1] - offset[0]
    assert abs(off_by) <= ACCOUNTED_SECONDS * SAMPLE_RATE


def test_blocks_of_the_server_reach_the_ring_at_their_size(jack: JackServer) -> None:
    with listening(f"mic:{jack.FEEDER}") as engine:
        watch_for(engine, 1.0)
        status = engine.status.read()
    assert status.samples - status.lost == status.blocks * BLOCK
