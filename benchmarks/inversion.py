"""Sound from whole pictures: how near it comes, and what it costs, beside librosa.

Recordings are those that no setting was chosen on (`benchmarks.recordings`, part "report"), at
22050 Hz, the rate that librosa loads at; sentences are spoken by espeak-ng, where it is installed.
All methods do one recording after another, so that a noisy neighbour meets them all. Costs are CPU
time of this process on one core.

Spectral convergence is 20 log10(|| |STFT of what was made| - magnitudes || / || magnitudes ||)
(Sturmel & Daudet 2011); PESQ is wide-band at 16000 Hz (ITU-T P.862.2), of 4.64 at most.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from rich.console import Console
from rich.table import Table

from benchmarks.goals import verdict
from benchmarks.recordings import recordings
from benchmarks.seeds import SEED
from realtime.dsp.inversion import griffin_lim, invert_bands, pghi
from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.spectra import istft, stft
from realtime.picture.edited import edited
from realtime.picture.format import picture_format

SAMPLE_RATE = 22050
PESQ_RATE = 16000
SIZES = ((2048, 512), (1024, 256))
MELS = 128

LIBROSA = "librosa griffinlim, 100 rounds"
OURS = "griffin_lim"
MOST_TIME = 1 / 3
"""Of librosa's, at least as near."""
MOST_LOST_DB = 1.0
"""By 8 bits."""

LEAST_PESQ, LEAST_SPEED = 2.8, 8.0
"""Through mel bands; the speed in times real time."""
MOST_ERASED_DB, LEAST_SNR_DB = -60.0, 100.0

VOICES = ("en-us", "en-gb+f3", "en-gb", "en-us+f2", "en-gb+m3", "en-us+m7")
SENTENCES = (
    "The quick brown fox jumps over the lazy dog, and runs away into the forest.",
    "She had your dark suit in greasy wash water all year, but nobody noticed it until Monday.",
    "A spectrogram shows which frequencies are loud at which time, and nothing of their phase.",
    "Please call Stella, and ask her to bring these things with her from the store.",
    "It was the best of times, it was the worst of times.",
    "Numbers such as one hundred and twenty three are read aloud.",
)

Invert = Callable[[NDArray, int, int], NDArray]
"""Magnitudes (n_frames, n_bins), hop and the number of samples, to samples."""


def recorded(*kinds: str) -> Iterator[tuple[str, NDArray]]:
    for kind in kinds:
        for recording in recordings(kind):
            rate = recording.sample_rate
            yield kind, librosa.resample(recording.samples, orig_sr=rate, target_sr=SAMPLE_RATE)


def spoken() -> Iterator[tuple[str, NDArray]]:
    """Sentences of espeak-ng, at its own rate, which is ours."""
    if shutil.which("espeak-ng") is None:
        return
    for voice, sentence in zip(VOICES, SENTENCES, strict=True):
        command = ["espeak-ng", "-v", voice, "--stdout", sentence]
        wave = subprocess.run(command, capture_output=True, check=True).stdout
        yield "espeak-ng", soundfile.read(io.BytesIO(wave), dtype="float32")[0]


def timed(make: Callable[[], NDArray]) -> tuple[NDArray, float]:
    start = time.process_time()
    made = make()
    return made, time.process_time() - start


def convergence(asked: NDArray, made: NDArray, n_fft: int, hop: int) -> float:
    got = np.abs(stft(made, n_fft, hop))
    return float(20 * np.log10(np.linalg.norm(asked - got) / np.linalg.norm(asked)))


def eight_bits(asked: NDArray, top_db: float) -> NDArray:
    """Magnitudes as a picture of 8 bits keeps them; its darkest value is silence."""
    db = 20 * np.log10(np.maximum(asked / asked.max(), 1e-9))
    levels = np.rint(np.clip(db / top_db + 1, 0, 1) * 255)
    return (asked.max() * 10 ** ((levels / 255 - 1) * top_db / 20) * (levels > 0)).astype(
        np.float32
    )


def librosa_griffinlim(rounds: int) -> Invert:
    def invert(asked: NDArray, hop: int, n_samples: int) -> NDArray:
        return librosa.griffinlim(asked.T, n_iter=rounds, hop_length=hop, length=n_samples, **SEED)

    return invert


