"""The voices of the built-in sound: sweeps, harmonics, speech, birds, noise, clicks. Pure maths.

Each voice is a function of the time since it began, so any part of it can be made on its own.
What the sample rate cannot carry is left out, never folded back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

Voice = Callable[[np.ndarray, int], np.ndarray]
"""voice(t, sample_rate) -> samples, float64 (n,); t float64 (n,) in seconds since it began."""

Points = list[tuple[float, float]]
"""(seconds, value), joined by straight lines."""

VOWELS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "er": (490, 1350, 1690),
}
"""Formants in Hz, men's averages (Peterson & Barney, 1952)."""


def fade(t: np.ndarray, length: float, rise: float = 0.02, fall: float = 0.05) -> np.ndarray:
    """Raised-cosine edges."""
    edges = np.minimum(np.clip(t / rise, 0, 1), np.clip((length - t) / fall, 0, 1))
    return np.sin(np.pi / 2 * edges) ** 2


def audible(hz: np.ndarray | float, sample_rate: int) -> np.ndarray:
    """1 for what the sample rate can carry, fading to 0 shortly before half of it."""
    return np.clip((0.48 - np.asarray(hz) / sample_rate) / 0.04, 0, 1)


def log_sweep(low: float, high: float, length: float) -> Voice:
    """A sine whose frequency rises (or falls) by the same ratio in equal times (Farina, 2000)."""

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        ratio = np.log(high / low)
        hz = low * np.exp(ratio * t / length)
        cycles = (hz - low) * length / ratio
        return np.sin(2 * np.pi * cycles) * audible(hz, sample_rate) * fade(t, length)

    return voice


def linear_sweep(low: float, high: float, length: float) -> Voice:
    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        slope = (high - low) / length
        cycles = low * t + slope * t * t / 2
        return (
            np.sin(2 * np.pi * cycles)
            * audible(low + slope * t, sample_rate)
            * fade(t, length, 0.3, 0.3)
        )

    return voice


def click(t: np.ndarray, sample_rate: int) -> np.ndarray:
    """One sample."""
    return (t == 0).astype(float)


def click_train(slow: float, fast: float, length: float) -> Voice:
    """Single samples, `slow` a second at first and `fast` at last: a rhythm becomes a pitch."""

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        ratio = np.log(fast / slow)

        def cycles(when: np.ndarray) -> np.ndarray:
            return slow * length / ratio * (np.exp(ratio * when / length) - 1)

        return (np.floor(cycles(t)) > np.floor(cycles(t - 1 / sample_rate))).astype(float)

    return voice


def harmonics(
    cycles: np.ndarray,
    hz: np.ndarray,
    levels: Callable[[int], np.ndarray | float],
    count: int,
    sample_rate: int,
) -> np.ndarray:
    """The sum of `count` harmonics of a fundamental: sines at k * cycles, of `levels(k)`."""
    turn = np.exp(2j * np.pi * cycles)
    power = np.ones_like(turn)
    out = np.zeros(len(cycles))
    lowest = hz.min() if len(hz) else 0.0
    for k in range(1, count + 1):
        if k * lowest > 0.48 * sample_rate:
            break
        power *= turn
        out += power.imag * levels(k) * audible(k * hz, sample_rate)
    return out


def organ(hz: float, length: float) -> Voice:
    """Drawbars with a vibrato that sets in late."""
    drawbars = {
        1: 1.0,
        2: 0.7,
        3: 0.5,
        4: 0.4,
        5: 0.16,
        6: 0.25,
        8: 0.2,
        10: 0.08,
        12: 0.07,
        16: 0.05,
    }
    rate, deepest = 5.5, 0.007

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        depth = deepest * np.clip((t - 0.8) / 1.2, 0, 1)
        cycles = hz * (t - depth * np.cos(2 * np.pi * rate * t) / (2 * np.pi * rate))
        tone = harmonics(
            cycles, np.full_like(t, hz), lambda k: drawbars.get(k, 0.0), 16, sample_rate
        )
        return tone * fade(t, length, 0.06, 0.5)

    return voice


def pluck(hz: float, length: float) -> Voice:
    """A string: high harmonics die first."""

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        def level(k: int) -> np.ndarray:
            comb = abs(np.sin(np.pi * k * 0.23))  # where it is plucked
            return comb / k**0.8 * np.exp(-t * (1.6 + 0.35 * k))

        tone = harmonics(hz * t, np.full_like(t, hz), level, 40, sample_rate)
        return tone * fade(t, length, 0.003, 0.2)

    return voice


def bell(hz: float, length: float) -> Voice:
    """Frequency modulation with a falling index (Chowning, 1973)."""

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        index = 7.0 * np.exp(-t / 0.9)
        wave = np.sin(2 * np.pi * hz * t + index * np.sin(2 * np.pi * hz * 1.4 * t))
        carried = audible(hz * (1 + 1.4 * 9), sample_rate)  # its highest side band
        return wave * carried * np.exp(-t / 1.1) * fade(t, length, 0.004, 0.4)

    return voice


def drum(t: np.ndarray, sample_rate: int) -> np.ndarray:
    drop = 0.045
    cycles = 46 * t + 190 * drop * (1 - np.exp(-t / drop))
    return np.sin(2 * np.pi * cycles) * np.exp(-t / 0.13) * fade(t, 0.5, 0.002, 0.1)


