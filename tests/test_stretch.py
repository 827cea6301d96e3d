"""Stretch: captured sound slower or faster, at its pitch, with its attacks."""

from __future__ import annotations

import clicks
import numpy as np
import pytest
from clicks import Captured, frame_format
from partials import sines, strongest
from scipy import signal

from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.mask import SEAM_SECONDS
from realtime.dsp.processors.stretch import Stretch
from realtime.errors import RequestError

SAMPLE_RATE = clicks.SAMPLE_RATE
LAYOUTS = ("1024/256", "2048/512", "4096/512", "2048/64")
SEAM = int(SEAM_SECONDS * SAMPLE_RATE)


def stretch_of(format: FrameFormat, samples: np.ndarray, factor: float) -> Stretch:
    values = {"start": 0, "stop": len(samples), "factor": factor}
    return Stretch(format, values, Captured(samples.astype(np.float32)))


def played(stretch: Stretch, n_samples: int) -> np.ndarray:
    """The next samples, float32 (n_samples, n_channels), the first that of the first frame's
    middle; what overlaps them from frames before is missing from the beginning."""
    format = stretch.format
    n_frames = n_samples // format.hop + format.n_fft // format.hop + 2
    frames = np.zeros((n_frames, format.n_channels, format.n_bins), np.complex64)
    samples = clicks.synthesised(format, stretch.process(frames))
    n_half = len(format.synthesis_window) // 2
    late = len(format.synthesis_window) - format.hop
    return np.pad(samples, ((max(0, late - n_half), 0), (0, 0)))[max(0, n_half - late) :][
        :n_samples
    ]


def test_without_a_span_what_is_heard_now_passes(rng):
    format = frame_format("2048/512")
    frames = clicks.analysed(format, rng.standard_normal((9000, 1)))
    assert Stretch(format, {"factor": 3}).process(frames) is frames


@pytest.mark.parametrize("layout", LAYOUTS)
def test_at_factor_1_the_samples_come_back_round_after_round(layout, rng):
    samples = sines(0.5, 300, 450) + 0.05 * rng.standard_normal((24000, 1))
    n_round = len(samples) - SEAM
    heard = played(stretch_of(frame_format(layout), samples, 1), 2 * n_round)
    kept = slice(4096, n_round)
    assert np.allclose(heard[kept], samples[kept], atol=1e-5)
    again = slice(n_round + SEAM, 2 * n_round)
    assert np.allclose(heard[again], samples[SEAM:n_round], atol=1e-5)


@pytest.mark.parametrize("layout", ["1024/256", "2048/512", "4096/512"])
@pytest.mark.parametrize("factor", [0.5, 1.5, 4])
def test_partials_keep_their_frequencies_and_levels(layout, factor):
    partials = [220.0, 440.0, 661.0, 880.0, 3000.0]
    heard = played(stretch_of(frame_format(layout), sines(1.5, *partials), factor), 36000)
    hz, amplitudes = strongest(heard[9000:, 0], len(partials))
    assert np.abs(1200 * np.log2(hz / partials)).max() < 0.5
    assert amplitudes == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("layout", ["1024/256", "2048/512", "4096/512"])
@pytest.mark.parametrize("factor", [0.5, 1.5, 2, 4])
def test_clicks_stay_clicks_and_come_in_their_time(layout, factor, rng):
    places = np.arange(9000, 90000, 12000)
    samples = sines(2, 220, 440, 660) + 3e-4 * rng.standard_normal((96000, 1))
    samples[places] += 0.8
    heard = played(stretch_of(frame_format(layout), samples, factor), int(factor * 90000))
    above = signal.butter(6, 4000, "high", fs=SAMPLE_RATE, output="sos")
    energy = np.square(signal.sosfiltfilt(above, heard[:, 0]))
    found = []
    for place in places * factor:
        first = int(place - 5000 * factor)
        peak = first + int(np.argmax(energy[first : int(place + 5000 * factor)]))
        around = energy[peak - 2000 : peak + 2000]
        assert around[2000 - 96 : 2000 + 96].sum() > 0.97 * around.sum()
        found.append(peak)
    late = (np.array(found) - places * factor) / SAMPLE_RATE
    assert np.abs(late).max() < 0.03
    assert np.std(late) < 0.006


def test_four_times_as_fast_no_click_is_stepped_over():
    places = np.arange(9000, 180000, 24000)
    samples = sines(4, 220, 440, 660)
    samples[places] += 0.8
    heard = played(stretch_of(frame_format("2048/512"), samples, 0.25), 47000)[:, 0]
    above = signal.butter(6, 4000, "high", fs=SAMPLE_RATE, output="sos")
    energy = np.square(signal.sosfiltfilt(above, heard))
    found, _ = signal.find_peaks(energy, height=0.5 * energy.max(), distance=2000)
    assert len(found) == len(places)
    assert np.std(found - places / 4) < 0.006 * SAMPLE_RATE


