"""The engine's process for real: started, killed, hung, orphaned, and brought back."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest

from realtime.audio.ring import AudioRing
from realtime.audio.sources import parse_source
from realtime.audio.synth import Tone
from realtime.commands.record import ENDINGS, REQUESTS
from realtime.config import AudioSettings, MonitorSettings
from realtime.engine import child
from realtime.engine.engine import FIRST_SECONDS, GIVE_UP_SECONDS, START_SECONDS, Engine
from realtime.engine.monitor import MonitorState
from realtime.engine.process import EngineProcess, Event
from realtime.engine.status import Cause, State, Status
from realtime.engine.voice import Plan
from realtime.errors import DeviceError, EngineError, SourceError

RATE = 48000
AUDIO = AudioSettings(ring_seconds=30.0)


@pytest.fixture
def engine():
    engine = EngineProcess(parse_source("tone:1000"), AUDIO)
    engine.start()
    yield engine
    engine.stop()


def until(engine: EngineProcess, happened: Callable[[list[Event]], object], seconds: float = 10.0):
    """Polls as a display does until it happened; fails after `seconds`."""
    events: list[Event] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        events += engine.poll(time.monotonic_ns())
        if happened(events):
            return events
        time.sleep(0.01)
    raise AssertionError(f"it did not happen; events so far: {events}")


def lives(pid: int) -> bool:
    """An orphan's corpse may lie about until the system's first process takes it away."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def test_samples_written_by_the_engine_are_read_by_its_parent(engine):
    until(engine, lambda _: engine.ring.written > RATE // 4)
    expected = Tone(1000.0, RATE, 1).read(RATE // 4)
    assert np.array_equal(engine.ring.read(0, RATE // 4), expected)
    assert engine.status.read().faults == 0


def test_a_killed_engine_is_restarted_and_the_time_between_is_on_record(engine):
    until(engine, lambda _: engine.ring.written > RATE // 2)
    os.kill(engine.pid, signal.SIGKILL)
    events = until(engine, lambda events: "restarted" in kinds(events))
    assert kinds(events) == ["lost", "restarted"]
    until(engine, lambda _: engine.status.read().n_gaps)
    (gap,) = engine.status.read().gaps
    assert gap.cause is Cause.RESTART
    assert not engine.ring.read(gap.index, gap.index + gap.length).any()
    # The time line is true again: the index of now is the time since the beginning.
    status = engine.status.read()
    behind = time.monotonic_ns() - status.time_ns(engine.ring.written, RATE)
    assert abs(behind) < 0.05e9


def no_more_processes(*_: object) -> int:
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_a_process_that_cannot_be_started_again_is_tried_until_it_can(engine, monkeypatch):
    until(engine, lambda _: engine.ring.written)
    with monkeypatch.context() as patch:
        patch.setattr("multiprocessing.util.spawnv_passfds", no_more_processes)
        os.kill(engine.pid, signal.SIGKILL)
        events = until(engine, lambda events: "waiting" in kinds(events))
    assert "could not be started (Resource temporarily unavailable)" in events[1].text
    events += until(engine, lambda events: "restarted" in kinds(events))
    assert kinds(events) == ["lost", "waiting", "restarted"]


def test_a_process_that_cannot_be_started_at_all_is_told_and_leaves_nothing_open(monkeypatch):
    monkeypatch.setattr("multiprocessing.util.spawnv_passfds", no_more_processes)
    open_before = psutil.Process().num_fds()
    engine = EngineProcess(parse_source("tone:1000"), AUDIO)
    engine.launch()
    with pytest.raises(EngineError, match="could not be started"):
        engine.start()
    engine.stop()
    assert psutil.Process().num_fds() == open_before


def test_an_engine_that_hangs_is_ended_and_replaced(engine):
    pid = engine.pid
    until(engine, lambda _: engine.ring.written)
    os.kill(pid, signal.SIGSTOP)
    until(engine, lambda events: "restarted" in kinds(events), 15.0)
    assert engine.pid != pid and not lives(pid)


class EchoVoice:
    """A voice without a loudspeaker, which tells the gain of each state that it is given."""

    duplex = False

    def __init__(self):
        self.notices = []

    def change(self, state):
        self.notices = [str(state.settings.gain)]

    def start(self, *_):
        pass

    stop = captured = step = start


def echoing_engine(*arguments: Any) -> None:
    """`child.main`, in the engine's process, with an `EchoVoice`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "_plan", lambda *_: Plan(None, False, 256))
        patch.setattr(child.Memory, "voice", lambda *_: EchoVoice())
        engine_main(*arguments)


@pytest.fixture
def echoing(monkeypatch):
    monkeypatch.setattr(child, "main", echoing_engine)
    engine = EngineProcess(parse_source("tone:1000"), AUDIO, MonitorState(MonitorSettings()))
    engine.start()
    yield engine
    engine.stop()


def test_an_engine_that_hangs_holds_nobody_up_and_the_newest_change_arrives(echoing):
    def change_often() -> None:
        for k in range(400):
            echoing.change(MonitorState(MonitorSettings(gain=-k / 10)))
            events.extend(echoing.poll(time.monotonic_ns()))

    events: list[Event] = []
    os.kill(echoing.pid, signal.SIGSTOP)
    display = threading.Thread(target=change_often, daemon=True)
    display.start()
    display.join(3)
    os.kill(echoing.pid, signal.SIGCONT)
    assert not display.is_alive()
    told = [event.text for event in events + until(echoing, lambda e: "-39.9" in str(e))]
    assert len(told) <= 3, "those between are of the past"


def test_a_sound_without_a_device_is_never_said_to_be_unplugged(engine):
    until(engine, lambda _: engine.ring.written)
    for state in (State.STALLED, State.RUNNING):
        engine.status.beat(time.monotonic_ns(), state, engine.pid)
        assert engine.poll(time.monotonic_ns()) == []


def test_stop_ends_the_process_and_gives_the_memory_back_and_may_be_called_again(engine):
    pid, name = engine.pid, engine.ring.name
    engine.stop()
    engine.stop()
    assert not lives(pid)
    with pytest.raises(FileNotFoundError):
        AudioRing.attach(name)


def test_what_a_source_cannot_do_is_raised_in_its_own_words(tmp_path):
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    engine = EngineProcess(parse_source(str(empty)), AUDIO)
    with pytest.raises(SourceError, match="empty"):
        engine.start()
    assert engine.pid is None


class BusyDevice:
    """A device that is found, and then held by another program."""

    name, sample_rate, n_channels, block, active = "busy", RATE, 1, 256, False

    def start(self, deliver, on_end):
        raise DeviceError("'busy' could not be opened: is another program holding it?")

    def stop(self):
        pass


def busy_engine(*arguments: Any) -> None:
    """`child.main`, in the engine's process, with a device that is busy."""
    child.open_source = lambda *_: BusyDevice()
    engine_main(*arguments)


engine_main = child.main


def test_a_device_that_is_busy_at_the_start_is_told_at_once_and_not_tried_again(monkeypatch):
    monkeypatch.setattr(child, "main", busy_engine)
    engine = EngineProcess(parse_source("mic"), AUDIO)
    with pytest.raises(DeviceError, match="is another program holding it"):
        engine.start(timeout=10)
    assert engine.restarts == 0 and engine.pid is None


def test_a_file_that_ends_is_an_end_and_no_loss(tmp_path, rng):
    import soundfile

    path = tmp_path / "short.wav"
    sound = (rng.standard_normal((RATE // 2, 1)) * 0.1).astype(np.float32)
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    engine = EngineProcess(parse_source(str(path)), AUDIO)
    engine.start()
    try:
        events = until(engine, lambda events: engine.ended)
        assert "ended" in kinds(events)
        assert np.array_equal(engine.ring.read(0, RATE // 2), sound)
        assert engine.status.read().lost == 0
        assert engine.poll(time.monotonic_ns()) == []
    finally:
        engine.stop()


def test_a_file_that_breaks_off_is_told_once_and_not_played_again(tmp_path, rng):
    import soundfile

    path = tmp_path / "cut.wav"
    sound = (rng.standard_normal((RATE // 2, 1)) * 0.1).astype(np.float32)
    soundfile.write(path, sound, RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    engine = EngineProcess(parse_source(str(path)), AUDIO)
    engine.start()
    try:
        events = until(engine, lambda events: engine.ended)
        (end,) = [event for event in events if event.kind == "ended"]
        assert "ends after" in end.text
        assert engine.restarts == 0 and engine.poll(time.monotonic_ns()) == []
    finally:
        engine.stop()


PARENT = """
import sys, time
from realtime.audio.sources import parse_source
from realtime.config import AudioSettings
from realtime.engine.process import EngineProcess
if __name__ == "__main__":
    engine = EngineProcess(parse_source("tone:1000"), AudioSettings(ring_seconds=2.0))
    engine.start()
    print(engine.pid, engine.ring.name, flush=True)
    time.sleep(60)
"""


def test_the_engine_goes_when_its_parent_is_killed_and_leaves_no_memory_behind(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, name = parent.stdout.readline().split()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            AudioRing.attach(name).close()
        except FileNotFoundError:
            break
        time.sleep(0.05)
    assert not lives(int(pid))
    with pytest.raises(FileNotFoundError):
        AudioRing.attach(name)


class SilentDevice:
    """A device that opens and never delivers: none of our servers can be made to do that."""

    name, n_channels, active = "dead", 1, True

    def __init__(self, sample_rate=RATE, block=256):
        self.sample_rate, self.block = sample_rate, block

    def start(self, deliver, on_end):
        self.deliver, self.on_end = deliver, on_end

    def stop(self):
        pass


@pytest.fixture
def stepped(request):
    """An engine without process or clock: both hands of the clock are the test's."""
    ring, status = AudioRing.create(1, RATE, 5.0), Status.create()
    device = SilentDevice(*getattr(request, "param", ()))
    now = [1_000_000_000]
    engine = Engine(device, ring, status, clock=lambda: now[0])
    engine.start()
    yield engine, device, now, status
    ring.close()
    status.close()


def test_a_device_that_never_delivers_is_stalled_and_then_given_up(stepped):
    engine, _, now, _ = stepped
    assert engine.step(now[0] + int((FIRST_SECONDS - 0.1) * 1e9)) is State.RUNNING
    assert engine.step(now[0] + int((FIRST_SECONDS + 0.1) * 1e9)) is State.STALLED
    engine.step(now[0] + int((GIVE_UP_SECONDS + 0.1) * 1e9))
    assert engine.ended is None, "a first block may take longer"
    engine.step(now[0] + int((START_SECONDS + 0.1) * 1e9))
    assert engine.ended == "'dead' has delivered nothing for 5.1 s"


def test_a_device_that_falls_silent_is_stalled_resumes_or_is_given_up(stepped):
    engine, device, now, _ = stepped
    block = np.zeros((256, 1), np.float32)
    device.deliver(block, False)
    assert engine.step(now[0] + int(0.7e9)) is State.STALLED
    now[0] += int(1.5e9)
    device.deliver(block, False)
    assert engine.step(now[0]) is State.RUNNING
    engine.step(now[0] + int(2.1e9))
    assert engine.ended is not None


@pytest.mark.parametrize("stepped", [(16000, 16384), (8000, 16384)], indirect=True)
def test_a_device_with_long_blocks_is_not_stalled_between_two(stepped):
    engine, device, now, _ = stepped
    due_ns = block_ns = round(device.block / device.sample_rate * 1e9)
    due_ns += now[0]
    for _ in range(100):
        now[0] += int(0.1e9)
        if now[0] >= due_ns:
            device.deliver(np.zeros((device.block, 1), np.float32), False)
            due_ns += block_ns
        assert engine.step(now[0]) is State.RUNNING


def test_what_a_terminal_sends_to_both_is_left_to_the_parent():
    assert {*ENDINGS, *REQUESTS} - set(child.PARENTS_SIGNALS) == {"SIGTERM"}


def test_no_exception_leaves_the_callback_and_it_is_counted(stepped):
    _, device, _, status = stepped
    device.deliver(np.zeros((256, 3), np.float32), False)  # three channels into a ring of one
    assert status.read().faults == 1


class FaultyVoice(EchoVoice):
    def captured(self, block, lost):
        raise ValueError("wrong")


def test_a_fault_of_the_voice_costs_the_ring_nothing():
    ring, status = AudioRing.create(1, RATE, 5.0), Status.create()
    device = SilentDevice()
    Engine(device, ring, status, voice=FaultyVoice()).start()
    device.deliver(np.ones((256, 1), np.float32), False)
    assert ring.written == 256 and status.read().faults == 1
    ring.close()
    status.close()
