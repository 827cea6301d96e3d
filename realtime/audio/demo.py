"""The built-in sound: a loop of 24 s that shows what a spectrogram can show.

0 s   sweeps: logarithmic ones cross, linear ones fan out; clicks of one sample
6 s   harmonics: organ chords with vibrato, a plucked melody; birds above
12 s  rhythm: drum, white, pink and band noise, clicks that run together into a pitch
15 s  something like speech: formants over a gliding pitch, fricatives
20 s  glides an octave apart that never arrive, bells of frequency modulation, wind
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.audio import voices as v

LOOP_SECONDS = 24.0


@dataclass(frozen=True)
class Event:
    start: float
    """Seconds from the start of the loop; an event may run over its end."""
    length: float
    voice: v.Voice
    gain: float


class Loop:
    """The score at one sample rate. The loop is rounded to whole chunks, so it is seamless."""

    def __init__(self, sample_rate: int, chunk: int):
        self._sample_rate = sample_rate
        self._n = chunk
        self.n_chunks = max(1, round(LOOP_SECONDS * sample_rate / chunk))
        self._score = score()

    def chunk(self, index: int) -> np.ndarray:
        """float64 (chunk,)."""
        out = np.zeros(self._n)
        length = self.n_chunks * self._n
        for event in self._score:
            since = (index * self._n - round(event.start * self._sample_rate)) % length
            for first in (since, since - length):  # it may begin, or go on, within the chunk
                begin = max(0, -first)
                end = min(self._n, round(event.length * self._sample_rate) - first)
                if begin < end:
                    t = np.arange(first + begin, first + end) / self._sample_rate
                    out[begin:end] += event.gain * event.voice(t, self._sample_rate)
        return out


def score() -> list[Event]:
    return [*_sweeps(), *_harmonics(), *_rhythm(), *_speech(), *_glides()]


def _sweeps() -> list[Event]:
    fan = [
        Event(1.0, 4.6, v.linear_sweep(220, high, 4.6), 0.07)
        for high in (1500, 4000, 8000, 13000, 19000)
    ]
    clicks = [Event(at, 0.01, v.click, 0.5) for at in (0.25, 0.5, 0.75, 5.5, 5.75)]
    return [
        *fan,
        *clicks,
        Event(0.0, 6.0, v.log_sweep(32, 21000, 6.0), 0.16),
        Event(0.0, 6.0, v.log_sweep(21000, 32, 6.0), 0.16),
    ]


def _harmonics() -> list[Event]:
    chords = [(6.0, (110.0, 164.81, 220.0, 277.18)), (9.0, (73.42, 146.83, 220.0, 293.66, 369.99))]
    organ = [Event(at, 3.2, v.organ(hz, 3.2), 0.028) for at, chord in chords for hz in chord]
    melody = [659.26, 554.37, 440.0, 554.37, 739.99, 880.0, 739.99, 587.33, 440.0, 587.33, 880.0]
    plucks = [Event(6.25 + 0.5 * i, 1.6, v.pluck(hz, 1.6), 0.13) for i, hz in enumerate(melody)]
    up = [(0.0, 4200.0), (0.12, 6500.0), (0.3, 5200.0), (0.5, 7600.0)]
    down = [(0.0, 8200.0), (0.15, 5200.0), (0.28, 6100.0), (0.4, 4600.0)]
    birds = [
        Event(at, tune[-1][0], v.whistle(tune, trill), 0.05)
        for at, tune, trill in (
            (7.0, up, 0.0),
            (7.7, down, 350.0),
            (8.3, down, 0.0),
            (9.9, up, 350.0),
            (10.6, up, 0.0),
            (11.2, down, 350.0),
        )
    ]
    return [*organ, *plucks, *birds]


def _rhythm() -> list[Event]:
    beat = 0.375
    drums = [Event(12.0 + beat * i, 0.5, v.drum, 0.4) for i in (0, 2, 3, 5, 6)]
    snares = [
        Event(12.0 + beat * i, 0.3, v.noise(20 + i, 0.3, 180, 9000, -3.0, decay=0.07), 0.1)
        for i in (1, 4, 7)
    ]
    hats = [
        Event(12.0 + beat / 2 * i, 0.12, v.noise(40 + i, 0.12, 7000, 20000, decay=0.03), 0.05)
        for i in range(16)
    ]
    return [
        *drums,
        *snares,
        *hats,
        Event(12.0, 3.0, v.click_train(6, 600, 3.0), 0.3),
        Event(14.9, 0.35, v.noise(3, 0.35, 20, 24000), 0.07),
        Event(11.9, 1.2, v.noise(4, 1.2, 1000, 2000, rise=0.3), 0.02),
    ]


def _speech() -> list[Event]:
    first = v.speech(
        [(0.0, 118.0), (0.4, 150.0), (1.0, 128.0), (1.5, 165.0), (2.2, 98.0)],
        [(0.0, "a"), (0.35, "i"), (0.7, "i"), (1.0, "a"), (1.3, "o"), (1.7, "u"), (2.2, "er")],
    )
    second = v.speech(
        [(0.0, 210.0), (0.3, 260.0), (0.8, 190.0), (1.3, 300.0), (1.8, 170.0)],
        [(0.0, "u"), (0.3, "e"), (0.7, "a"), (1.0, "i"), (1.4, "i"), (1.8, "o")],
    )
    return [
        Event(15.3, 0.2, v.noise(5, 0.2, 4500, 11000, rise=0.08), 0.04),
        Event(15.5, 2.2, first, 0.11),
        Event(17.65, 0.22, v.noise(6, 0.22, 2200, 6500, rise=0.08), 0.04),
        Event(17.9, 1.8, second, 0.11),
        Event(19.65, 0.25, v.noise(7, 0.25, 5000, 12000, rise=0.08), 0.04),
    ]


def _glides() -> list[Event]:
    bells = [
        Event(at, 3.0, v.bell(hz, 3.0), 0.1)
        for at, hz in ((20.2, 523.25), (21.2, 392.0), (22.2, 659.26))
    ]
    gusts = [(0.0, 900.0), (1.2, 5000.0), (2.2, 2200.0), (3.4, 9000.0), (4.0, 3000.0)]
    return [
        *bells,
        Event(19.8, 4.4, v.endless_glide(0.5, 4.4), 0.07),
        Event(19.9, 4.0, v.wind(8, 4.0, gusts, 500.0), 0.02),
    ]
