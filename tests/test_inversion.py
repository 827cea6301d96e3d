"""Sound from magnitudes and from bands: nearer than librosa's, in fewer rounds."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from realtime.dsp.inversion import griffin_lim, invert_bands, pghi
from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.spectra import istft, stft
from realtime.dsp.windows import window
from realtime.errors import RequestError

RATE = 16000


def voice(n_samples: int = 20_000) -> np.ndarray:
    """Gliding partials that come and go, clicks, and some noise: float32 (n_samples,)."""
    t = np.arange(n_samples) / RATE
    glide = np.cumsum(150 + 30 * np.sin(2 * np.pi * 1.5 * t)) / RATE
    samples = sum(np.sin(2 * np.pi * k * glide) / k for k in range(1, 20))
    samples = 0.1 * samples * (0.5 - 0.5 * np.cos(2 * np.pi * 3 * t))
    samples[4000::6000] += 0.5
    samples += 1e-3 * np.random.default_rng(2).standard_normal(n_samples)
    return samples.astype(np.float32)


def convergence(asked: np.ndarray, made: np.ndarray, n_fft: int = 512, hop: int = 128) -> float:
    """Spectral convergence in dB (Sturmel & Daudet 2011), `asked` being magnitudes."""
    got = np.abs(stft(made, n_fft, hop))[: len(asked)]
    return float(20 * np.log10(np.linalg.norm(asked - got) / np.linalg.norm(asked)))


@pytest.fixture(scope="module")
def asked() -> np.ndarray:
    return np.abs(stft(voice(), 512, 128))


def test_pghi_keeps_magnitudes_and_its_phase_fits(asked: np.ndarray):
    frames = pghi(asked, hop=128)
    np.testing.assert_allclose(np.abs(frames), asked, rtol=1e-5, atol=1e-7)
    assert convergence(asked, istft(frames, 128, length=20_000)) < -15
    assert np.array_equal(pghi(asked, hop=128), frames)


def test_griffin_lim_is_nearer_than_librosa_with_as_many_rounds(asked: np.ndarray):
    ours = griffin_lim(asked, hop=128, length=20_000)
    theirs = librosa.griffinlim(asked.T, n_iter=100, hop_length=128, length=20_000, init=None)
    assert ours.dtype == np.float32 and ours.shape == (20_000,)
    assert convergence(asked, ours) < convergence(asked, theirs) - 1
    assert np.array_equal(griffin_lim(asked, hop=128, length=20_000), ours)


def test_more_rounds_come_nearer_and_momentum_helps(asked: np.ndarray):
    def reached(rounds: int, momentum: float = 0.99) -> float:
        return convergence(
            asked, griffin_lim(asked, hop=128, length=20_000, rounds=rounds, momentum=momentum)
        )

    assert reached(60) < reached(20) - 1 < reached(5) - 3 < reached(0) - 5
    assert reached(60) < reached(60, 0) - 2


def test_a_true_start_stays_true(asked: np.ndarray):
    samples = voice()
    start = stft(samples, 512, 128)
    made = griffin_lim(asked, hop=128, length=20_000, start=start)
    assert np.abs(made - samples).max() < 1e-4


def test_it_stops_where_rounds_no_longer_pay(asked: np.ndarray):
    told: list[float] = []
    griffin_lim(asked, hop=128, length=20_000, start=stft(voice(), 512, 128), progress=told.append)
    assert len(told) < 30 and told[-1] == 1.0 and told == sorted(told)


def test_eight_bits_cost_little(asked: np.ndarray):
    """Their own rounding is 38 to 40 dB down."""
    db = 20 * np.log10(np.maximum(asked / asked.max(), 1e-9))
    exact = convergence(asked, griffin_lim(asked, hop=128, length=20_000))
    for top_db in (80, 100):
        levels = np.round(np.clip(db / top_db + 1, 0, 1) * 255)
        seen = asked.max() * 10 ** ((levels / 255 - 1) * top_db / 20) * (levels > 0)
        made = griffin_lim(seen, hop=128, length=20_000)
        assert convergence(asked, made) < max(exact + 1, -35)


def test_channels_do_not_touch_each_other(asked: np.ndarray):
    both = np.stack([asked, asked[::-1]], axis=1)
    told: list[float] = []
    made = griffin_lim(both, hop=128, length=20_000, rounds=20, progress=told.append)
    assert made.shape == (20_000, 2)
    for k in range(2):
        alone = griffin_lim(both[:, k], hop=128, length=20_000, rounds=20)
        assert np.array_equal(made[:, k], alone)
    assert told == sorted(told) and told[-1] == 1.0
    np.testing.assert_array_equal(pghi(both, hop=128)[:, 0], pghi(asked, hop=128))


@pytest.mark.parametrize(("n_fft", "hop"), [(501, 125), (512, 100), (400, 400 // 3)])
def test_odd_sizes_and_frames_that_are_not_centred_serve_too(n_fft: int, hop: int):
    samples = voice()
    shape = window("blackman", n_fft)
    frames = np.abs(stft(samples, n_fft, hop, shape, center=False))
    made = griffin_lim(frames, hop=hop, n_fft=n_fft, window=shape, center=False, rounds=30)
    again = np.abs(stft(made, n_fft, hop, shape, center=False))[: len(frames)]
    assert np.linalg.norm(again - frames) < 0.1 * np.linalg.norm(frames)


def test_silence_stays_silence_and_nothing_becomes_nan():
    assert not griffin_lim(np.zeros((9, 33)), hop=16).any()
    assert not invert_bands(np.zeros((9, 5)), mel_filters(RATE, 64, 5), hop=16).any()
    for value in (np.nan, np.inf, -1.0, 1e-40):
        wild = np.ones((9, 33))
        wild[3, 4:7] = value
        assert np.isfinite(griffin_lim(wild, hop=16)).all()
        assert np.isfinite(invert_bands(wild[:, :5], mel_filters(RATE, 64, 5), hop=16)).all()
    assert len(griffin_lim(np.ones((1, 33)), hop=16)) == 0
    assert len(griffin_lim(np.ones((1, 33)), hop=16, length=10)) == 10


def test_bands_are_imposed_and_the_result_is_nearer_than_librosas():
    samples = voice()
    filters = mel_filters(RATE, 512, 40)
    bands = MelBands(filters)

    def energies(made: np.ndarray) -> np.ndarray:
        return bands.energies(np.abs(stft(made, 512, 128)) ** 2)

    asked = energies(samples)
    ours = invert_bands(asked, filters, hop=128, length=20_000, rounds=60)
    theirs = librosa.feature.inverse.mel_to_audio(
        asked.T, sr=RATE, n_fft=512, hop_length=128, length=20_000, n_iter=60
    )

    def distance(made: np.ndarray) -> float:
        missed = np.sqrt(energies(made)) - np.sqrt(asked)
        return float(20 * np.log10(np.linalg.norm(missed) / np.linalg.norm(np.sqrt(asked))))

    assert distance(ours) < -30
    assert distance(ours) < distance(theirs) - 10


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_any_bands_serve(rng: np.random.Generator, power: float):
    filters = rng.random((30, 129)) * (rng.random((30, 129)) < 0.2)
    summed = np.abs(stft(voice(8000), 256, 64)) ** power
    asked = (summed @ filters.T)[:, None].repeat(2, axis=1)
    made = invert_bands(asked, filters, power=power, hop=64, length=8000)
    assert made.shape == (8000, 2)
    again = np.abs(stft(made[:, 1], 256, 64)) ** power @ filters.T
    missed = np.linalg.norm(np.sqrt(again) - np.sqrt(asked[:, 1]))
    assert missed < 0.2 * np.linalg.norm(np.sqrt(asked[:, 1]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"magnitudes": np.ones(5)}, r"magnitudes of shape \(5,\) must be \(n_frames, n_bins\)"),
        ({"n_fft": 70}, r"n_fft=70 do not fit 33 bins, which need n_fft=64 or 65"),
        ({"window": np.ones(9)}, r"a window of shape \(9,\)"),
        ({"hop": 0}, "hop=0 must be at least 1"),
        ({"rounds": -1}, "rounds=-1 must be at least 0"),
        ({"momentum": 1.0}, "momentum=1.0 in 0..1, below 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        griffin_lim(**{"magnitudes": np.ones((4, 33)), "hop": 16, **arguments})


def test_energies_that_do_not_fit_their_filters_are_refused():
    with pytest.raises(RequestError, match=r"filters of shape \(5, 33\) \(n_bands, n_bins\)"):
        invert_bands(np.ones((4, 6)), np.ones((5, 33)))
