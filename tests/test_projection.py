"""Samples to frames and back in one pass: nothing is lost, and the nearest sound is found."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.projection import Projector
from realtime.dsp.spectra import istft, stft
from realtime.dsp.windows import window
from realtime.errors import RequestError

SIZES = [(256, 64, True), (256, 64, False), (200, 60, True), (129, 31, True), (128, 128, False)]
"""n_fft, hop, center."""


def shape_for(n_fft: int, hop: int) -> np.ndarray:
    return window("hann" if hop < n_fft else "hamming", n_fft)


@pytest.mark.parametrize(("n_fft", "hop", "center"), SIZES)
def test_frames_are_those_of_the_stft(rng: np.random.Generator, n_fft, hop, center):
    samples = rng.standard_normal(5000).astype(np.float32)
    shape = shape_for(n_fft, hop)
    frames = stft(samples, n_fft, hop, shape, center)
    projector = Projector(shape, hop, len(frames), len(samples), lead=n_fft // 2 if center else 0)
    padded = projector.silence()
    padded[projector.sound] = samples
    np.testing.assert_allclose(projector.frames(padded, 0), frames, atol=1e-4)
    found = []
    projector.through(
        padded, lambda part, first: found.append((first, len(part))) or part, padded * 0
    )
    assert sum(n for _, n in found) == len(frames)


@pytest.mark.parametrize(("n_fft", "hop", "center"), SIZES)
def test_unchanged_frames_give_the_samples_back(rng: np.random.Generator, n_fft, hop, center):
    samples = rng.standard_normal(hop * 70 + n_fft).astype(np.float32)
    shape = shape_for(n_fft, hop)
    n_frames = len(stft(samples, n_fft, hop, shape, center))
    projector = Projector(shape, hop, n_frames, len(samples), lead=n_fft // 2 if center else 0)
    padded = projector.silence()
    padded[projector.sound] = samples
    again = projector.through(padded, lambda frames, first: frames, projector.silence())
    inner = slice(n_fft, -n_fft)
    np.testing.assert_allclose(again[projector.sound][inner], samples[inner], atol=1e-5)
    assert not again[: projector.sound.start].any() and not again[projector.sound.stop :].any()


@pytest.mark.parametrize(("n_fft", "hop", "center"), SIZES[:4])
def test_the_nearest_sound_is_that_of_istft(rng: np.random.Generator, n_fft, hop, center):
    frames = rng.standard_normal((150, 2, n_fft // 2 + 1)) @ np.eye(n_fft // 2 + 1)
    frames = (frames[:, 0] + 1j * frames[:, 1]).astype(np.complex64)
    shape = shape_for(n_fft, hop)
    projector = Projector(shape, hop, len(frames), lead=n_fft // 2 if center else 0)
    ours = projector.samples(frames)[projector.sound]
    theirs = istft(frames, hop, n_fft, shape, center)
    assert len(ours) == len(theirs)
    inner = slice(n_fft, -n_fft)
    np.testing.assert_allclose(ours[inner], theirs[inner], atol=1e-5)


def test_many_blocks_are_as_one(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch):
    shape = window("hann", 64)
    frames = rng.standard_normal((90, 33)).astype(np.complex64)
    whole = Projector(shape, 16, 90).samples(frames)
    monkeypatch.setattr("realtime.dsp.projection.BLOCK_BYTES", 7 * 4 * 64)
    np.testing.assert_allclose(Projector(shape, 16, 90).samples(frames), whole, atol=1e-6)


def test_a_longer_or_shorter_sound_than_the_frames_say_is_silent_beyond(rng):
    frames = rng.standard_normal((10, 33)).astype(np.complex64)
    for n_samples in (0, 1, 100, 1000):
        projector = Projector(window("hann", 64), 16, 10, n_samples, lead=32)
        made = projector.samples(frames)
        assert len(made[projector.sound]) == n_samples
        assert not made[projector.sound.stop :].any() and np.isfinite(made).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"hop": 0}, "hop=0 must be at least 1"),
        ({"n_frames": 0}, "n_frames=0 must be at least 1"),
        ({"n_samples": -1}, "n_samples=-1 at least 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        Projector(**{"window": window("hann", 64), "hop": 16, "n_frames": 9, **arguments})
