"""The engine's voice without hardware: what it does without its loudspeaker."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.audio.ring import AudioRing
from realtime.audio.sources import parse_source
from realtime.config import AudioSettings, MonitorSettings
from realtime.engine import voice as voices
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.voice import TOGETHER_ATTEMPTS, Plan, Voice
from realtime.errors import DeviceError

RATE = 48000


@pytest.fixture
def no_speaker(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(output: str) -> None:
        raise DeviceError(f"there is no playback device '{output}'")

    monkeypatch.setattr(voices, "find_speaker", find)


def plan(attempt: int) -> Plan:
    return Plan.of(parse_source("demo"), AudioSettings(), "gone", attempt)


@pytest.mark.usefixtures("no_speaker")
@pytest.mark.parametrize("attempt", [0, 1, TOGETHER_ATTEMPTS - 1])
def test_a_device_that_is_not_there_is_an_error_at_first(attempt: int) -> None:
    with pytest.raises(DeviceError, match="no playback device 'gone'"):
        plan(attempt)


@pytest.mark.usefixtures("no_speaker")
def test_in_the_end_an_engine_comes_back_without_its_playback_device(
    rng: np.random.Generator,
) -> None:
    ring, output = AudioRing.create(1, RATE, 2.0), AudioRing.create(1, RATE, 2.0)
    status = MonitorStatus.create()
    status.show_playback(Playing.SOUND, 1000, RATE)  # as the engine before left it
    state = MonitorState(MonitorSettings())
    voice = Voice(plan(TOGETHER_ATTEMPTS), ring, output, status, state, listens=False)
    voice.start()
    try:
        samples = rng.uniform(-0.5, 0.5, (RATE // 4, 1)).astype(np.float32)
        ring.write(samples)
        voice.captured(samples, 0)
        voice.step(0, 0.0)
    finally:
        voice.stop()
    assert voice.notices == [
        "there is no playback device 'gone'. Everything else goes on; start anew to play again"
    ]
    assert status.read().state is Playing.WAITING
    for memory in (ring, output, status):
        memory.close()
