"""Where samples come from: microphone, demo, tone, noise, or an audio file at real-time pace.

All have the same face, `Source`, so that everything runs without hardware. `parse_source` looks
at text only (and whether a file is there); `open_source` opens. Blocks arrive on the source's own
thread; no exception ever leaves that thread, and nothing is delivered after `stop` returned.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np

from realtime.audio.devices import Device
from realtime.audio.synth import Demo, Noise, Tone
from realtime.config import AudioSettings
from realtime.errors import RealtimeError, SourceError
from realtime.wording import near, shown, shown_path

SYNTH_RATE = 48000
"""Hz of demo, tone and noise where the settings name none: the rate most devices run at."""

Kind = Literal["mic", "demo", "tone", "noise", "file"]

Deliver = Callable[[np.ndarray, bool], None]
"""deliver(block, overflow): block float32 (n_samples, n_channels), full scale ±1."""

OnEnd = Callable[[str | None], None]
"""on_end(reason): it ended by itself; None at the end of a file, otherwise a sentence."""

AHEAD_SAMPLES = 4096
"""Read at a time and delivered block by block: sixteen of the usual blocks for one reading."""

STOP_SECONDS = 0.02
"""Slept at most in one go, so that `stop` need not wait for a long block. Sleeping costs half of
what waiting for an event does."""

WORDS = ("mic", "demo", "tone", "noise")
"""What a source that is no file begins with."""

_CHOICE = "give mic, mic:NAME, demo, tone:440, noise, or an audio file"


class Source(Protocol):
    """A stream of blocks in real time."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def sample_rate(self) -> int: ...

    @property
    def n_channels(self) -> int: ...

    @property
    def block(self) -> int:
        """Samples delivered at a time."""
        ...

    @property
    def active(self) -> bool: ...

    def start(self, deliver: Deliver, on_end: OnEnd) -> None: ...

    def stop(self) -> None:
        """Safe twice and from any state; frees what the source holds."""
        ...


class Samples(Protocol):
    """Samples without a clock: what `PacedSource` delivers at its pace."""

    name: str
    sample_rate: int
    n_channels: int
    bad_samples: int
    """NaN and infinite values so far, each replaced by zero."""

    def read(self, n_samples: int) -> np.ndarray:
        """The next block, float32 (n_samples, n_channels), the caller's own; shorter at the end."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class SourceSpec:
    """A SOURCE that was understood, not yet opened. Crosses to the engine's process."""

    kind: Kind
    argument: str = ""
    """mic: part of a name, or an id, or empty; tone: Hz; file: the path; otherwise empty."""
    named: bool = True
    """Whether somebody asked for it: a default microphone that is missing is no error."""

    @property
    def text(self) -> str:
        """As on the command line."""
        if self.kind == "file":
            return self.argument
        return f"{self.kind}:{self.argument}" if self.argument else self.kind


def parse_source(text: str | None = None) -> SourceSpec:
    """What a SOURCE on the command line means; None means that nothing was named.

    The words win over files of the same name; write ./demo for a file named demo.
    Raises `SourceError`.
    """
    if text is None:
        return SourceSpec("mic", named=False)
    if not text.strip():
        raise SourceError(f"the source is empty: {_CHOICE}")
    word, colon, argument = text.strip().partition(":")
    word, argument = word.lower(), argument.strip()
    if word in WORDS:
        if word == "mic" and colon and not argument:
            raise SourceError(
                f"source {shown(text)} names no microphone: write mic for the default one, or "
                "mic:NAME-or-ID ('realtime devices' lists them)"
            )
        if word == "tone":
            argument = f"{_tone_hz(text, argument):.15g}"
        elif word != "mic" and colon:
            raise SourceError(f"source {shown(text)} takes nothing after the word: write {word}")
        return SourceSpec(cast(Kind, word), argument)
    if os.path.lexists(text):
        return SourceSpec("file", text)
    raise SourceError(_not_known(text, word))


def _tone_hz(text: str, argument: str) -> float:
    if not argument:
        raise SourceError(f"source {shown(text)} has no frequency: write it in Hz, as in tone:440")
    try:
        hz = float(argument)
    except ValueError:
        hz = math.nan
    if not (0 < hz < math.inf):
        raise SourceError(
            f"source {shown(text)}: the frequency must be a number of Hz above 0, as in tone:440"
        )
    return hz


