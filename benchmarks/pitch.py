"""How true a sound stays when its pitch is moved; what that costs stands in `stretch`.

Peers in the same run: `plain`, the phase vocoder of the books, in which every bin goes its own way
(moved to the nearest bin at the new pitch, its phase advanced by its own frequency), and librosa's
`pitch_shift`, which sees the whole sound at once. All get the same n_fft and hop. Sounds are made
here, so what should come out is known: the same sound made at the new pitch.
"""

from __future__ import annotations

from collections.abc import Callable

import librosa
import numpy as np
from rich.table import Table
from scipy import signal

from benchmarks.goals import verdict
from realtime.audio import voices
from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.pitch import FRACTIONS, Pitch, shift_weights
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.vocoder import heard_window, middle
from realtime.dsp.windows import asymmetric_windows, dual_window, window

SAMPLE_RATE = 48000
LAYOUTS = ((1024, 256), (2048, 512), (4096, 512))
SEMITONES = (7, -5)

MOST_CENTS = 3.0
MOST_DB = 1.0
LEAST_UNDER_PLAIN_DB = 10.0

PLACES = (20000, 20133, 20301, 20433)
"""Samples at which an attack comes: it meets the frames differently each time."""

BEFORE = 96
"""Samples, 2 ms: energy that comes earlier before an attack is heard as its smear."""

Effect = Callable[[np.ndarray, int, int, int], np.ndarray]
"""Mono samples (n,), semitones, n_fft, hop; gives as many."""


def frame_format(n_fft: int, hop: int, n_channels: int = 1) -> FrameFormat:
    analysis = window("hann", n_fft)
    synthesis = dual_window(analysis, hop)
    if n_fft // hop > 16:
        analysis, synthesis = asymmetric_windows(n_fft, 2 * hop, hop)
    return FrameFormat(SAMPLE_RATE, n_fft, hop, n_channels, analysis, synthesis)


def through(
    format: FrameFormat, process: Callable[[np.ndarray], np.ndarray], samples: np.ndarray
) -> np.ndarray:
    """Mono samples (n,) to frames, changed, and back: as many, none of them late."""
    n_fft, hop = format.n_fft, format.hop
    padded = np.pad(samples.astype(np.float32), n_fft)[:, None]
    frames = StreamingStft(n_fft, hop, format.window, n_channels=1).push(padded)
    back = StreamingIstft(n_fft, hop, format.window, n_channels=1).push(process(frames))
    return back[n_fft : n_fft + len(samples), 0]


def ours(samples: np.ndarray, semitones: int, n_fft: int, hop: int) -> np.ndarray:
    format = frame_format(n_fft, hop)
    return through(format, Pitch(format, {"semitones": semitones}).process, samples)


def plain(samples: np.ndarray, semitones: int, n_fft: int, hop: int) -> np.ndarray:
    ratio = 2 ** (semitones / 12)

    def process(frames: np.ndarray) -> np.ndarray:
        bins = np.arange(frames.shape[-1])
        to = np.round(bins * ratio).astype(int)
        kept = to < len(bins)
        centred = 2 * np.pi * hop / n_fft * bins
        out, phases, before = np.zeros_like(frames), np.zeros(len(bins)), frames[0, 0]
        for number, frame in enumerate(frames[:, 0]):
            over = np.angle(frame * before.conj()) - centred
            over -= 2 * np.pi * np.round(over / (2 * np.pi))
            before = frame
            levels = np.bincount(to[kept], np.abs(frame[kept]), len(bins))
            advance = np.zeros(len(bins))
            advance[to[kept]] = ratio * (centred + over)[kept]
            phases += advance
            out[number, 0] = levels * np.exp(1j * phases)
        return out

    return through(frame_format(n_fft, hop), process, samples)


def whole(samples: np.ndarray, semitones: int, n_fft: int, hop: int) -> np.ndarray:
    return librosa.effects.pitch_shift(
        samples.astype(np.float32),
        sr=SAMPLE_RATE,
        n_steps=semitones,
        n_fft=n_fft,
        hop_length=hop,
    )


EFFECTS: dict[str, Effect] = {"ours": ours, "plain": plain, "librosa": whole}


def seconds(n: float) -> np.ndarray:
    return np.arange(round(n * SAMPLE_RATE)) / SAMPLE_RATE


def harmonic(hz: float, length: float = 2.0) -> np.ndarray:
    k = np.arange(1, 11)
    return np.sin(2 * np.pi * hz * np.outer(seconds(length), k) + 0.7 * k * k) @ (0.2 / k)


