"""Gate: what is soft is made softer still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Choice, Number
from realtime.dsp.processors.registry import register

KNEE = 0.25
"""Share of the threshold's power (-6 dB) from which on the gate is open in part: a level that
wavers about the threshold does not flap it."""

SKIRT_BINS = 2
"""A line opens so many bins on either side: a Hann window spreads it over as many."""


@register("gate")
class Gate(Processor):
    """What stays under `threshold` is turned down by `range`: noise between words goes away.

    With mode `bins` each bin opens on its own, so hiss between the lines of a chord goes too
    (close to the threshold it may tinkle); with `whole` all open together by the level of the
    whole sound. Levels are those of the picture: a sine of full scale is 0 dBFS. `attack` and
    `release` are the times in which a gate opens and shuts. All channels share one gate, so that
    nothing moves between them.
    Source: Moorer & Berger 1986 (a gate in each bin).
    Cost: 22 us a frame, with `whole` 15 (1024/256, mono, one AMD EPYC core). No latency.
    """

    threshold = Number(-50, -120, 0, "dBFS")
    range = Number(40, 0, 100, "dB")
    attack = Number(5, 0, 500, "ms")
    release = Number(150, 0, 5000, "ms")
    mode = Choice("bins", ("bins", "whole"))

    def prepare(self) -> None:
        frame = self.format
        hop_ms = 1000 / frame.frames_per_second
        self._rise = hop_ms / max(self.attack, hop_ms)
        self._fall = hop_ms / max(self.release, hop_ms)
        if self.mode == "bins":
            full_scale = np.square(frame.window.sum() / 2)
        else:
            full_scale = np.sum(np.square(frame.window)) * frame.n_fft / 4
        self._threshold = float(full_scale * 10 ** (self.threshold / 10))

    def reset(self) -> None:
        self._open = np.ones(self.format.n_bins, np.float32)
        """How far each bin is open, 0..1: its gain in dB runs along."""

    def process(self, frames: NDArray) -> NDArray:
        power = np.square(np.abs(frames))
        opened = self._wanted(power)
        for row in opened:
            np.clip(row, self._open - self._fall, self._open + self._rise, out=row)
            self._open = row.copy()
        gains = np.exp((opened - 1) * np.float32(self.range * np.log(10) / 20))
        return frames * gains[:, None]

    def _wanted(self, power: NDArray) -> NDArray:
        """How far open each bin should be, (n_frames, n_bins)."""
        if self.mode == "whole":
            level = power.sum(axis=-1).max(axis=1)[:, None]
            return np.repeat(self._knee(level), power.shape[-1], axis=1)
        level = power.max(axis=1)
        peaks = level.copy()
        for bins in range(1, SKIRT_BINS + 1):
            np.maximum(peaks[:, bins:], level[:, :-bins], out=peaks[:, bins:])
            np.maximum(peaks[:, :-bins], level[:, bins:], out=peaks[:, :-bins])
        wanted = self._knee(peaks)
        smooth = wanted.copy()
        smooth[:, 1:-1] = wanted[:, 1:-1] / 2 + (wanted[:, 2:] + wanted[:, :-2]) / 4
        return smooth

    def _knee(self, power: NDArray) -> NDArray:
        return np.clip((power / self._threshold - KNEE) / (1 - KNEE), 0, 1)
