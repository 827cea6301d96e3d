"""Real speech, music and noise for benchmarks, out of Debian packages: none of it lies here.

    from benchmarks.recordings import recordings
    for recording in recordings("speech"):                    # or "music", "noise"
        recording.name, recording.sample_rate, recording.samples   # float32 (n_samples,), mono

`part="report"` (the default) is what figures are quoted on, `part="tuning"` what settings may be
chosen on: no voice, no band and no noise is in both. A package is fetched once with
`apt-get download` (nothing is installed, no rights are needed) and its sound files are kept under
the user's cache directory. Needs apt-get, dpkg-deb and a package index (`apt-get update`).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

Kind = Literal["speech", "music", "noise"]
Part = Literal["report", "tuning"]

LONGEST_SECONDS = 10.0
"""Of each recording: enough for every score, and a song need not outweigh ten sentences."""

RAW_RATE = 16000
"""Hz: the packages' headerless files are 16 bit mono at this rate."""


@dataclass(frozen=True)
class Recording:
    name: str
    kind: Kind
    sample_rate: int
    samples: NDArray[np.float32]
    """(n_samples,), full scale ±1."""


@dataclass(frozen=True)
class Held:
    """Files in a package: `files` is a pattern under its root."""

    kind: Kind
    part: Part
    package: str
    files: str
    licence: str
    start: float = 0.0
    """Seconds left out before what is taken."""
    joined: bool = False
    """All files one after the other are one recording."""


_SPHINX = "usr/share/pocketsphinx/test/data/"
_FRETS = "usr/share/games/fretsonfire/data/songs/sectoid/"
_TUX = "usr/share/tuxtype/sounds/"
_PI = "usr/share/sonic-pi/samples/"
_PYO = "usr/lib/python3/dist-packages/pyo/examples/snds/"

HELD = (
    # Nine times two words, clean and close, 48000 Hz.
    Held("speech", "report", "alsa-utils", "usr/share/sounds/alsa/*_*.wav", "GPL-2", joined=True),
    # A sentence at 44100 Hz; ten seconds of sentences, and five of Jane Austen, at 16000 Hz.
    Held("speech", "report", "supercollider-common", "**/a11wlk01.wav", "GPL-2+"),
    Held("speech", "report", "codec2-examples", "**/speech_orig_16k.wav", "LGPL-2.1"),
    Held("speech", "report", "pocketsphinx-testdata", _SPHINX + "librivox/*.wav", "BSD-2"),
    # A rock band: all of it, and a guitar alone. Then instruments made by a computer.
    Held("music", "report", "fretsonfire-songs-sectoid", _FRETS + "*/song.ogg", "MIT", 60),
    Held("music", "report", "fretsonfire-songs-sectoid", _FRETS + "F*/guitar.ogg", "MIT", 60),
    Held("music", "report", "tuxtype-data", _TUX + "amidst_the_raindrops.ogg", "GPL-2+", 10),
    Held("music", "report", "tuxtype-data", _TUX + "tuxi.ogg", "public domain", 20),
    # A fire in a sauna, a machine, a crowd.
    Held("noise", "report", "sonic-pi-samples", _PI + "ambi_sauna.flac", "CC0"),
    Held("noise", "report", "sonic-pi-samples", _PI + "loop_3d_printer.flac", "CC0"),
    Held("noise", "report", "tuxtype-data", _TUX + "cheer.wav", "GPL-2+"),
    # A man at a match, with the crowd behind him; men who give commands.
    Held("speech", "tuning", "python3-pyo", _PYO + "baseballmajeur_m.aif", "LGPL-3"),
    Held("speech", "tuning", "pocketsphinx-testdata", _SPHINX + "*.raw", "BSD-2"),
    Held("speech", "tuning", "pocketsphinx-testdata", _SPHINX + "cards/00[25].wav", "BSD-2"),
    Held("music", "tuning", "python3-pyo", _PYO + "flute.aif", "LGPL-3"),
    Held("music", "tuning", "python3-pyo", _PYO + "drumloop.wav", "LGPL-3"),
    Held("music", "tuning", "sonic-pi-samples", _PI + "guit_em9.flac", "CC0"),
    Held("music", "tuning", "sonic-pi-samples", _PI + "loop_tabla.flac", "CC0"),
    # Dense: electronic, orchestral, loops.
    Held("music", "tuning", "python3-pyo", _PYO + "ounkmaster.aif", "LGPL-3"),
    Held("music", "tuning", "asc-music", "usr/share/games/asc/music/*.mp3", "GPL-2+", 30),
    Held("music", "tuning", "sonic-pi-samples", _PI + "loop_mika.flac", "CC0"),
    Held("music", "tuning", "sonic-pi-samples", _PI + "loop_garzul.flac", "CC0"),
    Held("noise", "tuning", "sonic-pi-samples", _PI + "vinyl_hiss.flac", "CC0"),
)


def recordings(kind: Kind, part: Part = "report") -> list[Recording]:
    """All recordings of `kind`, each at most `LONGEST_SECONDS` long.

    Raises RuntimeError where a package cannot be had.
    """
    found = []
    for held in HELD:
        if (held.kind, held.part) == (kind, part):
            paths = sorted(package(held.package).glob(held.files))
            if not paths:
                raise RuntimeError(f"package {held.package} no longer has {held.files}")
            groups = [paths] if held.joined else [[path] for path in paths]
            found += [_recording(held, group) for group in groups]
    return found


def _recording(held: Held, paths: list[Path]) -> Recording:
    pieces, sample_rate = [], 0
    for path in paths:
        samples, sample_rate = _read(path)
        pieces.append(samples)
    first = round(held.start * sample_rate)
    samples = np.concatenate(pieces)[first : first + round(LONGEST_SECONDS * sample_rate)]
    name = f"{held.package}/{paths[0].parent.name}/{paths[0].name}"
    return Recording(name, held.kind, sample_rate, samples)


def _read(path: Path) -> tuple[NDArray[np.float32], int]:
    if path.suffix == ".raw":
        return np.fromfile(path, "<i2").astype(np.float32) / np.float32(32768), RAW_RATE
    samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.mean(axis=1).astype(np.float32), sample_rate


def package(name: str) -> Path:
    """The folder a package was unpacked into, fetched when it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = cache / "realtime-spectrogram" / "recordings" / name
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
            _call(["apt-get", "-q", "download", name], scratch)
            archive = next(Path(scratch).glob("*.deb"))
            _call(["dpkg-deb", "-x", str(archive), "unpacked"], scratch)
            (Path(scratch) / "unpacked").replace(root)
    return root


def _call(command: list[str], folder: str) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise RuntimeError(f"{command[0]} is missing: recordings come from Debian") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{' '.join(command)} failed: {error.stderr.strip()}") from error
