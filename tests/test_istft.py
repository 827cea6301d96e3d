"""StreamingIstft: the exact inverse, a pure delay, however the frames are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import ShortTimeFFT

from realtime.dsp import stft
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import asymmetric_windows, dual_window, window
from realtime.errors import RequestError

MAX_ERROR = {np.float32: 5.4e-7, np.float64: 1e-14}
"""Largest error of the round trip for samples within ±1."""

SQRT_HANN = "sqrt-hann"
ROUND_TRIP_WINDOWS = ["hann", SQRT_HANN, "hamming", "blackmanharris", "kaiser"]


def noise(*shape: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def pair(n_fft: int, hop: int, name="hann", **arguments) -> tuple[StreamingStft, StreamingIstft]:
    shape = np.sqrt(window("hann", n_fft, np.float64)) if name == SQRT_HANN else name
    forward = StreamingStft(n_fft, hop, shape, **arguments)
    return forward, StreamingIstft(n_fft, hop, shape, **arguments)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROUND_TRIP_WINDOWS)
@pytest.mark.parametrize(
    ("n_fft", "hop"),
    [(512, 128), (512, 64), (2048, 512), (2048, 256), (500, 130), (301, 77), (2048, 600)],
)
def test_round_trip_gives_back_what_went_in(n_fft: int, hop: int, name: str, dtype: type):
    samples = noise(4 * n_fft + 3000).astype(dtype)
    forward, inverse = pair(n_fft, hop, name, dtype=dtype)
    output = inverse.push(forward.push(samples))
    assert output.dtype == dtype
    steady = slice(inverse.latency, len(output))
    error = np.abs(output[steady] - samples[steady]).max()
    assert error <= MAX_ERROR[dtype]


@pytest.mark.parametrize("name", ["hann", SQRT_HANN, "hamming"])
@pytest.mark.parametrize("n_fft", [512, 2048, 4096])
def test_round_trip_is_exact_at_half_overlap_too(n_fft: int, name: str):
    samples = noise(8 * n_fft)
    forward, inverse = pair(n_fft, n_fft // 2, name)
    output = inverse.push(forward.push(samples))
    steady = slice(inverse.latency, len(output))
    assert np.abs(output[steady] - samples[steady]).max() <= MAX_ERROR[np.float32]


@settings(max_examples=60, deadline=None)
@given(
    size=st.sampled_from([(512, 128), (500, 77), (301, 100), (256, 128)]),
    name=st.sampled_from(["hann", "hamming", "blackman"]),
    n_channels=st.sampled_from([None, 1, 3]),
    zero_pad=st.sampled_from([1, 2]),
    blocks=st.lists(st.integers(1, 900), min_size=1, max_size=8),
)
def test_round_trip_in_real_time_is_a_pure_delay(size, name, n_channels, zero_pad, blocks):
    """As a player hears it: silence at first, then what went in `latency` (and a hop) earlier."""
    n_fft, hop = size
    forward, inverse = pair(n_fft, hop, name, n_channels=n_channels, zero_pad=zero_pad)
    channels = () if n_channels is None else (n_channels,)
    samples = noise(6000, *channels)
    heard, sent, turn = np.zeros((inverse.latency, *channels), np.float32), 0, 0
    while sent < len(samples):
        length = blocks[turn % len(blocks)]
        block = samples[sent : sent + length]
        sent, turn = sent + len(block), turn + 1
        heard = np.concatenate([heard, inverse.push(forward.push(block))])
        if sent >= n_fft:
            assert sent - hop < len(heard) <= sent
    delay = n_fft - hop
    assert inverse.latency == delay
    late = heard[2 * delay :] - samples[delay : len(heard) - delay]
    assert np.abs(late).max() <= MAX_ERROR[np.float32]


@settings(max_examples=40, deadline=None)
@given(
    size=st.sampled_from([(512, 128), (500, 77), (64, 64), (301, 100)]),
    n_channels=st.sampled_from([None, 2]),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
)
def test_samples_do_not_depend_on_how_the_frames_were_cut(size, n_channels, cuts):
    n_fft, hop = size
    forward, inverse = pair(n_fft, hop, "hamming", n_channels=n_channels)
    frames = forward.push(noise(6000) if n_channels is None else noise(6000, n_channels))
    whole = inverse.push(frames)
    inverse.reset()
    pieces, start, turn = [], 0, 0
    while start < len(frames):
        length = cuts[turn % len(cuts)]
        pieces.append(inverse.push(frames[start : start + length]))
        start, turn = start + length, turn + 1
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_batches_of_any_size_give_the_same_bits(monkeypatch: pytest.MonkeyPatch):
    frames = StreamingStft(256, 60).push(noise(30_000))
    whole = StreamingIstft(256, 60).push(frames)
    monkeypatch.setattr(stft, "BATCH_BYTES", 1)
    np.testing.assert_array_equal(StreamingIstft(256, 60).push(frames), whole)


def test_each_frame_gives_a_hop_of_samples():
    forward, inverse = pair(512, 100, n_channels=2)
    for n_samples in (0, 512, 99, 1, 350):
        frames = forward.push(noise(n_samples, 2))
        samples = inverse.push(frames)
        assert samples.shape == (len(frames) * 100, 2)
        assert samples.dtype == np.float32


def test_the_first_samples_fade_in():
    forward, inverse = pair(512, 128)
    output = inverse.push(forward.push(np.ones(2048, np.float32)))
    start = output[: inverse.latency]
    assert (np.diff(start) > -1e-6).all()
    assert start[0] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(output[inverse.latency :], 1, atol=1e-6)


def test_changed_frames_give_the_samples_of_scipys_inverse(rng: np.random.Generator):
    shape = window("hann", 512, np.float64)
    forward, inverse = pair(512, 128, dtype=np.float64)
    frames = forward.push(noise(8000).astype(np.float64))
    frames *= rng.uniform(0, 2, frames.shape)
    output = inverse.push(frames)
    oracle = ShortTimeFFT(shape, 128, fs=1, phase_shift=None)
    # Its frame p is centred on sample p * hop and the first is p_min.
    before = np.zeros((2 - oracle.p_min, 257))
    expected = oracle.istft(np.concatenate([before, frames]).T, k1=len(output))
    steady = slice(512, len(output))
    np.testing.assert_allclose(output[steady], expected[steady], atol=1e-13)


@given(n_frames=st.integers(0, 50))
def test_silence_gives_exact_zeros(n_frames: int):
    inverse = StreamingIstft(256, 64, n_channels=2)
    assert not inverse.push(np.zeros((n_frames, 2, 129), np.complex64)).any()


def test_reset_is_a_new_object():
    forward, inverse = pair(512, 100)
    frames = forward.push(noise(3000))
    expected = inverse.push(frames)
    inverse.push(frames)
    inverse.reset()
    np.testing.assert_array_equal(inverse.push(frames), expected)


def test_push_keeps_and_changes_nothing_it_was_given():
    forward, inverse = pair(512, 128)
    frames = forward.push(noise(3000))
    expected = inverse.push(frames)
    inverse.reset()
    pieces = []
    for frame in frames:
        given = frame[np.newaxis].copy()
        pieces.append(inverse.push(given))
        np.testing.assert_array_equal(given[0], frame)
        given[:] = np.nan
    np.testing.assert_array_equal(np.concatenate(pieces), expected)


def test_samples_already_given_do_not_change():
    forward, inverse = pair(512, 128)
    frames = forward.push(noise(3000))
    first = inverse.push(frames)
    kept = first.copy()
    second = inverse.push(frames)
    np.testing.assert_array_equal(first, kept)
    first[:] = np.nan
    second[:] = np.nan
    assert np.isfinite(inverse.push(frames)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("n_fft", "length", "hop"), [(2048, 128, 64), (2048, 256, 64), (1000, 120, 40)]
)
def test_asymmetric_windows_are_exact_at_low_latency(n_fft: int, length: int, hop: int, dtype):
    analysis, synthesis = asymmetric_windows(n_fft, length, hop)
    forward = StreamingStft(n_fft, hop, analysis, dtype=dtype)
    inverse = StreamingIstft(n_fft, hop, analysis, synthesis_window=synthesis, dtype=dtype)
    assert inverse.latency == length - hop
    assert inverse.skipped == n_fft - length
    samples = noise(3 * n_fft).astype(dtype)
    output = inverse.push(forward.push(samples))
    expected = samples[inverse.skipped :][: len(output)]
    steady = slice(inverse.latency, None)
    assert np.abs(output[steady] - expected[steady]).max() <= MAX_ERROR[dtype]


def test_asymmetric_windows_delay_in_real_time_by_their_latency():
    analysis, synthesis = asymmetric_windows(2048, 128, 64)
    forward = StreamingStft(2048, 64, analysis)
    inverse = StreamingIstft(2048, 64, analysis, synthesis_window=synthesis)
    click = np.zeros(8192, np.float32)
    click[5000] = 1
    came_out = 0
    for sent in range(64, len(click) + 1, 64):
        output = inverse.push(forward.push(click[sent - 64 : sent]))
        if np.abs(output).max(initial=0) > 0.5:
            assert sent - 5000 <= inverse.latency + 64
            assert inverse.skipped + came_out + int(output.argmax()) == 5000
            return
        came_out += len(output)
    pytest.fail("the click never came out")


def test_the_synthesis_window_is_the_dual_window():
    inverse = StreamingIstft(512, 128, "hamming", dtype=np.float64)
    expected = dual_window(window("hamming", 512, np.float64), 128)
    np.testing.assert_array_equal(inverse.synthesis_window, expected)
    assert not inverse.synthesis_window.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hop": 600}, r"hop=600 is larger than window length of 512 => STFT not invertible"),
        ({"hop": 512}, r"hop=512 is too large for this window of 512 samples, .*not invertible"),
        ({"synthesis_window": np.ones(513)}, r"shape \(513,\) must have hop=128 to n_fft=512"),
        ({"synthesis_window": np.ones(100)}, r"shape \(100,\) must have hop=128 to n_fft=512"),
        ({"synthesis_window": np.ones(512)}, r"give back the input with an error of 1 .*dual_win"),
        ({"synthesis_window": np.full(512, np.nan)}, r"with an error of nan"),
        ({"zero_pad": 0}, r"zero_pad=0 must be at least 1"),
        ({"n_channels": -1}, r"n_channels=-1 must be at least 1"),
        ({"dtype": np.float16}, r"dtype=float16 must be float32 or float64"),
    ],
)
def test_faults_of_the_arguments_are_told_in_a_sentence(arguments: dict, message: str):
    with pytest.raises(RequestError, match=message):
        StreamingIstft(**{"n_fft": 512, "hop": 128, **arguments})


@pytest.mark.parametrize(
    ("n_channels", "shape", "message"),
    [
        (None, (3, 256), r"shape \(3, 256\) do not fit n_fft=512, .*; push \(n_frames, 257\)"),
        (None, (257,), r"push \(n_frames, 257\)"),
        (2, (3, 257), r"n_channels=2; push \(n_frames, 2, 257\)"),
        (2, (3, 3, 257), r"push \(n_frames, 2, 257\)"),
    ],
)
def test_frames_that_do_not_fit_are_refused(n_channels, shape, message: str):
    with pytest.raises(RequestError, match=message):
        StreamingIstft(512, 128, n_channels=n_channels).push(np.zeros(shape, np.complex64))
