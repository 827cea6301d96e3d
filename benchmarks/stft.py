"""What a streaming STFT costs beside the bare transform it rests on, and beside its peers.

Rounds are interleaved: each measures every competitor once, so that a noisy neighbour meets them
all. Figures are medians over the rounds; a ratio is the median of the ratios of single rounds.
All are float32, Hann, one thread. `bare` is scipy.fft.rfft of frames that already lie windowed,
contiguous and warm in memory, as many a call as our push completes: the floor for anything built
on scipy.fft.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import librosa
import numpy as np
import scipy.fft
from rich.console import Console
from rich.table import Table
from scipy.signal import ShortTimeFFT

from benchmarks.goals import verdict
from realtime.dsp.levels import column_db
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import window

SIZES = (512, 1024, 2048, 4096, 8192, 16384)
CHANNELS = (1, 8)
BLOCK = 4096
"""Samples a push, and hop = n_fft / 4."""
SAMPLE_RATE = 48000
WHOLE_BLOCK = 24 * BLOCK
"""Samples, 2 s, in one call: what the peers are made for."""

MOST_OVER_BARE = 1.3
LEAST_UNDER_LIBROSA = 2.5

ROUNDS = 15
WHOLE_ROUNDS = 7
SLICE_SECONDS = 0.004
"""Each competitor is called again and again for about so long in each round."""

_PEERS_CAPTION = (
    "Peers get each block and the samples before it that its frames need in one array, for "
    "nothing. librosa as people call it; librosa f32: with a float32 window made before, so that "
    "it need not work in float64."
)

Call = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Seconds a call of each competitor, (n_rounds,), by name."""

    rounds: dict[str, np.ndarray]

    def median(self, name: str) -> float:
        return float(np.median(self.rounds[name]))

    def ratio(self, name: str, other: str) -> float:
        return float(np.median(self.rounds[name] / self.rounds[other]))


def interleaved(calls: dict[str, Call], n_rounds: int = ROUNDS) -> Timing:
    """Time all `calls` in each of the rounds, starting with another one each time."""
    repeats = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, int(SLICE_SECONDS / (time.perf_counter() - start)))
    rounds: dict[str, list[float]] = {name: [] for name in calls}
    order = list(calls)
    for _ in range(n_rounds):
        order.append(order.pop(0))
        for name in order:
            call = calls[name]
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            rounds[name].append((time.perf_counter() - start) / repeats[name])
    return Timing({name: np.array(seconds) for name, seconds in rounds.items()})


def noise(n_samples: int, n_channels: int) -> np.ndarray:
    """(n_samples,) for one channel, else (n_samples, n_channels)."""
    shape = (n_samples,) if n_channels == 1 else (n_samples, n_channels)
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)


