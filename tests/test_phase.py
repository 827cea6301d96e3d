"""Phase from magnitudes: the paths of the paper's heap, and sound that is where it was."""

from __future__ import annotations

import copy
import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from realtime.dsp.phase import (
    LEAST_START,
    TOLERANCE,
    PhaseIntegrator,
    entries,
    gaussian_width,
    window_centre,
)
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import WINDOWS, asymmetric_windows, window
from realtime.errors import RequestError

RATE = 48000


# The paper's algorithm, with its heap: the oracle.


def heap_parents(before: np.ndarray, now: np.ndarray, quiet: np.ndarray) -> dict[int, int]:
    """The bin that each takes its phase from: a neighbour, or itself in the frame before."""
    n_bins, parents = len(now), {}
    first = np.maximum(before, LEAST_START * now)
    heap = [(-first[m], 0, m) for m in range(n_bins) if not quiet[m]]
    heapq.heapify(heap)
    while heap:
        _, is_now, m = heapq.heappop(heap)
        for k in (m - 1, m + 1) if is_now else (m,):
            if 0 <= k < n_bins and not quiet[k] and k not in parents:
                parents[k] = m
                heapq.heappush(heap, (-now[k], 1, k))
    return parents


def heap_entries(before: np.ndarray, now: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    parents = heap_parents(before, now, quiet)
    found = np.arange(len(now))
    for m in parents:
        k = m
        while parents[k] != k:
            k = parents[k]
        found[m] = k
    return found


def heap_frames(magnitudes: np.ndarray, shape: np.ndarray, hop: int, look_ahead: int) -> np.ndarray:
    """Real-time phase gradient heap integration, in radians."""
    n_fft, gamma = len(shape), gaussian_width(shape)
    n_bins = n_fft // 2 + 1
    known = np.concatenate([np.zeros((2, n_bins)), magnitudes.astype(np.float64)])
    logs = np.log(known + 1e-30)
    phase = np.zeros(n_bins)
    frames = np.zeros(magnitudes.shape, complex)

    def along_time(n: int) -> np.ndarray:
        slope = np.zeros(n_bins)
        slope[1:-1] = logs[n, 2:] - logs[n, :-2]
        bound = 2 * np.pi * 3 * hop / n_fft
        advance = 2 * np.pi * hop * np.arange(n_bins) / n_fft
        return np.clip(hop * n_fft / (2 * gamma) * slope, -bound, bound) + advance

    for n in range(2 - look_ahead, len(known) - look_ahead):
        if look_ahead:
            twice = logs[n + 1] - logs[n - 1]
        else:
            twice = 3 * logs[n] - 4 * logs[n - 1] + logs[n - 2]
        along_bins = np.clip(-gamma / (2 * hop * n_fft) * twice, -np.pi, np.pi)
        quiet = known[n] <= TOLERANCE * max(known[n].max(), known[n - 1].max())
        by_time = phase + (along_time(n - 1) + along_time(n)) / 2
        phase = np.zeros(n_bins)
        for m, parent in heap_parents(known[n - 1], known[n], quiet).items():  # in their order
            step = (m - parent) * (along_bins[m] + along_bins[parent]) / 2
            phase[m] = by_time[m] if m == parent else phase[parent] + step
        frames[n - 2 + look_ahead] = known[n] * np.exp(1j * (phase - np.pi * np.arange(n_bins)))
    return frames


# Sounds, and what was made of them.


def melody(n_samples: int) -> np.ndarray:
    """Gliding partials, clicks and some noise."""
    t = np.arange(n_samples) / RATE
    glide = np.cumsum(220 + 60 * np.sin(2 * np.pi * 1.5 * t)) / RATE
    samples = 0.1 * np.sum([np.sin(2 * np.pi * k * glide) / k for k in range(1, 12)], axis=0)
    samples[4000::9000] += 0.5
    samples += 1e-3 * np.random.default_rng(2).standard_normal(n_samples)
    return samples.astype(np.float32)


def analysed(samples: np.ndarray, shape: np.ndarray, hop: int) -> np.ndarray:
    return StreamingStft(len(shape), hop, shape, n_channels=1).push(samples[:, None])


def found_again(samples: np.ndarray, shape: np.ndarray, hop: int, **settings) -> np.ndarray:
    """The samples, made from their magnitudes, in their place."""
    integrator = PhaseIntegrator(shape, hop, **settings)
    around = np.zeros(len(shape) + (integrator.latency + 1) * hop, np.float32)
    padded = np.concatenate([around[: len(shape)], samples, around])
    frames = integrator.push(np.abs(analysed(padded, shape, hop)))[integrator.latency :]
    made = StreamingIstft(len(shape), hop, shape, n_channels=1).push(frames)[:, 0]
    return made[len(shape) :][: len(samples)]


def convergence(samples: np.ndarray, made: np.ndarray, shape: np.ndarray, hop: int) -> float:
    """Spectral convergence in dB: how far the magnitudes of what was made are from those asked
    for (Sturmel & Daudet 2011)."""
    asked, got = (np.abs(analysed(each, shape, hop)) for each in (samples, made))
    return float(20 * np.log10(np.linalg.norm(asked - got) / np.linalg.norm(asked)))


def noise_frames(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return np.abs(rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.float32)


# The window.


@pytest.mark.parametrize("name", WINDOWS)
def test_the_gaussian_is_the_nearest_to_the_window(name: str):
    shape = window(name, 1024, np.float64)
    t = np.arange(1024) - 512

    def error(gamma: float) -> float:
        return float(np.sum((shape - np.exp(-np.pi * t**2 / (gamma * 1024**2))) ** 2))

    best = minimize_scalar(error, bounds=(0.01, 1), method="bounded").x
    assert gaussian_width(shape) / 1024**2 == pytest.approx(best, rel=1e-3)
    assert window_centre(shape) == 512


@pytest.mark.parametrize(
    ("name", "share"), [("hann", 0.258), ("hamming", 0.304), ("blackman", 0.18)]
)
def test_the_widths_are_the_known_ones(name: str, share: float):
    assert gaussian_width(3 * window(name, 2048)) / 2048**2 == pytest.approx(share, abs=6e-4)


# The paths.


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 70), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.2, 0.6]))
def test_every_path_enters_where_that_of_the_heap_does(n_bins: int, seed: int, share: float):
    rng = np.random.default_rng(seed)
    # Over 60 dB, so that paths are long; some bins are quiet, and some come out of silence.
    before, now = np.exp(rng.uniform(-7, 0, (2, n_bins))).astype(np.float32)
    before[rng.random(n_bins) < share] = 0
    quiet = rng.random(n_bins) < share
    assert np.array_equal(entries(before, now, quiet), heap_entries(before, now, quiet))


