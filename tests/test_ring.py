"""The ring against a list as its model, across processes, and against a writer gone wild."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.audio import ring as ring_module
from realtime.audio.ring import AudioRing
from realtime.errors import Overrun, RequestError


@pytest.fixture
def ring():
    ring = AudioRing.create(2, 1000, 1.0)
    yield ring
    ring.close()


def ramp(start: int, n: int, channels: int = 2) -> np.ndarray:
    return np.repeat(np.arange(start, start + n, dtype=np.float32)[:, None], channels, axis=1)


def test_what_was_written_is_read_by_absolute_index(ring):
    ring.write(ramp(0, 700))
    ring.write(ramp(700, 700))
    assert (ring.written, ring.oldest) == (1400, 400)
    assert np.array_equal(ring.read(400, 1400), ramp(400, 1000))


def test_samples_that_are_gone_or_not_there_yet_raise_overrun_and_say_which(ring):
    ring.write(ramp(0, 1500))
    with pytest.raises(Overrun, match=r"samples 400\.\.600 are gone: the ring holds 500\.\.1500"):
        ring.read(400, 600)
    with pytest.raises(Overrun, match="are not there yet"):
        ring.read(1400, 1501)
    with pytest.raises(Overrun):
        ring.read(-1, 3)


def test_a_read_is_a_copy(ring):
    ring.write(ramp(0, 10))
    first = ring.read(0, 10)
    first[:] = -1
    assert np.array_equal(ring.read(0, 10), ramp(0, 10))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2300)), max_size=12))
def test_the_ring_equals_a_list(operations):
    ring = AudioRing.create(1, 1000, 1.0)
    try:
        model = np.zeros(0, np.float32)
        for silence, n in operations:
            if silence:
                ring.write_zeros(n)
                model = np.concatenate([model, np.zeros(n, np.float32)])
            else:
                block = ramp(len(model) + 1, n, 1)
                ring.write(block)
                model = np.concatenate([model, block[:, 0]])
            assert ring.written == len(model)
            assert ring.oldest == max(0, len(model) - ring.capacity)
            assert np.array_equal(ring.read(ring.oldest, ring.written)[:, 0], model[ring.oldest :])
    finally:
        ring.close()


def _write_for_ever(name: str) -> None:
    ring = AudioRing.attach(name)
    block = np.empty((257, 1), np.float32)
    while True:
        at = ring.written
        block[:, 0] = np.arange(at, at + len(block)) % 1_000_003
        ring.write(block)


def test_a_reader_beside_a_writer_in_another_process_gets_exact_samples_or_overrun():
    ring = AudioRing.create(1, 5000, 1.0)
    writer = multiprocessing.get_context("spawn").Process(
        target=_write_for_ever, args=(ring.name,), daemon=True
    )
    writer.start()
    try:
        read = overrun = 0
        deadline = time.monotonic() + 20
        while (read < 300 or overrun < 30) and time.monotonic() < deadline:
            start = ring.oldest + read % 50  # the part the writer is about to reach
            try:
                block = ring.read(start, start + 4000)[:, 0]
            except Overrun:
                overrun += 1
                continue
            read += 1
            assert np.array_equal(block, np.arange(start, start + 4000) % 1_000_003)
        assert read >= 300 and overrun >= 30
    finally:
        writer.kill()
        writer.join()
        ring.close()


def test_the_owner_takes_the_memory_away_and_a_reader_does_not():
    ring = AudioRing.create(1, 1000, 1.0)
    reader = AudioRing.attach(ring.name)
    reader.close()
    AudioRing.attach(ring.name).close()
    ring.close()
    ring.close()
    with pytest.raises(FileNotFoundError):
        AudioRing.attach(ring.name)


def test_where_shared_memory_is_small_the_ring_is_shorter(monkeypatch):
    monkeypatch.setattr(ring_module, "free_shared_bytes", lambda: 64e6)
    ring = AudioRing.create(1, 48000, 600.0)
    try:
        assert 60 < ring.seconds < 600
    finally:
        ring.close()
    monkeypatch.setattr(ring_module, "free_shared_bytes", lambda: 10_000.0)
    with pytest.raises(RequestError, match="make room in /dev/shm"):
        AudioRing.create(1, 48000, 600.0)