def whistle(points: Points, trill: float = 0.0) -> Voice:
    """A bird: a pure tone through the points (seconds, Hz), `trill` Hz of warble."""
    times, hz, grown = _line(points)
    warble = 28.0

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        now, cycles = _glide(t, times, hz, grown)
        cycles = cycles - trill * np.cos(2 * np.pi * warble * t) / (2 * np.pi * warble)
        wave = np.sin(2 * np.pi * cycles) + 0.12 * np.sin(4 * np.pi * cycles) * audible(
            2 * now, sample_rate
        )
        return wave * audible(now + trill, sample_rate) * fade(t, times[-1], 0.03, 0.04)

    return voice


@functools.lru_cache(maxsize=4)
def shaped_noise(seed: int, n: int, sample_rate: int, low: float, high: float, slope: float):
    """Gaussian noise of n samples and rms 1 between two frequencies, `slope` dB an octave."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / sample_rate)
    octaves = np.log2(np.maximum(hz, 1.0) / 1000)
    edge = 0.12  # octaves
    lower = np.clip((np.log2(np.maximum(hz, 1e-3)) - np.log2(max(low, 1e-3))) / edge + 1, 0, 1)
    upper = np.clip((np.log2(high) - np.log2(np.maximum(hz, 1e-3))) / edge + 1, 0, 1)
    shaped = np.fft.irfft(spectrum * lower * upper * 10 ** (slope * octaves / 20), n)
    level = np.sqrt(np.mean(shaped**2))
    return shaped / level if level > 0 else shaped


def noise(
    seed: int,
    length: float,
    low: float,
    high: float,
    slope: float = 0.0,
    rise: float = 0.003,
    decay: float | None = None,
) -> Voice:
    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        n = round(length * sample_rate)
        at = np.round(t * sample_rate).astype(int)
        made = shaped_noise(seed, n, sample_rate, low, high, slope)[at]
        dying = np.exp(-t / decay) if decay else 1.0
        return made * dying * fade(t, length, rise, min(0.3, length / 2))

    return voice


def speech(pitch: Points, vowels: list[tuple[float, str]]) -> Voice:
    """Harmonics of a gliding pitch under formants that move from vowel to vowel (a source and a
    filter: Fant, 1960)."""
    times, hz, grown = _line(pitch)
    when = np.array([second for second, _ in vowels])
    formants = np.array([(*VOWELS[name], 3500, 4500) for _, name in vowels], float).T
    strengths = (1.0, 0.55, 0.3, 0.2, 0.12)
    widths = (80, 100, 130, 200, 260)  # Hz
    count = 48
    control = 64  # samples between two values of the levels

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        now, cycles = _glide(t, times, hz, grown)
        coarse = np.append(t[::control], t[-1])
        pitch_there = np.interp(coarse, times, hz)
        places = [np.interp(coarse, when, formant) for formant in formants]

        def level(k: int) -> np.ndarray:
            here = sum(
                strength / np.sqrt(1 + ((k * pitch_there - place) / (width / 2)) ** 2)
                for strength, place, width in zip(strengths, places, widths, strict=True)
            )
            return np.interp(t, coarse, here)

        return harmonics(cycles, now, level, count, sample_rate) * fade(t, times[-1], 0.05, 0.1)

    return voice


def endless_glide(octaves_a_second: float, length: float) -> Voice:
    """Sines an octave apart that rise for ever, loudest in the middle (Shepard, 1964; Risset)."""
    low, octaves = 30.0, 9.6
    layers = 10

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        out = np.zeros(len(t))
        for layer in range(-int(octaves_a_second * length) - 1, layers):
            height = layer + octaves_a_second * t  # octaves above `low`
            if height.max() < 0 or height.min() > octaves:
                continue
            hz = low * 2.0**height
            cycles = hz / (np.log(2) * octaves_a_second)
            shape = np.sin(np.pi * np.clip(height / octaves, 0, 1)) ** 2
            out += np.sin(2 * np.pi * cycles) * shape * audible(hz, sample_rate)
        return out * fade(t, length, 0.5, 0.7)

    return voice


def wind(seed: int, length: float, points: Points, width: float) -> Voice:
    """Noise `width` Hz wide that wanders through the points (seconds, Hz)."""
    times, hz, grown = _line(points)

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        n = round(length * sample_rate)
        at = np.round(t * sample_rate).astype(int)
        one, other = (
            shaped_noise(seed + k, n, sample_rate, 0.0, width / 2, 0.0)[at] for k in (0, 1)
        )
        now, cycles = _glide(t, times, hz, grown)
        wave = one * np.cos(2 * np.pi * cycles) - other * np.sin(2 * np.pi * cycles)
        return wave * audible(now + width, sample_rate) * fade(t, length, 0.8, 0.8)

    return voice


def _line(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, frequencies, and the cycles passed at each point."""
    times, hz = (np.array(axis) for axis in zip(*points, strict=True))
    grown = np.concatenate([[0.0], np.cumsum(np.diff(times) * (hz[1:] + hz[:-1]) / 2)])
    return times, hz, grown


def _glide(
    t: np.ndarray, times: np.ndarray, hz: np.ndarray, grown: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Frequency at t, linear between the points, and its exact integral: (Hz, cycles)."""
    now = np.interp(t, times, hz)
    part = np.clip(np.searchsorted(times, t, "right") - 1, 0, len(times) - 2)
    return now, grown[part] + (t - times[part]) * (hz[part] + now) / 2
