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
"""(seconds, value), joined by halves of a cosine."""

NOISE_SECONDS = 1.0
"""Noise is made in one piece, in 5 ms at 48000 Hz; longer noise goes round."""

SLOPE_OF_HZ = 20 * np.log10(2)
"""dB an octave of an amplitude that grows with the frequency."""

DRAWBARS = (1.0, 0.7, 0.5, 0.4, 0.16, 0.25, 0, 0.2, 0, 0.08, 0, 0.07, 0, 0, 0, 0.05)
"""Amplitudes of an organ's harmonics."""

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
        hz = low + (high - low) * t / length
        wave = np.sin(np.pi * (low + hz) * t)
        return wave * audible(hz, sample_rate) * fade(t, length, 0.3, 0.3)

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
        out += np.imag(power) * levels(k) * audible(k * hz, sample_rate)
    return out


def organ(hz: float, length: float) -> Voice:
    """Drawbars with a vibrato that sets in late."""
    rate, deepest = 5.5, 0.012

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        depth = deepest * np.clip((t - 0.2) / 0.8, 0, 1)
        cycles = hz * (t - depth * np.cos(2 * np.pi * rate * t) / (2 * np.pi * rate))
        levels, pitch = (lambda k: DRAWBARS[k - 1]), np.full_like(t, hz)
        tone = harmonics(cycles, pitch, levels, len(DRAWBARS), sample_rate)
        return tone * fade(t, length, 0.15, 0.4)

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
    times, hz, grown = _curve(points)
    warble = 28.0

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        now, cycles = _follow(t, times, hz, grown)
        cycles = cycles - trill * np.cos(2 * np.pi * warble * t) / (2 * np.pi * warble)
        wave = np.sin(2 * np.pi * cycles) + 0.06 * np.sin(4 * np.pi * cycles) * audible(
            2 * now, sample_rate
        )
        return wave * audible(now + trill, sample_rate) * fade(t, times[-1], 0.03, 0.04)

    return voice


@functools.lru_cache(maxsize=4)
def shaped_noise(
    seed: int, length: float, sample_rate: int, low: float, high: float, slope: float
) -> np.ndarray:
    """Gaussian noise of rms 1 between two frequencies, `slope` dB an octave; float64.

    It goes round after `length`, at most NOISE_SECONDS, without a seam.
    """
    n = round(min(length, NOISE_SECONDS) * sample_rate)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hz = np.maximum(np.fft.rfftfreq(n, 1 / sample_rate), 1e-3)
    edge = 0.12  # octaves
    lower = np.clip(np.log2(hz / max(low, 1e-3)) / edge + 1, 0, 1)
    upper = np.clip(np.log2(high / hz) / edge + 1, 0, 1)
    shaped = np.fft.irfft(spectrum * lower * upper * (hz / 1000) ** (slope / SLOPE_OF_HZ), n)
    level = np.sqrt(np.mean(shaped**2))
    return shaped / level if level > 0 else shaped


def _around(made: np.ndarray, t: np.ndarray, sample_rate: int) -> np.ndarray:
    return made[np.round(t * sample_rate).astype(int) % len(made)]


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
        made = shaped_noise(seed, length, sample_rate, low, high, slope)
        dying = np.exp(-t / decay) if decay else 1.0
        return _around(made, t, sample_rate) * dying * fade(t, length, rise, min(0.3, length / 2))

    return voice


def speech(pitch: Points, vowels: list[tuple[float, str]]) -> Voice:
    """Harmonics of a gliding pitch under formants that move from vowel to vowel: a source of
    -6 dB an octave, lips included, and a filter of five resonances in a row (Fant, 1960)."""
    times, hz, grown = _curve(pitch)
    when = np.array([second for second, _ in vowels])
    formants = np.array([(*VOWELS[name], 3500, 4500) for _, name in vowels], float).T
    widths = (80, 100, 130, 200, 260)  # Hz
    count = 56
    control = 64  # samples between two values of the levels

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        now, cycles = _follow(t, times, hz, grown)
        coarse = np.append(t[::control], t[-1])
        fundamental = _follow(coarse, times, hz, grown)[0]
        places = [_follow(coarse, when, formant)[0] for formant in formants]

        def level(k: int) -> np.ndarray:
            here = (1 - (k / count) ** 2) / k
            for place, width in zip(places, widths, strict=True):
                ratio = k * fundamental / place
                here = here / np.sqrt((1 - ratio**2) ** 2 + (ratio * width / place) ** 2)
            return np.interp(t, coarse, here)

        return harmonics(cycles, now, level, count, sample_rate) * fade(t, times[-1], 0.05, 0.12)

    return voice


def endless_glide(octaves_a_second: float, length: float) -> Voice:
    """Sines an octave apart that rise for ever, loudest in the middle (Shepard, 1964; Risset)."""
    low, octaves = 40.0, 9.2
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
    times, hz, grown = _curve(points)

    def voice(t: np.ndarray, sample_rate: int) -> np.ndarray:
        one, other = (
            _around(
                shaped_noise(seed + k, length, sample_rate, 0.0, width / 2, 0.0), t, sample_rate
            )
            for k in (0, 1)
        )
        now, cycles = _follow(t, times, hz, grown)
        wave = one * np.cos(2 * np.pi * cycles) - other * np.sin(2 * np.pi * cycles)
        return wave * audible(now + width, sample_rate) * fade(t, length, 0.8, 0.8)

    return voice


def _curve(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, frequencies, and the cycles passed at each point."""
    times, hz = (np.array(axis) for axis in zip(*points, strict=True))
    grown = np.concatenate([[0.0], np.cumsum(np.diff(times) * (hz[1:] + hz[:-1]) / 2)])
    return times, hz, grown


def _follow(
    t: np.ndarray, times: np.ndarray, values: np.ndarray, grown: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The value at t, half a cosine from point to point, and its exact integral."""
    part = np.clip(np.searchsorted(times, t, "right") - 1, 0, len(times) - 2)
    length = times[part + 1] - times[part]
    u = np.clip((t - times[part]) / length, 0, 1)
    begin, step = values[part], values[part + 1] - values[part]
    now = begin + step * (1 - np.cos(np.pi * u)) / 2
    passed = length * (begin * u + step * (u / 2 - np.sin(np.pi * u) / (2 * np.pi)))
    return now, passed if grown is None else grown[part] + passed
