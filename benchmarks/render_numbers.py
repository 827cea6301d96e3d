"""The numbers of a picture beside librosa's: the same, and what they cost.

Sounds: speech, signals and music out of Debian packages (`benchmarks.recordings`), speech made by
espeak-ng, and MP3 and OGG made of these by ffmpeg. Needs apt-get, espeak-ng and ffmpeg.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from rich.table import Table

import realtime
from benchmarks.goals import verdict
from benchmarks.recordings import package
from benchmarks.stft import interleaved

RATE = 22050
"""Hz, librosa's default: all sounds are resampled to it by both."""

MOST_ERROR = 1e-6
MOST_DB = 1e-3
MOST_MEGABYTES = 400
"""For an hour of sound."""

FRAMES = ((2048, 512), (1024, 256), (400, 160))
WINDOWS = ("hann", "blackman")
MELS: tuple[dict[str, Any], ...] = (
    {"n_mels": 128},
    {"n_mels": 40, "fmin": 60.0, "fmax": 8000.0, "htk": True, "norm": None},
)

SENTENCES = (
    "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. "
    "It is easy to tell the depth of a well. These days a chicken leg is a rare dish. "
    "Rice is often served in round bowls. The juice of lemons makes fine punch."
)
"""Of the Harvard sentences (IEEE 1969): 14 s of speech, as long as the tutorial's picture."""

STARTS = 7
"""Fresh interpreters of each."""

OURS = """
import realtime
sound = realtime.load({path!r}, 22050, mono=True)
mels = realtime.melspectrogram(sound.samples[:, 0], sample_rate=22050)
db = realtime.power_to_db(mels, mels.max())
"""
THEIRS = """
import librosa
samples, sample_rate = librosa.load({path!r})
mels = librosa.feature.melspectrogram(y=samples, sr=sample_rate)
db = librosa.power_to_db(mels, ref=mels.max())
"""
OURS_LONG = """
import realtime
found = realtime.analyse({path!r}, "mel", sample_rate=22050, mono=True)
for chunk in found.chunks():
    pass
"""
MEASURED = r"""
import json, re, time
start = time.perf_counter()
{code}
seconds = time.perf_counter() - start
status = open("/proc/self/status").read()  # where what the parent needed does not count
print(json.dumps([seconds, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024]))
"""


def sounds(folder: Path) -> dict[str, Path]:
    """Files by the name they have in the tables; made ones lie in `folder`."""
    alsa = package("alsa-utils") / "usr/share/sounds/alsa"
    theme = package("sound-theme-freedesktop") / "usr/share/sounds/freedesktop/stereo"
    music = package("tuxtype-data") / "usr/share/tuxtype/sounds/tuxi.ogg"
    speech = folder / "speech.wav"
    _call("espeak-ng", "-w", speech, SENTENCES)
    made = {
        "speech, MP3 of 44100 Hz": folder / "speech.mp3",
        "words, OGG": folder / "words.ogg",
        "music, MP3 of two channels": folder / "music.mp3",
    }
    _call("ffmpeg", "-v", "error", "-i", speech, "-ar", "44100", made["speech, MP3 of 44100 Hz"])
    _call("ffmpeg", "-v", "error", "-i", alsa / "Front_Center.wav", made["words, OGG"])
    cut = ("-ss", "20", "-t", "14", "-ac", "2")
    _call("ffmpeg", "-v", "error", "-i", music, *cut, made["music, MP3 of two channels"])
    return {
        "words, WAV of 48000 Hz": alsa / "Front_Center.wav",
        "noise, WAV": alsa / "Noise.wav",
        "bell, OGG of two channels": theme / "bell.oga",
        "telephone, OGG": theme / "phone-incoming-call.oga",
        "speech, WAV of 22050 Hz": speech,
        **made,
    }


def equality_table(paths: dict[str, Path]) -> Table:
    table = Table(
        title="Largest difference from librosa, over frames, windows and bands",
        caption=f"{len(FRAMES) * len(WINDOWS)} STFTs, {len(FRAMES) * len(MELS)} sets of mels; "
        "decibels with ref=max over 80 dB. Goals: samples the same, "
        f"{verdict(0, MOST_ERROR)[0]} of the maximum, {verdict(0, MOST_DB, 'dB')[0]}.",
    )
    for heading in ("sound", "s", "samples", "STFT", "its dB", "mels", "their dB", "goals"):
        table.add_column(heading, justify="left" if heading == "sound" else "right")
    for name, path in paths.items():
        ours = realtime.load(path, RATE, mono=True).samples[:, 0]
        theirs, _ = _quietly(librosa.load, path)
        same = np.array_equal(ours, theirs)
        stft, stft_db = _stft_differences(theirs)
        mel, mel_db = _mel_differences(theirs)
        reached = same and max(stft, mel) <= MOST_ERROR and max(stft_db, mel_db) <= MOST_DB
        table.add_row(
            *(name, f"{len(theirs) / RATE:.1f}", "the same" if same else "[red]not the same[/]"),
            *(f"{stft:.1e}", f"{stft_db:.1e}", f"{mel:.1e}", f"{mel_db:.1e}"),
            "[green]reached[/]" if reached else "[red]falls short[/]",
        )
    return table


