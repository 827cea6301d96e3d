"""Noise reduction beside `noisereduce` on the same files, and what it costs.

Ours runs as in the monitor: 48000 Hz, frame by frame, nothing ahead. `noisereduce` gets whole files
at 16000 Hz, for which its defaults are made. Learned: both get the half second of noise that comes
just before. Blind: ours gets nothing, and of the two modes that `noisereduce` has for that (whose
threshold is the same throughout, or moves) the better one counts, for each figure and set anew.

SI-SDR in dB (Le Roux et al. 2019); PESQ wide band at 16000 Hz (ITU-T P.862.2); STOI (Taal et al.
2011); means over the files of a set, each from the start of the speech to its end.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from rich.console import Console
from rich.table import Table

from benchmarks.goals import verdict
from benchmarks.noisy import (
    RATE,
    SCORED_RATE,
    Noisy,
    noise_first,
    recorded,
    scored,
    speech_first,
)
from benchmarks.stft import interleaved, noise
from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.denoise import Denoise
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import dual_window, window

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from noisereduce import reduce_noise

MORE_SI_SDR, MORE_PESQ, MORE_STOI = 2.5, 0.1, 0.0
"""Than `noisereduce`, at least; and STOI no less than that of the noisy files."""
MEASURES = ("SI-SDR", "PESQ", "STOI")
GOALS = (MORE_SI_SDR, MORE_PESQ, MORE_STOI)

FORMATS = ((1024, 256), (1536, 384), (2048, 512), (3072, 768))
"""n_fft and hop: 21 ms, what the monitor has unless told otherwise, to 64 ms."""
N_FFT, HOP = 2048, 512
"""For the main tables: 43 ms."""

MOST_SHARE = 0.03
"""Of a core, at 1024/256, mono."""

Scores = NDArray
"""(n_files, 3), in the order of MEASURES."""
Method = Callable[[Noisy], NDArray]
"""From a file to samples at SCORED_RATE, as many as the file has there."""


def frame_format(n_fft: int, hop: int) -> FrameFormat:
    shape = window("hann", n_fft)
    return FrameFormat(RATE, n_fft, hop, 1, shape, dual_window(shape, hop))


def ours(file: Noisy, learned: bool, n_fft: int = N_FFT, hop: int = HOP) -> NDArray:
    """What is heard, at RATE, without the delay."""
    format = frame_format(n_fft, hop)
    stft = StreamingStft(n_fft, hop, format.window, n_channels=1)
    istft = StreamingIstft(n_fft, hop, format.window, n_channels=1)
    denoise = Denoise(format)
    if learned:
        denoise = denoise.changed({"learn": True})
        denoise.process(stft.push(file.noise.astype(np.float32)[:, None]))
        denoise = denoise.changed({"learn": False})
        stft.reset()
    # Silence before, so that the first samples are overlapped like all others, and behind.
    around = np.zeros((n_fft - hop, 1), np.float32)
    samples = np.concatenate([around, file.noisy.astype(np.float32)[:, None], around, around])
    heard = istft.push(denoise.process(stft.push(samples)))[n_fft - hop :, 0]
    return heard[: len(file.noisy)].astype(np.float64)


def peer(file: Noisy, **mode: object) -> NDArray:
    return reduce_noise(y=scored(file.noisy), sr=SCORED_RATE, **mode)


def with_lead(file: Noisy, method: Method) -> NDArray:
    """`method` on the noise alone and then the speech: what comes of the latter."""
    longer = Noisy(
        file.kind,
        file.snr,
        file.noise,
        np.concatenate([file.noise, file.noisy]),
        np.concatenate([0 * file.noise, file.clean]),
    )
    return method(longer)[-len(scored(file.clean)) :]


METHODS: dict[str, Method] = {
    "noisy": lambda file: scored(file.noisy),
    "noisereduce, learned": lambda file: peer(file, stationary=True, y_noise=scored(file.noise)),
    "ours, learned": lambda file: scored(ours(file, learned=True)),
    "noisereduce, blind, still": lambda file: peer(file, stationary=True),
    "noisereduce, blind, moving": lambda file: peer(file, stationary=False),
    "ours, blind": lambda file: scored(ours(file, learned=False)),
}


def scores(files: list[Noisy], method: Method, lead: bool) -> Scores:
    """lead : the noise alone is part of what the method hears."""
    rows = []
    for file in files:
        made = with_lead(file, method) if lead else method(file)
        rows.append(score(scored(file.clean), made))
    return np.array(rows)


def score(clean: NDArray, made: NDArray) -> tuple[float, float, float]:
    quality = pesq(SCORED_RATE, clean.astype(np.float32), made.astype(np.float32), "wb")
    return si_sdr(clean, made), quality, float(stoi(clean, made, SCORED_RATE))


def si_sdr(clean: NDArray, made: NDArray) -> float:
    """Scale-invariant signal to distortion ratio in dB."""
    clean, made = clean - clean.mean(), made - made.mean()
    target = (made @ clean) / (clean @ clean) * clean
    return float(10 * np.log10(np.square(target).sum() / np.square(made - target).sum()))


Found = dict[str, Scores]
"""Scores of one set by method."""


def all_scores(files: list[Noisy], lead: bool) -> Found:
    return {name: scores(files, method, lead) for name, method in METHODS.items()}


def table_of(title: str, found: Found) -> Table:
    """Means, and what ours has over the others beside its goals."""
    noisy = found["noisy"].mean(axis=0)
    table = Table(title=f"{title}: {len(found['noisy'])} files, means")
    for heading in ("", *MEASURES):
        table.add_column(heading, justify="right" if heading else "left")
    for name, each in found.items():
        table.add_row(name, *_figures(each.mean(axis=0)))
    for name, other in (("learned", learned_peer(found)), ("blind", blind_peer(found))):
        means = found[f"ours, {name}"].mean(axis=0)
        cells = (_over(*each) for each in zip(means - other, GOALS, strict=True))
        table.add_row(f"ours over noisereduce, {name}", *cells)
        table.add_row(f"ours over noisy, {name}", "", "", _over(means[2] - noisy[2], MORE_STOI))
    return table


def kinds_table(title: str, files: list[Noisy], found: Found) -> Table:
    table = Table(title=f"{title}: by noise (no goal of its own)")
    for heading in ("noise", "", *MEASURES):
        table.add_column(heading, justify="left" if heading in ("noise", "") else "right")
    for kind in dict.fromkeys(file.kind for file in files):
        chosen = [file.kind == kind for file in files]
        for name in ("noisy", "noisereduce, learned", "ours, learned", "ours, blind"):
            table.add_row(kind, name, *_figures(found[name][chosen].mean(axis=0)))
    return table


def learned_peer(found: Found) -> NDArray:
    return found["noisereduce, learned"].mean(axis=0)


def blind_peer(found: Found) -> NDArray:
    """The better of two modes, measure by measure."""
    modes = [found[f"noisereduce, blind, {mode}"].mean(axis=0) for mode in ("still", "moving")]
    return np.max(modes, axis=0)


def _over(gain: float, goal: float) -> str:
    return f"{gain:+.3f} {' '.join(verdict(gain, goal, at_least=True))}"


def _figures(means: NDArray) -> tuple[str, str, str]:
    return f"{means[0]:.1f}", f"{means[1]:.2f}", f"{means[2]:.3f}"


def formats_table(files: list[Noisy], found: Found) -> Table:
    """What longer frames gain. found : of the same files"""
    table = Table(
        title="Ours with other frames, the first set, over noisereduce (no goal of its own)",
        caption="Latency of the round trip at 48000 Hz, to which the devices add theirs.",
    )
    for heading in ("n_fft/hop", "latency ms", "", *MEASURES, "STOI over noisy"):
        table.add_column(heading, justify="right")
    noisy = found["noisy"].mean(axis=0)
    for n_fft, hop in FORMATS:
        for name, other in (("learned", learned_peer(found)), ("blind", blind_peer(found))):

            def method(file, learn=name == "learned", n_fft=n_fft, hop=hop) -> NDArray:
                return scored(ours(file, learn, n_fft, hop))

            means = scores(files, method, lead=True).mean(axis=0)
            gains = means - other
            cells = (f"{gains[0]:+.1f}", f"{gains[1]:+.2f}", f"{gains[2]:+.3f}")
            late = f"{(n_fft - hop) / RATE * 1e3:.0f}"
            table.add_row(f"{n_fft}/{hop}", late, name, *cells, f"{means[2] - noisy[2]:+.3f}")
    return table


def first_second_table(files: list[Noisy]) -> Table:
    """Whether a start inside a word costs the word."""
    table = Table(
        title="The first second of files that begin inside a word, ours, blind",
        caption="Speech: how much softer what is heard of it is, dB (0: all there).",
    )
    for heading in ("", "SI-SDR noisy", "SI-SDR ours", "speech dB"):
        table.add_column(heading, justify="right")
    found = []
    for file in files:
        clean, made = file.clean, ours(file, learned=False)
        row = []
        for part in (slice(0, RATE), slice(RATE, None)):
            level = (made[part] @ clean[part]) / (clean[part] @ clean[part])
            row.append(
                (
                    si_sdr(clean[part], file.noisy[part]),
                    si_sdr(clean[part], made[part]),
                    20 * np.log10(max(level, 1e-3)),
                )
            )
        found.append(row)
    for name, means in zip(("first second", "the rest"), np.mean(found, axis=0), strict=True):
        table.add_row(name, *(f"{value:+.1f}" for value in means))
    return table


def cost_table() -> Table:
    """One hop a push, as live, with STFT and ISTFT beside it."""
    table = Table(title="Cost at 48000 Hz, mono, one hop a push, µs a frame")
    for heading in ("n_fft/hop", "denoise", "STFT and ISTFT", "share of a core", "goal"):
        table.add_column(heading, justify="right")
    for n_fft, hop in FORMATS:
        format = frame_format(n_fft, hop)
        denoise, stft = Denoise(format), StreamingStft(n_fft, hop, n_channels=1)
        istft = StreamingIstft(n_fft, hop, n_channels=1)
        block = noise(hop, 1)[:, None]
        frame = StreamingStft(n_fft, hop, n_channels=1).push(noise(n_fft, 1)[:, None])
        calls = {
            "denoise": lambda denoise=denoise, frame=frame: denoise.process(frame),
            "round": lambda stft=stft, istft=istft, block=block: istft.push(stft.push(block)),
        }
        timing = interleaved(calls)
        share = timing.median("denoise") * RATE / hop
        goal = MOST_SHARE if (n_fft, hop) == FORMATS[0] else None
        cells = (f"{timing.median(name) * 1e6:.0f}" for name in calls)
        words = " ".join(verdict(share, goal, "share"))
        table.add_row(f"{n_fft}/{hop}", *cells, f"{share:.1%}", words)
    return table


def tables() -> list[Table]:
    sets = {
        "Made noise, heard first": noise_first(),
        "Made noise, beginning inside a word": speech_first(),
        "Recorded noise, beginning inside a word": recorded(),
    }
    found = {title: all_scores(sets[title], lead=i == 0) for i, title in enumerate(sets)}
    together = {name: np.concatenate([each[name] for each in found.values()]) for name in METHODS}
    first, speech, _ = sets.values()
    return [
        table_of("All three sets", together),
        *(table_of(title, each) for title, each in found.items()),
        *(kinds_table(title, sets[title], each) for title, each in found.items()),
        formats_table(first, next(iter(found.values()))),
        first_second_table(speech),
        cost_table(),
    ]


if __name__ == "__main__":
    for each in tables():
        Console(width=120).print(each)
