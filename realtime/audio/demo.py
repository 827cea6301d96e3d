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
        Event(1.0, 4.6, v.linear_sweep(220, high, 4.6), 0.05)
        for high in (1500, 4000, 8000, 13000, 19000)
    ]
    clicks = [Event(at, 0.01, v.click, 0.6) for at in (0.25, 0.5, 0.75, 5.25, 5.5, 5.75)]
    return [
        *fan,
        *clicks,
        Event(0.0, 6.0, v.log_sweep(32, 21000, 6.0), 0.12),
        Event(0.0, 6.0, v.log_sweep(21000, 32, 6.0), 0.12),
    ]


def _harmonics() -> list[Event]:
    chords = [
        (6.0, (110.0, 220.0, 277.18, 329.63)),  # A
        (7.5, (92.5, 185.0, 277.18, 369.99)),  # F sharp minor
        (9.0, (73.42, 146.83, 293.66, 369.99)),  # D
        (10.5, (82.41, 164.81, 246.94, 415.3)),  # E
    ]
    organ = [Event(at, 1.7, v.organ(hz, 1.7), 0.035) for at, chord in chords for hz in chord]
    melody = [
        659.26,
        554.37,
        880.0,
        739.99,
        554.37,
        880.0,
        1108.73,
        880.0,
        587.33,
        739.99,
        659.26,
        830.61,
    ]
    plucks = [Event(6.0 + 0.5 * i, 1.4, v.pluck(hz, 1.4), 0.14) for i, hz in enumerate(melody)]
    question = [(0.0, 4300.0), (0.1, 6000.0), (0.2, 5000.0), (0.3, 6800.0), (0.5, 8600.0)]
    answer = [(0.0, 9000.0), (0.15, 5600.0), (0.3, 7000.0), (0.5, 4500.0)]
    birds = [
        Event(at, tune[-1][0], v.whistle(tune, trill), 0.06)
        for at, tune, trill in (
            (6.7, question, 0.0),
            (7.4, answer, 400.0),
            (8.2, question, 0.0),
            (9.3, answer, 0.0),
            (9.9, question, 0.0),
            (10.6, answer, 400.0),
            (11.3, question, 0.0),
            (15.8, question, 0.0),
            (16.5, answer, 400.0),
            (18.3, question, 0.0),
            (18.9, answer, 0.0),
        )
    ]
    return [*organ, *plucks, *birds]


def _rhythm() -> list[Event]:
    beat = 0.375
    drums = [Event(12.0 + beat * i, 0.5, v.drum, 0.45) for i in (0, 2, 3, 5, 6)]
    snares = [
        Event(12.0 + beat * i, 0.3, v.noise(20 + i, 0.3, 180, 9000, -3.0, decay=0.06), 0.12)
        for i in (1, 4, 7)
    ]
    hats = [
        Event(12.0 + beat / 2 * i, 0.12, v.noise(40 + i, 0.12, 7000, 20000, decay=0.03), 0.09)
        for i in range(16)
    ]
    bands = [
        Event(12.0 + beat * i, beat, v.noise(60 + i, beat, low, 1.6 * low, decay=0.2), 0.05)
        for i, low in enumerate((250, 400, 640, 1024, 1638, 2621, 4194, 6711))
    ]
    return [
        *drums,
        *snares,
        *hats,
        *bands,
        Event(12.0, 3.0, v.click_train(4, 250, 3.0), 0.12),
        Event(14.95, 0.35, v.noise(3, 0.35, 20, 24000, decay=0.12), 0.1),
    ]


def _speech() -> list[Event]:
    first = v.speech(
        [(0.0, 105.0), (0.35, 150.0), (0.8, 120.0), (1.3, 170.0), (2.2, 85.0)],
        [(0.0, "a"), (0.3, "i"), (0.6, "i"), (1.0, "a"), (1.3, "o"), (1.7, "u"), (2.2, "er")],
    )
    second = v.speech(
        [(0.0, 190.0), (0.3, 260.0), (0.7, 200.0), (1.2, 330.0), (1.8, 160.0)],
        [(0.0, "u"), (0.3, "e"), (0.7, "a"), (1.0, "i"), (1.4, "i"), (1.8, "o")],
    )
    return [
        Event(15.3, 0.22, v.noise(5, 0.22, 4500, 14000, rise=0.1), 0.03),
        Event(15.5, 2.2, first, 0.06),
        Event(17.65, 0.26, v.noise(6, 0.26, 2200, 8000, rise=0.1), 0.03),
        Event(17.9, 1.8, second, 0.06),
        Event(19.65, 0.25, v.noise(7, 0.25, 5000, 16000, rise=0.1), 0.03),
    ]


def _glides() -> list[Event]:
    bells = [
        Event(at, 3.0, v.bell(hz, 3.0), 0.12)
        for at, hz in ((20.2, 523.25), (21.2, 392.0), (22.2, 659.26))
    ]
    gusts = [(0.0, 900.0), (1.2, 6000.0), (2.2, 2200.0), (3.4, 11000.0), (4.0, 3000.0)]
    return [
        *bells,
        Event(19.8, 4.4, v.endless_glide(0.5, 4.4), 0.06),
        Event(19.9, 4.0, v.wind(8, 4.0, gusts, 600.0), 0.03),
    ]
