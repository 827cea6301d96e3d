"""The time line kept by a simulated device whose every loss is known."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.audio.ring import AudioRing
from realtime.engine.intake import SHIFT_SECONDS, Intake, lost_samples
from realtime.engine.status import Cause, Status

RATE = 48000
BLOCK = 256


class Device:
    """Delivers a counter: sample i of the world has the value i + 1 (exact in float32)."""

    def __init__(self, rng: np.random.Generator, jitter: float = 0.002):
        self.ring = AudioRing.create(1, RATE, 30.0)
        self.status = Status.create()
        self.intake = Intake(self.ring, self.status)
        self.rng, self.jitter = rng, jitter
        self.world = 0  # samples of the world so far
        self.last_ns = 0

    def deliver(self, blocks: int, *, overflow: bool = False, late: float = 0.0, n: int = BLOCK):
        for _ in range(blocks):
            block = np.arange(self.world + 1, self.world + n + 1, dtype=np.float32)[:, None]
            self.world += n
            due = 5.0 + self.world / RATE + self.rng.exponential(self.jitter) + late
            now = max(int(due * 1e9), self.last_ns + 1000)
            self.last_ns = now
            self.intake.accept(block, now, overflow)
            overflow = False

    def seconds(self, seconds: float, **kwargs):
        self.deliver(int(seconds * RATE / BLOCK), **kwargs)

    def lose(self, n: int):
        self.world += n

    def samples(self) -> np.ndarray:
        return self.ring.read(self.ring.oldest, self.ring.written)[:, 0]

    def assert_true_outside_gaps(self, tolerance: int = 0):
        """Every sample stands at its place on the world's time line, or is a marked zero."""
        expected = np.arange(1, self.ring.written + 1, dtype=np.float32)
        gaps = self.status.read().gaps
        for gap in gaps:
            expected[gap.index : gap.index + gap.length] = 0
        assert np.max(np.abs(self.samples() - expected)) <= tolerance

    def close(self):
        self.ring.close()
        self.status.close()


@pytest.fixture
def device(rng):
    device = Device(rng)
    yield device
    device.close()


def test_a_stream_without_loss_passes_untouched_and_nothing_is_held_back(device):
    device.seconds(8)
    assert device.ring.written == device.world
    device.assert_true_outside_gaps()
    assert device.status.read().lost == 0


def test_a_flagged_loss_of_one_block_is_exact_and_at_its_place(device):
    device.seconds(3)
    at = device.world
    device.lose(BLOCK)
    device.deliver(1, overflow=True)
    device.seconds(2)
    (gap,) = device.status.read().gaps
    assert (gap.index, gap.length, gap.cause) == (at, BLOCK, Cause.OVERFLOW)
    device.assert_true_outside_gaps()


def test_a_flag_without_loss_adds_nothing(device):
    device.seconds(3)
    device.deliver(1, overflow=True)
    device.seconds(2)
    assert device.status.read().lost == 0
    assert device.status.read().overflows == 1
    device.assert_true_outside_gaps()


def test_two_losses_soon_after_each_other_are_told_apart(device):
    device.seconds(3)
    device.lose(2 * BLOCK)
    device.deliver(12, overflow=True)
    device.lose(BLOCK)
    device.deliver(1, overflow=True)
    device.seconds(2)
    assert [gap.length for gap in device.status.read().gaps] == [2 * BLOCK, BLOCK]
    device.assert_true_outside_gaps()


@pytest.mark.parametrize("phase", range(0, 1100, 100))
def test_a_loss_is_timed_to_two_milliseconds_where_a_server_wakes_up_out_of_step(device, phase):
    """Blocks come when a server wakes up, every 1100 samples: each 24 samples less late than the
    one before, until two come at once."""
    block, waking, device.jitter = 1024, 1100, 0.0
    lost = int(1.5 * RATE) + phase

    def deliver(seconds: float):
        for _ in range(int(seconds * RATE / block)):
            device.deliver(1, n=block, late=-(device.world + block) % waking / RATE)

    deliver(4)
    at = device.world
    device.lose(lost)
    deliver(4)
    (gap,) = device.status.read().gaps
    assert gap.index == at
    assert abs(gap.length - lost) <= 0.002 * RATE


