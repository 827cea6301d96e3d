"""The floor is that of the noise, whatever else is heard."""

from __future__ import annotations

import numpy as np
import pytest
from clicks import SAMPLE_RATE, analysed, frame_format, noise, tone

from realtime.audio.voices import speech
from realtime.dsp.noise import NoiseFloor, first_floor, over_neighbours

FORMAT = frame_format()
PER_SECOND = round(FORMAT.frames_per_second)


def powers(samples: np.ndarray) -> np.ndarray:
    """(n_frames, 1, n_bins)."""
    return np.square(np.abs(analysed(FORMAT, samples).astype(np.complex128)))


def followed(power: np.ndarray, floor: NoiseFloor | None = None) -> np.ndarray:
    """The floor after each frame, (n_frames, n_bins)."""
    floor = floor or NoiseFloor(FORMAT)
    found = []
    for frame in power:
        floor.hear(frame)
        found.append(floor.floor[0])
    return np.array(found)


def errors(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """dB over the truth, by frame, the mean over bins."""
    return (10 * np.log10(found / truth)).mean(axis=-1)


def voice(seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    spoken = speech([(0, 110), (1, 140), (2, 100)], [(0, "a"), (0.7, "e"), (1.3, "i")])
    samples = spoken(t, SAMPLE_RATE)
    return (samples / np.abs(samples).max())[:, None].astype(np.float32)


WHITE = 0.01**2 * float(np.square(FORMAT.window).sum())
"""Power in each bin of noise(rms=0.01)."""


def test_steady_noise_is_known_after_a_fifth_of_a_second():
    found = errors(followed(powers(noise(2 * SAMPLE_RATE, rms=0.01))), WHITE)
    assert np.abs(found[PER_SECOND // 5 :]).max() < 2


def test_the_noise_is_found_under_a_voice_from_its_first_word_on():
    mixed = noise(2 * SAMPLE_RATE, rms=0.01) + 0.3 * voice(2)
    found = errors(followed(powers(mixed)), WHITE)
    assert np.abs(found[PER_SECOND // 4 :]).max() < 3


def test_noise_that_swells_and_fades_is_followed():
    t = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    level = 10 ** (6 / 20 * np.sin(2 * np.pi * 0.5 * t))[:, None]
    found = followed(powers(noise(len(t), rms=0.01) * level.astype(np.float32)))
    at = (np.arange(len(found)) * FORMAT.hop + FORMAT.n_fft // 2) / SAMPLE_RATE
    truth = WHITE * 10 ** (12 / 20 * np.sin(2 * np.pi * 0.5 * at))
    assert np.abs(errors(found, truth[:, None])[PER_SECOND:]).max() < 3


@pytest.mark.parametrize("step", [0.05, 20])
def test_a_sudden_step_of_26_db_is_followed_within_half_a_second(step: float):
    samples = noise(4 * SAMPLE_RATE, rms=0.01)
    samples[2 * SAMPLE_RATE :] *= step
    found = errors(followed(powers(samples)), WHITE * step**2)
    assert np.abs(found[int(2.6 * PER_SECOND) :]).max() < 3


def test_a_tone_that_lasts_becomes_noise_unless_the_noise_was_learned():
    hiss = noise(4 * SAMPLE_RATE, rms=0.003)
    power = powers(hiss + 0.1 * tone(1500, len(hiss)))
    peak = 1500 // round(FORMAT.bin_hz)
    learned = NoiseFloor(FORMAT)
    learned.learn(powers(hiss[:SAMPLE_RATE]).mean(axis=0))
    by_itself, beside = followed(power)[-1, peak], followed(power, learned)[-1, peak]
    assert by_itself > 0.3 * power[-1, 0, peak]
    assert beside < 1e-3 * power[-1, 0, peak]


def test_what_is_learned_counts_from_the_first_frame():
    power = powers(noise(SAMPLE_RATE, rms=0.01))
    floor = NoiseFloor(FORMAT)
    floor.learn(np.full((1, FORMAT.n_bins), WHITE))
    assert abs(errors(followed(power[:1], floor), WHITE)[0]) < 0.5


def test_without_following_the_floor_stays():
    floor = NoiseFloor(FORMAT)
    floor.learn(np.full((1, FORMAT.n_bins), WHITE))
    for frame in powers(noise(SAMPLE_RATE, rms=0.1)):
        floor.hear(frame, follow=False)
    assert np.array_equal(floor.floor, np.full((1, FORMAT.n_bins), WHITE))


def test_silence_neither_starts_nor_moves_it_and_a_soft_start_does_not_mislead():
    """A device may begin with zeros, and its first frame is then partly silent."""
    samples = noise(2 * SAMPLE_RATE, rms=0.01)
    samples[: SAMPLE_RATE // 2 + 100] = 0
    samples[SAMPLE_RATE : SAMPLE_RATE + 12000] = 0
    found = followed(powers(samples))
    muted = found[PER_SECOND + 1 : PER_SECOND + 40]
    assert np.array_equal(muted[5:], np.repeat(muted[5:6], len(muted) - 5, axis=0))
    assert np.abs(errors(found, WHITE)[int(0.6 * PER_SECOND) : PER_SECOND - 5]).max() < 2
    assert np.abs(errors(found, WHITE)[int(1.5 * PER_SECOND) :]).max() < 2


def test_a_channel_that_is_muted_keeps_its_floor():
    both = np.repeat(noise(2 * SAMPLE_RATE, rms=0.01), 2, axis=1)
    both[SAMPLE_RATE : SAMPLE_RATE + 24000, 1] = 0
    format = frame_format(n_channels=2)
    floor = NoiseFloor(format)
    power = np.square(np.abs(analysed(format, both).astype(np.complex128)))
    for frame in power[: int(1.45 * PER_SECOND)]:
        floor.hear(frame)
    assert np.abs(10 * np.log10(floor.floor / WHITE).mean(axis=1)).max() < 6


def test_a_channel_that_comes_later_starts_as_one_alone():
    hiss = noise(2 * SAMPLE_RATE, rms=0.01)
    both = np.repeat(hiss, 2, axis=1)
    both[:SAMPLE_RATE, 1] = 0
    format = frame_format(n_channels=2)
    floor = NoiseFloor(format)
    for frame in np.square(np.abs(analysed(format, both).astype(np.complex128))):
        floor.hear(frame)
    alone = hiss.copy()
    alone[:SAMPLE_RATE] = 0
    assert np.allclose(floor.floor[1], followed(powers(alone))[-1], rtol=0.2)


def test_a_sound_that_begins_soon_after_is_not_taken_for_noise():
    samples = noise(SAMPLE_RATE, rms=0.01)
    samples[SAMPLE_RATE // 16 :] *= 30
    found = errors(followed(powers(samples)), WHITE)
    assert np.abs(found[PER_SECOND // 8 : PER_SECOND // 5]).max() < 4


def test_presence_is_low_in_noise_and_sure_in_a_tone_20_db_over_its_bin():
    samples = noise(2 * SAMPLE_RATE, rms=0.01)
    late = np.arange(len(samples))[:, None] > SAMPLE_RATE
    power = powers(samples + 0.01 * tone(1500, len(samples)) * late)
    floor = NoiseFloor(FORMAT)
    presence = np.array([floor.hear(frame)[0] for frame in power])
    assert presence[PER_SECOND // 2 : PER_SECOND - 5].mean() < 0.15
    assert presence[PER_SECOND + 5 : PER_SECOND + 40, 32].min() > 0.99


def test_the_first_guess_lies_near_the_noise_with_and_without_a_voice(rng: np.random.Generator):
    hiss = rng.exponential(1, (50, FORMAT.n_bins))
    guesses = np.array([first_floor(frame) for frame in hiss])
    assert abs(10 * np.log10(guesses).mean()) < 1
    harmonics = 1000.0 * (np.arange(FORMAT.n_bins) % 8 == 0)
    guesses = np.array([first_floor(frame + harmonics) for frame in hiss])
    assert abs(10 * np.log10(guesses).mean()) < 2.5


@pytest.mark.parametrize("n_bins", [2, 5, 9, 17, 8193])
def test_any_number_of_bins_has_a_first_guess(n_bins: int):
    assert np.allclose(first_floor(np.full(n_bins, 3.0)), 3.0 / -np.log(0.75))


def test_the_mean_over_neighbours_keeps_what_is_flat_and_reaches_two_bins():
    assert np.allclose(over_neighbours(np.ones((1, 7))), 1)
    line = np.zeros((1, 9))
    line[0, 4] = 12
    assert np.allclose(over_neighbours(line), [[0, 0, 1, 3, 4, 3, 1, 0, 0]])
