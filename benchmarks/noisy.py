"""Noisy speech for the `denoise` benchmark: real voices, made and recorded noise, at 48000 Hz.

Voices and recorded noise are those of `recordings(part="report")`, which no setting was chosen
on. Seeded: every run hears the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from benchmarks.recordings import Recording, recordings

RATE = 48000
SCORED_RATE = 16000
"""Hz at which PESQ (wide band) is defined."""

SNRS = (0, 5, 10)
"""dB, over the speech of a file, in the band that is scored."""

GIVEN_SECONDS = 0.5
"""Of noise alone, just before each file."""

SPEECH_SECONDS = 5.0
VOICES = ("Front_Center", "speech_orig", "0890")
"""Recordings whose own noise lies 25 dB under the voice or deeper, one of each speaker: another
has its noise 16 dB under it, and removing that would count as a fault."""


@dataclass(frozen=True)
class Noisy:
    """One file. All float64, mono, at `RATE`."""

    kind: str
    snr: int
    noise: NDArray
    """The noise alone that comes before it, GIVEN_SECONDS long."""
    noisy: NDArray
    clean: NDArray
    """The speech in it, of the same length."""


def noise_first() -> list[Noisy]:
    """Made noise; the noise alone is heard first, as if one began to record before speaking."""
    return _files(_voices(), MADE, seed=1)


def speech_first() -> list[Noisy]:
    """Made noise; each file begins inside a word."""
    return _files([_inside_a_word(voice) for voice in _voices()], MADE, seed=2)


def recorded() -> list[Noisy]:
    """Recorded noise; each file begins inside a word."""
    noises = {held.name.rsplit("/", 1)[-1]: _repeated(held) for held in recordings("noise")}
    return _files([_inside_a_word(voice) for voice in _voices()], noises, seed=3)


Noise = Callable[[np.random.Generator, int], NDArray]


def _coloured(rng: np.random.Generator, n: int, slope: float) -> NDArray:
    """Power falls as frequency to the power of `slope`; flat below 30 Hz. Of power 1."""
    frequencies = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * frequencies ** (-slope / 2), n)
    return noise / noise.std()


def _hum_and_fan(rng: np.random.Generator, n: int) -> NDArray:
    """A mains hum of 60 Hz with its harmonics, and air that blades chop 21 times a second."""
    t = np.arange(n) / RATE
    phases = rng.uniform(0, 2 * np.pi, 16)
    hum = sum(np.sin(2 * np.pi * 60 * k * t + phase) / k for k, phase in enumerate(phases, 1))
    return hum + (1 + 0.4 * np.sin(2 * np.pi * 21 * t)) * _coloured(rng, n, 1.2)


def _modulated(rng: np.random.Generator, n: int) -> NDArray:
    """As pink noise, but its level wanders by some 5 dB, as traffic does."""
    points = rng.normal(0, 5, int(2 * n / RATE) + 2)
    level = np.interp(np.arange(n) / RATE * 2, np.arange(len(points)), points)
    return _coloured(rng, n, 1) * 10 ** (level / 20)


MADE: dict[str, Noise] = {
    "white": lambda rng, n: rng.standard_normal(n),
    "pink": lambda rng, n: _coloured(rng, n, 1),
    "hum and fan": _hum_and_fan,
    "modulated": _modulated,
}


def _repeated(held: Recording) -> Noise:
    """From anywhere in a recording on, again from its start where it ends."""
    samples = _resampled(held)

    def noise(rng: np.random.Generator, n: int) -> NDArray:
        return np.take(samples, rng.integers(len(samples)) + np.arange(n), mode="wrap")

    return noise


def _voices() -> list[NDArray]:
    held = recordings("speech")
    firsts = [next(each for each in held if voice in each.name) for voice in VOICES]
    return [_resampled(each)[: round(SPEECH_SECONDS * RATE)] for each in firsts]


def _inside_a_word(voice: NDArray) -> NDArray:
    """From 0.1 s after the first 20 ms on that are louder than the mean."""
    step = RATE // 50
    loud = np.square(voice[: len(voice) // step * step]).reshape(-1, step).mean(axis=1)
    return voice[int(np.argmax(loud > np.square(voice).mean())) * step + RATE // 10 :]


def _resampled(held: Recording) -> NDArray:
    return signal.resample_poly(held.samples.astype(np.float64), RATE, held.sample_rate)


def scored(samples: NDArray) -> NDArray:
    """The same at SCORED_RATE."""
    return signal.resample_poly(samples, SCORED_RATE, RATE)


def _files(voices: list[NDArray], noises: dict[str, Noise], seed: int) -> list[Noisy]:
    rng = np.random.default_rng(seed)
    n_given = round(GIVEN_SECONDS * RATE)
    files = []
    for voice in voices:
        for kind, make in noises.items():
            for snr in SNRS:
                noise = make(rng, n_given + len(voice))
                powers = [np.square(scored(part)).mean() for part in (voice, noise[n_given:])]
                noise = noise * np.sqrt(powers[0] / powers[1] / 10 ** (snr / 10))
                given, under = noise[:n_given], noise[n_given:]
                files.append(Noisy(kind, snr, given, voice + under, voice))
    return files
