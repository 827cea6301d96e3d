"""Playback on one clock: constant delay, soft edges, counted silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.playback import (
    FADE_SECONDS,
    GROW_AFTER,
    SETTLE_SECONDS,
    Breaks,
    DirectPlayback,
)

RATE, BLOCK = 48000, 256
FADE = int(FADE_SECONDS * RATE)


@pytest.fixture
def status() -> Iterator[MonitorStatus]:
    status = MonitorStatus.create()
    yield status
    status.close()


class Stream:
    """A duplex stream: each cycle captures a block, the worker delivers what is `late` blocks
    old, and a block is played."""

    def __init__(self, status: MonitorStatus, late: int = 1):
        self.playback = DirectPlayback(1, RATE, BLOCK, status)
        self.captured = 0
        self.pushed = 0
        self.late = late
        self.played: list[np.ndarray] = []

    def cycle(self, push: bool = True, n: int = 1) -> np.ndarray:
        for _ in range(n):
            ready = max(0, self.captured - (self.late - 1) * BLOCK)
            if push and ready > self.pushed:
                self.playback.push(ramp(self.pushed, ready))
                self.pushed = ready
            self.captured += BLOCK
            self.playback.captured(self.captured)
            out = np.full((BLOCK, 1), np.nan, np.float32)
            self.playback.fill(out)
            self.played.append(out)
        return self.played[-1]

    def distance(self) -> int:
        """Samples from the newest captured to the first played in the next cycle."""
        out = self.cycle()
        return self.captured - int(index_of(out)[0])

    def settle(self) -> None:
        self.cycle(n=int((SETTLE_SECONDS + 0.1) * RATE / BLOCK) + 2)


def ramp(start: int, stop: int) -> np.ndarray:
    """Samples that tell their index."""
    return (np.arange(start, stop, dtype=np.float32) / 2**22)[:, None]


def index_of(out: np.ndarray) -> np.ndarray:
    return np.round(out[:, 0] * 2**22).astype(int)


def test_sound_comes_after_settling_a_block_beyond_the_latest_arrival(
    status: MonitorStatus,
) -> None:
    stream = Stream(status, late=3)
    first = stream.cycle()
    assert not first.any() and status.read().state is Playing.SETTLING
    stream.settle()
    out = stream.cycle()
    assert status.read().state is Playing.SOUND
    # Three blocks late, a block to play, a block in reserve.
    assert stream.captured - index_of(out)[0] == stream.playback.delay == 5 * BLOCK
    assert (np.diff(index_of(out)) == 1).all()
    assert status.read().missing == 0


def test_the_first_sound_is_faded_in(status: MonitorStatus) -> None:
    stream = Stream(status)
    stream.settle()
    whole = np.concatenate(stream.played)[:, 0]
    begin = int(np.flatnonzero(whole)[0])
    assert np.abs(np.diff(whole[begin : begin + 2 * FADE])).max() < 2 * whole.max() / FADE


def test_partial_underrun_plays_what_is_there_then_goes_softly_to_silence(
    status: MonitorStatus,
) -> None:
    stream = Stream(status)
    stream.settle()
    before = stream.cycle()[-1, 0]
    stream.cycle(push=False)  # the reserve
    out = stream.cycle(push=False)
    assert status.read().underflows == 1
    assert status.read().missing == BLOCK
    steps = np.abs(np.diff(out[:, 0]))
    assert steps.max() <= 2 * before / FADE
    assert stream.cycle(push=False)[-1, 0] == 0
    assert status.read().underflows == 1, "one silence is one underflow"
    assert status.read().missing == 2 * BLOCK


def test_what_comes_too_late_is_left_out_and_the_delay_stays(status: MonitorStatus) -> None:
    stream = Stream(status)
    stream.settle()
    delay = stream.playback.delay
    stream.cycle(push=False, n=5)
    stream.cycle(n=3)
    assert stream.distance() == delay


def test_a_delay_that_is_too_short_again_and_again_grows(status: MonitorStatus) -> None:
    stream = Stream(status)
    stream.settle()
    delay = stream.playback.delay
    for _ in range(GROW_AFTER):
        stream.cycle(push=False, n=4)
        stream.cycle(n=20)
    assert stream.distance() == delay + BLOCK


def test_underflows_far_apart_are_accidents() -> None:
    breaks = Breaks(RATE)
    assert [breaks.too_many(at * RATE) for at in (0, 3, 6, 9)] == [False] * 4
    assert [breaks.too_many(at * RATE) for at in (20, 21, 22, 23)] == [False, False, True, False]


@pytest.mark.parametrize("missing_cycles", [20, -20])
def test_a_device_that_stood_still_is_found_again_within_two_windows(
    status: MonitorStatus, missing_cycles: int
) -> None:
    stream = Stream(status)
    stream.settle()
    delay = stream.playback.delay
    if missing_cycles > 0:  # capture goes on alone
        for _ in range(missing_cycles):
            stream.captured += BLOCK
            stream.playback.captured(stream.captured)
    else:  # playback goes on alone
        for _ in range(-missing_cycles):
            stream.playback.fill(np.empty((BLOCK, 1), np.float32))
    stream.cycle(n=2 * RATE // BLOCK + 2)
    assert stream.distance() == delay


def test_another_path_settles_anew_without_a_click(status: MonitorStatus) -> None:
    stream = Stream(status)
    stream.settle()
    stream.playback.resettle()
    level = stream.cycle()[0, 0]
    assert level > 0
    stream.cycle(n=3)
    whole = np.concatenate(stream.played[-4:])[:, 0]
    assert np.abs(np.diff(whole)).max() <= 2 * level / FADE
    assert whole[-1] == 0
    stream.settle()
    assert status.read().state is Playing.SOUND