def partials(samples: np.ndarray, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hz and dB of the peaks within 3 % of each of `near`."""
    n_fft = 4 * len(samples)
    levels = 20 * np.log10(np.abs(np.fft.rfft(samples * np.blackman(len(samples)), n_fft)) + 1e-9)
    ranges = np.round(np.outer(near, [0.97, 1.03]) * n_fft / SAMPLE_RATE).astype(int)
    peaks = np.array([low + np.argmax(levels[low:high]) for low, high in ranges])
    before, at, after = (levels[peaks + step] for step in (-1, 0, 1))
    bins = peaks + (before - after) / 2 / (before - 2 * at + after)
    return bins * SAMPLE_RATE / n_fft, at


def tuning_table() -> Table:
    """Harmonic tones, ten partials."""
    table = Table(
        title=f"Partials after {SEMITONES[0]:+} and {SEMITONES[1]:+} semitones, the worst of ten",
        caption="cents / dB off. 110 Hz is 2.3 bins at n_fft 1024: there partials move as one.",
    )
    for heading in ("n_fft/hop", "fundamental", *EFFECTS):
        table.add_column(heading, justify="right")
    goal = f"goal: at most {MOST_CENTS:g} cents, {MOST_DB:g} dB"
    table.add_column(goal)
    steady = slice(SAMPLE_RATE // 2, -SAMPLE_RATE // 4)
    for n_fft, hop in LAYOUTS:
        for hz in (110.0, 220.0, 440.0, 880.0):
            samples, near = harmonic(hz), hz * np.arange(1, 11)
            was, loud = partials(samples[steady], near)
            worst = {}
            for name, effect in EFFECTS.items():
                off = []
                for semitones in SEMITONES:
                    ratio = 2 ** (semitones / 12)
                    shifted = effect(samples, semitones, n_fft, hop)
                    now, louder = partials(shifted[steady], near * ratio)
                    cents = 1200 * np.log2(now / was / ratio)
                    off.append((np.abs(cents).max(), np.abs(louder - loud).max()))
                worst[name] = np.max(off, axis=0)
            cents, db = worst["ours"]
            told = verdict(max(cents / MOST_CENTS, db / MOST_DB), 1)[1]
            cells = (f"{cents:.2f} / {db:.2f}" for cents, db in worst.values())
            table.add_row(f"{n_fft}/{hop}", f"{hz:g} Hz", *cells, told)
    return table


def smear(samples: np.ndarray, made: np.ndarray, place: int) -> float:
    """dB of what comes more than 2 ms before the attack at `place`, against all around it.

    The attack is where it lies as much later as all of the energy does than in `made`: librosa's
    come some ms off their places.
    """
    around = [np.square(above(each))[place - 4800 : place + 4800] for each in (samples, made)]
    now, was = (each @ np.arange(9600) / each.sum() for each in around)
    first = 4800 + round(now - was) - BEFORE
    return float(10 * np.log10(around[0][:first].sum() / around[0].sum() + 1e-12))


def above(samples: np.ndarray) -> np.ndarray:
    """What is higher than any partial of the tone under the attacks."""
    edge = signal.butter(6, 6000, "high", fs=SAMPLE_RATE, output="sos")
    return np.asarray(signal.sosfiltfilt(edge, samples))


def attacks_table() -> Table:
    """A click, and a snare drum, over a tone and a little noise; what is above 6 kHz of it."""
    table = Table(
        title="Smear before an attack: energy earlier than 2 ms before it, dB of all of it",
        caption="Means over four places of the attack in the frames.",
    )
    for heading in ("n_fft/hop", "semitones", "attack", "as it was", *EFFECTS):
        table.add_column(heading, justify="right")
    table.add_column(f"under plain, goal: at least {LEAST_UNDER_PLAIN_DB:g} dB")
    bed = harmonic(220.0, 1.0) + 3e-4 * np.random.default_rng(1).standard_normal(SAMPLE_RATE)
    snare = voices.noise(21, 0.3, 180, 9000, -3.0, decay=0.03)(seconds(0.3), SAMPLE_RATE) * 0.3
    for n_fft, hop in LAYOUTS:
        for semitones in SEMITONES:
            for name, attack in (("click", np.array([0.8])), ("snare", snare)):
                rows = []
                for place in PLACES:
                    samples = bed.copy()
                    samples[place : place + len(attack)] += attack
                    moved = (each(samples, semitones, n_fft, hop) for each in EFFECTS.values())
                    rows.append([smear(each, samples, place) for each in (samples, *moved)])
                was, here, other, peer = np.mean(rows, axis=0)
                told = verdict(other - here, LEAST_UNDER_PLAIN_DB, at_least=True)[1]
                cells = (f"{each:.1f}" for each in (was, here, other, peer))
                gain = f"{other - here:.1f} {told}"
                table.add_row(f"{n_fft}/{hop}", f"{semitones:+}", name, *cells, gain)
    return table


def made_table() -> Table:
    """Sounds moved, against the same sounds made at the new pitch."""
    t = seconds(1.5)

    def chord(ratio: float) -> np.ndarray:
        notes = [voices.organ(hz * ratio, 1.5)(t, SAMPLE_RATE) for hz in (220, 277.2, 329.6)]
        return np.sum(notes, axis=0) / 3

    def melody(ratio: float) -> np.ndarray:
        out = np.zeros(len(t))
        for hz, at in ((220.0, 0.1), (277.2, 0.5), (329.6, 0.9)):
            heard = voices.pluck(hz * ratio, 1.4)(np.maximum(t - at, 0), SAMPLE_RATE)
            out += heard * (t >= at)
        return out

    def sung(ratio: float) -> np.ndarray:
        cycles = 220 * ratio * (t - 0.012 * np.cos(2 * np.pi * 5.5 * t) / (2 * np.pi * 5.5))
        hz = np.full(len(t), 220 * ratio)
        return voices.harmonics(cycles, hz, lambda k: 1 / k, 30, SAMPLE_RATE)

    table = Table(
        title="Moved against made at the new pitch: difference of the magnitudes, dB",
        caption="Of 2048-sample frames, against all (lower is better; no goal).",
    )
    for heading in ("n_fft/hop", "semitones", "sound", *EFFECTS):
        table.add_column(heading, justify="right")
    sounds = {"plucked": melody, "voice with vibrato": sung, "organ chord": chord}
    for n_fft, hop in LAYOUTS[1:]:
        for semitones in SEMITONES:
            for name, sound in sounds.items():
                made = np.abs(librosa.stft(0.2 * sound(2 ** (semitones / 12))))
                cells = []
                for effect in EFFECTS.values():
                    moved = np.abs(librosa.stft(effect(0.2 * sound(1.0), semitones, n_fft, hop)))
                    off = np.linalg.norm(moved - made) / np.linalg.norm(made)
                    cells.append(f"{20 * np.log10(off):.1f}")
                table.add_row(f"{n_fft}/{hop}", f"{semitones:+}", name, *cells)
    return table


def waver(format: FrameFormat, n_bins: int) -> tuple[float, float]:
    """Greatest loss of a sine moved by any part of a bin, and its loudest side band, both dB.

    n_bins : 1 for the nearest whole bin, 2 for `shift_weights`
    """
    heard = heard_window(format)
    at = np.arange(format.n_fft) - middle(heard)
    first = np.exp(-2j * np.pi / format.n_fft * middle(heard))
    losses, bands = [], []
    for step, (own, below) in enumerate(shift_weights(format)):
        part = step / FRACTIONS
        up = np.exp(2j * np.pi / format.n_fft * at)
        turned = own + below / first * up if n_bins == 2 else up ** round(part)
        piece = heard * turned * np.exp(-2j * np.pi / format.n_fft * at * part)
        steps = np.pad(piece, (0, -len(piece) % format.hop)).reshape(-1, format.hop)
        spectrum = np.abs(np.fft.fft(steps.sum(axis=0))) / format.hop
        losses.append(-20 * np.log10(spectrum[0]))
        bands.append(20 * np.log10(spectrum[1:].max() / spectrum[0] + 1e-12))
    return max(losses), max(bands)


def waver_table() -> Table:
    table = Table(title="A sine moved by part of a bin: greatest loss / loudest side band, dB")
    for heading in ("n_fft/hop", "two bins, ours", "nearest whole bin"):
        table.add_column(heading, justify="right")
    for n_fft, hop in ((2048, 1024), (2048, 512), (2048, 256), (2048, 64)):
        pairs = (waver(frame_format(n_fft, hop), n_bins) for n_bins in (2, 1))
        table.add_row(f"{n_fft}/{hop}", *(f"{loss:.2f} / {band:.0f}" for loss, band in pairs))
    return table


def tables() -> list[Table]:
    return [tuning_table(), attacks_table(), made_table(), waver_table()]