def ours(rounds: int, top_db: float | None = None) -> Invert:
    def invert(asked: NDArray, hop: int, n_samples: int) -> NDArray:
        seen = asked if top_db is None else eight_bits(asked, top_db)
        return griffin_lim(seen, hop=hop, length=n_samples, rounds=rounds)

    return invert


def integrated(asked: NDArray, hop: int, n_samples: int) -> NDArray:
    return istft(pghi(asked, hop=hop), hop, length=n_samples)


METHODS: dict[str, Invert] = {
    "librosa griffinlim, 32 rounds": librosa_griffinlim(32),
    LIBROSA: librosa_griffinlim(100),
    "pghi": integrated,
    "griffin_lim, 30 rounds at most": ours(30),
    OURS: ours(100),
    "griffin_lim, 8 bits over 80 dB": ours(100, 80),
    "griffin_lim, 8 bits over 100 dB": ours(100, 100),
}


def magnitude_table(n_fft: int, hop: int) -> Table:
    reached: dict[str, list[float]] = {name: [] for name in METHODS}
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    lengths, kinds = [], []
    for kind, samples in recorded("speech", "music", "noise"):
        asked = np.abs(stft(samples, n_fft, hop))
        kinds.append(kind)
        lengths.append(len(samples) / SAMPLE_RATE)
        for name, invert in METHODS.items():
            made, cost = timed(partial(invert, asked, hop, len(samples)))
            reached[name].append(convergence(asked, made, n_fft, hop))
            seconds[name].append(cost)
    table = Table(
        title=f"Sound from magnitudes, Hann, n_fft {n_fft}, hop {hop}, {SAMPLE_RATE} Hz mono, "
        f"{len(kinds)} recordings",
        caption=f"'{OURS}': as near as librosa's 100 rounds in {MOST_TIME:.0%} of their time; 8 "
        f"bits at most {MOST_LOST_DB:g} dB worse.",
    )
    table.add_column("method", no_wrap=True)
    for heading in (
        "speech dB",
        "music dB",
        "noise dB",
        "all dB",
        "",
        "x real time",
        "of librosa's time",
        "",
    ):
        table.add_column(heading, justify="right")
    theirs, exact = np.mean(reached[LIBROSA]), np.mean(reached[OURS])
    for name, values in reached.items():
        mean = float(np.mean(values))
        share = float(np.sum(seconds[name]) / np.sum(seconds[LIBROSA]))
        most = {OURS: theirs}.get(name, exact + MOST_LOST_DB if "8 bits" in name else None)
        table.add_row(
            name,
            *(
                f"{np.mean([v for v, each in zip(values, kinds, strict=True) if each == kind]):.1f}"
                for kind in ("speech", "music", "noise")
            ),
            f"{mean:.1f}",
            verdict(mean, most)[1],
            f"{np.sum(lengths) / np.sum(seconds[name]):.0f}",
            f"{share:.0%}",
            verdict(share, MOST_TIME if name == OURS else None)[1],
        )
    return table


def through_mel(samples: NDArray) -> NDArray:
    filters = mel_filters(SAMPLE_RATE, 2048, MELS)
    energies = MelBands(filters).energies(np.abs(stft(samples)) ** 2)
    return invert_bands(energies, filters, length=len(samples))


def librosa_mel(samples: NDArray) -> NDArray:
    energies = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_mels=MELS)
    return librosa.feature.inverse.mel_to_audio(energies, sr=SAMPLE_RATE, length=len(samples))