def test_smooth_spectra_too_enter_where_the_heap_does(rng: np.random.Generator):
    """Long paths over hills and valleys."""
    hills = np.cumsum(rng.standard_normal((60, 2, 513)), axis=-1).astype(np.float32)
    for before, now in np.exp(hills / 4):
        quiet = now < 1e-3 * now.max()
        assert np.array_equal(entries(before, now, quiet), heap_entries(before, now, quiet))


def test_many_frames_and_channels_at_once_are_each_alone(rng: np.random.Generator):
    before, now = noise_frames(rng, 2, 5, 3, 33)
    quiet = now < 0.3
    together = entries(before, now, quiet)
    for place in np.ndindex(5, 3):
        assert np.array_equal(together[place], entries(before[place], now[place], quiet[place]))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_equal_magnitudes_leave_no_bin_without_an_entry(n_bins: int, seed: int):
    before, now = np.random.default_rng(seed).integers(0, 4, (2, n_bins)).astype(np.float32)
    quiet = now == 0
    found = entries(before, now, quiet)
    assert np.array_equal(found[found], found)
    for m, k in enumerate(found):
        assert m == k or not quiet[min(m, k) : max(m, k) + 1].any()


@pytest.mark.parametrize("look_ahead", [0, 1])
@pytest.mark.parametrize("name", ["blackman", "hann"])
def test_frames_are_those_of_the_heap(name: str, look_ahead: int):
    shape, hop = window(name, 256), 64
    magnitudes = np.abs(analysed(melody(6000), shape, hop))
    ours = PhaseIntegrator(shape, hop, look_ahead=look_ahead, rounds=0).push(magnitudes)[:, 0]
    oracle = heap_frames(magnitudes[:, 0], shape, hop, look_ahead)
    # Silence leaves one phase open, from which all others follow.
    loud = np.argmax(np.abs(oracle[1]))
    oracle *= np.exp(1j * np.angle(ours[1, loud] / oracle[1, loud]))
    # Without the first and the last bin: ours are made real.
    error = np.abs(ours - oracle)[:, 1:-1] / np.abs(oracle).max()
    assert error.max() < 1e-5