def _stft_differences(samples: np.ndarray) -> tuple[float, float]:
    worst = worst_db = 0.0
    for (n_fft, hop), window in product(FRAMES, WINDOWS):
        ours = realtime.stft(samples, n_fft, hop, window)
        theirs = librosa.stft(samples, n_fft=n_fft, hop_length=hop, window=window).T
        worst = max(worst, _relative(ours, theirs))
        ours_db = realtime.amplitude_to_db(np.abs(ours), np.max)
        theirs_db = librosa.amplitude_to_db(np.abs(theirs), ref=np.max)
        worst_db = max(worst_db, float(np.abs(ours_db - theirs_db).max()))
    return worst, worst_db


def _mel_differences(samples: np.ndarray) -> tuple[float, float]:
    worst = worst_db = 0.0
    for (n_fft, hop), bands in product(FRAMES, MELS):
        ours = realtime.melspectrogram(samples, sample_rate=RATE, n_fft=n_fft, hop=hop, **bands)
        theirs = _quietly(
            librosa.feature.melspectrogram, y=samples, sr=RATE, n_fft=n_fft, hop_length=hop, **bands
        ).T
        worst = max(worst, _relative(ours, theirs))
        ours_db = realtime.power_to_db(ours, np.max)
        theirs_db = librosa.power_to_db(theirs, ref=np.max)
        worst_db = max(worst_db, float(np.abs(ours_db - theirs_db).max()))
    return worst, worst_db


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _quietly(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Without librosa's warnings of modules it imports, and of bands that hold no bin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args, **kwargs)


def warm_table(path: Path) -> Table:
    """Each step of 14 s of speech, once all is imported and compiled."""
    table = Table(title=f"{path.name}: ms a step, warm (no goal)")
    for heading in ("step", "ours", "librosa", "librosa / ours"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    samples = realtime.load(path, RATE, mono=True).samples[:, 0]
    mels = realtime.melspectrogram(samples, sample_rate=RATE)
    steps = {
        "load, one channel at 22050 Hz": (
            partial(realtime.load, path, RATE, mono=True),
            partial(_quietly, librosa.load, path),
        ),
        "stft": (partial(realtime.stft, samples), partial(librosa.stft, samples)),
        "melspectrogram": (
            partial(realtime.melspectrogram, samples, sample_rate=RATE),
            partial(librosa.feature.melspectrogram, y=samples, sr=RATE),
        ),
        "power_to_db": (
            partial(realtime.power_to_db, mels, np.max),
            partial(librosa.power_to_db, mels, ref=np.max),
        ),
        "constant-Q": (
            partial(realtime.cqt, samples, RATE),
            partial(librosa.cqt, samples, sr=RATE),
        ),
    }
    for name, (ours, theirs) in steps.items():
        timing = interleaved({"ours": ours, "librosa": theirs})
        each = (f"{1e3 * timing.median(who):.2f}" for who in ("ours", "librosa"))
        table.add_row(name, *each, f"{timing.ratio('librosa', 'ours'):.2f}")
    return table


def start_table(path: Path, hour: Path) -> Table:
    """Fresh interpreters, imports and all."""
    table = Table(
        title="From the start of the work to its dB, imports included",
        caption=f"Medians of {STARTS} fresh interpreters, taken in turns; the hour once.",
    )
    for heading in ("sound", "ours, s", "librosa, s", "ours, MB", "librosa, MB", "goal"):
        table.add_column(heading, justify="left" if heading == "sound" else "right")
    runs: dict[str, list[tuple[float, float]]] = {OURS: [], THEIRS: []}
    for _ in range(STARTS):
        for code, measured in runs.items():
            measured.append(_measured(code, path))
    ours, theirs = (_medians(measured) for measured in runs.values())
    table.add_row(path.name, *_cells(ours, theirs), "")
    ours, theirs = _measured(OURS_LONG, hour), _measured(THEIRS, hour)
    goal = " ".join(verdict(ours[1], MOST_MEGABYTES, "MB"))
    table.add_row("an hour of MP3", *_cells(ours, theirs), goal)
    return table


def _medians(measured: list[tuple[float, float]]) -> tuple[float, float]:
    seconds, megabytes = zip(*measured, strict=True)
    return statistics.median(seconds), statistics.median(megabytes)


def _cells(ours: tuple[float, float], theirs: tuple[float, float]) -> Iterator[str]:
    yield from (f"{ours[0]:.2f}", f"{theirs[0]:.2f}", f"{ours[1]:.0f}", f"{theirs[1]:.0f}")


def _measured(code: str, path: Path) -> tuple[float, float]:
    """Seconds, and the greatest memory in MB, of a fresh interpreter."""
    program = MEASURED.format(code=code.format(path=str(path)))
    command = [sys.executable, "-W", "ignore", "-c", program]
    seconds, megabytes = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return seconds, megabytes


def _call(*command: Any) -> None:
    subprocess.run(list(command), check=True, stdin=subprocess.DEVNULL)


def tables() -> Iterator[Table]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = sounds(folder)
        speech, hour = paths["speech, MP3 of 44100 Hz"], folder / "hour.mp3"
        yield equality_table(paths)
        yield warm_table(speech)
        music = paths["music, MP3 of two channels"]
        loop = ("-stream_loop", "-1", "-i", music, "-t", "3600", "-c", "copy", hour)
        _call("ffmpeg", "-v", "error", *loop)
        yield start_table(speech, hour)
