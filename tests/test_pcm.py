from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from realtime.recording.pcm import DEPTHS, Packer, low_bytes


def words(data: memoryview, depth: int) -> np.ndarray:
    """The integers in packed bytes, by Python's own reading."""
    size = depth // 8
    raw = bytes(data)
    return np.array(
        [int.from_bytes(raw[i : i + size], "little", signed=True) for i in range(0, len(raw), size)]
    )


@pytest.mark.parametrize(("depth", "of"), [(16, 16), (24, 16), (24, 24)])
def test_sound_that_came_as_integers_leaves_bit_for_bit(rng, depth, of):
    came = rng.integers(-(2 ** (of - 1)), 2 ** (of - 1), 3000)
    came[:2] = -(2 ** (of - 1)), 2 ** (of - 1) - 1
    packer = Packer(depth, 3000)
    block = (came / 2 ** (of - 1)).astype(np.float32).reshape(-1, 2)
    assert np.array_equal(words(packer.pack(block), depth), came << (depth - of))
    assert packer.n_clipped == packer.n_bad == 0


@given(stn.arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32)))
def test_any_float_is_rounded_clipped_or_silenced_and_counted(values):
    for depth in (16, 24):
        packer = Packer(depth, 40)
        got = words(packer.pack(values.reshape(-1, 1)), depth)
        finite = np.isfinite(values)
        exact = np.rint(np.where(finite, values, 0).astype(np.float64) * 2 ** (depth - 1))
        low, high = -(2 ** (depth - 1)), 2 ** (depth - 1) - 1
        assert np.array_equal(got, np.clip(exact, low, high))
        assert packer.n_clipped == np.count_nonzero((exact < low) | (exact > high))
        assert packer.n_bad == np.count_nonzero(~finite)


@given(stn.arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32)))
def test_float_is_kept_as_it_is_but_for_what_is_not_finite(values):
    packer = Packer(32, 40)
    got = np.frombuffer(packer.pack(values.reshape(-1, 1)), "<f4")
    assert np.array_equal(got, np.where(np.isfinite(values), values, 0))
    assert (packer.n_clipped, packer.n_bad) == (0, np.count_nonzero(~np.isfinite(values)))


def test_counts_go_on_from_block_to_block_and_the_callers_block_is_untouched():
    packer = Packer(24, 8)
    block = np.array([[1.0, np.nan], [-1.5, 0.25]], np.float32)
    before = block.copy()
    packer.pack(block)
    packer.pack(block)
    assert (packer.n_clipped, packer.n_bad) == (4, 2)
    assert np.array_equal(block, before, equal_nan=True)


@pytest.mark.parametrize("depth", DEPTHS)
def test_integers_give_their_low_bytes(rng, depth):
    values = rng.integers(-(2 ** (depth - 1)), 2 ** (depth - 1), (100, 3)).astype(np.int32)
    assert np.array_equal(words(low_bytes(values, depth), depth), values.reshape(-1))
