"""Revised phases: true ones stay, others come nearer to the truth."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from realtime.dsp.griffin_lim import LookAheadGriffinLim
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import window
from realtime.errors import RequestError


def noise_frames(rng: np.random.Generator, shape: np.ndarray, hop: int, n_channels=1):
    """Frames of real samples, after silence."""
    n_fft = len(shape)
    samples = rng.standard_normal((40 * hop + n_fft, n_channels)).astype(np.float32)
    samples[:n_fft] = 0
    return StreamingStft(n_fft, hop, shape, n_channels=n_channels).push(samples)


def inconsistency(frames: np.ndarray, shape: np.ndarray, hop: int) -> float:
    """Share of the power that overlap-add and analysis change (Griffin & Lim 1984)."""
    again = StreamingIstft(len(shape), hop, shape, n_channels=frames.shape[1]).push(frames)
    found = StreamingStft(len(shape), hop, shape, n_channels=frames.shape[1]).push(again)
    inner = slice(len(shape) // hop, len(found))
    return float(
        np.sum(np.abs(found - frames[: len(found)])[inner] ** 2) / np.sum(np.abs(found) ** 2)
    )


@pytest.mark.parametrize(
    ("n_fft", "hop", "held"), [(128, 16, 0), (128, 32, 4), (128, 64, 2), (100, 30, 3)]
)
def test_frames_that_fit_together_stay(rng: np.random.Generator, n_fft: int, hop: int, held: int):
    shape = window("blackman", n_fft)
    frames = noise_frames(rng, shape, hop, 2)
    revised = LookAheadGriffinLim(shape, hop, 2, held=held, rounds=2).push(frames)
    assert not revised[:held].any()
    error = np.linalg.norm(revised[held:] - frames[: len(frames) - held])
    # Not nothing: at the very end of the newest window the sum of frames is taken too low.
    assert error < (0.02 if held == 0 else 5e-4) * np.linalg.norm(frames)


def test_frames_that_do_not_fit_come_to_fit_better_with_more_rounds(rng: np.random.Generator):
    shape, hop = window("hann", 128), 16
    frames = noise_frames(rng, shape, hop)
    shaken = frames * np.exp(1j * rng.normal(0, 0.7, frames.shape)).astype(np.complex64)
    left = [inconsistency(shaken, shape, hop)]
    for rounds in (1, 4):
        revised = LookAheadGriffinLim(shape, hop, held=8, rounds=rounds).push(shaken)
        np.testing.assert_allclose(np.abs(revised[8:]), np.abs(shaken[:-8]), rtol=1e-4, atol=1e-4)
        left.append(inconsistency(revised[8:], shape, hop))
    assert left[1] < 0.7 * left[0]
    assert left[2] < 0.5 * left[1]


def test_cutting_changes_no_bit_and_a_copy_goes_on_alike(rng: np.random.Generator):
    shape, hop = window("hann", 64), 16
    frames = noise_frames(rng, shape, hop)
    shaken = (frames * np.exp(1j * rng.normal(0, 1, frames.shape))).astype(np.complex64)
    fresh = LookAheadGriffinLim(shape, hop, held=3, rounds=2)
    cut = copy.deepcopy(fresh)
    whole = fresh.push(shaken)
    first = cut.push(shaken[:7])
    twin = copy.deepcopy(cut)
    assert np.array_equal(np.concatenate([first, cut.push(shaken[7:])]), whole)
    assert np.array_equal(twin.push(shaken[7:]), whole[7:])
    fresh.reset()
    assert np.array_equal(fresh.push(shaken), whole)


def test_silence_stays_silence():
    revision = LookAheadGriffinLim(window("hann", 64), 16, held=2)
    assert not revision.push(np.zeros((9, 1, 33), np.complex64)).any()


@pytest.mark.parametrize("arguments", [{"hop": 0}, {"n_channels": 0}, {"held": -1}, {"rounds": 0}])
def test_arguments_that_do_not_fit_are_refused(arguments: dict):
    (name, value), *_ = arguments.items()
    with pytest.raises(RequestError, match=f"{name}={value}"):
        LookAheadGriffinLim(**{"window": window("hann", 64), "hop": 16, **arguments})


def test_another_shape_is_refused():
    with pytest.raises(RequestError, match=r"\(3, 33\) must be \(n_frames, n_channels, n_bins\)"):
        LookAheadGriffinLim(window("hann", 64), 16).push(np.zeros((3, 33)))
