"""What the monitor shows: input, output and their difference, side by side as channels.

Has the reading face of `AudioRing`, so an `Analysis` takes all of them in one go, and all panes
stand at the same instant.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from realtime.audio.ring import AudioRing
from realtime.errors import Overrun

SIGNALS = ("input", "output", "difference")


class Signals:
    """show : one of `SIGNALS`, or "all". latency : samples by which effects delay the output;
    the difference is taken from the input as much earlier."""

    def __init__(
        self, capture: AudioRing, output: AudioRing, show: str, latency: Callable[[], int]
    ):
        self.names = SIGNALS if show == "all" else (show,)
        self._capture, self._output, self._latency = capture, output, latency
        self.sample_rate = capture.sample_rate
        self.n_channels = capture.n_channels * len(self.names)

    @property
    def written(self) -> int:
        return min(self._capture.written, self._output.written)

    @property
    def oldest(self) -> int:
        oldest = max(self._capture.oldest + self._latency(), self._output.oldest)
        return min(oldest, self.written)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Samples [start, stop), float32 (stop - start, n_channels). Raises `Overrun`."""
        if not self.oldest <= start <= stop <= self.written:
            raise Overrun(start, stop, self.oldest, self.written)
        parts = [self._signal(name, start, stop) for name in self.names]
        return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

    def _signal(self, name: str, start: int, stop: int) -> np.ndarray:
        if name == "input":
            return self._capture.read(start, stop)
        output = self._output.read(start, stop)
        if name == "output":
            return output
        late = self._latency()
        first = max(start - late, 0)
        before = np.zeros((stop - start, output.shape[1]), np.float32)
        if stop - late > first:
            before[late - start + first :] = self._capture.read(first, stop - late)
        return before - output
