"""The effects between the two halves of the round trip: frames in, as many frames out.

The sound goes on whatever happens: `process` does not raise, what comes out is finite, and every
change is a fade from what the chain did to what it does now. One thread owns an object.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.base import Capture, FrameFormat, Processor
from realtime.dsp.processors.registry import Effect
from realtime.errors import RealtimeError, RequestError

FADE_SECONDS = 0.025
"""Shorter is heard as a click in low tones, longer as a control that lags."""

LEAST_FADE_FRAMES = 4
"""Where frames are far apart: a fade of fewer steps than that is a jump."""

LARGEST = 1e12
"""Of a bin; beyond it the squares that effects compute come near the end of float32. A sine of
full scale and 2^20 samples makes 5e5."""

Tell = Callable[[str], None]


class Chain:
    """`effects` in their order, or with `bypass` the sound as it came, just as late.

    capture : for processors that play what was captured before
    Cost beside that of the processors: 3 us a call, 2 for each effect (1024/256, mono, one AMD
    EPYC core); twice all that while a fade runs.
    Raises RequestError for effects that cannot be made, and what their processors raise
    (Overrun).
    """

    def __init__(
        self,
        format: FrameFormat,
        effects: Sequence[Effect] = (),
        bypass: bool = False,
        capture: Capture | None = None,
    ):
        self.format, self.capture = format, capture
        self.faults = 0
        """Calls in which an effect failed, or something had to be silenced."""
        self.fault = ""
        """The last one, in a sentence."""
        n_fade = max(LEAST_FADE_FRAMES, math.ceil(FADE_SECONDS * format.frames_per_second))
        steps = np.arange(1, n_fade + 1, dtype=np.float32) / (n_fade + 1)
        self._rise = 0.5 - 0.5 * np.cos(np.pi * steps)
        self._line = _Line([], bypass, format.hop)
        self._old: _Line | None = None
        """What is faded out, while there is a fade."""
        self._weights = self._rise[:0]
        """Of `_line` in the frames of the fade still to come."""
        self._waiting: tuple[tuple[Effect, ...], bool] | None = None
        self.change(effects, bypass)
        self._old = None

    @property
    def latency(self) -> int:
        """Samples by which what comes out is later than what went in, with `bypass` too."""
        return self._line.latency

    def change(self, effects: Sequence[Effect], bypass: bool = False) -> None:
        """Do this from the next frame on; an effect that stays keeps its state.

        While a fade runs only the newest change is kept, and begun when the fade is over.
        Raises RequestError, and what processors raise as they are made (Overrun); the chain then
        goes on as it was.
        """
        wanted = tuple(effect.checked() for effect in effects), bypass
        if self._old is None:
            self._begin(*wanted)
        else:
            self._waiting = wanted

    def process(self, frames: NDArray) -> NDArray:
        """Take in frames and return as many, `latency` later.

        frames : complex64 (n_frames, n_channels, n_bins), not changed
        Returns complex64 of the same shape, finite; `frames` itself where there is nothing to do.
        """
        if not len(frames):
            return frames
        with np.errstate(all="ignore"):
            frames = _finite(frames, "what came in", self._tell)
            return self._line.process(frames) if self._old is None else self._fade(frames)

    def reset(self) -> None:
        """Forget the past, as if new; a change that was still to come is made at once."""
        self._old = None
        self._begin_waiting()
        self._old = None
        self._line.reset()

    def _fade(self, frames: NDArray) -> NDArray:
        pieces = []
        while self._old is not None and len(frames):
            weights = self._weights[: len(frames), None, None]
            part, frames = frames[: len(weights)], frames[len(weights) :]
            was, now = self._old.process(part), self._line.process(part)
            pieces.append(was + weights * (now - was))
            self._weights = self._weights[len(weights) :]
            if not len(self._weights):
                self._old = None
                self._begin_waiting()
        if len(frames):
            pieces.append(self._line.process(frames))
        return np.concatenate(pieces)

    def _begin_waiting(self) -> None:
        if self._waiting is not None:
            wanted, self._waiting = self._waiting, None
            try:
                self._begin(*wanted)
            except RealtimeError as error:
                self._tell(str(error))

    def _begin(self, effects: tuple[Effect, ...], bypass: bool) -> None:
        """Start the fade to another description. Raises RealtimeError with nothing changed."""
        before = self._line
        if (effects, bypass) == (before.effects, before.bypass):
            return
        twins = _twins(before.stages, effects)
        stages = [self._stage(e, twin) for e, twin in zip(effects, twins, strict=True)]
        line = _Line(stages, bypass, self.format.hop)
        # What has not run until now, or looks farther ahead now, first fills with sound, unheard.
        stopped = bypass or before.bypass
        new = [
            stage
            for stage, twin in zip(stages, twins, strict=True)
            if stopped or twin is None or stage.n_late > twin.n_late
        ]
        filling = np.zeros(sum(stage.n_late for stage in new), np.float32)
        self._weights = np.concatenate([filling, self._rise])
        self._old, self._line = before, line

    def _stage(self, effect: Effect, twin: _Stage | None) -> _Stage:
        try:
            if twin is not None:
                return twin.changed(effect)
            made = effect.create(self.format, self.capture)
            return _Stage(effect, made, self.format.hop, self._tell)
        except RealtimeError:
            raise
        except Exception as error:  # a stranger's processor may raise anything
            raise RequestError(f"effect {effect.name!r} cannot be made: {error!r}") from error

    def _tell(self, sentence: str) -> None:
        self.faults += 1
        self.fault = sentence


class _Line:
    """What one description does: stages in a row, or the sound as late as they would make it."""

    def __init__(self, stages: Sequence[_Stage], bypass: bool, hop: int):
        self.stages, self.bypass = stages, bypass
        self.effects = tuple(stage.effect for stage in stages)
        self.latency = hop * sum(stage.n_late for stage in stages)
        self._dry = _Delay(self.latency // hop)

    def process(self, frames: NDArray) -> NDArray:
        if self.bypass:
            return self._dry.process(frames)
        for stage in self.stages:
            frames = stage.process(frames)
        return frames

    def reset(self) -> None:
        self._dry.reset()
        for stage in self.stages:
            stage.reset()


class _Stage:
    """One processor, whose faults are told and not raised.

    One that raised, or gave what are no such frames, is left out: dry sound, as late as its own.
    """

    def __init__(self, effect: Effect, processor: Processor, hop: int, tell: Tell):
        self.effect, self.processor, self._hop, self._tell = effect, processor, hop, tell
        self.n_late = -(-processor.latency // hop)
        """Frames by which it is late."""
        self.failed = False
        self._dry = _Delay(self.n_late)

    def process(self, frames: NDArray) -> NDArray:
        if self.failed:
            return self._dry.process(frames)
        try:
            made = self._made(frames)
        except Exception as error:  # a stranger's processor may raise anything
            self._fail(error)
            return self._dry.process(frames)
        return _finite(made, f"what effect {self.effect.name!r} made", self._tell)

    def _made(self, frames: NDArray) -> NDArray:
        # Others use the same frames: one who writes to them shall notice.
        kept = frames.view()
        kept.setflags(write=False)
        made = self.processor.process(kept)
        if np.shape(made) != frames.shape:
            raise ValueError(f"gave shape {np.shape(made)} for {frames.shape}")
        return np.asarray(made, np.complex64)

    def _fail(self, error: Exception) -> None:
        self.failed = True
        self._tell(f"effect {self.effect.name!r} is left out until it is changed: {error!r}")

    def reset(self) -> None:
        self._dry.reset()
        try:
            self.processor.reset()
            self.failed = False
        except Exception as error:
            self._fail(error)

    def changed(self, effect: Effect) -> _Stage:
        """A copy with other values, to run beside this one."""
        if self.failed:
            twin = copy.copy(self)
            twin._dry = copy.copy(self._dry)
            return twin
        processor = self.processor.changed(effect.values)
        return _Stage(effect, processor, self._hop, self._tell)


class _Delay:
    """Gives back frames `n_late` frames later, zeros at first."""

    def __init__(self, n_late: int):
        self._n_late = n_late
        self.reset()

    def reset(self) -> None:
        self._held: NDArray | None = None

    def process(self, frames: NDArray) -> NDArray:
        if not self._n_late:
            return frames
        if self._held is None:
            self._held = np.zeros((self._n_late, *frames.shape[1:]), frames.dtype)
        joined = np.concatenate([self._held, frames])
        self._held = joined[len(frames) :].copy()
        return joined[: len(frames)]


def _twins(stages: Sequence[_Stage], effects: Sequence[Effect]) -> list[_Stage | None]:
    """For each effect the stage whose state it takes over: of the same values, or else the first
    of its name. One that failed begins anew when its values change."""
    spare = list(stages)
    twins: list[_Stage | None] = [None] * len(effects)
    for exactly in (True, False):
        for place, effect in enumerate(effects):
            if twins[place] is None:
                fitting = (stage for stage in spare if _fits(stage, effect, exactly))
                twins[place] = next(fitting, None)
                spare = [stage for stage in spare if stage is not twins[place]]
    return twins


def _fits(stage: _Stage, effect: Effect, exactly: bool) -> bool:
    if exactly or stage.failed:
        return stage.effect == effect
    return stage.effect.name == effect.name


def _finite(frames: NDArray, what: str, tell: Tell) -> NDArray:
    """`frames`, with 0 in place of what no effect can work with."""
    if np.abs(frames).max(initial=0) <= LARGEST:
        return frames
    tell(f"{what} was not finite, or beyond all measure, and is silenced there")
    return np.where(np.abs(frames) <= LARGEST, frames, 0)
