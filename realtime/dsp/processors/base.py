"""A processor changes the frames of a stream: one class with `process` and `reset`.

Its parameters are class attributes (`Number`, `Switch`, `Choice`, `Boxes`) and read on an
instance as plain values. They are frozen: `changed` gives a copy with other values and the same
state, and whoever runs processors fades from one to the other between two frames. One thread
owns an instance. `realtime.dsp.processors.registry` knows processors by name.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.parameters import Parameter
from realtime.errors import Overrun, RequestError

LAST_SAMPLE = 1 << 53
"""Up to here whole numbers are exact as floats: 5900 years at 48000 Hz."""


@dataclass(frozen=True)
class FrameFormat:
    """How the frames were made, and how they become samples again."""

    sample_rate: int
    n_fft: int
    hop: int
    n_channels: int
    window: NDArray
    """Analysis window (n_fft,)."""
    synthesis_window: NDArray
    """Covers the newest samples of each frame, (n_fft,) or shorter."""

    @property
    def n_bins(self) -> int:
        return self.n_fft // 2 + 1

    @property
    def bin_hz(self) -> float:
        """Hz between two bins."""
        return self.sample_rate / self.n_fft

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate / self.hop

    @property
    def frequencies(self) -> NDArray:
        """Hz of each bin, (n_bins,)."""
        return np.arange(self.n_bins) * self.bin_hz


class Capture(Protocol):
    """What was captured so far, by absolute sample index: an `AudioRing` or its twin."""

    @property
    def written(self) -> int: ...

    def read(self, start: int, stop: int) -> NDArray:
        """float32 (stop - start, n_channels). Raises Overrun."""
        ...


class Processor:
    """Base of all. A subclass overrides `process`, and where it needs them `prepare` (tables
    made of `format` and parameters, again after each change), `reset` (state) and `latency`.

    values : parameters by name; those left out take their defaults
    capture : for processors that play what was captured before
    Raises RequestError for an unknown name or a value out of range.
    """

    name: ClassVar[str] = ""
    """Set by `register`."""

    def __init__(
        self,
        format: FrameFormat,
        values: Mapping[str, Any] | None = None,
        capture: Capture | None = None,
    ):
        self.format = format
        self.capture = capture
        self.values = checked_values(type(self), values or {})
        self.prepare()
        self.reset()

    @classmethod
    def parameters(cls) -> dict[str, Parameter[Any]]:
        """Every parameter by its name, in the order they were written."""
        found: dict[str, Parameter[Any]] = {}
        for kind in reversed(cls.__mro__):
            found |= {k: v for k, v in vars(kind).items() if isinstance(v, Parameter)}
        return found

    @property
    def latency(self) -> int:
        """Samples by which what comes out is later than what went in, a multiple of the hop."""
        return 0

    def prepare(self) -> None:
        """Make what follows from `format` and the parameters. State stays as it is."""

    def reset(self) -> None:
        """Forget the past, as if new."""

    def process(self, frames: NDArray) -> NDArray:
        """Take in frames and return as many, delayed by `latency`.

        frames : complex64 (n_frames, n_channels, n_bins), not to be changed, nor kept
        Returns complex64 of the same shape, a new array (or `frames` itself, unchanged).
        """
        raise NotImplementedError

    def captured(
        self, start: int, stop: int, use: str = "play", asked: str = "start and stop"
    ) -> NDArray:
        """Samples [start, stop) of what was captured, float32 (n, n_channels), finite.

        use : what they are for, in the sentence where they are gone
        asked : which values name them, in the sentence where nothing is captured
        Raises RequestError.
        """
        if self.capture is None:
            raise RequestError(
                f"{self.name}:{asked} need a capture to take the sound from; leave them out"
            )
        try:
            samples = self.capture.read(start, stop)
        except Overrun as error:
            raise RequestError(f"{self.name} has nothing to {use}: {error}") from error
        return np.where(np.isfinite(samples), samples, np.float32(0))

    def changed(self, values: Mapping[str, Any]) -> Self:
        """A copy with other values and a copy of the state. Raises RequestError.

        Arrays that nothing writes to (`setflags(write=False)`) are shared and not copied, which
        counts for large ones: a slider that is dragged asks for a copy many times a second.
        """
        merged = checked_values(type(self), {**self.values, **values})
        frozen = [
            thing
            for thing in vars(self).values()
            if isinstance(thing, np.ndarray) and not thing.flags.writeable
        ]
        shared = [self.format, self.capture, *frozen]
        twin = copy.deepcopy(self, {id(thing): thing for thing in shared})
        twin.values = merged
        twin.prepare()
        return twin


def checked_values(kind: type[Processor], values: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of `kind` with its value. Raises RequestError."""
    known = kind.parameters()
    for name in values:
        if name not in known:
            raise RequestError(
                f"effect {kind.name!r} has no parameter {name!r}; it has: "
                f"{', '.join(known) or 'none'}"
            )
    return {
        name: parameter.checked(f"{kind.name}:{name}", values[name])
        if name in values
        else parameter.default
        for name, parameter in known.items()
    }
