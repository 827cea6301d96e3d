"""The monitor without hardware: blocks in, blocks out, and what happens when something is late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from realtime.audio.ring import AudioRing
from realtime.config import MonitorSettings
from realtime.dsp.processors.registry import Effect
from realtime.dsp.windows import WINDOWS
from realtime.engine.monitor import Monitor, MonitorState
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.playback import DirectPlayback
from realtime.engine.worker import Worker

RATE = 48000
TOO_POINTED = ("flattop", 2)
"""Refused: configs/broken/monitor-too-pointed.toml."""


class Rig:
    """One duplex stream: each cycle captures a block, lets the worker work, and plays a block."""

    def __init__(
        self,
        n_channels: int = 1,
        block: int = 256,
        listens: bool = False,
        rate: int = RATE,
        **settings: object,
    ):
        self.block = block
        self.ring = AudioRing.create(n_channels, rate, 20)
        self.output = AudioRing.create(n_channels, rate, 20)
        self.status = MonitorStatus.create()
        self.playback = DirectPlayback(n_channels, rate, block, self.status)
        self.state = MonitorState(MonitorSettings(**settings))  # type: ignore[arg-type]
        self.monitor = Monitor(
            self.ring, self.output, self.status, self.playback, self.state, listens, block
        )
        self.lost = 0

    def run(self, samples: np.ndarray, work: bool = True) -> np.ndarray:
        played = []
        for at in range(0, len(samples) - self.block + 1, self.block):
            block = samples[at : at + self.block]
            self.ring.write(block)
            self.monitor.captured(block, self.lost)
            out = np.full_like(block, np.nan)
            self.playback.fill(out)
            played.append(out)
            while work and self.monitor.step():
                pass
        return np.concatenate(played)

    def change(self, *effects: Effect, **settings: object) -> None:
        self.state = MonitorState(self.state.settings.model_copy(update=settings), effects)
        self.monitor.change(self.state)

    def close(self) -> None:
        for memory in (self.ring, self.output, self.status):
            memory.close()


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    rig = Rig(**getattr(request, "param", {}))
    yield rig
    rig.close()


def noise(rng: np.random.Generator, seconds: float, n_channels: int = 1) -> np.ndarray:
    n = int(seconds * RATE)
    return rng.uniform(-0.5, 0.5, (n, n_channels)).astype(np.float32)


def delay_of(played: np.ndarray, samples: np.ndarray) -> int:
    """Samples by which `played` is later than `samples`, by correlation."""
    n = 1 << 15
    a, b = played[-n:, 0], samples[len(played) - n : len(played), 0]
    correlation = np.fft.irfft(np.fft.rfft(a) * np.conj(np.fft.rfft(b)))
    return int(np.argmax(correlation))


@pytest.mark.parametrize(
    "rig",
    [
        {},
        {"n_channels": 2},
        {"block": 64, "n_fft": 2048, "hop": 64, "synthesis": 128},
        {"block": 480, "n_fft": 512, "hop": 64, "window": "blackmanharris"},
        {"block": 1000, "n_fft": 4096, "hop": 2048, "window": "hamming"},
    ],
    indirect=True,
)
def test_without_effects_the_sound_is_only_later(rig: Rig, rng: np.random.Generator) -> None:
    samples = noise(rng, 2, rig.ring.n_channels)
    played = rig.run(samples)
    delay = delay_of(played, samples)
    start = RATE  # settled and faded in
    error = played[start:] - samples[start - delay : len(played) - delay]
    assert np.abs(error).max() <= 1e-6
    snapshot = rig.status.read()
    assert snapshot.state is Playing.SOUND and snapshot.missing == 0
    assert delay == snapshot.algorithmic + snapshot.transport - rig.block


@pytest.mark.parametrize(
    ("window", "overlap"), [(w, n) for w in WINDOWS for n in (2, 4, 8, 32) if (w, n) != TOO_POINTED]
)
@pytest.mark.parametrize(("n_channels", "block"), [(1, 64), (2, 333)])
def test_every_window_and_hop_gives_the_sound_back(
    window: str, overlap: int, n_channels: int, block: int, rng: np.random.Generator
) -> None:
    rig = Rig(n_channels, block, n_fft=1024, hop=1024 // overlap, window=window)
    try:
        samples = noise(rng, 1, n_channels) * 2
        rig.run(samples)
        start, stop = 2048, rig.output.written
        assert stop > RATE - 4096
        assert np.abs(rig.output.read(start, stop) - samples[start:stop]).max() <= 1e-6
    finally:
        rig.close()


def test_the_eyes_get_the_output_at_its_place_on_the_time_line(
    rig: Rig, rng: np.random.Generator
) -> None:
    samples = noise(rng, 1)
    rig.run(samples)
    stop = rig.output.written
    assert rig.ring.written - stop < 2048
    assert np.abs(rig.output.read(2000, stop) - rig.ring.read(2000, stop)).max() < 1e-6


def test_what_the_device_lost_is_silence_in_the_output_too(
    rig: Rig, rng: np.random.Generator
) -> None:
    rig.run(noise(rng, 0.5))
    rig.ring.write_zeros(5000)
    rig.lost = 5000
    rig.run(noise(rng, 0.5))
    start, stop = rig.output.written - 8000, rig.output.written
    assert np.abs(rig.output.read(start, stop) - rig.ring.read(start, stop)).max() < 1e-6


def test_a_late_worker_drops_input_counts_it_and_keeps_its_latency(
    rig: Rig, rng: np.random.Generator
) -> None:
    samples = noise(rng, 4)
    rig.run(samples[:RATE])
    delay = rig.status.read().transport
    rig.run(samples[RATE : RATE + 24000], work=False)
    played = rig.run(samples[RATE + 24000 :])
    snapshot = rig.status.read()
    assert snapshot.dropped >= 12000 and snapshot.missing >= 20000
    assert snapshot.transport == delay
    assert np.abs(played[-RATE:]).max() > 0.4
    start, stop = rig.output.written - 8000, rig.output.written
    assert np.abs(rig.output.read(start, stop) - rig.ring.read(start, stop)).max() < 1e-6


@pytest.mark.parametrize(
    "rig",
    [
        {"rate": 48000, "block": 16384},
        {"rate": 16000, "block": 4096},
        {"rate": 8000, "block": 2048},
        {"rate": 8000, "block": 16384},
    ],
    indirect=True,
)
def test_blocks_as_long_as_a_backlog_are_played(rig: Rig, rng: np.random.Generator) -> None:
    n = 12 * rig.block
    samples = rng.uniform(-0.5, 0.5, (n, 1)).astype(np.float32)
    played = rig.run(samples)
    snapshot = rig.status.read()
    assert snapshot.dropped == snapshot.missing == 0
    delay = snapshot.algorithmic + snapshot.transport - rig.block
    start = 8 * rig.block
    assert np.abs(played[start:] - samples[start - delay : n - delay]).max() <= 1e-6


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_never_reaches_the_loudspeaker(
    rig: Rig, rng: np.random.Generator, bad: float
) -> None:
    samples = noise(rng, 2)
    samples[RATE : RATE + 100] = bad
    played = rig.run(samples)
    assert np.isfinite(played).all()
    assert np.abs(played[-RATE // 4 :]).max() > 0.4, "and leaves no trace"


def test_the_loudspeaker_never_gets_more_than_full_scale(
    rig: Rig, rng: np.random.Generator
) -> None:
    rig.change(gain=24.0)
    played = rig.run(noise(rng, 2))
    assert np.abs(played).max() <= 1
    assert rig.status.read().gain < 0.3


def test_mute_and_volume_change_without_a_click(rig: Rig) -> None:
    part = 188 * rig.block  # about a second
    t = np.arange(3 * part) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 200 * t)).astype(np.float32)[:, None]
    steepest = np.abs(np.diff(tone[:, 0])).max()
    played = [rig.run(tone[:part])]
    rig.change(mute=True)
    played.append(rig.run(tone[part : 2 * part]))
    rig.change(gain=-6.0, mute=False)
    played.append(rig.run(tone[2 * part :]))
    assert not played[1][-part // 2 :].any()
    assert np.abs(played[2][-part // 2 :]).max() == pytest.approx(0.5 * 10 ** (-6 / 20), rel=1e-3)
    assert np.abs(np.diff(np.concatenate(played)[:, 0])).max() <= steepest + 0.003


def test_frames_of_another_size_come_after_a_soft_pause(rig: Rig, rng: np.random.Generator) -> None:
    samples = noise(rng, 4)
    rig.run(samples[:RATE])
    rig.change(n_fft=4096, hop=1024)
    played = rig.run(samples[RATE:])
    delay = delay_of(played, samples[RATE:])
    assert delay > 3072
    error = played[-RATE:] - samples[RATE:][len(played) - RATE - delay : len(played) - delay]
    assert np.abs(error).max() <= 1e-6
    assert np.isfinite(played).all()


SHORT = {"n_fft": 2048, "hop": 64, "synthesis": 128, "gain": -20.0}
LONG = {"synthesis": None, "hop": 256, "gain": 0.0}


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ([{"hop": 500}, {"window": "hamming"}, {"window": "hann"}] * 2, 0.5),
        ([SHORT, LONG] * 3, 0.5),
        ([SHORT, LONG] * 3, 0.016),
        ([{"n_fft": 16384}, {"n_fft": 8192}] * 6, 0.016),
    ],
)
def test_the_output_is_at_its_place_however_often_frames_change(
    rig: Rig, rng: np.random.Generator, changes: list[dict], seconds: float
) -> None:
    for settings in changes:
        rig.run(noise(rng, seconds))
        rig.change(**settings)
    rig.run(noise(rng, 1.2))
    start, stop = rig.output.written - 16_000, rig.output.written
    assert rig.ring.written - stop < 17_000
    assert np.abs(rig.output.read(start, stop) - rig.ring.read(start, stop)).max() < 1e-6


@pytest.mark.parametrize("rig", [{"listens": True}], indirect=True)
def test_a_howl_is_ducked_and_reported(rig: Rig) -> None:
    t = np.arange(4 * RATE) / RATE
    howl = 1e-4 * 10 ** (40 * t / 20) * np.sin(2 * np.pi * 1500 * t)
    played = rig.run(np.clip(howl, -1, 1).astype(np.float32)[:, None])
    assert rig.status.read().howls == 1
    assert rig.status.read().howl_hz == pytest.approx(1500, abs=47)
    assert "feedback at 15" in rig.monitor.notices[0]
    assert np.abs(played[int(3.0 * RATE) : int(3.3 * RATE)]).max() < 0.02


def test_bypass_gives_the_sound_back_as_it_came(rig: Rig, rng: np.random.Generator) -> None:
    samples = noise(rng, 3)
    rig.change(Effect("gain", {"db": -12}))
    rig.run(samples[:RATE])
    rig.change(Effect("gain", {"db": -12}), bypass=True)
    played = rig.run(samples[RATE:])
    delay = delay_of(played, samples[RATE:])
    error = played[-RATE:] - samples[RATE:][len(played) - RATE - delay : len(played) - delay]
    assert np.abs(error).max() <= 1e-6


SPAN_NOT_THERE = Effect("mask", {"boxes": "300-3400@900000-960000"})


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [({}, "stay as they were: "), ({"n_fft": 512, "hop": 128}, "are left out: ")],
)
def test_an_effect_that_cannot_be_made_is_told_and_the_sound_goes_on(
    rig: Rig, rng: np.random.Generator, settings: dict, outcome: str
) -> None:
    rig.run(noise(rng, 1))
    rig.change(SPAN_NOT_THERE, **settings)
    played = rig.run(noise(rng, 2))
    assert rig.monitor.notices[0].startswith(f"the effects {outcome}mask has nothing to play")
    assert np.abs(played[-RATE // 2 :]).max() > 0.4


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_a_step_that_goes_wrong_is_told_once_and_the_sound_goes_on_at_its_place(
    rig: Rig, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(block: np.ndarray) -> None:
        raise ValueError("wrong")

    worker = Worker(rig.monitor, rig.status)
    worker.start()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(rig.monitor, "_work", fail)
            rig.run(noise(rng, 0.2), work=False)
            wait_until(lambda: rig.status.read().faults >= 2)
        rig.run(noise(rng, 0.2), work=False)
        wait_until(lambda: rig.output.written > rig.ring.written - 2048)
    finally:
        worker.stop()
    start, stop = rig.output.written - 4000, rig.output.written
    assert np.abs(rig.output.read(start, stop) - rig.ring.read(start, stop)).max() < 1e-6
    assert list(rig.monitor.notices) == ["the monitor met an error of its own: ValueError('wrong')"]
