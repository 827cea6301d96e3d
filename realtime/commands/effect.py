"""`realtime effect` and `realtime denoise`: the effects of the monitor on a file."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from realtime.commands.progress import progress
from realtime.commands.request import collected, load_settings, unused
from realtime.commands.sound_file import checked_out, write_sound
from realtime.config import Effect, Settings
from realtime.errors import Overrun, RequestError, SettingsError
from realtime.wording import say, shown, shown_path

if TYPE_CHECKING:
    from realtime.picture.load import OpenSound

DENOISE_FRAMES = {"monitor.n_fft": 2048, "monitor.hop": 512}
"""Where nothing else is asked for: a file can wait, and longer frames part noise and sound
better."""


def run(args: argparse.Namespace, denoises: bool = False) -> int:
    sys.path.append(os.getcwd())  # where effects of people's own are looked for, after all others
    faults: list[str] = []
    defaults = DENOISE_FRAMES if denoises else None
    settings = collected(faults, lambda: load_settings(args, None, defaults), Settings())
    faults += unused(args, "monitor", "effect")
    out = collected(faults, lambda: checked_out(args.out, [args.input], args.depth), None)
    if not denoises and not settings.effect and not faults:
        faults.append("no effect is named: give --effect NAME (as in --effect pitch:semitones=-5)")
    if faults or out is None:
        raise SettingsError(faults)
    from realtime.engine.offline import effected
    from realtime.picture.load import open_sound

    with contextlib.closing(open_sound(args.input, partial=True)) as sound:
        effects = settings.effect
        if denoises:
            effects = (_denoise(args.noise, sound), *effects)
        pieces = effected(sound, effects, settings.monitor, FileCapture(args.input, sound))
        with progress("effects", sound.n_samples) as done:
            n_samples = write_sound(
                out, pieces, sound.sample_rate, sound.n_channels, args.depth, done,
                expected=sound.n_samples,
            )  # fmt: skip
        if sound.damage:
            say(sound.damage)
        if sound.bad_samples:
            say(f"{sound.bad_samples} NaN or infinite values became zeros")
    say(f"{n_samples / sound.sample_rate:.2f} s written to {shown_path(str(out))}")
    return 0


def _denoise(noise: str | None, sound: OpenSound) -> Effect:
    """noise : "START-STOP" in seconds, where only noise is heard"""
    effect = Effect("denoise")
    if noise is None:
        return effect
    texts = noise.partition("-")[::2]
    try:
        start, stop = (int(float(text) * sound.sample_rate) for text in texts)
    except (ValueError, OverflowError):
        start = stop = 0
    if not 0 <= start < stop:
        raise RequestError(
            f"--noise = {shown(noise)} must be START-STOP in seconds, the one before the other "
            "(try 0-0.5)"
        )
    if sound.n_samples is not None and stop > sound.n_samples:
        raise RequestError(
            f"--noise = {shown(noise)} must end by {sound.n_samples / sound.sample_rate:.2f}, the "
            "length of the sound in seconds (try 0-0.5)"
        )
    values: dict[str, Any] = {"start": start, "stop": stop}
    return replace(effect, values=values).checked()


class FileCapture:
    """A file in place of the capture ring, for effects that take a span of it."""

    def __init__(self, path: str, sound: OpenSound):
        self._path = path
        self.written = sound.n_samples or 0

    def read(self, start: int, stop: int) -> NDArray:
        """Raises Overrun where the file is shorter, and what `open_sound` raises."""
        from realtime.picture.load import PIECE, open_sound

        with contextlib.closing(open_sound(self._path, partial=True)) as sound:
            at = 0
            while at < start and len(skipped := sound.read(min(PIECE, start - at))):
                at += len(skipped)
            samples = sound.read(stop - start)
        if at < start or len(samples) < stop - start:
            raise Overrun(start, stop, 0, at + len(samples))
        return samples
