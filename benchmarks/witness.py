"""What was lost, told by a witness: a program that hears the same source, and whose own file no
fault ever touches. The source plays a counter, so every sample has a name.

A contestant is a program that records what the faults are done to; what its files hold is what
the best of three readers finds in them, as they lie there.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import children
import counter
import numpy as np
import psutil
from readers import READERS
from servers import PulseServer

RATE = 48000
SAMPLE_BYTES = 4
"""Two channels of 16 bits."""

USUAL_ALARMS = ("clipping", "disk low")

JUST_BEGUN = 8192
"""Bytes: a header and less than a hundredth of a second."""

OURS = "realtime record"
ARECORD = ("arecord", "-D", "virtmic", "-f", "S16_LE", f"-r{RATE}", "-c2", "{folder}/sound.wav")
FFMPEG = (
    "ffmpeg", "-v", "error", "-nostdin", "-f", "pulse", "-sample_rate", f"{RATE}",
    "-channels", "2", "-i", "virtmic", "-c:a", "pcm_s16le", "{folder}/sound.wav",
)  # fmt: skip
RECORD = (
    sys.executable, "-m", "realtime", "record", "{folder}", "mic:virtmic", "--channels", "2",
    "--depth", "16", "--segment", "10s", "--min-free", "0",
)  # fmt: skip
PROGRAMS = {OURS: RECORD, "arecord": ARECORD, "ffmpeg": FFMPEG}


class Witness:
    """Hears what the microphone of `server` hears; on a disk of its own."""

    def __init__(self, server: PulseServer, folder: Path):
        self._server, self._folder = server, folder
        self._files: list[Path] = []
        self._fed = 1
        self.begin()

    def begin(self, seconds: float = 150.0) -> None:
        """Play and hear; again after the server was away, the counter going on."""
        self._server.feed_counter(seconds, self._fed)
        self._fed += round(seconds * RATE)
        self._files.append(self._folder / f"witness{len(self._files)}.raw")
        command = ["parec", "-d", "mic.monitor", "--raw", f"--rate={RATE}", "--format=s16le"]
        command += ["--channels=2", "--latency-msec=20"]
        with self._files[-1].open("wb") as file:
            children.start(command, self._server.env, stdout=file)

    def heard(self) -> np.ndarray:
        """Names of all samples so far."""
        return np.concatenate([_names(path.read_bytes()) for path in self._files])


class Contestant:
    """A program that records into a folder of its own below `disk`; its words go to `notes`."""

    def __init__(self, name: str, disk: Path, notes: Path, env: Mapping[str, str], *options: str):
        self.name = name
        self.folder = disk / name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        self._said, self._lines = (notes / f"{self.folder.name}.{end}" for end in ("err", "out"))
        command = [part.format(folder=self.folder) for part in PROGRAMS[name]] + list(options)
        with self._said.open("wb") as err, self._lines.open("wb") as out:
            self.process = children.start(command, env, stdout=out, stderr=err)
        self._ended_by_itself: bool | None = None

    def wait_until_it_records(self) -> None:
        children.wait_until(
            lambda: any(p.stat().st_size > 50_000 for p in self.folder.rglob("*.wav")),
            f"a growing file of {self.name}",
            15,
        )

    @property
    def engine(self) -> psutil.Process:
        family = psutil.Process(self.process.pid).children()
        return next(child for child in family if "spawn_main" in " ".join(child.cmdline()))

    def end(self) -> None:
        """As with Ctrl-C, unless it has ended by itself. Safe twice."""
        if self._ended_by_itself is None:
            self._ended_by_itself = self.process.poll() is not None
        if not self._ended_by_itself:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        children.end(self.process)

    @property
    def told(self) -> str:
        """The first alarm, or else the last words of the program; and the exit code that it chose,
        which is not that of Ctrl-C."""
        code = self.process.returncode
        if code == -signal.SIGKILL:
            return "killed"
        words = (self._alarms() or self._words() or ["nothing"])[0]
        chosen = self.name == OURS or self._ended_by_itself
        return f"{words}; exit {code}" if chosen else words

    def _alarms(self) -> list[str]:
        """But for what is so without a fault: a counter clips, and these disks are small."""
        lines = [line for line in self._lines.read_text().splitlines() if line.endswith("}")]
        alarms = [json.loads(line)["alarms"] for line in lines]
        return [text for each in alarms for name, text in each.items() if name not in USUAL_ALARMS]

    def _words(self) -> list[str]:
        lines = [line.strip() for line in self._said.read_text().splitlines()]
        usual = ("realtime: recording", "Recording WAVE", "Aborted by signal")
        words = [line for line in lines if line and not line.startswith(usual)]
        return [line.removeprefix("realtime: ") for line in reversed(words)]

    def holds(self) -> Holding:
        """What its files hold, but for one that has only just begun."""
        files = [p for p in sorted(self.folder.rglob("*.wav")) if p.stat().st_size > JUST_BEGUN]
        readings = [_read(path) for path in files]
        names = np.concatenate([np.empty(0, np.int64), *(reading[0] for reading in readings)])
        return Holding(names, min((reading[1] for reading in readings), default=0))


@dataclass(frozen=True)
class Holding:
    """names : of the samples in all files. readers : so many of three read every file whole."""

    names: np.ndarray
    readers: int


def _read(path: Path) -> tuple[np.ndarray, int]:
    found = []
    for read in READERS:
        with contextlib.suppress(Exception):  # each has its own
            found.append(_names(read(path, 16)))
    most = max((len(names) for names in found), default=0)
    if not most:
        return np.empty(0, np.int64), 0
    best = [names for names in found if len(names) == most]
    return best[0], len(best)


def _names(raw: bytes) -> np.ndarray:
    """Those in s16le stereo, int64 (n_samples,), silence left out. Not `counter.decode`, which
    will not have that a file holds anything else."""
    halves = np.frombuffer(raw[: len(raw) // SAMPLE_BYTES * SAMPLE_BYTES], "<u2").reshape(-1, 2)
    names = halves[:, 0].astype(np.int64) + (halves[:, 1].astype(np.int64) << counter.BITS)
    return names[names > 0]


def missing(heard: np.ndarray, held: np.ndarray) -> np.ndarray:
    """What of `heard`, from the first sample held on, is not held."""
    since = heard[heard >= held.min()] if len(held) else heard
    return np.setdiff1d(since, held)
