"""Changes of some bins that leave the rest alone."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.least_change import least_change
from realtime.dsp.projection import Projector
from realtime.dsp.spectra import stft
from realtime.dsp.windows import window

N_FFT, HOP = 256, 64
N_SAMPLES = 4000


@pytest.fixture
def projector() -> Projector:
    return Projector(
        window("hann", N_FFT), HOP, 1 + N_SAMPLES // HOP, N_SAMPLES, lead=N_FFT // 2, dtype=float
    )


def test_an_erased_box_is_60_db_down_and_silent_out_of_its_reach(rng, projector: Projector):
    samples = rng.standard_normal(N_SAMPLES).astype(np.float32)
    frames = stft(samples, N_FFT, HOP)
    where = np.zeros(frames.shape, bool)
    where[20:35, 30:60] = True
    change = least_change(projector, -frames, where)[projector.sound]
    left = stft(samples + change, N_FFT, HOP)[where]
    assert np.sum(np.abs(left) ** 2) < 1e-6 * np.sum(np.abs(frames[where]) ** 2)
    reach = slice(20 * HOP - N_FFT // 2, 34 * HOP + N_FFT // 2)
    assert np.abs(change[reach]).max() > 0.1
    change[reach] = 0
    assert not change.any()


def test_bins_asked_not_to_change_stay_and_nothing_reaches_beyond_them(rng, projector: Projector):
    frames = stft(rng.standard_normal(N_SAMPLES).astype(np.float32), N_FFT, HOP)
    asked, where = np.zeros_like(frames), np.zeros(frames.shape, bool)
    asked[20:35, 30:60] = -frames[20:35, 30:60]
    where[20:35, 30:60] = where[18:20] = where[35:37] = True
    change = least_change(projector, asked, where)[projector.sound]
    seen = stft(change, N_FFT, HOP)
    assert np.abs(seen[[18, 19, 35, 36]]).max() < 0.03 * np.abs(seen).max()
    reach = slice(20 * HOP - N_FFT // 2, 34 * HOP + N_FFT // 2)
    change[reach] = 0
    assert not change.any()


def test_it_is_the_least_by_the_pseudo_inverse():
    """The oracle: least squares on the matrix of the transform, for a small sound."""
    rng, hop = np.random.default_rng(3), 8
    projector = Projector(window("hann", 32), hop, 9, 64, lead=16, dtype=float)
    where = np.zeros((9, 17), bool)
    where[3:5, 4:7] = True
    wanted = rng.standard_normal((9, 17)) + 1j * rng.standard_normal((9, 17))
    found = least_change(projector, wanted, where)[projector.sound]
    columns = [stft(row, 32, hop)[where] for row in np.eye(64)]
    matrix = np.array(columns).T
    matrix = np.concatenate([matrix.real, matrix.imag])
    asked = np.concatenate([wanted[where].real, wanted[where].imag])
    # Least where the windows overlap as in the middle: there all samples weigh the same.
    oracle = np.linalg.lstsq(matrix, asked, rcond=1e-6)[0]
    np.testing.assert_allclose(matrix @ found, matrix @ oracle, atol=0.01 * np.abs(asked).max())
    assert np.linalg.norm(found) < 1.02 * np.linalg.norm(oracle)


def test_nothing_asked_is_nothing_changed_and_progress_is_told(rng, projector: Projector):
    frames = stft(rng.standard_normal(N_SAMPLES), N_FFT, HOP)
    told: list[float] = []
    nowhere = np.zeros(frames.shape, bool)
    assert not least_change(projector, frames, nowhere, progress=told.append).any()
    assert not least_change(projector, 0 * frames, ~nowhere).any()
    assert not least_change(projector, frames, ~nowhere, rounds=0).any()
    least_change(projector, frames, ~nowhere, progress=told.append)
    assert told[0] == 1.0 and told[-1] == 1.0 and told[1:] == sorted(told[1:])


def test_what_no_sound_can_do_is_done_as_nearly_as_can_be(rng, projector: Projector):
    asked = rng.standard_normal((2, 63, 129))
    asked = (asked[0] + 1j * asked[1]).astype(np.complex64)
    change = least_change(projector, asked, np.ones(asked.shape, bool))
    nearest = projector.samples(asked)
    inner = slice(2 * N_FFT, -2 * N_FFT)
    np.testing.assert_allclose(change[inner], nearest[inner], atol=1e-3 * np.abs(nearest).max())
