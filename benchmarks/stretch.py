"""How true captured sound stays when it is stretched or held, and what such effects cost.

Peers in the same run: librosa's `time_stretch`, which sees the whole sound at once, and two plain
ways to hold a frame: every bin at its own frequency, and every bin at a random phase.
"""

from __future__ import annotations

import time

import librosa
import numpy as np
from rich.table import Table

from benchmarks.goals import verdict
from benchmarks.pitch import BEFORE, LAYOUTS, SAMPLE_RATE, above, frame_format, harmonic
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.freeze import Freeze
from realtime.dsp.processors.pitch import Pitch
from realtime.dsp.processors.stretch import Stretch
from realtime.dsp.stft import StreamingIstft, StreamingStft

FACTORS = (0.5, 1.5, 2.0, 4.0)
HELD_SECONDS = 10.0

MOST_SMEAR_DB = -25.0
MOST_DB = 1.0
MOST_SHARE = 0.05

N_TIMED = 300


class _Captured:
    def __init__(self, samples: np.ndarray):
        self._samples, self.written = samples.astype(np.float32), len(samples)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self._samples[start:stop].copy()


def stretched(samples: np.ndarray, factor: float, n_fft: int, hop: int) -> np.ndarray:
    """Mono samples (n,), `factor` times as long; the first half frame is missing its overlap."""
    format = frame_format(n_fft, hop)
    values = {"start": 0, "stop": len(samples), "factor": factor}
    frames = np.zeros((int(len(samples) * factor) // hop, 1, format.n_bins), np.complex64)
    played = Stretch(format, values, _Captured(samples[:, None])).process(frames)
    back = StreamingIstft(n_fft, hop, format.window, n_channels=1).push(played)
    return back[n_fft // 2 :, 0]


def stretch_table() -> Table:
    table = Table(
        title="A click each quarter of a second over a tone, stretched: energy farther than 2 ms",
        caption="dB of all within 40 ms (before: -33), and in ms how much the clicks' times waver.",
    )
    for heading in ("n_fft/hop", "factor", "ours", "librosa"):
        table.add_column(heading, justify="right")
    table.add_column(f"goal: at most {MOST_SMEAR_DB:g} dB")
    samples = harmonic(220.0) + 3e-4 * np.random.default_rng(1).standard_normal(2 * SAMPLE_RATE)
    places = np.arange(9000, 84000, 12000)
    samples[places] += 0.8
    for n_fft, hop in LAYOUTS:
        for factor in FACTORS:
            peer = librosa.effects.time_stretch(
                samples.astype(np.float32), rate=1 / factor, n_fft=n_fft, hop_length=hop
            )
            cells, smears = [], []
            for moved in (stretched(samples, factor, n_fft, hop), peer):
                energy = np.square(above(moved))
                smear, late = [], []
                for place in places * factor:
                    first = int(place - 5000 * factor)
                    at = first + int(np.argmax(energy[first : int(place + 5000 * factor)]))
                    around = energy[max(0, at - 1920) : at + 1920]
                    near = energy[at - BEFORE : at + BEFORE].sum()
                    smear.append(1 - near / around.sum() + 1e-9)
                    late.append((at - place) / SAMPLE_RATE * 1e3)
                smears.append(10 * np.log10(np.mean(smear)))
                cells.append(f"{smears[-1]:.1f} ({np.std(late):.1f} ms)")
            told = verdict(smears[0], MOST_SMEAR_DB)[1]
            table.add_row(f"{n_fft}/{hop}", f"{factor:g}", *cells, told)
    return table


def held(samples: np.ndarray, n_fft: int, hop: int) -> dict[str, np.ndarray]:
    """What sounds on after mono `samples`, (n,), by each way of holding their last frame."""
    format = frame_format(n_fft, hop)
    stft = StreamingStft(n_fft, hop, format.window, n_channels=1)
    frames = stft.push(samples.astype(np.float32)[:, None])
    n_held = int(HELD_SECONDS * SAMPLE_RATE / hop)
    freeze = Freeze(format)
    freeze.process(frames[:-1])
    ours = freeze.changed({"on": True}).process(np.repeat(frames[-1:], n_held, axis=0))
    advance = np.angle(frames[-1] * frames[-2].conj())
    own = frames[-1] * np.exp(1j * np.arange(n_held)[:, None, None] * advance)
    turns = np.random.default_rng(1).random((n_held, 1, format.n_bins))
    random = np.abs(frames[-1]) * np.exp(2j * np.pi * turns)
    ways = {"ours": ours, "own frequencies": own, "random phases": random}
    back = {
        name: StreamingIstft(n_fft, hop, format.window, n_channels=1).push(each)
        for name, each in ways.items()
    }
    return {name: each[n_fft:, 0] for name, each in back.items()}


def levels(samples: np.ndarray) -> np.ndarray:
    """dB of each 50 ms."""
    pieces = samples[: len(samples) // 2400 * 2400].reshape(-1, 2400)
    return 10 * np.log10(np.mean(np.square(pieces), axis=1))


def freeze_table() -> Table:
    table = Table(
        title=f"A moment held for {HELD_SECONDS:g} s: level of the last second against the sound",
        caption="dB, and in brackets how much the level of each 50 ms wavers, dB (std. deviation).",
    )
    noise = 0.1 * np.random.default_rng(1).standard_normal(2 * SAMPLE_RATE)
    sounds = {
        "harmonic tone": harmonic(220.0),
        "white noise": noise,
        "tone 10 dB above noise": harmonic(220.0) + 0.6 * noise,
    }
    for heading in ("n_fft/hop", "sound", "as it was"):
        table.add_column(heading, justify="right")
    for name in ("ours", "own frequencies", "random phases"):
        table.add_column(name, justify="right")
    table.add_column(f"goal: within {MOST_DB:g} dB")
    for n_fft, hop in LAYOUTS:
        for sound, samples in sounds.items():
            real = levels(samples[SAMPLE_RATE // 2 :])
            cells, off = [], []
            for each in held(samples, n_fft, hop).values():
                now = levels(each)
                off.append(np.mean(now[-20:]) - real.mean())
                cells.append(f"{off[-1]:+.2f} ({np.std(now):.2f})")
            told = verdict(abs(off[0]), MOST_DB)[1]
            table.add_row(f"{n_fft}/{hop}", sound, f"({np.std(real):.2f})", *cells, told)
    return table


def cost_table() -> Table:
    """One frame a call, as in the monitor, two channels of noise and tone."""
    table = Table(title="Cost, two channels, one frame a call: µs a frame (share of a core)")
    layouts = (*LAYOUTS, (2048, 64))
    table.add_column("effect")
    for n_fft, hop in layouts:
        table.add_column(f"{n_fft}/{hop}", justify="right")
    table.add_column(f"at 2048/512, goal: at most {MOST_SHARE:.0%}")
    sound = harmonic(220.0, 1.0)[:, None] + 0.01 * np.random.default_rng(1).standard_normal(
        (SAMPLE_RATE, 2)
    )
    effects: dict[str, tuple[type[Processor], dict[str, object]]] = {
        "pitch": (Pitch, {"semitones": 7}),
        "pitch, formants": (Pitch, {"semitones": 7, "formants": True}),
        "freeze": (Freeze, {"on": True}),
        "stretch, factor 2": (Stretch, {"stop": SAMPLE_RATE, "factor": 2}),
        "stretch, factor 0.5": (Stretch, {"stop": SAMPLE_RATE, "factor": 0.5}),
        "stretch, factor 0.1": (Stretch, {"stop": SAMPLE_RATE, "factor": 0.1}),
    }
    for name, (kind, values) in effects.items():
        cells, shares = [], {}
        for n_fft, hop in layouts:
            format = frame_format(n_fft, hop, 2)
            stft = StreamingStft(n_fft, hop, format.window, n_channels=2)
            frames = stft.push(sound.astype(np.float32))
            processor = kind(format, values, _Captured(sound))
            processor.process(frames[:70])
            spent = []
            for number in range(N_TIMED):
                frame = frames[number % len(frames)][None]
                start = time.perf_counter()
                processor.process(frame)
                spent.append(time.perf_counter() - start)
            each = float(np.median(spent))
            shares[n_fft, hop] = each * SAMPLE_RATE / hop
            cells.append(f"{each * 1e6:.0f} ({shares[n_fft, hop]:.1%})")
        table.add_row(name, *cells, verdict(shares[2048, 512], MOST_SHARE)[1])
    return table


def tables() -> list[Table]:
    return [stretch_table(), freeze_table(), cost_table()]