# What is kept, and what holds however it is cut.


@pytest.mark.parametrize("rounds", [0, 1])
def test_magnitudes_are_kept_and_the_first_and_last_bin_are_real(rng: np.random.Generator, rounds):
    asked = noise_frames(rng, 20, 2, 65)
    integrator = PhaseIntegrator(window("hann", 128), 32, 2, look_ahead=2, rounds=rounds)
    frames = integrator.push(asked)
    late = integrator.latency
    np.testing.assert_allclose(np.abs(frames[late:]), asked[:-late], rtol=1e-5)
    assert not np.abs(frames[:late]).any()
    assert np.abs(frames[..., [0, -1]].imag).max() < 1e-5
    odd = PhaseIntegrator(window("hann", 129), 32, 2, rounds=rounds).push(asked)
    assert np.abs(odd[..., -1].imag).max() > 0.1  # it has no bin at half the sample rate


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=8), st.integers(0, 3), st.integers(0, 2))
def test_cutting_changes_no_bit(pieces: list[int], look_ahead: int, rounds: int):
    shape, hop = window("blackman", 64), 16
    asked = noise_frames(np.random.default_rng(9), 40, 2, 33) * np.float32([[1], [0]])
    asked[10:14] = 0
    whole = PhaseIntegrator(shape, hop, 2, look_ahead=look_ahead, rounds=rounds)
    cut = copy.deepcopy(whole)
    parts = np.split(asked, np.minimum(np.cumsum(pieces), 40)) if pieces else [asked]
    assert np.array_equal(np.concatenate([cut.push(part) for part in parts]), whole.push(asked))


def test_more_frames_than_a_batch_holds_change_no_bit(monkeypatch: pytest.MonkeyPatch, rng):
    asked = noise_frames(rng, 30, 1, 33)
    whole = PhaseIntegrator(window("hann", 64), 16).push(asked)
    monkeypatch.setattr("realtime.dsp.phase.BATCH_BYTES", 8 * 33 * 7)
    assert np.array_equal(PhaseIntegrator(window("hann", 64), 16).push(asked), whole)


def test_channels_do_not_touch_each_other(rng: np.random.Generator):
    asked = noise_frames(rng, 12, 3, 129)
    shape = window("hann", 256)
    together = PhaseIntegrator(shape, 64, 3).push(asked)
    for k in range(3):
        alone = PhaseIntegrator(shape, 64).push(asked[:, k : k + 1])
        np.testing.assert_allclose(together[:, k : k + 1], alone, atol=1e-4)


def test_a_copy_goes_on_alike_and_reset_equals_new(rng: np.random.Generator):
    asked = noise_frames(rng, 12, 1, 129)
    integrator = PhaseIntegrator(window("hann", 256), 64, look_ahead=3)
    first = integrator.push(asked)
    twin = copy.deepcopy(integrator)
    assert np.array_equal(twin.push(asked), integrator.push(asked))
    integrator.reset()
    assert np.array_equal(integrator.push(asked), first)


# Sound.


@pytest.mark.parametrize("rounds", [0, 1])
@pytest.mark.parametrize("look_ahead", [0, 1, 3])
def test_silence_stays_silence_and_nothing_becomes_nan(look_ahead: int, rounds: int):
    shape = window("blackman", 128)
    integrator = PhaseIntegrator(shape, 16, look_ahead=look_ahead, rounds=rounds)
    quiet = integrator.push(np.zeros((30, 1, 65)))
    assert not quiet.any()
    for value in (np.nan, np.inf, -np.inf, -1, 1e12, 1e-45, 0):
        asked = np.ones((3, 1, 65), np.float32)
        asked[1, 0, 5:9] = value
        assert np.isfinite(integrator.push(asked)).all()
    assert np.isfinite(integrator.push(np.zeros((20, 1, 65)))).all()
    assert not integrator.push(np.zeros((5, 1, 65))).any()


