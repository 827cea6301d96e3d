"""Noise goes, what is said stays; learned or not, from the first word on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from clicks import (
    LAYOUTS,
    SAMPLE_RATE,
    Captured,
    analysed,
    assert_no_clicks,
    effects,
    frame_format,
    heard,
    noise,
    synthesised,
    tone,
)
from scipy.special import exp1

from realtime.audio.voices import speech
from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.denoise import Denoise, lsa_gain
from realtime.dsp.windows import dual_window, window
from realtime.errors import RequestError

FORMAT = frame_format()
HISS = noise(3 * SAMPLE_RATE, rms=0.01)


def db(ratio: float) -> float:
    return 20 * np.log10(ratio)


def level(samples: np.ndarray, start: float, stop: float) -> float:
    """dB, between two times in seconds."""
    return db(samples[int(start * SAMPLE_RATE) : int(stop * SAMPLE_RATE)].std())


def learned(samples: np.ndarray, format: FrameFormat = FORMAT, **values: Any) -> Denoise:
    denoise = Denoise(format, {**values, "learn": True})
    denoise.process(analysed(format, samples))
    return denoise.changed({"learn": False})


def long_frames() -> FrameFormat:
    """2048/512, in which the harmonics of a deep voice are apart."""
    shape = window("hann", 2048)
    return FrameFormat(SAMPLE_RATE, 2048, 512, 1, shape, dual_window(shape, 512))


def late(format: FrameFormat = FORMAT) -> int:
    """Samples by which what `heard` gives begins later than what it was given."""
    return format.n_fft - format.hop


def voice(seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    spoken = speech([(0, 110), (1, 140), (2, 100)], [(0, "a"), (0.7, "e"), (1.3, "i")])
    samples = spoken(t, SAMPLE_RATE)
    return (samples / np.abs(samples).max())[:, None].astype(np.float32)


# What goes


@pytest.mark.parametrize(("reduction", "least", "most"), [(6, 5, 6), (12, 10, 12), (25, 17, 25)])
def test_steady_noise_is_turned_down_by_about_the_reduction(
    reduction: int, least: float, most: float
):
    out = heard(f"denoise:reduction={reduction}", HISS)
    assert least < level(HISS, 1, 2.5) - level(out, 1, 2.5) <= most


def test_hiss_is_turned_down_by_more_than_rumble():
    frames = analysed(FORMAT, HISS)
    gains = np.abs(Denoise(FORMAT).process(frames) / frames)[200:, 0]
    assert 4 < db(np.median(gains[:, 3:8]) / np.median(gains[:, 300:])) < 9


def test_noise_goes_softly_as_it_begins():
    frames = analysed(FORMAT, HISS)
    gains = np.abs(Denoise(FORMAT).process(frames) / frames)[:, 0].mean(axis=1)
    assert gains[0] > 0.85
    assert np.all(np.diff(gains[:20]) < 0.02) and gains[40] < 0.12


def test_the_ends_of_words_are_let_go_softly():
    t = np.arange(len(HISS)) / SAMPLE_RATE
    spoken = HISS + 0.1 * tone(1500, len(HISS)) * (t < 1)[:, None].astype(np.float32)
    frames = analysed(FORMAT, spoken)
    gains = np.abs(Denoise(FORMAT).process(frames) / frames)[:, 0, 30:35].mean(axis=1)
    after = SAMPLE_RATE // FORMAT.hop + 1
    assert gains[after : after + 5].mean() > 1.5 * gains[after + 50 : after + 150].mean()


def test_without_reduction_the_sound_stays_as_it_is():
    frames = analysed(FORMAT, HISS)
    assert np.array_equal(Denoise(FORMAT, {"reduction": 0}).process(frames), frames)


def test_what_is_left_of_the_noise_hardly_tinkles():
    """Musical noise is bins that stand out for a moment: with the gain of the paper alone 11 in
    1000 are 10 dB over the rest."""
    frames = analysed(FORMAT, noise(6 * SAMPLE_RATE, rms=0.01))
    left = np.square(np.abs(Denoise(FORMAT).process(frames)[200:]))
    assert np.mean(left > 10 * left.mean()) < 0.008


def test_a_tone_that_lasts_goes_unless_the_noise_was_learned():
    humming = HISS + 0.1 * tone(1500, len(HISS))
    frames = np.tile(analysed(FORMAT, humming), (2, 1, 1))
    by_itself = Denoise(FORMAT).process(frames)[-50:, 0, 32]
    beside = learned(HISS).process(frames)[-50:, 0, 32]
    assert db(np.abs(by_itself).mean() / np.abs(frames[-50:, 0, 32]).mean()) < -15
    assert db(np.abs(beside).mean() / np.abs(frames[-50:, 0, 32]).mean()) > -0.5


# What stays


@pytest.mark.parametrize(("layout", "tolerance"), [("1024/256", 0.2), ("2048/64/128", 1.5)])
def test_tones_in_noise_keep_their_level(layout: str, tolerance: float):
    """The window of least latency spreads a tone over many bins, of which some lie in the noise."""
    t = np.arange(len(HISS)) / SAMPLE_RATE
    bursts = 0.1 * tone(1000, len(HISS)) * (t % 0.6 < 0.3)[:, None].astype(np.float32)
    format = frame_format(layout)
    out, bursts = heard("denoise", HISS + bursts, format), bursts[late(format) :]
    for start in (0.65, 1.25, 1.85):
        assert abs(level(out, start, start + 0.2) - level(bursts, start, start + 0.2)) < tolerance


@pytest.mark.parametrize("begin", [0, 0.3])
def test_a_voice_is_there_from_its_first_word_on(begin: float):
    """It speaks as the effect begins, or has before."""
    format = long_frames()
    spoken = 0.3 * voice(2)[int(begin * SAMPLE_RATE) :]
    out = heard("denoise", HISS[: len(spoken)] + spoken, format)[:, 0]
    clean = spoken[late(format) :, 0]
    for start in np.arange(0, SAMPLE_RATE, SAMPLE_RATE // 8):
        part = slice(start, start + SAMPLE_RATE // 8)
        kept = (out[part] @ clean[part]) / (clean[part] @ clean[part])
        assert -1 < db(kept) < 0.1


@pytest.mark.parametrize("begin", [0, 0.3])
def test_a_voice_without_noise_stays_as_it_is(begin: float):
    format = long_frames()
    spoken = 0.3 * voice(2)[int(begin * SAMPLE_RATE) :]
    out = heard("denoise", spoken, format)
    error = out - spoken[late(format) :][: len(out)]
    assert db(error.std() / spoken.std()) < -25


# Learning


def hum(n_samples: int) -> np.ndarray:
    """Lines that a guess from one frame takes for a voice."""
    lines = sum(tone(150 * k, n_samples) / k for k in range(1, 12))
    return (0.02 * lines + noise(n_samples, rms=0.003)).astype(np.float32)


def test_learned_noise_is_gone_at_once_where_unknown_noise_is_not():
    frames = analysed(FORMAT, hum(SAMPLE_RATE // 2))
    by_itself = synthesised(FORMAT, Denoise(FORMAT).process(frames))
    known = synthesised(FORMAT, learned(hum(SAMPLE_RATE)).process(frames))
    assert level(known, 0, 0.4) < level(by_itself, 0, 0.4) - 6


def test_while_it_learns_all_is_heard_unchanged():
    frames = analysed(FORMAT, HISS)
    assert np.array_equal(Denoise(FORMAT, {"learn": True}).process(frames), frames)


def test_the_newest_noise_learned_counts():
    denoise = learned(10 * HISS).changed({"learn": True})
    frames = analysed(FORMAT, HISS)
    denoise.process(frames)
    again = denoise.changed({"learn": False})
    assert np.allclose(again.process(frames), learned(HISS).process(frames), rtol=1e-4, atol=1e-5)


def test_learning_nothing_changes_nothing():
    frames = analysed(FORMAT, HISS)
    denoise = Denoise(FORMAT)
    denoise.process(frames[:100])
    twin = denoise.changed({"learn": True}).changed({"learn": False})
    assert np.array_equal(twin.process(frames[100:]), denoise.process(frames[100:]))


def test_a_captured_span_is_learned_like_what_is_heard():
    captured = Captured(np.concatenate([voice(1), hum(SAMPLE_RATE)]))
    values = {"start": SAMPLE_RATE, "stop": 2 * SAMPLE_RATE, "follow": False}
    frames = analysed(FORMAT, hum(SAMPLE_RATE // 2))
    given = Denoise(FORMAT, values, captured)
    out = synthesised(FORMAT, given.process(frames))
    known = synthesised(FORMAT, learned(hum(SAMPLE_RATE), follow=False).process(frames))
    assert abs(level(out, 0, 0.4) - level(known, 0, 0.4)) < 0.5
    later = Denoise(FORMAT, {}, captured).changed(values)
    assert np.array_equal(synthesised(FORMAT, later.process(frames)), out)
    given.reset()
    assert np.array_equal(synthesised(FORMAT, given.process(frames)), out)


def test_a_span_that_cannot_be_learned_is_refused_with_a_sentence():
    captured = Captured(noise(20 * SAMPLE_RATE), oldest=1000)

    def refused(start: int, stop: int, capture: Captured | None = captured, *, match: str):
        with pytest.raises(RequestError, match=match):
            Denoise(FORMAT, {"start": start, "stop": stop}, capture)

    refused(0, 5000, match="denoise has nothing to learn from: samples 0..5000 are gone")
    refused(0, 10**9, match="hold 20833.33 s of noise; take 0.02 s .* to 10 s")
    refused(5000, 6000, match="hold 0.02 s of noise")
    refused(6000, 5000, match="hold -0.02 s of noise")
    refused(5000, 9000, None, match="need a capture")


def test_without_following_what_was_learned_stays():
    louder = analysed(FORMAT, 10 * HISS)
    still = learned(HISS, follow=False).process(louder)[300:]
    following = learned(HISS).process(louder)[300:]
    ratio = np.abs(louder[300:]).mean()
    assert db(np.abs(still).mean() / ratio) > -1
    assert db(np.abs(following).mean() / ratio) < -15


# What holds for every effect


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("learning", [False, True])
def test_any_cutting_gives_the_same_frames_and_leaves_what_it_was_given(
    layout: str, learning: bool
):
    format = frame_format(layout, 2)
    frames = analysed(format, noise(40000, 2))
    untouched = frames.copy()

    def cut(*at: int) -> np.ndarray:
        denoise, made = Denoise(format, {"learn": learning}), []
        for piece in np.split(frames[:70], at):
            made.append(denoise.process(piece))
        denoise = denoise.changed({"learn": False})
        for piece in np.split(frames[70:], at):
            made.append(denoise.process(piece))
        return np.concatenate(made)

    whole = cut()
    assert whole.dtype == np.complex64
    assert np.array_equal(cut(*range(70)), whole)
    assert np.array_equal(cut(7, 7, 50), whole)
    assert np.array_equal(frames, untouched)


def test_silence_stays_exactly_silent():
    silence = np.zeros((SAMPLE_RATE, 1), np.float32)
    assert not heard("denoise", silence).any()
    assert not learned(HISS).process(analysed(FORMAT, silence)).any()
    assert np.array_equal(learned(silence).process(analysed(FORMAT, HISS)).shape, (559, 1, 513))


def test_each_channel_has_its_own_noise():
    both = np.concatenate([HISS, 0.1 * np.roll(HISS, 5000)], axis=1)
    format = frame_format(n_channels=2)
    out = heard("denoise", both, format)
    for channel in (0, 1):
        alone = heard("denoise", both[:, channel : channel + 1])
        assert np.abs(out[:, channel] - alone[:, 0]).max() < 1e-6
    both[:, 1] = 0
    assert not heard("denoise", both, format)[:, 1].any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.nan, np.inf, complex(1, -np.inf), 1e30])
def test_what_is_not_a_number_is_silenced_and_forgotten(bad: complex):
    frames = analysed(FORMAT, HISS)
    broken = frames.copy()
    broken[200:202, :, 100:300] = bad
    denoise = Denoise(FORMAT)
    out = denoise.process(broken)
    assert np.isfinite(out).all()
    late = denoise.process(frames)
    assert db(np.abs(late[-100:]).mean() / np.abs(frames[-100:]).mean()) < -15


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e4])
def test_very_soft_and_very_loud_sound_stays_finite(scale: float):
    frames = analysed(FORMAT, HISS) * np.float32(scale)
    assert np.isfinite(Denoise(FORMAT).process(frames)).all()


def test_reset_is_as_new_and_a_copy_goes_on_as_the_first_would():
    frames = analysed(FORMAT, HISS)
    denoise = Denoise(FORMAT)
    first = denoise.process(frames[:200])
    twin = denoise.changed({})
    assert np.array_equal(twin.process(frames[200:]), denoise.process(frames[200:]))
    denoise = denoise.changed({"learn": True})
    denoise.process(frames)
    denoise = denoise.changed({"learn": False})
    denoise.reset()
    assert np.array_equal(denoise.process(frames[:200]), first)


def test_another_reduction_acts_at_once_on_the_noise_known_so_far():
    frames = analysed(FORMAT, HISS)
    denoise = Denoise(FORMAT, {"reduction": 10})
    denoise.process(frames[:300])
    deeper = denoise.changed({"reduction": 25}).process(frames[300:310])
    assert db(np.abs(deeper).mean() / np.abs(frames[300:310]).mean()) < -15


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "hop"),
    [(8000, 200, 50), (16000, 512, 128), (44100, 2048, 512), (192000, 8192, 1024), (8000, 64, 16)],
)
def test_any_frames_will_do(sample_rate: int, n_fft: int, hop: int):
    shape = window("hann", n_fft)
    format = FrameFormat(sample_rate, n_fft, hop, 1, shape, dual_window(shape, hop))
    frames = analysed(format, noise(2 * sample_rate, rms=0.01))
    out = Denoise(format).process(frames)[len(frames) // 2 :]
    assert db(np.abs(out).mean() / np.abs(frames).mean()) < -14


def test_no_change_of_it_is_heard_as_a_click(rng: np.random.Generator):
    texts = ["denoise", "denoise:reduction=60", "denoise:learn=on", "denoise:follow=off"]
    descriptions = [(effects(text), bypass) for text in texts for bypass in (False, True)]
    assert_no_clicks(rng, FORMAT, 1000.0, [*descriptions, ((), False)], own=True)


def test_the_gain_is_that_of_the_paper(rng: np.random.Generator):
    snr, ratio = 10 ** rng.uniform(-2.5, 4, 10000), 10 ** rng.uniform(-1, 4, 10000)
    wiener = snr / (1 + snr)
    exact = np.minimum(wiener * np.exp(exp1(wiener * ratio) / 2), 1)
    assert np.abs(lsa_gain(snr, ratio) / exact - 1).max() < 1e-3
    assert lsa_gain(np.zeros(1), np.ones(1)) == 0
    assert lsa_gain(np.ones(1), np.zeros(1)) == 1
