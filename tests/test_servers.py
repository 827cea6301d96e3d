"""The servers the other tests stand on: what is fed arrives, and nothing of them stays behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import counter
import numpy as np
import psutil
import pytest
from servers import SAMPLE_RATE, JackServer, PulseServer, jack_server, pulse_server

BLOCK = 256
SECONDS = 3.0


def capture(device: str, env: dict[str, str], out: Path, mode: str = "idle") -> np.ndarray:
    """What one callback in a process of its own hears, float32 (n_samples, 2)."""
    script = Path(__file__).with_name("plain_capture.py")
    command = [sys.executable, str(script), device, str(SECONDS), "2", str(BLOCK), mode, str(out)]
    subprocess.run(command, env=env, check=True, timeout=30)
    return np.load(out)


@pytest.mark.pulse
def test_pulse_carries_the_counter_bit_for_bit(pulse: PulseServer, tmp_path: Path) -> None:
    pulse.feed_counter(SECONDS + 5)
    heard = counter.runs(counter.decode(capture("virtmic", pulse.env, tmp_path / "heard.npy")))
    assert len(heard) == 1
    assert heard[0].length > SAMPLE_RATE // 2


@pytest.mark.pulse
def test_the_default_microphone_of_pulse_is_the_virtual_one(
    pulse: PulseServer, tmp_path: Path
) -> None:
    pulse.feed_counter(SECONDS + 5)
    heard = counter.runs(counter.decode(capture("default", pulse.env, tmp_path / "heard.npy")))
    assert len(heard) == 1


@pytest.mark.pulse
def test_pulse_can_be_killed_and_started_again() -> None:
    with pulse_server() as server:
        first = server.pid
        server.kill()
        server.start()
        assert server.pid != first
        assert "virtmic" in server.pactl("list", "short", "sources")


@pytest.mark.jack
def test_jack_loses_only_whole_cycles_of_an_idle_reader(jack: JackServer, tmp_path: Path) -> None:
    indices = counter.decode(capture(jack.FEEDER, jack.env, tmp_path / "heard.npy"))
    jumps = np.diff(indices[indices > 0]) - 1
    assert np.all(jumps >= -BLOCK)  # a feeder woken late gives one block the next one's indices
    assert np.all(jumps % BLOCK == 0)
    assert len(indices) > 0.5 * SECONDS * SAMPLE_RATE


@pytest.mark.jack
def test_a_callback_beside_a_held_interpreter_loses_more_than_half(
    jack: JackServer, tmp_path: Path
) -> None:
    indices = counter.decode(capture(jack.FEEDER, jack.env, tmp_path / "heard.npy", "hold"))
    heard = indices[indices > 0]
    passed = heard[-1] - heard[0] + 1
    assert len(heard) < 0.5 * passed


@pytest.mark.parametrize("server", [pulse_server, jack_server])
def test_no_process_of_a_server_stays_behind_when_a_test_fails(server) -> None:
    def children() -> set[psutil.Process]:
        return set(psutil.Process().children(recursive=True))

    def fail() -> None:
        with server():
            assert children() > before
            raise ZeroDivisionError

    before = children()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert children() <= before
