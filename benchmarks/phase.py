"""Sound from magnitudes alone: how near it comes, and what it costs, beside librosa's Griffin-Lim.

Speech and music are those recordings that no setting was chosen on (`benchmarks.recordings`, part
"report"), at 48000 Hz. Ours get one frame a push, as in live use; librosa gets a whole recording.
All methods do one recording after another, so that a noisy neighbour meets them all. Costs are CPU
time of this process, the median over recordings.

Spectral convergence is 20 log10(|| |STFT of what was made| - magnitudes || / || magnitudes ||)
(Sturmel & Daudet 2011); PESQ is wide-band at 16000 Hz (ITU-T P.862.2), of 4.64 at most.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import librosa
import numpy as np
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from rich.console import Console
from rich.table import Table

from benchmarks.goals import verdict
from benchmarks.recordings import Recording, recordings
from benchmarks.seeds import SEED
from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.phase import PhaseIntegrator
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import window

SAMPLE_RATE = 48000
PESQ_RATE = 16000
N_FFT = 2048
SHAPE = window("blackman", N_FFT)
BANDS = (40, 80, 128, 256)
LIBROSA_MEL_SECONDS = 2.0
"""Of each recording: its least squares take longer than the sound lasts."""

OURS, AHEAD = "ours, 1 frame ahead, 1 round", "ours, 4 frames, 2 rounds"
LIBROSA = "librosa griffinlim, 32 rounds"


@dataclass(frozen=True)
class Goals:
    """Of `OURS` for one hop, as a divisor of n_fft. Of `AHEAD`: see `LEAST_UNDER_LIBROSA`."""

    convergence: float
    pesq: float
    share: float = 0.1


GOALS = {8: Goals(-24, 4.2), 4: Goals(-20, 3.8)}
LEAST_UNDER_LIBROSA = 2.0
"""What librosa costs over what `AHEAD` costs, which has to be as near to the magnitudes too."""

Invert = Callable[[NDArray, int], NDArray]
"""Samples (n,) and hop to samples made from their magnitudes: what a method is judged by."""


@dataclass
class Score:
    """Of one method, each figure by recording."""

    convergence: dict[str, list[float]] = field(default_factory=lambda: {"speech": [], "music": []})
    pesq: list[float] = field(default_factory=list)
    stoi: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)

    def mean(self, kind: str | None = None) -> float:
        kinds = [kind] if kind else list(self.convergence)
        return float(np.mean([value for each in kinds for value in self.convergence[each]]))

    def add(self, kind: str, samples: NDArray, made: NDArray, hop: int, seconds: float) -> None:
        self.convergence[kind].append(convergence(samples, made, hop))
        self.share.append(seconds / (len(samples) / SAMPLE_RATE))
        if kind == "speech":
            heard = [
                librosa.resample(s, orig_sr=SAMPLE_RATE, target_sr=PESQ_RATE)
                for s in (samples, made)
            ]
            self.pesq.append(pesq(PESQ_RATE, *heard, "wb"))
            self.stoi.append(float(stoi(*heard, PESQ_RATE)))


def analysed(samples: NDArray, hop: int) -> NDArray[np.complex64]:
    """Frames of the samples with n_fft of silence before and behind them."""
    return StreamingStft(N_FFT, hop, SHAPE, n_channels=1).push(np.pad(samples, N_FFT)[:, None])


def convergence(samples: NDArray, made: NDArray, hop: int) -> float:
    asked, got = (np.abs(analysed(each, hop)) for each in (samples, made))
    return float(20 * np.log10(np.linalg.norm(asked - got) / np.linalg.norm(asked)))


def synthesised(frames: NDArray, hop: int, n_samples: int) -> NDArray:
    made = StreamingIstft(N_FFT, hop, SHAPE, n_channels=1).push(frames)[N_FFT:, 0]
    return np.pad(made, (0, max(0, n_samples - len(made))))[:n_samples]


def ours(look_ahead: int, rounds: int) -> Invert:
    def invert(samples: NDArray, hop: int) -> NDArray:
        return found(np.abs(analysed(samples, hop)), hop, len(samples), look_ahead, rounds)

    return invert


def found(magnitudes: NDArray, hop: int, n_samples: int, look_ahead=1, rounds=1) -> NDArray:
    integrator = PhaseIntegrator(SHAPE, hop, look_ahead=look_ahead, rounds=rounds)
    late = np.zeros((integrator.latency, *magnitudes.shape[1:]), np.float32)
    known = np.concatenate([magnitudes, late])
    frames = [integrator.push(known[n : n + 1]) for n in range(len(known))]
    return synthesised(np.concatenate(frames[integrator.latency :]), hop, n_samples)


def zero_phase(samples: NDArray, hop: int) -> NDArray:
    """All bins at 0 in the middle of the window: the least that could be done."""
    turned = np.abs(analysed(samples, hop)) * (-1.0) ** np.arange(N_FFT // 2 + 1)
    return synthesised(turned, hop, len(samples))


def librosa_griffinlim(samples: NDArray, hop: int) -> NDArray:
    magnitudes = np.abs(librosa.stft(samples, n_fft=N_FFT, hop_length=hop, window=SHAPE))
    return librosa.griffinlim(
        magnitudes, n_iter=32, hop_length=hop, window=SHAPE, length=len(samples), **SEED
    )


METHODS: dict[str, Invert] = {
    "zero phase": zero_phase,
    "RTPGHI, 0 frames ahead": ours(0, 0),
    "RTPGHI, 1 frame ahead": ours(1, 0),
    OURS: ours(1, 1),
    AHEAD: ours(4, 2),
    LIBROSA: librosa_griffinlim,
}
"""RTPGHI is Prusa & Sondergaard 2016 by our scan, without revision."""


def sounds() -> Iterator[tuple[Recording, NDArray]]:
    for kind in ("speech", "music"):
        for recording in recordings(kind):
            rate = recording.sample_rate
            yield (
                recording,
                librosa.resample(recording.samples, orig_sr=rate, target_sr=SAMPLE_RATE),
            )


def scores(methods: dict[str, Invert], hop: int) -> dict[str, Score]:
    found = {name: Score() for name in methods}
    for recording, samples in sounds():
        for name, invert in methods.items():
            start = time.process_time()
            made = invert(samples, hop)
            seconds = time.process_time() - start
            found[name].add(recording.kind, samples, made, hop, seconds)
    return found


def phase_table(part: int) -> Table:
    """All methods at hop = N_FFT / part."""
    goals = GOALS[part]
    table = Table(
        title=f"Phase from magnitudes, Blackman, n_fft {N_FFT}, hop n_fft/{part}, 48000 Hz mono",
        caption=f"The headings' goals are those of '{OURS}'. With 4 frames: as near to the "
        f"magnitudes as librosa, or nearer, at {1 / LEAST_UNDER_LIBROSA:g} of its cost at most. "
        "Shares of a core hold STFT and ISTFT too.",
    )
    table.add_column("method", no_wrap=True)
    for heading in (
        "speech dB",
        "music dB",
        f"all dB {verdict(0, goals.convergence)[0]}",
        f"PESQ {verdict(0, goals.pesq, at_least=True)[0]}",
        "STOI",
        f"of a core {verdict(0, goals.share, 'share')[0]}",
        "librosa / this",
    ):
        table.add_column(heading, justify="right")
    every = scores(METHODS, N_FFT // part)
    theirs = every[LIBROSA]
    for name, score in every.items():
        share = float(np.median(score.share))
        cheaper = float(np.median(np.divide(theirs.share, score.share)))
        most_db = {OURS: goals.convergence, AHEAD: theirs.mean()}.get(name)
        mine = name == OURS
        least_cheaper = LEAST_UNDER_LIBROSA if name == AHEAD else None
        table.add_row(
            name,
            *(f"{score.mean(kind):.1f}" for kind in score.convergence),
            f"{score.mean():.1f} {verdict(score.mean(), most_db)[1]}",
            f"{np.mean(score.pesq):.2f} "
            + verdict(np.mean(score.pesq), goals.pesq if mine else None, at_least=True)[1],
            f"{np.mean(score.stoi):.3f}",
            f"{share:.1%} {verdict(share, goals.share if mine else None)[1]}",
            f"{cheaper:.1f} {verdict(cheaper, least_cheaper, at_least=True)[1]}",
        )
    return table


def through_bands(n_bands: int) -> Invert:
    bands = MelBands(mel_filters(SAMPLE_RATE, N_FFT, n_bands))

    def invert(samples: NDArray, hop: int) -> NDArray:
        power = np.abs(analysed(samples, hop)) ** 2
        return found(np.sqrt(bands.power(bands.energies(power))), hop, len(samples))

    return invert


def librosa_mel(samples: NDArray, hop: int) -> NDArray:
    settings = {"n_fft": N_FFT, "hop_length": hop, "window": SHAPE}
    energies = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_mels=128, **settings)
    return librosa.feature.inverse.mel_to_audio(
        energies, sr=SAMPLE_RATE, n_iter=32, length=len(samples), **settings
    )


def mel_table() -> Table:
    """Through mel bands: speech, as PESQ and STOI judge."""
    hop = N_FFT // 8
    table = Table(
        title=f"Through mel bands, speech, Blackman, n_fft {N_FFT}, hop n_fft/8 (no goal)",
        caption=f"librosa: mel_to_audio, 32 rounds, {LIBROSA_MEL_SECONDS:g} s of each recording.",
    )
    for heading in ("bands", "method", "PESQ", "STOI", "share of a core"):
        table.add_column(heading, justify="right")
    methods = [(str(n), "realtime", through_bands(n), None) for n in BANDS]
    short = round(LIBROSA_MEL_SECONDS * SAMPLE_RATE)
    methods += [
        ("128", "realtime", through_bands(128), short),
        ("128", "librosa", librosa_mel, short),
    ]
    for n_bands, name, invert, n_samples in methods:
        score = Score()
        for recording, whole in sounds():
            if recording.kind == "speech":
                samples = whole[:n_samples]
                start = time.process_time()
                made = invert(samples, hop)
                score.add("speech", samples, made, hop, time.process_time() - start)
        cells = f"{np.mean(score.pesq):.2f}", f"{np.mean(score.stoi):.3f}"
        about = f"{name}, {LIBROSA_MEL_SECONDS:g} s each" if n_samples else name
        table.add_row(n_bands, about, *cells, f"{np.median(score.share):.1%}")
    return table


def tables() -> Iterator[Table]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, of bands that hold no bin
        for part in GOALS:
            yield phase_table(part)
        yield mel_table()


if __name__ == "__main__":
    for each in tables():
        Console(width=160).print(each)
