"""What is heard of the tutorial's picture, told nothing else, beside librosa's sound of the exact
numbers that the picture was drawn of.

Speech of `benchmarks.inversion`, at least 3 s of each, drawn by the tutorial's code
(`tests/styles.py`) and given to `realtime invert` as a command, start-up included. librosa is
`mel_to_audio` as it comes; `invert_bands` of the exact numbers shows what the picture costs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray
from pesq import pesq
from pystoi import stoi
from rich.table import Table

from benchmarks.goals import verdict
from benchmarks.inversion import (
    PESQ_RATE,
    SAMPLE_RATE,
    librosa_mel,
    recorded,
    spoken,
    through_mel,
)
from realtime.picture.read.reader import read_foreign
from tests.styles import tutorial

LEAST_SECONDS = 3.0
MOST_ERROR_DB = 0.15
LEAST_STOI, LEAST_PESQ = 0.95, 3.0


def scores(samples: NDArray, made: NDArray) -> tuple[float, float]:
    """PESQ and STOI."""
    n = min(len(samples), len(made))
    pair = [
        librosa.resample(each[:n], orig_sr=SAMPLE_RATE, target_sr=PESQ_RATE)
        for each in (samples.astype(np.float32), made.astype(np.float32))
    ]
    return pesq(PESQ_RATE, *pair, "wb"), float(stoi(*pair, PESQ_RATE))


def read_error(picture: Path, shown: NDArray) -> float:
    """dB, mean over all cells."""
    read = read_foreign(picture).db[0]
    n = min(len(read), len(shown))
    return float(np.abs(read[:n] - shown[:n]).mean())


def heard(picture: Path, out: Path) -> tuple[NDArray, float]:
    """The sound that the command makes, and how long it took in s."""
    command = [sys.executable, "-m", "realtime", "invert", str(picture), "-o", str(out)]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return soundfile.read(out)[0], time.perf_counter() - start


def tutorial_table() -> Table:
    table = Table(
        title="The tutorial's picture heard",
        caption="librosa, exact: PESQ and STOI of mel_to_audio and invert_bands of the exact "
        "matrix. s: the whole command.",
    )
    table.add_column("speech", no_wrap=True)
    for heading in (
        "clips",
        "error dB",
        "",
        "PESQ",
        "",
        "STOI",
        "",
        "librosa PESQ",
        "STOI",
        "exact PESQ",
        "STOI",
        "s",
    ):
        table.add_column(heading, justify="right")
    clips = [clip for clip in (*recorded("speech"), *spoken()) if _long_enough(clip[1])]
    rows: dict[str, list[tuple[float, ...]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        audio, picture, out = (Path(folder) / name for name in ("a.wav", "a.png", "b.wav"))
        for kind, samples in clips:
            soundfile.write(audio, samples, SAMPLE_RATE, subtype="FLOAT")
            shown = tutorial(audio, picture)
            made, seconds = heard(picture, out)
            row = (
                read_error(picture, shown),
                *scores(samples, made),
                *scores(samples, librosa_mel(samples)),
                *scores(samples, through_mel(samples)),
            )
            for called in ("recorded" if kind == "speech" else kind, "both"):
                rows.setdefault(called, []).append((*row, seconds))
    for called in ("recorded", "espeak-ng", "both"):
        if called not in rows:
            continue
        error, quality, understood, *others, seconds = np.mean(rows[called], axis=0)
        table.add_row(
            called,
            str(len(rows[called])),
            f"{error:.3f}",
            verdict(error, MOST_ERROR_DB)[1],
            f"{quality:.2f}",
            verdict(quality, LEAST_PESQ, at_least=True)[1],
            f"{understood:.3f}",
            verdict(understood, LEAST_STOI, at_least=True)[1],
            *(f"{others[k]:.2f}, {others[k + 1]:.3f}" for k in (0, 2)),
            f"{seconds:.1f}",
        )
    return table


def _long_enough(samples: NDArray) -> bool:
    return len(samples) >= LEAST_SECONDS * SAMPLE_RATE


def tables() -> Iterator[Table]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's, of modules that Python will drop
        yield tutorial_table()