def _not_known(text: str, word: str) -> str:
    looks_like_a_path = os.sep in text or "/" in text or bool(os.path.splitext(text)[1])
    try:
        float(text)
    except ValueError:
        pass
    else:
        return f"unknown source {shown(text)}, did you mean 'tone:{text.strip()}'?"
    if looks_like_a_path:
        return f"there is no file {shown_path(text)}: check the path, or {_CHOICE}"
    meant = near(word, WORDS)
    if meant is not None:
        return f"unknown source {shown(text)}, did you mean {meant!r}?"
    return f"unknown source {shown(text)}, and there is no such file: {_CHOICE}"


def open_source(spec: SourceSpec, audio: AudioSettings, play_on: Device | None = None) -> Source:
    """Open what `spec` names, with the rate, channels and block that `audio` asks for.

    play_on : playback device on the clock of the microphone, for one stream in both directions
    Raises `SourceError`; for a microphone `DeviceError` or `MissingDependency`.
    """
    if spec.kind == "mic":
        from realtime.audio.stream import MicSource

        return MicSource(spec.argument, audio, play_on)
    if spec.kind == "file":
        return _open_file(spec.argument, audio)
    sample_rate = audio.sample_rate or SYNTH_RATE
    n_channels = audio.channels or 1
    if spec.kind == "tone":
        samples: Samples = Tone(float(spec.argument), sample_rate, n_channels)
    elif spec.kind == "noise":
        samples = Noise(sample_rate, n_channels)
    else:
        samples = Demo(sample_rate, n_channels)
    return PacedSource(samples, audio.block)


def _open_file(path: str, audio: AudioSettings) -> Source:
    from realtime.audio.files import open_audio_file

    file = open_audio_file(path)
    try:
        if audio.sample_rate not in (None, file.sample_rate):
            raise SourceError(
                f"audio.sample_rate = {audio.sample_rate}, but {shown_path(path)} has "
                f"{file.sample_rate} Hz and files play at their own rate: leave the setting out"
            )
        if (audio.channels or 1) > file.n_channels:
            raise SourceError(
                f"audio.channels = {audio.channels} is more than the {file.n_channels} of "
                f"{shown_path(path)}: ask for at most {file.n_channels}, or leave the setting out"
            )
    except SourceError:
        file.close()
        raise
    return PacedSource(file, audio.block, audio.channels)


class PacedSource:
    """Delivers `samples` in blocks of `block` samples as a device would, on a thread of its own.

    Block i is delivered when its last sample is due, `start + (i + 1) * block / sample_rate` on
    the monotonic clock, never before; after a stall all that is due comes at once, as from a
    device with a deep buffer, so the pace never drifts. Owns `samples` and closes it.

    n_channels : the first so many channels of `samples` are delivered; None means all
    """

    def __init__(
        self,
        samples: Samples,
        block: int,
        n_channels: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.name = samples.name
        self.sample_rate = samples.sample_rate
        self.n_channels = n_channels or samples.n_channels
        self._samples = samples
        self.block = block
        self._clock = clock
        self._stopped = False
        self._thread: threading.Thread | None = None

    @property
    def active(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def bad_samples(self) -> int:
        """NaN and infinite values so far, each delivered as zero."""
        return self._samples.bad_samples

    def start(self, deliver: Deliver, on_end: OnEnd) -> None:
        """Once only: a stopped source has let go of its samples."""
        if self._thread is not None or self._stopped:
            raise RuntimeError("a source starts once: open it again")
        self._thread = threading.Thread(
            target=self._run, args=(deliver, on_end), name=f"source {self.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopped = True
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._samples.close()

    def _run(self, deliver: Deliver, on_end: OnEnd) -> None:
        try:
            self._deliver_all(deliver)
            reason = None
        except RealtimeError as fault:
            reason = str(fault)
        except Exception as fault:
            reason = f"'{self.name}' stopped by a fault in the program ({fault!r}): start it again"
        if not self._stopped:
            on_end(reason)

    def _deliver_all(self, deliver: Deliver) -> None:
        start = self._clock()
        position = 0
        ahead = self.block * max(1, AHEAD_SAMPLES // self.block)
        while len(samples := self._samples.read(ahead)):
            samples = np.ascontiguousarray(samples[:, : self.n_channels])
            for first in range(0, len(samples), self.block):
                block = samples[first : first + self.block]
                position += len(block)
                if not self._wait_until(start + position / self.sample_rate):
                    return
                deliver(block, False)

    def _wait_until(self, due: float) -> bool:
        """False when stopped before then."""
        while not self._stopped:
            remaining = due - self._clock()
            if remaining <= 0:
                return True
            time.sleep(min(remaining, STOP_SECONDS))
        return False
