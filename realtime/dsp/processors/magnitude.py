"""Magnitude: what is heard of a spectrogram, whose picture shows no phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.phase import PhaseIntegrator
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Number
from realtime.dsp.processors.registry import register


@register("magnitude")
class Magnitude(Processor):
    """All phases are thrown away, and found again from the magnitudes.

    Best with a Blackman window and a hop of n_fft / 8; at n_fft / 2, and with the frames of least
    latency, it is rough. Each channel finds phases of its own, so directions between them blur.
    Source: see `realtime.dsp.phase`.
    """

    look_ahead = Number(1, 0, 8, "frames", whole=True)
    rounds = Number(1, 0, 8, whole=True)

    _integrator: PhaseIntegrator
    _made_for: tuple[int, int] | None = None

    def prepare(self) -> None:
        wanted = int(self.look_ahead), int(self.rounds)
        if wanted != self._made_for:
            self._made_for = wanted
            self._integrator = PhaseIntegrator(
                self.format.window,
                self.format.hop,
                self.format.n_channels,
                look_ahead=wanted[0],
                rounds=wanted[1],
            )

    @property
    def latency(self) -> int:
        return self._integrator.latency * self.format.hop

    def reset(self) -> None:
        self._integrator.reset()

    def process(self, frames: NDArray) -> NDArray:
        return self._integrator.push(self.magnitudes(frames))

    def magnitudes(self, frames: NDArray) -> NDArray:
        """What is known of complex64 `frames`: float32 of the same shape."""
        return np.abs(frames)