@pytest.mark.parametrize("rounds", [0, 1])
@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 128), (1024, 256), (900, 130), (1001, 125)])
def test_a_tone_is_found_again(n_fft: int, hop: int, rounds: int):
    """As one tone, of its frequency to 1 Hz: a Gaussian is only near to a Blackman window."""
    t = np.arange(20_000) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 1234.5 * t)).astype(np.float32)
    middle = slice(6000, 14_000)
    made = found_again(tone, window("blackman", n_fft), hop, rounds=rounds)[middle]

    def left(hz: float) -> float:
        """What is left when the nearest tone of `hz` is taken away, as a share of the power."""
        basis = np.exp(2j * np.pi * hz * t[middle])
        basis = np.stack([basis.real, basis.imag], axis=1)
        return float(np.linalg.lstsq(basis, made, rcond=None)[1][0] / np.sum(tone[middle] ** 2))

    assert min(left(hz) for hz in np.arange(1233.5, 1235.5, 0.05)) < 1e-3


@pytest.mark.parametrize(("n_fft", "hop"), [(1024, 128), (1001, 125)])
def test_a_click_is_found_again_where_it_was(n_fft: int, hop: int):
    samples = np.zeros(9000, np.float32)
    samples[4321] = 1
    power = found_again(samples, window("blackman", n_fft), hop) ** 2
    assert power @ np.arange(9000) / power.sum() == pytest.approx(4321, abs=n_fft / 50)
    assert power[4321 - 40 : 4321 + 40].sum() > 0.75 * power.sum()


def test_a_window_that_is_not_symmetric_serves_too():
    shape, _ = asymmetric_windows(1024, 512, 64)
    samples = melody(12_000)
    assert convergence(samples, found_again(samples, shape, 64), shape, 64) < -18


def test_a_sound_after_silence_starts_where_it_did():
    samples = np.zeros(24_000, np.float32)
    samples[12_000:] = melody(12_000)
    made = found_again(samples, window("blackman", 1024), 128)
    assert np.sum(made[:11_400] ** 2) < 1e-3 * np.sum(made[12_000:12_600] ** 2)


def test_what_is_found_fits_the_better_the_more_is_known():
    samples = melody(24_000)
    reached = {}
    for hop in (128, 256, 512):
        shape = window("blackman", 1024)
        for look_ahead, rounds in ((0, 0), (1, 0), (1, 1), (4, 2)):
            made = found_again(samples, shape, hop, look_ahead=look_ahead, rounds=rounds)
            reached[hop, look_ahead, rounds] = convergence(samples, made, shape, hop)
    assert reached[128, 1, 0] < -20
    assert reached[128, 1, 1] < reached[128, 1, 0] - 1
    assert reached[128, 4, 2] < reached[128, 1, 1] - 3
    assert reached[128, 1, 0] < reached[128, 0, 0]
    assert reached[256, 1, 1] < -15
    assert reached[512, 1, 1] < 0  # at half overlap rough, but no nonsense


def test_hours_lose_no_precision():
    """A steady tone advances by the same phase after twenty thousand frames."""
    shape, hop = window("blackman", 64), 8
    t = np.arange(64 + 8 * 10)
    steady = np.abs(analysed(np.sin(2 * np.pi * 0.11 * t).astype(np.float32), shape, hop))[-1:]
    integrator = PhaseIntegrator(shape, hop, rounds=0)
    early = integrator.push(np.repeat(steady, 12, axis=0))[-2:, 0]
    integrator.push(np.repeat(steady, 20_000, axis=0))
    late = integrator.push(steady.repeat(2, axis=0))[:, 0]
    loud = np.argmax(steady[0, 0])
    advance = [np.angle(pair[1, loud] / pair[0, loud]) for pair in (early, late)]
    assert advance[1] == pytest.approx(advance[0], abs=1e-5)


# Errors.


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"hop": 0}, "hop=0 must be at least 1"),
        ({"hop": 65}, "hop=65 is larger than"),
        ({"n_channels": 0}, "n_channels=0 must be at least 1"),
        ({"look_ahead": -1}, "look_ahead=-1 frames"),
        ({"rounds": -1}, "rounds=-1 must be at least 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        PhaseIntegrator(**{"window": window("hann", 64), "hop": 16, **arguments})


def test_another_shape_is_refused():
    integrator = PhaseIntegrator(window("hann", 64), 16, 2)
    with pytest.raises(RequestError, match=r"\(3, 33\) must be \(n_frames, n_channels, n_bins\)"):
        integrator.push(np.zeros((3, 33)))
    with pytest.raises(RequestError, match=r"\(n_frames, 2, 33\)"):
        integrator.push(np.zeros((3, 1, 33)))
