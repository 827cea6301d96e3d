"""`realtime doctor --loopback`: the probe is found again, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from servers import PulseServer

from realtime.audio.portaudio import USUAL_RATE
from realtime.commands.loopback import LEAST_PROMINENCE, find_probe, judged, loopback, probe
from realtime.config import AudioSettings, MonitorSettings
from realtime.engine.monitor_status import MonitorSnapshot, Playing

SNAPSHOT = MonitorSnapshot(
    algorithmic=768, effects=0, transport=480, device=0, dropped=0, faults=0, howls=0, howl_hz=0,
    gain=1.0, busy_ns=0, state=Playing.SOUND, underflows=0, missing=0, played=0,
)  # fmt: skip


@pytest.mark.parametrize("delay", [0, 1, 1234, 20000])
@pytest.mark.parametrize("gain", [1.0, -0.01])
def test_the_probe_is_found_to_the_sample(
    delay: int, gain: float, rng: np.random.Generator
) -> None:
    sent = probe(48000)
    heard = rng.normal(0, 1e-3, 48000 + len(sent))
    heard[delay : delay + len(sent)] += gain * sent
    place, prominence = find_probe(heard, sent)
    assert place == delay
    assert prominence > LEAST_PROMINENCE


@pytest.mark.parametrize("name", ["noise", "tone", "silence"])
def test_what_is_not_the_probe_is_not_found(name: str, rng: np.random.Generator) -> None:
    n = 48000
    heard = {
        "noise": rng.normal(0, 0.1, n),
        "tone": np.sin(2 * np.pi * 440 * np.arange(n) / 48000),
        "silence": np.zeros(n),
    }[name]
    assert find_probe(heard, probe(48000))[1] < LEAST_PROMINENCE


def test_the_parts_add_up_to_what_was_measured() -> None:
    check = judged([0.045, 0.046, 0.047], SNAPSHOT, 48000)
    assert check.state == "ok"
    assert check.text == (
        "46.0 ms from sound to sound (±1.0 ms over 3 probes): frames 16.0, transport 10.0, "
        "devices 20.0"
    )


def test_silence_says_what_to_do() -> None:
    check = judged([], SNAPSHOT, 48000)
    assert check.state == "note" and "connect output and input" in check.fix


@pytest.mark.pulse
def test_a_looped_server_tells_its_latency(pulse: PulseServer) -> None:
    pulse.pactl("set-default-source", "speaker.monitor")
    check = loopback(AudioSettings(sample_rate=USUAL_RATE), MonitorSettings())
    assert check.state == "ok", check
    assert "frames 16.0" in check.text