def test_a_late_buffer_that_arrives_in_a_burst_is_no_loss(device):
    device.seconds(3)
    held_back = device.world
    device.last_ns += int(0.9e9)  # nothing for 0.9 s, then everything at once
    device.seconds(3)
    assert device.status.read().lost == 0
    assert device.world > held_back
    device.assert_true_outside_gaps()


def test_a_flag_amid_a_late_burst_is_no_loss_when_the_burst_makes_up_for_it(device):
    device.seconds(3)
    device.last_ns += int(0.3e9)
    device.deliver(2)
    device.deliver(1, overflow=True)
    device.seconds(2)
    assert device.status.read().lost == 0
    device.assert_true_outside_gaps()


@pytest.mark.parametrize("seconds", [0.15, 1.5, 40.0])
def test_a_stall_without_flag_becomes_zeros_of_its_length(device, seconds):
    device.seconds(3)
    at = device.world
    device.lose(int(seconds * RATE))
    device.seconds(2)
    (gap,) = device.status.read().gaps
    assert gap.index == at
    assert gap.cause is Cause.STALL
    assert gap.length == pytest.approx(seconds * RATE, abs=0.002 * RATE)


def test_a_loss_that_leaves_no_trace_but_the_clock_is_found(device):
    device.seconds(4)
    for _ in range(50):  # 2 ms missing after every block: no interval is unusual
        device.lose(96)
        device.deliver(1)
    device.seconds(4)
    (gap,) = device.status.read().gaps
    assert gap.cause is Cause.CLOCK
    assert gap.length == pytest.approx(0.1 * RATE, abs=SHIFT_SECONDS * RATE)


def test_a_server_that_enlarges_its_buffer_is_no_loss(device):
    device.seconds(3)
    device.seconds(6, late=0.04)
    assert device.status.read().lost == 0


def test_a_clock_that_drifts_by_300_ppm_is_followed(device):
    for second in range(20):
        device.seconds(1, late=second * 300e-6)
    assert device.status.read().lost == 0
    assert device.ring.written == device.world


def test_a_stuttering_start_is_not_counted_as_loss(device):
    device.deliver(1)
    device.lose(int(0.6 * RATE))
    device.seconds(4)
    assert device.status.read().lost == 0


def test_a_successor_goes_on_after_a_gap_of_the_time_between(device, rng):
    device.seconds(3)
    at = device.ring.written
    device.intake = Intake(device.ring, device.status)
    device.lose(int(0.7 * RATE))
    device.seconds(2)
    (gap,) = device.status.read().gaps
    assert (gap.index, gap.cause) == (at, Cause.RESTART)
    assert gap.length == pytest.approx(0.7 * RATE, abs=0.002 * RATE)


def test_a_flag_soon_after_a_successor_began_does_not_change_why_it_had_to(device):
    device.seconds(3)
    device.intake = Intake(device.ring, device.status)
    device.lose(int(0.7 * RATE))
    device.deliver(3, late=0.1)  # held back, for it may yet catch up
    device.deliver(1, overflow=True, late=0.1)
    device.seconds(2)
    assert Cause.RESTART in {gap.cause for gap in device.status.read().gaps}
    device.assert_true_outside_gaps(0.11 * RATE)


def test_a_successor_to_a_writer_that_died_in_the_middle_of_a_count_is_readable(device):
    device.seconds(1)
    device.status._cells[0] += 1  # an odd version: the writer died between its two stores
    device.intake = Intake(device.ring, device.status)
    device.seconds(1)
    assert device.status.read().samples == device.ring.written


def test_more_held_back_than_there_is_room_for_is_written_all_the_same(device):
    device.seconds(3)
    for _ in range(30):  # a flag every 0.1 s for 3 s, and nothing lost
        device.deliver(1, overflow=True)
        device.seconds(0.1)
    device.seconds(1)
    device.assert_true_outside_gaps()
    assert device.ring.written == device.world


@pytest.mark.parametrize(
    ("shift", "cause", "lost"),
    [
        (0.0051, Cause.OVERFLOW, 256),  # near one block: exactly one
        (0.0026, Cause.OVERFLOW, 0),  # less than half a block: lateness
        (0.0080, Cause.OVERFLOW, 384),  # between blocks: as measured
        (0.045, Cause.STALL, 0),
        (1.5, Cause.STALL, 72000),
        (-0.01, Cause.STALL, 0),
    ],
)
def test_the_verdict_on_a_shift(shift, cause, lost):
    assert lost_samples(shift, cause, RATE, BLOCK) == pytest.approx(lost, abs=1)
