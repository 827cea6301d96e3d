"""The engine on an elastic server, from the null microphone to the ring; and what breaks it."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from listening import (
    ACCOUNTED_SECONDS,
    BACK_SECONDS,
    HOLD_SECONDS,
    heard,
    least_lateness,
    listening,
    marked,
    watch,
    watch_for,
    watch_until_heard,
)
from servers import SAMPLE_RATE, PulseServer
from torture import holding_the_interpreter

from realtime.engine.process import EngineProcess
from realtime.engine.status import Cause, State

pytestmark = pytest.mark.pulse

SETTLE_SECONDS = 2.0
"""After a start, until the server has settled on its buffer sizes."""


@pytest.mark.parametrize("seconds", [6, pytest.param(60, marks=pytest.mark.soak)])
def test_the_counter_arrives_bit_for_bit_while_the_display_holds_the_interpreter(
    pulse: PulseServer, seconds: float
) -> None:
    pulse.feed_counter(seconds + 15)
    with listening("mic:virtmic", seconds + 15) as engine:
        watch_until_heard(engine, 0.1)
        with holding_the_interpreter(HOLD_SECONDS):
            watch_for(engine, seconds)
        indices = heard(engine)
        status = engine.status.read()
    sounding = indices[indices > 0]
    assert len(sounding) >= seconds * SAMPLE_RATE
    assert np.all(np.diff(sounding) == 1)
    assert (status.lost, status.faults) == (0, 0)


def assert_accounted(engine: EngineProcess) -> None:
    """The jump of the counter over the gaps is as long as the gaps."""
    watch_for(engine, 1.0)
    indices = heard(engine)
    gaps = marked(engine, len(indices))
    assert gaps.any()
    assert not indices[gaps].any(), "marked as lost, but not silent"
    sounding = np.flatnonzero(indices)
    offset = indices[sounding] - sounding
    assert abs(offset[-1] - offset[0]) <= ACCOUNTED_SECONDS * SAMPLE_RATE


def test_a_killed_engine_is_back_and_its_gap_is_as_long_as_what_is_missing(
    pulse: PulseServer,
) -> None:
    pulse.feed_counter(30)
    with listening("mic:virtmic") as engine:
        watch_until_heard(engine, SETTLE_SECONDS)
        before = engine.ring.written
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        watch(engine, lambda _: engine.ring.written > before, BACK_SECONDS, "the return of sound")
        assert_accounted(engine)


def test_a_source_suspended_for_a_while_is_heard_again_and_the_gap_is_marked(
    pulse: PulseServer,
) -> None:
    pulse.feed_counter(30)
    with listening("mic:virtmic") as engine:
        watch_until_heard(engine, SETTLE_SECONDS)
        pulse.suspend(True)
        events = watch_for(engine, 1.5)
        assert engine.state is State.STALLED
        assert [event.kind for event in events] == ["stalled"]
        before = engine.ring.written
        pulse.suspend(False)
        watch(engine, lambda _: engine.ring.written > before, BACK_SECONDS, "the return of sound")
        assert_accounted(engine)


def test_a_server_killed_and_started_again_is_heard_again_and_the_time_line_is_true(
    pulse: PulseServer,
) -> None:
    pulse.feed_counter(30)
    with listening("mic:virtmic") as engine:
        watch_until_heard(engine, SETTLE_SECONDS)
        late = least_lateness(engine)
        pulse.kill()
        watch(
            engine,
            lambda events: "lost" in {event.kind for event in events},
            BACK_SECONDS,  # now and then nobody but the stall tells that it is gone
            "a word about the loss",
        )
        before = engine.ring.written
        pulse.start()
        pulse.feed_counter(30)
        watch(engine, lambda _: engine.ring.written > before, BACK_SECONDS, "the return of sound")
        watch_until_heard(engine, SETTLE_SECONDS)
        assert abs(least_lateness(engine) - late) <= ACCOUNTED_SECONDS
        indices = heard(engine)
        gaps = marked(engine, len(indices))
        assert not indices[gaps].any(), "marked as lost, but not silent"
        assert Cause.RESTART in {gap.cause for gap in engine.status.read().gaps}


def test_a_microphone_unplugged_and_plugged_in_again_is_heard_again(pulse: PulseServer) -> None:
    pulse.feed_counter(30)
    with listening("mic:virtmic") as engine:
        watch_until_heard(engine, 0.5)
        pulse.unplug()
        watch(
            engine,
            lambda events: bool({"stalled", "lost"} & {event.kind for event in events}),
            BACK_SECONDS,
            "a word about the loss",
        )
        before = engine.ring.written
        pulse.plug()
        pulse.feed_counter(30)
        watch(engine, lambda _: engine.ring.written > before, BACK_SECONDS, "the return of sound")
        watch_until_heard(engine, 0.5)
