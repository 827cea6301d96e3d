"""StreamingStft: the same frames as scipy and librosa, however the input is cut."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import ShortTimeFFT

from realtime.dsp import stft
from realtime.dsp.stft import StreamingStft
from realtime.dsp.windows import WINDOWS, window
from realtime.errors import RequestError

SIZES = [(512, 128), (512, 512), (500, 77), (301, 100), (1000, 1), (2, 1)]
"""n_fft and hop: powers of two and not, hops that divide n_fft and not, even and odd."""


def noise(*shape: int, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def push_cut(transform: StreamingStft, samples: np.ndarray, cuts: list[int]) -> np.ndarray:
    """Push pieces whose lengths go round `cuts`."""
    frames, start, turn = [], 0, 0
    while start < len(samples):
        length = cuts[turn % len(cuts)]
        frames.append(transform.push(samples[start : start + length]))
        start, turn = start + length, turn + 1
    return np.concatenate(frames)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize(("n_fft", "hop"), SIZES[:4])
def test_frames_are_those_of_librosa(name: str, n_fft: int, hop: int):
    samples = noise(4000)
    shape = window(name, n_fft)
    frames = StreamingStft(n_fft, hop, name).push(samples)
    expected = librosa.stft(samples, n_fft=n_fft, hop_length=hop, window=shape, center=False)
    np.testing.assert_allclose(frames, expected.T, rtol=0, atol=4e-7 * np.abs(expected).max())


@pytest.mark.parametrize("zero_pad", [1, 2, 3])
@pytest.mark.parametrize(("n_fft", "hop"), SIZES[:4])
def test_frames_are_those_of_scipys_short_time_fft(n_fft: int, hop: int, zero_pad: int):
    samples = noise(4000).astype(np.float64)
    frames = StreamingStft(n_fft, hop, zero_pad=zero_pad, dtype=np.float64).push(samples)
    oracle = ShortTimeFFT(
        window("hann", n_fft, np.float64), hop, fs=1, mfft=n_fft * zero_pad, phase_shift=None
    )
    # Its frame p is centred on sample p * hop: shifted, so that its frame 0 starts at sample 0.
    middle = n_fft // 2
    shifted = np.concatenate([np.zeros(-middle % hop), samples])
    first = (middle + -middle % hop) // hop
    expected = oracle.stft(shifted, p0=first, p1=first + len(frames)).T
    np.testing.assert_allclose(frames, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_one_sample_at_a_time_gives_the_same_bits(n_fft: int, hop: int):
    samples = noise(n_fft + 700)
    whole = StreamingStft(n_fft, hop).push(samples)
    assert len(whole) == 700 // hop + 1
    np.testing.assert_array_equal(push_cut(StreamingStft(n_fft, hop), samples, [1]), whole)


@settings(max_examples=60, deadline=None)
@given(
    size=st.sampled_from(SIZES[:4]),
    n_channels=st.sampled_from([None, 1, 2, 8]),
    zero_pad=st.sampled_from([1, 2, 3]),
    dtype=st.sampled_from([np.float32, np.float64]),
    cuts=st.lists(st.integers(1, 3000), min_size=1, max_size=6),
)
def test_frames_do_not_depend_on_how_the_input_was_cut(size, n_channels, zero_pad, dtype, cuts):
    samples = noise(6000) if n_channels is None else noise(6000, n_channels)
    arguments = {"zero_pad": zero_pad, "n_channels": n_channels, "dtype": dtype}
    whole = StreamingStft(*size, **arguments).push(samples)
    cut = push_cut(StreamingStft(*size, **arguments), samples, cuts)
    np.testing.assert_array_equal(cut, whole)


@pytest.mark.parametrize("n_fft", [256, 1000, 2048, 16384, 32768])
def test_frames_of_a_long_push_are_those_of_single_frames(n_fft: int):
    """Batches go through other machine code (SIMD) than single frames, with the same bits."""
    hop = n_fft // 4
    samples = noise(n_fft + 70 * hop)
    whole = StreamingStft(n_fft, hop).push(samples)
    np.testing.assert_array_equal(push_cut(StreamingStft(n_fft, hop), samples, [hop]), whole)


def test_a_push_longer_than_all_buffers_is_cut_into_batches(monkeypatch: pytest.MonkeyPatch):
    samples = noise(50_000, 2)
    whole = StreamingStft(256, 64, n_channels=2).push(samples)
    monkeypatch.setattr(stft, "BATCH_BYTES", 1)
    single = StreamingStft(256, 64, n_channels=2).push(samples)
    assert len(whole) == len(single) == (50_000 - 256) // 64 + 1
    np.testing.assert_array_equal(whole, single)


def test_channels_are_transformed_each_for_itself():
    samples = noise(3000, 3)
    frames = StreamingStft(512, 128, n_channels=3).push(samples)
    assert frames.shape == (20, 3, 257)
    for channel in range(3):
        alone = StreamingStft(512, 128).push(samples[:, channel])
        np.testing.assert_array_equal(frames[:, channel], alone)


@given(samples=st.integers(0, 3000), n_channels=st.sampled_from([None, 3]))
def test_silence_gives_exact_zeros(samples: int, n_channels: int | None):
    transform = StreamingStft(256, 64, n_channels=n_channels)
    transform.push(noise(1000) if n_channels is None else noise(1000, n_channels))
    transform.reset()
    silence = np.zeros(samples if n_channels is None else (samples, n_channels), np.float32)
    assert not transform.push(silence).any()


def test_shapes_and_types_are_those_of_the_docstring():
    for dtype, frames_dtype in ((np.float32, np.complex64), (np.float64, np.complex128)):
        mono = StreamingStft(512, 128, zero_pad=2, dtype=dtype)
        stereo = StreamingStft(512, 128, n_channels=2, dtype=dtype)
        assert mono.n_bins == 513
        for n_samples, n_frames in ((0, 0), (511, 0), (1, 1), (300, 2)):
            frames = mono.push(noise(n_samples))
            assert (frames.shape, frames.dtype) == ((n_frames, 513), frames_dtype)
            frames = stereo.push(noise(n_samples, 2))
            assert (frames.shape, frames.dtype) == ((n_frames, 2, 257), frames_dtype)


def test_the_window_sum_is_that_of_the_window():
    transform = StreamingStft(512, 128, "flattop")
    assert transform.window_sum == pytest.approx(window("flattop", 512, np.float64).sum())


def test_latency_is_what_a_frame_needs_beside_its_newest_hop():
    assert StreamingStft(2048, 512).latency == 1536


def test_an_array_as_window_is_used_as_it_is_and_copied():
    shape = np.linspace(1, 2, 64, dtype=np.float32)
    transform = StreamingStft(64, 64, shape)
    shape[:] = 0
    frames = transform.push(np.ones(64, np.float32))
    assert frames[0, 0].real == pytest.approx(96)
    with pytest.raises(ValueError, match="read-only"):
        transform.window[0] = 0


def test_float64_and_lists_are_converted():
    expected = StreamingStft(64, 16).push(noise(300))
    for samples in (noise(300).astype(np.float64), noise(300).tolist()):
        np.testing.assert_array_equal(StreamingStft(64, 16).push(samples), expected)


def test_samples_may_have_any_strides():
    samples = noise(600, 4)
    reverse = samples[::-2, ::-1]
    expected = StreamingStft(64, 16, n_channels=4).push(np.ascontiguousarray(reverse))
    np.testing.assert_array_equal(StreamingStft(64, 16, n_channels=4).push(reverse), expected)


def test_push_keeps_no_reference_to_what_it_was_given():
    samples = noise(1000)
    expected = StreamingStft(512, 128).push(samples)
    transform, buffer, frames = StreamingStft(512, 128), np.empty(10, np.float32), []
    for start in range(0, 1000, 10):
        buffer[:] = samples[start : start + 10]
        frames.append(transform.push(buffer))
        buffer[:] = np.nan
    np.testing.assert_array_equal(np.concatenate(frames), expected)


def test_push_changes_nothing_it_was_given():
    samples = noise(1000)
    samples.setflags(write=False)
    StreamingStft(512, 128).push(samples)
    np.testing.assert_array_equal(samples, noise(1000))


def test_frames_already_given_do_not_change():
    transform = StreamingStft(512, 128)
    first = transform.push(noise(1000))
    kept = first.copy()
    transform.push(noise(5000, seed=6))
    np.testing.assert_array_equal(first, kept)
    first[:] = np.nan
    assert np.isfinite(transform.push(noise(1000))).all()


def test_reset_is_a_new_object():
    transform = StreamingStft(512, 100)
    transform.push(noise(1234, seed=6))
    transform.reset()
    expected = StreamingStft(512, 100).push(noise(1000))
    np.testing.assert_array_equal(transform.push(noise(1000)), expected)


def test_nan_spoils_only_the_frames_that_hold_it():
    samples = noise(4000)
    samples[1000] = np.nan
    frames = StreamingStft(512, 128).push(samples)
    finite = np.isfinite(frames).all(axis=1)
    holding = [m for m in range(len(frames)) if m * 128 <= 1000 < m * 128 + 512]
    assert np.flatnonzero(~finite).tolist() == holding


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hop": 600}, r"hop=600 is larger than window length of 512 => .*; try hop=128"),
        ({"hop": 0}, r"hop=0 must be at least 1 sample; try hop=128"),
        ({"n_fft": 1}, r"n_fft=1 must be at least 2 samples; try 2048"),
        ({"window": "han"}, r"no window is called 'han': choose one of hann, "),
        ({"window": np.ones(511)}, r"shape \(511,\) must be n_fft=512 finite samples"),
        ({"window": np.zeros(512)}, r"must be n_fft=512 finite samples, not all of them zero"),
        ({"window": np.full(512, np.nan)}, r"must be n_fft=512 finite samples"),
        ({"zero_pad": 0}, r"zero_pad=0 must be at least 1; 1 pads nothing"),
        ({"n_channels": 0}, r"n_channels=0 must be at least 1, or None"),
        ({"dtype": np.int16}, r"dtype=int16 must be float32 or float64; try float32"),
    ],
)
def test_faults_of_the_arguments_are_told_in_a_sentence(arguments: dict, message: str):
    with pytest.raises(RequestError, match=message):
        StreamingStft(**{"n_fft": 512, "hop": 128, **arguments})


@pytest.mark.parametrize(
    ("n_channels", "samples", "message"),
    [
        (None, np.zeros((9, 2)), r"shape \(9, 2\) do not fit n_channels=None; push \(n,\)"),
        (2, np.zeros(9), r"shape \(9,\) do not fit n_channels=2; push \(n, 2\)"),
        (2, np.zeros((2, 9)), r"shape \(2, 9\) do not fit n_channels=2; push \(n, 2\)"),
        (None, np.zeros(9, np.int16), r"samples of int16 have no known full scale; push float"),
        (None, np.zeros(9, complex), r"samples of complex128 have no known full scale"),
    ],
)
def test_samples_that_do_not_fit_are_refused(n_channels, samples, message: str):
    with pytest.raises(RequestError, match=message):
        StreamingStft(512, 128, n_channels=n_channels).push(samples)