def streaming(n_fft: int, hop: int, n_channels: int, block: int) -> tuple[Call, Call]:
    """Pushes of one block in the steady state, and bare transforms of as many frames."""
    stft = StreamingStft(n_fft, hop, n_channels=None if n_channels == 1 else n_channels)
    samples = noise(block, n_channels)
    for _ in range(-(-n_fft // block) + 1):
        spectra = stft.push(samples)
    framed = noise(spectra.size // spectra.shape[-1] * n_fft, 1)
    framed = framed.reshape(*spectra.shape[:-1], n_fft)
    return lambda: stft.push(samples), lambda: scipy.fft.rfft(framed)


def peers(samples: np.ndarray, n_fft: int, hop: int) -> dict[str, Call]:
    """One call each that transforms all frames inside `samples`, (n,) or (n_channels, n).

    librosa is called as people call it, which makes the window anew and transforms in float64,
    and with a float32 window made before, which lets it transform in float32 as we do.
    """
    shape = window("hann", n_fft)
    oracle = ShortTimeFFT(shape, hop, fs=SAMPLE_RATE, phase_shift=None)
    first = -(-oracle.m_num_mid // hop)
    last = first + (samples.shape[-1] - n_fft) // hop + 1

    def librosa_stft(window: str | np.ndarray) -> np.ndarray:
        return librosa.stft(samples, n_fft=n_fft, hop_length=hop, window=window, center=False)

    return {
        "librosa": lambda: librosa_stft("hann"),
        "librosa f32": lambda: librosa_stft(shape),
        "ShortTimeFFT": lambda: oracle.stft(samples, p0=first, p1=last),
    }


def peers_table(block: int, title: str, most_over_bare: float | None, n_rounds: int) -> Table:
    """Pushes of `block` samples against bare transforms and peers fed the same."""
    table = Table(title=f"{title}, hop n_fft/4, µs per {BLOCK} samples", caption=_PEERS_CAPTION)
    headings = ("n_fft", "channels", "ours", "bare", "librosa", "librosa f32", "ShortTimeFFT")
    over_goal = verdict(0, most_over_bare)[0]
    under_goal = verdict(0, LEAST_UNDER_LIBROSA, at_least=True)[0]
    for heading in (
        *headings,
        f"ours / bare {over_goal}".strip(),
        f"librosa / ours {under_goal}",
        "librosa f32 / ours",
    ):
        table.add_column(heading, justify="right")
    for n_channels in CHANNELS:
        for n_fft in SIZES:
            hop = n_fft // 4
            ours, bare = streaming(n_fft, hop, n_channels, block)
            with_tail = np.ascontiguousarray(noise(n_fft - hop + block, n_channels).T)
            calls = {"ours": ours, "bare": bare, **peers(with_tail, n_fft, hop)}
            timing = interleaved(calls, n_rounds)
            over, under = timing.ratio("ours", "bare"), timing.ratio("librosa", "ours")
            reached_over = verdict(over, most_over_bare)[1]
            reached_under = verdict(under, LEAST_UNDER_LIBROSA, at_least=True)[1]
            table.add_row(
                *(str(n_fft), str(n_channels)),
                *(f"{timing.median(name) * BLOCK / block * 1e6:.1f}" for name in calls),
                f"{over:.2f} {reached_over}",
                f"{under:.1f} {reached_under}",
                f"{timing.ratio('librosa f32', 'ours'):.1f}",
            )
    return table


def hops_table() -> Table:
    """One hop a push: the cost of live use, where no two frames share a call."""
    table = Table(
        title="One hop a push, mono at 48000 Hz, hop n_fft/4, µs a frame (no goal)",
        caption="Share of a core: STFT, levels in dB and the way back together.",
    )
    for heading in ("n_fft", "STFT", "bare", "levels", "ISTFT", "share of a core"):
        table.add_column(heading, justify="right")
    for n_fft in SIZES:
        hop = n_fft // 4
        ours, bare = streaming(n_fft, hop, 1, hop)
        inverse = StreamingIstft(n_fft, hop)
        frame = StreamingStft(n_fft, hop).push(noise(n_fft, 1))
        total = float(inverse.synthesis_window.sum())

        def levels(frame=frame, total=total, n_fft=n_fft) -> object:
            return column_db(frame, total, n_fft)

        def back(inverse=inverse, frame=frame) -> object:
            return inverse.push(frame)

        timing = interleaved({"STFT": ours, "bare": bare, "levels": levels, "ISTFT": back})
        each = {name: timing.median(name) for name in timing.rounds}
        share = (each["STFT"] + each["levels"] + each["ISTFT"]) * SAMPLE_RATE / hop
        cells = (f"{each[name] * 1e6:.1f}" for name in ("STFT", "bare", "levels", "ISTFT"))
        table.add_row(str(n_fft), *cells, f"{share:.2%}")
    return table


def again_table() -> Table:
    """A minute analysed again from the ring, as after a change of n_fft."""
    table = Table(title="A minute of 48000 Hz mono analysed again in one push, ms (no goal)")
    for heading in ("n_fft", "hop", "STFT", "bare", "levels"):
        table.add_column(heading, justify="right")
    samples = noise(60 * SAMPLE_RATE, 1)
    for n_fft, hop in ((4096, 1024), (4096, 256)):
        stft = StreamingStft(n_fft, hop)
        frames = stft.push(samples)
        batch = noise(32 * n_fft, 1).reshape(32, n_fft)
        n_batches = len(frames) // len(batch)

        def analyse(stft=stft, samples=samples) -> object:
            stft.reset()
            return stft.push(samples)

        def bare(batch=batch, n_batches=n_batches) -> None:
            for _ in range(n_batches):
                scipy.fft.rfft(batch)

        def levels(frames=frames, stft=stft) -> object:
            return column_db(frames, stft.window_sum, stft.n_fft_total)

        timing = interleaved({"STFT": analyse, "bare": bare, "levels": levels}, 5)
        cells = (f"{timing.median(name) * 1e3:.0f}" for name in timing.rounds)
        table.add_row(str(n_fft), str(hop), *cells)
    return table


def tables() -> list[Table]:
    blocks = f"StreamingStft in blocks of {BLOCK} samples"
    whole = f"{WHOLE_BLOCK} samples in one push"
    return [
        peers_table(BLOCK, blocks, MOST_OVER_BARE, ROUNDS),
        peers_table(WHOLE_BLOCK, whole, None, WHOLE_ROUNDS),
        hops_table(),
        again_table(),
    ]


if __name__ == "__main__":
    for each in tables():
        Console(width=120).print(each)