def mel_table() -> Table:
    table = Table(
        title=f"Speech through {MELS} mel bands, n_fft 2048, hop 512, {SAMPLE_RATE} Hz",
        caption="librosa: mel_to_audio as it comes, 32 rounds. Analysis included.",
    )
    for heading in ("speech", "method", "PESQ", "", "STOI", "x real time", ""):
        table.add_column(heading, justify="right" if heading != "method" else "left")
    sounds = [*recorded("speech"), *spoken()]
    for kinds, called in (
        ({"speech"}, "recorded"),
        ({"espeak-ng"}, "espeak-ng"),
        ({"speech", "espeak-ng"}, "both"),
    ):
        for name, invert in (("librosa", librosa_mel), ("invert_bands", through_mel)):
            heard, understood, cost, length = [], [], 0.0, 0.0
            for kind, samples in sounds:
                if kind in kinds:
                    made, seconds = timed(partial(invert, samples))
                    pair = [
                        librosa.resample(each, orig_sr=SAMPLE_RATE, target_sr=PESQ_RATE)
                        for each in (samples, made)
                    ]
                    heard.append(pesq(PESQ_RATE, *pair, "wb"))
                    understood.append(stoi(*pair, PESQ_RATE))
                    cost, length = cost + seconds, length + len(samples) / SAMPLE_RATE
            if heard:
                mine = name != "librosa"
                pesq_goal = LEAST_PESQ if mine else None
                speed_goal = LEAST_SPEED if mine else None
                table.add_row(
                    called,
                    name,
                    f"{np.mean(heard):.2f}",
                    verdict(np.mean(heard), pesq_goal, at_least=True)[1],
                    f"{np.mean(understood):.3f}",
                    f"{length / cost:.1f}",
                    verdict(length / cost, speed_goal, at_least=True)[1],
                )
    return table


def edit_table() -> Table:
    """What an eraser leaves, and what it does elsewhere."""
    table = Table(
        title="Erased from a picture of 8 bits over 120 dB, n_fft 2048, hop 512, all recordings",
        caption="Left: power in the erased cells against what was there. Elsewhere in time: "
        "samples out of a frame's reach. In frequency: the change below half the box's lower "
        "edge, against the sound there.",
    )
    for heading in (
        "erased",
        "left, mean dB",
        "worst dB",
        "",
        "elsewhere in time",
        "in frequency, worst dB",
        "x real time",
    ):
        table.add_column(heading, justify="right" if heading != "erased" else "left")
    boxes = {
        "1 s of all frequencies": np.s_[40:83, :],
        "1 s from 3 to 5 kHz": np.s_[40:83, 279:465],
        "3 to 5 kHz throughout": np.s_[:, 279:465],
    }
    for name, box in boxes.items():
        left, beside, same, cost, length = [], [], True, 0.0, 0.0
        for _, samples in recorded("speech", "music", "noise"):
            picture = picture_format(
                "stft", sample_rate=SAMPLE_RATE, n_samples=len(samples), db_low=-70, db_high=50
            )
            before = np.abs(stft(samples)) ** 2
            db = np.rint((np.clip(10 * np.log10(before + 1e-20), -70, 50) + 70) / 120 * 255)
            db = (db / 255 * 120 - 70).astype(np.float32)
            db[box] = -70
            original = samples[:, None].astype(np.float64)
            made, seconds = timed(partial(edited, db[None], picture, original))
            after = np.abs(stft(made[:, 0])) ** 2
            left.append(10 * np.log10(after[box].sum() / before[box].sum()))
            change = made - original
            if box[0].start is not None:
                reach = slice(40 * 512 - 1024, 82 * 512 + 1024)
                same &= not np.delete(change, reach, axis=0).any()
            if box[1].start is not None:
                fade = np.hanning(len(change))[:, None] ** 4
                low = int(1500 / SAMPLE_RATE * len(change))
                spectra = [np.fft.rfft(fade * each, axis=0)[:low] for each in (change, original)]
                beside.append(
                    20 * np.log10(np.linalg.norm(spectra[0]) / np.linalg.norm(spectra[1]))
                )
            cost, length = cost + seconds, length + len(samples) / SAMPLE_RATE
        table.add_row(
            name,
            f"{np.mean(left):.1f}",
            f"{np.max(left):.1f}",
            verdict(np.max(left), MOST_ERASED_DB)[1],
            ("the same bits" if same else "changed") if box[0].start is not None else "",
            f"{np.max(beside):.0f} {verdict(np.max(beside), -LEAST_SNR_DB)[1]}" if beside else "",
            f"{length / cost:.1f}",
        )
    return table


def tables() -> Iterator[Table]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, of bands that hold no bin
        for n_fft, hop in SIZES:
            yield magnitude_table(n_fft, hop)
        yield mel_table()
        yield edit_table()


if __name__ == "__main__":
    for each in tables():
        Console(width=160).print(each)
