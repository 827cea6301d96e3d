"""Recording from real audio servers: what arrived is in the files, what did not is on record."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import children
import counter
import numpy as np
import pytest
from captures import recorded, sidecars
from recording_runs import Running, running
from servers import SAMPLE_RATE, JackServer, PulseServer

from realtime.commands.record import GAPS, NO_DEVICE
from realtime.commands.record_request import BLOCK, LATENCY
from realtime.recording import sidecar

ENTRY_SECONDS = 0.05
"""A gap's entry is at most so far from the truth, where no buffer lies between,"""

BUFFERED_SECONDS = LATENCY + BLOCK / SAMPLE_RATE
"""and earlier by what server and library held when it happened: that is lost as well."""

TRUE_SECONDS = 0.005
"""After it the time line is true to so much."""

OPTIONS = ("--channels", "2", "--depth", "16")


def all_gaps(folder: Path) -> list[dict[str, Any]]:
    """Of all recordings, parts of one gap that lie in two files joined."""
    gaps: list[dict[str, Any]] = []
    for values in sidecars(folder):
        for gap in (*values["gaps_before"], *values["gaps"]):
            if gaps and gaps[-1]["index"] + gaps[-1]["length"] == gap["index"]:
                gaps[-1]["length"] += gap["length"]
            else:
                gaps.append(dict(gap))
    return gaps


@pytest.mark.pulse
@pytest.mark.parametrize(
    ("seconds", "segment"),
    [(6, "2s"), pytest.param(600, "7s", marks=[pytest.mark.soak, pytest.mark.timeout(900)])],
)
def test_files_from_pulse_put_together_are_the_counter_bit_for_bit(
    pulse: PulseServer, tmp_path: Path, seconds: float, segment: str
) -> None:
    pulse.feed_counter(seconds + 15)
    folder = tmp_path / "out"
    with running(folder, "mic:virtmic", "--segment", segment, *OPTIONS, env=pulse.env) as recorder:
        recorder.wait_until_it_records()
        time.sleep(seconds)
        assert recorder.end() == 0, recorder.messages.read_text()
    indices = counter.decode(recorded(folder))
    sounding = indices[indices > 0]
    assert len(sounding) >= seconds * SAMPLE_RATE
    assert np.all(np.diff(sounding) == 1)
    assert len(sidecars(folder)) >= seconds / float(segment[:-1])
    assert all_gaps(folder) == []


@pytest.mark.jack
@pytest.mark.parametrize(
    "seconds", [6, pytest.param(600, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
def test_what_jack_lost_is_what_the_sidecars_say(
    jack: JackServer, tmp_path: Path, seconds: float
) -> None:
    folder = tmp_path / "out"
    source = f"mic:{jack.FEEDER}"
    with running(folder, source, "--segment", "7s", *OPTIONS, env=jack.env) as recorder:
        recorder.wait_until_it_records()
        time.sleep(seconds)
        assert recorder.end() in (0, GAPS), recorder.messages.read_text()
    indices = counter.decode(recorded(folder))
    gaps = all_gaps(folder)
    for gap in gaps:
        assert not indices[gap["index"] : gap["index"] + gap["length"]].any()
    runs = [run for run in counter.runs(indices) if run.at + run.length > 0.1 * SAMPLE_RATE]
    lost = runs[-1].offset - runs[0].offset
    # A stand-still of the server itself passes time that its counter does not.
    if not jack.stand_stills:
        assert lost == 0
    assert len(indices) >= seconds * SAMPLE_RATE


def kill_the_server(pulse: PulseServer, recorder: Running) -> None:
    pulse.kill()
    time.sleep(1.0)
    pulse.start()


def suspend_the_source(pulse: PulseServer, recorder: Running) -> None:
    pulse.suspend(True)
    time.sleep(1.5)
    pulse.suspend(False)


def kill_the_engine(pulse: PulseServer, recorder: Running) -> None:
    recorder.engine.kill()


def unplug_the_microphone(pulse: PulseServer, recorder: Running) -> None:
    pulse.unplug()
    time.sleep(1.0)
    pulse.plug()


ACCIDENTS = (kill_the_server, suspend_the_source, unplug_the_microphone, kill_the_engine)
SILENCING = (kill_the_server, unplug_the_microphone)
"""After these the counter is fed anew."""


@pytest.mark.pulse
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident_is_a_gap_and_the_time_line_stays_true(
    pulse: PulseServer, tmp_path: Path, accident: Callable[[PulseServer, Running], None]
) -> None:
    folder = tmp_path / "out"
    pulse.feed_counter(40)
    with running(folder, "mic:virtmic", "--segment", "1m", *OPTIONS, env=pulse.env) as recorder:
        recorder.wait_until_it_records()
        time.sleep(3)
        began_ns = time.time_ns()
        accident(pulse, recorder)
        if accident in SILENCING:
            pulse.feed_counter(40)
        time.sleep(4)
        assert recorder.end() == GAPS, recorder.messages.read_text()
    (gap,) = all_gaps(folder)
    (values,) = sidecars(folder)
    start = sidecar.utc_ns(values["utc_start"]) + gap["index"] * 10**9 // SAMPLE_RATE
    assert -BUFFERED_SECONDS - ENTRY_SECONDS < (start - began_ns) / 1e9 < ENTRY_SECONDS
    indices = counter.decode(recorded(folder))
    sounding = np.flatnonzero(indices)
    first = counter.runs(indices[sounding[0] :])[0]
    silent = gap["index"] - sounding[0] - first.length  # a server fills up what it had begun
    assert 0 <= silent < ENTRY_SECONDS * SAMPLE_RATE
    if accident not in SILENCING:
        offset = indices[sounding] - sounding
        assert abs(offset[-1] - offset[0]) <= TRUE_SECONDS * SAMPLE_RATE


@pytest.mark.pulse
def test_a_microphone_that_is_not_there_at_the_end_is_code_3(
    pulse: PulseServer, tmp_path: Path
) -> None:
    pulse.feed_counter(20)
    with running(tmp_path / "out", "mic:virtmic", *OPTIONS, env=pulse.env) as recorder:
        recorder.wait_until_it_records()
        pulse.kill()
        children.wait_until(lambda: "trying again" in recorder.messages.read_text(), "the news")
        assert recorder.end() == NO_DEVICE
    assert len(sidecars(tmp_path / "out")) == 1