def test_noise_keeps_its_level(rng):
    samples = 0.1 * rng.standard_normal((48000, 1))
    heard = played(stretch_of(frame_format("2048/512"), samples, 2), 90000)
    assert 20 * np.log10(heard[4000:].std() / 0.1) == pytest.approx(0, abs=1)


def test_another_factor_goes_on_from_the_same_place():
    seconds, low, rise = 4.0, 300.0, 300.0  # Hz, and Hz a second
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sweep = 0.3 * np.sin(2 * np.pi * (low * t + rise / 2 * t * t))[:, None]
    stretch = stretch_of(frame_format("2048/512"), sweep, 1)
    played(stretch, SAMPLE_RATE)  # and four frames more
    stretch = stretch.changed({"factor": 4})
    heard = played(stretch, 2 * SAMPLE_RATE)[:, 0]
    for after in (0.1, 1.8):
        around = heard[round(after * SAMPLE_RATE) - 2400 :][:4800]
        hz, _ = strongest(around, 1)
        assert hz[0] == pytest.approx(low + rise * (1.06 + after / 4), abs=15)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"start": 0, "stop": 9000}, "ring holds 1000..8000"),
        ({"start": 0, "stop": 4000}, "gone"),
        ({"start": 5000, "stop": 5000}, "stop must come after start"),
        ({"start": 5000, "stop": 4000}, "stop must come after start"),
        ({"start": 0, "stop": 61 * SAMPLE_RATE}, "60 s at most"),
    ],
)
def test_a_span_that_cannot_play_is_refused(values, sentence):
    capture = Captured(np.zeros((8000, 1), np.float32), oldest=1000)
    with pytest.raises(RequestError, match=sentence):
        Stretch(frame_format("2048/512"), values, capture)


def test_a_span_needs_a_capture():
    with pytest.raises(RequestError, match="capture"):
        Stretch(frame_format("2048/512"), {"start": 0, "stop": 9000})


def test_it_plays_on_when_the_ring_has_moved_on(rng):
    format = frame_format("2048/512")
    capture = Captured(0.1 * rng.standard_normal((20000, 1)).astype(np.float32))
    stretch = Stretch(format, {"start": 0, "stop": 20000, "factor": 2}, capture)
    capture.oldest = len(capture.samples)
    assert played(stretch.changed({"factor": 3}), 8000).any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_silence_stays_silence_and_no_length_of_it_is_too_short(layout):
    format = frame_format(layout, 2)
    for n_samples in (1, 100, 30000):
        assert not played(stretch_of(format, np.zeros((n_samples, 2)), 2), 5000).any()


@pytest.mark.parametrize("factor", [0.1, 1.7, 16])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_cutting_gives_the_same_bits_and_none_of_them_blows_up(layout, factor, rng):
    format = frame_format(layout, 2)
    samples = np.tile(sines(0.3, 300), 2) + 0.1 * rng.standard_normal((14400, 2))
    samples[5000:6000] = 0
    samples[7000] = np.nan
    samples[9000] = 1
    frames = np.zeros((60, 2, format.n_bins), np.complex64)
    whole = stretch_of(format, samples, factor).process(frames)
    stretch = stretch_of(format, samples, factor)
    pieces = [stretch.process(piece) for piece in np.split(frames, np.sort(rng.integers(0, 60, 9)))]
    assert whole.dtype == np.complex64
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.isfinite(whole).all()
    assert np.abs(clicks.synthesised(format, whole)).max() < 5


def test_a_copy_goes_on_where_it_was_copied_and_reset_begins_anew(rng):
    format = frame_format("2048/512")
    frames = np.zeros((30, 1, format.n_bins), np.complex64)
    stretch = stretch_of(format, rng.standard_normal((20000, 1)), 1.5)
    first = stretch.process(frames)
    twin = stretch.changed({})
    assert np.array_equal(twin.process(frames), stretch.process(frames))
    stretch.reset()
    assert np.array_equal(stretch.process(frames), first)


def test_what_is_the_same_in_two_channels_stays_so(rng):
    samples = sines(0.5, 220, 440) + 0.01 * rng.standard_normal((24000, 1))
    both = np.concatenate([samples, 0.5 * samples], axis=1)
    heard = played(stretch_of(frame_format("2048/512", 2), both, 2), 40000)
    assert np.allclose(heard[:, 1], 0.5 * heard[:, 0], atol=1e-5)


@pytest.mark.parametrize("layout", clicks.LAYOUTS)
def test_changes_make_no_clicks(layout, rng):
    descriptions = [
        (clicks.effects(text), False)
        for text in (
            "stretch:start=0,stop=48000,factor=2",
            "stretch:start=0,stop=48000,factor=0.7",
            "stretch:start=30000,stop=90000,factor=1.1",
            "stretch",
        )
    ]
    capture = Captured(clicks.tone(440.0, 96000))
    format = frame_format(layout)
    clicks.assert_no_clicks(
        rng, format, 440.0, descriptions, seconds=1.0, n_changes=20, capture=capture, own=True
    )
