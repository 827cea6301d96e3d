"""A device of its own: to the bit while clocks agree, in step when they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from two_clocks import (
    LEVEL,
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

from realtime.dsp.clock import Line
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.two_clocks import TwoClockPlayback, clocks_differ

BLOCK = 256
SETTLED = 2.0
"""Seconds after which sound is there."""

STEPS = {jitter: 3, bursts: 20}
"""Seconds, of all that follow, in which the ratio may take a step, or latency be pulled back."""

UNSEEN_SECONDS = 4.5e-3
"""What clocks may drift apart in bursts before it is sure: every 20 ms they beat with blocks of
256 samples, 1.33 ms long, so that nothing of drift is seen until it is that far, and nothing that
could not as well be a beat until it is twice as far."""

BACK_SECONDS = 4.0
"""After which latency is back from there."""

Late = Callable[[np.random.Generator], Lateness]


class Simulated:
    """A playback whose clock is what its callbacks tell."""

    def __init__(
        self, status: MonitorStatus, out_rate: int = RATE, rate: int = RATE, block: int = BLOCK
    ):
        self._now_ns = 0
        self.playback = TwoClockPlayback(
            N_CHANNELS, rate, out_rate, block, status, clock=lambda: self._now_ns
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
    [
        (90, 200),
        (90, -200),
        *(
            pytest.param(600, ppm, marks=[pytest.mark.soak, pytest.mark.timeout(600)])
            for ppm in (50, -100, 200, -200, 400)
        ),
    ],
)
@pytest.mark.parametrize("late", [jitter, bursts])
def test_clocks_that_differ_keep_their_latency_and_a_tone_stays_one(
    status: MonitorStatus, rng: np.random.Generator, late: Late, seconds: int, ppm: float
) -> None:
    capture, output = Device(late(rng), ppm=ppm), Device(late(rng), begins=0.0123)
    heard, _ = played(status, capture, output, seconds)
    at, latency = latencies(heard, capture, output)
    off = np.abs(latency - np.median(latency[(at > 0.6) & (at < 1)]))[at > 0.6]
    assert len(at) > (seconds - 1) * RATE, "all but the beginning is sound"
    assert status.read().missing == 0 and status.read().state is Playing.SOUND
    begins = range(round(SETTLED * RATE), len(heard) - RATE, RATE)
    tones = np.array([tone_snr(heard[begin : begin + RATE, 0], RATE) for begin in begins])
    print(  # noqa: T201
        f"{ppm:+g} ppm: latency off by {1e3 * off.max():.2f} ms at most, more than 2 ms for "
        f"{np.count_nonzero(off > 2e-3) / RATE:.1f} s; below 80 dB in seconds "
        f"{(np.flatnonzero(tones <= 80) + SETTLED).astype(int).tolist()}, otherwise "
        f"{tones[tones > 80].min():.0f} dB at least"
    )
    assert np.count_nonzero(tones <= 80) <= STEPS[late]
    assert tones[60:].min() > 80 or late is bursts
    if late is jitter:
        assert off.max() <= 2e-3
    else:
        assert off.max() <= UNSEEN_SECONDS
        back = (at[at > 0.6])[np.argmax(off)] + BACK_SECONDS
        assert off[at[at > 0.6] > back].max() <= 2e-3


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
    assert np.hypot(heard[start:, 1], heard[start:, 2]).min() > 0.99 * LEVEL, "no hole either"


def line(rate: float = RATE, rate_error: float = 1e-6, spread: float = 2e-5) -> Line:
    return Line(0.0, 0.0, rate, rate_error, spread, 0.0)


def test_only_sure_differences_count() -> None:
    faster = line(RATE * (1 + 2e-4))
    assert clocks_differ(line(), faster, -1.5e-3)
    assert not clocks_differ(line(), faster, -1.0e-3), "not far apart yet"
    assert not clocks_differ(line(), line(RATE * (1 + 6e-6)), -1.5e-3), "a shift, not a drift"
    assert not clocks_differ(line(rate_error=1e-4), faster, -1.5e-3), "not known well yet"
    assert not clocks_differ(line(spread=5e-4), faster, -3e-3), "it may be a beat"
    assert clocks_differ(line(spread=5e-4), faster, -4e-3)


def test_blocks_of_half_a_second_are_heard_on_a_device_of_another_rate(
    status: MonitorStatus, rng: np.random.Generator
) -> None:
    capture = Device(jitter(rng), sample_rate=8000, block=4096)
    output = Device(jitter(rng), sample_rate=48000, block=4096)
    simulated = Simulated(status, output.sample_rate, capture.sample_rate, capture.block)
    heard = Streams(simulated, capture, output).play(20)[-10 * RATE :]  # type: ignore[arg-type]
    assert (np.hypot(heard[:, 1], heard[:, 2]) > 0.99 * LEVEL).all()
