"""`realtime effect` and `realtime denoise`: the effects of the monitor on a file."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime.commands.progress import progress
from realtime.commands.request import collected, load_settings
from realtime.config import Effect, Settings
from realtime.errors import Overrun, RealtimeError, RequestError, SettingsError
from realtime.wording import say, shown, shown_path

if TYPE_CHECKING:
    from realtime.picture.load import OpenSound

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}
"""Kinds of files written, by the end of their name."""

DEPTHS = {"16": "PCM_16", "24": "PCM_24", "32": "FLOAT"}

WRITTEN_SAMPLES = 1 << 16
"""At a time: libsndfile's Vorbis encoder crashes on millions."""

DENOISE_FRAMES = {"monitor.n_fft": 2048, "monitor.hop": 512}
"""Where nothing else is asked for: a file can wait, and longer frames part noise and sound
better."""


def run(args: argparse.Namespace, denoises: bool = False) -> int:
    sys.path.append(os.getcwd())  # where effects of people's own are looked for, after all others
    faults: list[str] = []
    defaults = DENOISE_FRAMES if denoises else None
    settings = collected(faults, lambda: load_settings(args, None, defaults), Settings())
    out = collected(faults, lambda: _out(args.output, args.input, args.depth), None)
    if not denoises and not settings.effect and not faults:
        faults.append("no effect is named: give --effect NAME (as in --effect pitch:semitones=-5)")
    if faults or out is None:
        raise SettingsError(faults)
    from realtime.engine.offline import effected
    from realtime.picture.load import open_sound

    with contextlib.closing(open_sound(args.input)) as sound:
        effects = settings.effect
        if denoises:
            effects = (_denoise(args.noise, sound), *effects)
        pieces = effected(sound, effects, settings.monitor, FileCapture(args.input, sound))
        n_samples = _write(out, pieces, sound, args.depth)
        if sound.bad_samples:
            say(f"{sound.bad_samples} NaN or infinite values became zeros")
    say(f"{n_samples / sound.sample_rate:.2f} s written to {shown_path(str(out))}")
    return 0


def _out(text: str | None, source: str, depth: str) -> Path:
    if text is None:
        raise RequestError("name the file to write: -o FILE.wav")
    path, name = Path(text), f"-o {shown_path(text)}"
    if path.suffix.lower() not in FORMATS:
        raise RequestError(f"{name} must end in one of {', '.join(FORMATS)}")
    if depth not in DEPTHS:
        raise RequestError(f"--depth = {shown(depth)} must be 16, 24, or 32 for float (try 24)")
    if depth == "32" and path.suffix.lower() != ".wav":
        raise RequestError(f"--depth 32 is float, which only WAV holds: name a .wav, not {name}")
    if path.is_dir() or not path.parent.is_dir():
        raise RequestError(f"{name} must be a file in a folder that is there")
    if path.exists() and os.path.exists(source) and path.samefile(source):
        raise RequestError(f"{name} is the file that is read: name another")
    return path


def _denoise(noise: str | None, sound: OpenSound) -> Effect:
    """noise : "START-STOP" in seconds, where only noise is heard"""
    effect = Effect("denoise")
    if noise is None:
        return effect
    start, dash, stop = noise.partition("-")
    try:
        span = [int(float(text) * sound.sample_rate) for text in (start, stop)]
    except (ValueError, OverflowError):
        span = []
    if not dash or not span:
        raise RequestError(f"--noise = {shown(noise)} must be START-STOP in seconds (try 0-0.5)")
    values: dict[str, Any] = {"start": span[0], "stop": span[1]}
    return replace(effect, values=values).checked()


class FileCapture:
    """A file in place of the capture ring, for effects that take a span of it."""

    def __init__(self, path: str, sound: OpenSound):
        self._path = path
        self.written = sound.n_samples or 0

    def read(self, start: int, stop: int) -> NDArray:
        """Raises Overrun where the file is shorter, and what `open_sound` raises."""
        from realtime.picture.load import PIECE, open_sound

        with contextlib.closing(open_sound(self._path)) as sound:
            at = 0
            while at < start and len(skipped := sound.read(min(PIECE, start - at))):
                at += len(skipped)
            samples = sound.read(stop - start)
        if at < start or len(samples) < stop - start:
            raise Overrun(start, stop, 0, at + len(samples))
        return samples


def _write(out: Path, pieces: Iterator[NDArray], sound: OpenSound, depth: str) -> int:
    """Returns how many samples; `out` is whole or as it was. Raises RealtimeError."""
    import soundfile

    kind = FORMATS[out.suffix.lower()]
    subtype = DEPTHS[depth] if kind in ("WAV", "FLAC") else None
    new = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    n_samples = 0
    try:
        with (
            progress("effects", sound.n_samples) as advance,
            soundfile.SoundFile(
                new, "w", sound.sample_rate, sound.n_channels, subtype, format=kind
            ) as file,
        ):
            for piece in pieces:
                for at in range(0, len(piece), WRITTEN_SAMPLES):
                    file.write(np.asarray(piece[at : at + WRITTEN_SAMPLES]))
                n_samples += len(piece)
                advance(n_samples)
        os.replace(new, out)
    except soundfile.SoundFileError as fault:
        raise RealtimeError(
            f"{shown_path(str(out))} cannot be written ({fault}): is the disk full, or the format "
            "unable to hold this sample rate or so many channels?"
        ) from fault
    except OSError as fault:
        raise RealtimeError(
            f"{shown_path(str(out))} cannot be written ({fault.strerror}): check the disk"
        ) from fault
    finally:
        new.unlink(missing_ok=True)
    return n_samples
