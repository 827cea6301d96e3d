"""A device of its own: to the bit while clocks agree, in step when they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from two_clocks import (
    N_CHANNELS,
    RATE,
    Device,
    Lateness,
    Streams,
    bursts,
    jitter,
    latencies,
    sound,
    tone_snr,
)

from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.two_clocks import DRIFTED_SECONDS, TwoClockPlayback, clocks_differ

BLOCK = 256
SETTLED = 2.0
"""Seconds after which sound is there."""

KNOWN_AFTER = 70.0
"""Seconds after which both clocks are known well."""

Late = Callable[[np.random.Generator], Lateness]


class Simulated:
    """A playback whose clock is what its callbacks tell."""

    def __init__(self, status: MonitorStatus, out_rate: int = RATE):
        self._now_ns = 0
        self.playback = TwoClockPlayback(
            N_CHANNELS, RATE, out_rate, BLOCK, status, clock=lambda: self._now_ns
        )
        self.push = self.playback.push

    def captured(self, index: int, now_ns: int) -> None:
        self._now_ns = now_ns
        self.playback.captured(index)

    def fill(self, out: np.ndarray, now_ns: int) -> None:
        self._now_ns = now_ns
        self.playback.fill(out)


@pytest.fixture
def status() -> Iterator[MonitorStatus]:
    status = MonitorStatus.create()
    yield status
    status.close()


def played(
    status: MonitorStatus, capture: Device, output: Device, seconds: float
) -> tuple[np.ndarray, Simulated]:
    simulated = Simulated(status, output.sample_rate)
    streams = Streams(simulated, capture, output)  # type: ignore[arg-type]
    return streams.play(seconds), simulated


@pytest.mark.parametrize("late", [jitter, bursts])
def test_clocks_that_agree_are_left_alone_to_the_bit(
    status: MonitorStatus, rng: np.random.Generator, late: Late
) -> None:
    capture = Device(late(rng), ppm=35)
    heard, _ = played(status, capture, Device(late(rng), ppm=35, begins=0.0123), 120)
    start = int(SETTLED * RATE)
    _at, latency = latencies(heard[start:], capture, Device(late(rng)))
    index = round(start - float(np.median(latency)) * RATE)
    candidates = [sound(capture, i, i + 20000) for i in range(index - 2000, index + 2000)]
    begin = next(i for i, c in enumerate(candidates) if np.array_equal(c, heard[start:][:20000]))
    first = index - 2000 + begin
    whole = np.concatenate(
        [sound(capture, i, i + RATE // 2) for i in range(first, first + 110 * RATE, RATE // 2)]
    )
    assert np.array_equal(heard[start : start + len(whole)], whole)
    assert status.read().missing == 0


@pytest.mark.parametrize(
    ("seconds", "ppm"),
    [(100, 200), (100, -200), pytest.param(600, 200, marks=pytest.mark.soak)],
)
@pytest.mark.parametrize("late", [jitter, bursts])
def test_clocks_that_differ_keep_their_latency_and_a_tone_stays_one(
    status: MonitorStatus, rng: np.random.Generator, late: Late, seconds: float, ppm: float
) -> None:
    capture, output = Device(late(rng), ppm=ppm), Device(late(rng), begins=0.0123)
    heard, _ = played(status, capture, output, seconds)
    at, latency = latencies(heard, capture, output)
    begin = np.median(latency[(at > 0.6) & (at < 1)])
    assert np.abs(latency[at > 0.6] - begin).max() <= DRIFTED_SECONDS + 1.5e-3
    assert np.abs(latency[at > KNOWN_AFTER] - begin).max() <= 2e-3
    assert status.read().missing == 0 and status.read().state is Playing.SOUND
    for start in range(int(KNOWN_AFTER * RATE), len(heard) - 4 * RATE, 8 * RATE):
        assert tone_snr(heard[start : start + 4 * RATE, 0].astype(np.float64), RATE) > 80


def test_another_rate_is_resampled_from_the_start(
    status: MonitorStatus, rng: np.random.Generator
) -> None:
    output = Device(jitter(rng), sample_rate=44100)
    heard, _ = played(status, Device(jitter(rng)), output, 20)
    assert status.read().missing == 0
    tail = heard[-4 * 44100 :, 0].astype(np.float64)
    assert tone_snr(tail, 44100) > 40, "the clocks are not known yet"


def test_the_way_changes_without_a_click(status: MonitorStatus, rng: np.random.Generator) -> None:
    heard, _ = played(status, Device(jitter(rng), ppm=200), Device(jitter(rng)), 60)
    start = int(SETTLED * RATE)
    steepest = 2 * np.pi * 1000 / RATE * 0.5
    assert np.abs(np.diff(heard[start:, 0])).max() <= steepest * 1.05


def test_only_sure_differences_count() -> None:
    assert clocks_differ(2e-4, 2e-5)
    assert not clocks_differ(9e-5, 2e-5)
    assert not clocks_differ(1e-3, 1e-4), "not known well yet"
    assert not clocks_differ(1e-6, 1e-8)
